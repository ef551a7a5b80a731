#ifndef NPCOMP_CAPI_REFRT_H
#define NPCOMP_CAPI_REFRT_H

#include "mlir-c/IR.h"

#ifdef __cplusplus
extern "C" {
#endif

MLIR_DECLARE_CAPI_DIALECT_REGISTRATION(Tcf, tcf);
MLIR_DECLARE_CAPI_DIALECT_REGISTRATION(Refrt, refrt);

MLIR_CAPI_EXPORTED bool npcompRefrtTypeIsATensor(MlirType type);
MLIR_CAPI_EXPORTED MlirTypeID npcompRefrtTensorTypeGetTypeID(void);
MLIR_CAPI_EXPORTED MlirType npcompRefrtTensorTypeGet(MlirContext context);

#ifdef __cplusplus
}
#endif

#endif
