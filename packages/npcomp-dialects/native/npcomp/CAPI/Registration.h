#ifndef NPCOMP_CAPI_REGISTRATION_H
#define NPCOMP_CAPI_REGISTRATION_H

#include "mlir-c/IR.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Adds our dialects, and those of MLIR that npcomp uses, to a registry.
MLIR_CAPI_EXPORTED void npcompRegisterAllDialects(MlirDialectRegistry registry);

/// Makes the passes that npcomp uses known to textual pipelines. Safe to call twice.
MLIR_CAPI_EXPORTED void npcompRegisterAllPasses(void);

/// The contract epoch and native revision that this library was built for, as epoch * 1000 + revision.
MLIR_CAPI_EXPORTED int npcompGetNativeNumber(void);

#ifdef __cplusplus
}
#endif

#endif
