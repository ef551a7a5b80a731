#ifndef NPCOMP_CAPI_CODEGEN_H
#define NPCOMP_CAPI_CODEGEN_H

#include "mlir-c/IR.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Compiles a module of the LLVM dialect to an object file of this machine's kind. On success `bytes` gets the file
/// and true is returned, else `error` gets the reason. `cpu` and `features` are as for `llc`; empty: the baseline.
MLIR_CAPI_EXPORTED bool npcompEmitObject(MlirOperation module, int optLevel, MlirStringRef cpu, MlirStringRef features,
                                         bool positionIndependent, MlirStringCallback bytes, MlirStringCallback error,
                                         void *userData);

/// The CPU that this process runs on, and its features as `+avx2,-avx512f,...`.
MLIR_CAPI_EXPORTED void npcompGetHostCpu(MlirStringCallback callback, void *userData);
MLIR_CAPI_EXPORTED void npcompGetHostFeatures(MlirStringCallback callback, void *userData);

/// The bytes of a dense constant, row-major, one byte for an i1. `isStable`: they lie in the attribute and live as
/// long as its context; else they must be copied in the callback. False, after `error`, for any other attribute.
MLIR_CAPI_EXPORTED bool npcompGetElementBytes(MlirAttribute attribute,
                                              void (*bytes)(MlirStringRef data, bool isStable, void *userData),
                                              MlirStringCallback error, void *userData);

#ifdef __cplusplus
}
#endif

#endif
