#include "npcomp/CAPI/Torch.h"

#include "mlir/CAPI/IR.h"
#include "mlir/CAPI/Registration.h"
#include "mlir/CAPI/Support.h"
#include "npcomp/Torch/AtenOps.h"
#include "npcomp/Torch/TorchOps.h"

using namespace mlir;

extern "C" {
MLIR_DEFINE_CAPI_DIALECT_REGISTRATION(Torch, torch, npcomp::torch::TorchDialect)
}

namespace t = npcomp::torch;

static auto errorAt(MlirLocation location) {
  return [location] { return mlir::emitError(unwrap(location)); };
}

extern "C" {

/// Membership test and type id of a type class.
#define NPCOMP_TORCH_TYPE(Name)                                                                                        \
  bool npcompTorchTypeIsA##Name(MlirType type) { return isa<t::Name##Type>(unwrap(type)); }                            \
  MlirTypeID npcompTorch##Name##TypeGetTypeID() { return wrap(t::Name##Type::getTypeID()); }

NPCOMP_TORCH_TYPE(List)
NPCOMP_TORCH_TYPE(Optional)
NPCOMP_TORCH_TYPE(Tuple)
NPCOMP_TORCH_TYPE(Union)
NPCOMP_TORCH_TYPE(Dict)
NPCOMP_TORCH_TYPE(NnModule)

#define NPCOMP_TORCH_TENSOR(Name)                                                                                      \
  NPCOMP_TORCH_TYPE(Name)                                                                                              \
  MlirType npcompTorch##Name##TypeGetChecked(MlirLocation location, intptr_t rank, const int64_t *sizes,               \
                                             MlirType dtype) {                                                         \
    std::optional<ArrayRef<int64_t>> known;                                                                            \
    if (rank >= 0)                                                                                                     \
      known = ArrayRef<int64_t>(sizes, rank);                                                                          \
    return wrap(                                                                                                       \
        Type(t::Name##Type::getChecked(errorAt(location), unwrap(location).getContext(), known, unwrap(dtype))));      \
  }

NPCOMP_TORCH_TENSOR(ValueTensor)
NPCOMP_TORCH_TENSOR(NonValueTensor)

intptr_t npcompTorchTensorTypeGetRank(MlirType type) {
  auto sizes = t::getTensorSizes(unwrap(type));
  return sizes ? static_cast<intptr_t>(sizes->size()) : -1;
}

int64_t npcompTorchTensorTypeGetSize(MlirType type, intptr_t dim) { return (*t::getTensorSizes(unwrap(type)))[dim]; }

MlirType npcompTorchTensorTypeGetDtype(MlirType type) { return wrap(t::getTensorDtype(unwrap(type))); }

MlirType npcompTorchListTypeGetChecked(MlirLocation location, MlirType contained) {
  return wrap(Type(t::ListType::getChecked(errorAt(location), unwrap(location).getContext(), unwrap(contained))));
}

MlirType npcompTorchOptionalTypeGetChecked(MlirLocation location, MlirType contained) {
  return wrap(Type(t::OptionalType::getChecked(errorAt(location), unwrap(location).getContext(), unwrap(contained))));
}

MlirType npcompTorchContainerTypeGetContained(MlirType type) {
  if (auto list = dyn_cast<t::ListType>(unwrap(type)))
    return wrap(list.getContained());
  return wrap(cast<t::OptionalType>(unwrap(type)).getContained());
}

#define NPCOMP_TORCH_MULTI(Name)                                                                                       \
  MlirType npcompTorch##Name##TypeGetChecked(MlirLocation location, intptr_t count, MlirType const *types) {           \
    SmallVector<Type> storage;                                                                                         \
    ArrayRef<Type> parts = unwrapList(count, types, storage);                                                          \
    return wrap(Type(t::Name##Type::getChecked(errorAt(location), unwrap(location).getContext(), parts)));             \
  }

NPCOMP_TORCH_MULTI(Tuple)
NPCOMP_TORCH_MULTI(Union)

static ArrayRef<Type> partsOf(MlirType type) {
  if (auto tuple = dyn_cast<t::TupleType>(unwrap(type)))
    return tuple.getContainedTypes();
  return cast<t::UnionType>(unwrap(type)).getContainedTypes();
}

intptr_t npcompTorchMultiTypeGetNumTypes(MlirType type) { return partsOf(type).size(); }
MlirType npcompTorchMultiTypeGetType(MlirType type, intptr_t index) { return wrap(partsOf(type)[index]); }

MlirType npcompTorchDictTypeGetChecked(MlirLocation location, MlirType key, MlirType value) {
  return wrap(
      Type(t::DictType::getChecked(errorAt(location), unwrap(location).getContext(), unwrap(key), unwrap(value))));
}
MlirType npcompTorchDictTypeGetKey(MlirType type) { return wrap(cast<t::DictType>(unwrap(type)).getKey()); }
MlirType npcompTorchDictTypeGetValue(MlirType type) { return wrap(cast<t::DictType>(unwrap(type)).getValue()); }

MlirType npcompTorchNnModuleTypeGet(MlirContext context, MlirStringRef className) {
  return wrap(Type(t::NnModuleType::get(unwrap(context), unwrap(className))));
}
MlirStringRef npcompTorchNnModuleTypeGetClassName(MlirType type) {
  return wrap(cast<t::NnModuleType>(unwrap(type)).getClassName().getValue());
}

#define NPCOMP_TORCH_SINGLETON(Name)                                                                                   \
  NPCOMP_TORCH_TYPE(Name)                                                                                              \
  MlirType npcompTorch##Name##TypeGet(MlirContext context) { return wrap(Type(t::Name##Type::get(unwrap(context)))); }
NPCOMP_TORCH_FOR_EACH_SINGLETON(NPCOMP_TORCH_SINGLETON)

bool npcompTorchRegisterAtenOps(MlirContext context, MlirStringRef table) {
  StringRef rows = table.data ? unwrap(table) : t::getDefaultAtenTable();
  return succeeded(t::registerAtenOps(unwrap(context), rows));
}

bool npcompTorchTypeIsSubtype(MlirType narrow, MlirType wide) { return t::isSubtype(unwrap(narrow), unwrap(wide)); }

} // extern "C"
