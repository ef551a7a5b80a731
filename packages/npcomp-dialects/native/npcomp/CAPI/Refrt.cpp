#include "npcomp/CAPI/Refrt.h"

#include "mlir/CAPI/IR.h"
#include "mlir/CAPI/Registration.h"
#include "npcomp/Refrt/RefrtOps.h"
#include "npcomp/Tcf/TcfOps.h"

extern "C" {
MLIR_DEFINE_CAPI_DIALECT_REGISTRATION(Tcf, tcf, npcomp::tcf::TcfDialect)
MLIR_DEFINE_CAPI_DIALECT_REGISTRATION(Refrt, refrt, npcomp::refrt::RefrtDialect)
}

using npcomp::refrt::TensorType;

bool npcompRefrtTypeIsATensor(MlirType type) { return mlir::isa<TensorType>(unwrap(type)); }
MlirTypeID npcompRefrtTensorTypeGetTypeID() { return wrap(TensorType::getTypeID()); }
MlirType npcompRefrtTensorTypeGet(MlirContext context) { return wrap(mlir::Type(TensorType::get(unwrap(context)))); }
