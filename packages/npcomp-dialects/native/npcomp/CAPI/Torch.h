#ifndef NPCOMP_CAPI_TORCH_H
#define NPCOMP_CAPI_TORCH_H

#include "mlir-c/IR.h"

#ifdef __cplusplus
extern "C" {
#endif

MLIR_DECLARE_CAPI_DIALECT_REGISTRATION(Torch, torch);

/// Tensor types. Sizes are -1 where unknown; no sizes at all where `rank` is negative; a null dtype is unknown.
/// The get functions return a null type, after a diagnostic at `location`, when the parameters are invalid.
MLIR_CAPI_EXPORTED bool npcompTorchTypeIsAValueTensor(MlirType type);
MLIR_CAPI_EXPORTED MlirTypeID npcompTorchValueTensorTypeGetTypeID(void);
MLIR_CAPI_EXPORTED MlirType npcompTorchValueTensorTypeGetChecked(MlirLocation location, intptr_t rank,
                                                                 const int64_t *sizes, MlirType dtype);
MLIR_CAPI_EXPORTED bool npcompTorchTypeIsANonValueTensor(MlirType type);
MLIR_CAPI_EXPORTED MlirTypeID npcompTorchNonValueTensorTypeGetTypeID(void);
MLIR_CAPI_EXPORTED MlirType npcompTorchNonValueTensorTypeGetChecked(MlirLocation location, intptr_t rank,
                                                                    const int64_t *sizes, MlirType dtype);
/// The rank of either tensor type, -1 when unknown.
MLIR_CAPI_EXPORTED intptr_t npcompTorchTensorTypeGetRank(MlirType type);
MLIR_CAPI_EXPORTED int64_t npcompTorchTensorTypeGetSize(MlirType type, intptr_t dim);
MLIR_CAPI_EXPORTED MlirType npcompTorchTensorTypeGetDtype(MlirType type);

/// Containers. The get functions return a null type, after a diagnostic, unless the parts are torch types.
MLIR_CAPI_EXPORTED bool npcompTorchTypeIsAList(MlirType type);
MLIR_CAPI_EXPORTED MlirTypeID npcompTorchListTypeGetTypeID(void);
MLIR_CAPI_EXPORTED MlirType npcompTorchListTypeGetChecked(MlirLocation location, MlirType contained);
MLIR_CAPI_EXPORTED bool npcompTorchTypeIsAOptional(MlirType type);
MLIR_CAPI_EXPORTED MlirTypeID npcompTorchOptionalTypeGetTypeID(void);
MLIR_CAPI_EXPORTED MlirType npcompTorchOptionalTypeGetChecked(MlirLocation location, MlirType contained);
/// What a list or an optional contains.
MLIR_CAPI_EXPORTED MlirType npcompTorchContainerTypeGetContained(MlirType type);

MLIR_CAPI_EXPORTED bool npcompTorchTypeIsATuple(MlirType type);
MLIR_CAPI_EXPORTED MlirTypeID npcompTorchTupleTypeGetTypeID(void);
MLIR_CAPI_EXPORTED MlirType npcompTorchTupleTypeGetChecked(MlirLocation location, intptr_t count,
                                                           MlirType const *types);
MLIR_CAPI_EXPORTED bool npcompTorchTypeIsAUnion(MlirType type);
MLIR_CAPI_EXPORTED MlirTypeID npcompTorchUnionTypeGetTypeID(void);
MLIR_CAPI_EXPORTED MlirType npcompTorchUnionTypeGetChecked(MlirLocation location, intptr_t count,
                                                           MlirType const *types);
/// The parts of a tuple or a union.
MLIR_CAPI_EXPORTED intptr_t npcompTorchMultiTypeGetNumTypes(MlirType type);
MLIR_CAPI_EXPORTED MlirType npcompTorchMultiTypeGetType(MlirType type, intptr_t index);

MLIR_CAPI_EXPORTED bool npcompTorchTypeIsADict(MlirType type);
MLIR_CAPI_EXPORTED MlirTypeID npcompTorchDictTypeGetTypeID(void);
MLIR_CAPI_EXPORTED MlirType npcompTorchDictTypeGetChecked(MlirLocation location, MlirType key, MlirType value);
MLIR_CAPI_EXPORTED MlirType npcompTorchDictTypeGetKey(MlirType type);
MLIR_CAPI_EXPORTED MlirType npcompTorchDictTypeGetValue(MlirType type);

MLIR_CAPI_EXPORTED bool npcompTorchTypeIsANnModule(MlirType type);
MLIR_CAPI_EXPORTED MlirTypeID npcompTorchNnModuleTypeGetTypeID(void);
MLIR_CAPI_EXPORTED MlirType npcompTorchNnModuleTypeGet(MlirContext context, MlirStringRef className);
MLIR_CAPI_EXPORTED MlirStringRef npcompTorchNnModuleTypeGetClassName(MlirType type);

/// Types without parameters.
#define NPCOMP_TORCH_FOR_EACH_SINGLETON(apply)                                                                         \
  apply(Int) apply(Float) apply(Bool) apply(String) apply(None) apply(Device) apply(Number) apply(Any) apply(Generator)
#define NPCOMP_TORCH_DECLARE_SINGLETON(Name)                                                                           \
  MLIR_CAPI_EXPORTED bool npcompTorchTypeIsA##Name(MlirType type);                                                     \
  MLIR_CAPI_EXPORTED MlirTypeID npcompTorch##Name##TypeGetTypeID(void);                                                \
  MLIR_CAPI_EXPORTED MlirType npcompTorch##Name##TypeGet(MlirContext context);
NPCOMP_TORCH_FOR_EACH_SINGLETON(NPCOMP_TORCH_DECLARE_SINGLETON)
#undef NPCOMP_TORCH_DECLARE_SINGLETON

/// Registers the ATen ops of a table into a context, one row an op: `torch.NAME|SCHEMA|TRAITS`. A null table: the one
/// the library was built with. Do so before the ops' names are used in the context. False, after a diagnostic, for a
/// malformed row, and for an op that the context has with another schema.
MLIR_CAPI_EXPORTED bool npcompTorchRegisterAtenOps(MlirContext context, MlirStringRef table);

/// Does every value of `narrow` belong to `wide` too?
MLIR_CAPI_EXPORTED bool npcompTorchTypeIsSubtype(MlirType narrow, MlirType wide);

#ifdef __cplusplus
}
#endif

#endif
