// The extension `_npcompTypes`: Python classes of our dialects' types.
#include "mlir/Bindings/Python/NanobindAdaptors.h"
#include "npcomp/CAPI/Refrt.h"
#include "npcomp/CAPI/Torch.h"
#include "npcomp/Python/DiagnosticText.h"

#include <optional>
#include <vector>

namespace nb = nanobind;
using mlir::python::nanobind_adaptors::mlir_type_subclass;

/// Runs `make` and turns a null type into a ValueError that carries the diagnostic.
template <typename MakeFn> static MlirType checked(MlirLocation location, MakeFn make) {
  npcomp::python::DiagnosticText diagnostics(mlirLocationGetContext(location));
  MlirType type = make();
  if (mlirTypeIsNull(type))
    throw nb::value_error(diagnostics.c_str());
  return type;
}

static MlirContext contextOf(std::optional<MlirType> dtype, MlirContext fallback) {
  return dtype ? mlirTypeGetContext(*dtype) : fallback;
}

using TensorGetter = MlirType (*)(MlirLocation, intptr_t, const int64_t *, MlirType);

static void addTensorType(nb::module_ &module, const char *name, bool (*isa)(MlirType), MlirTypeID (*typeID)(),
                          TensorGetter get) {
  mlir_type_subclass(module, name, isa, typeID)
      .def_classmethod(
          "get",
          [get](nb::object cls, std::optional<std::vector<int64_t>> sizes, std::optional<MlirType> dtype,
                MlirContext context) {
            MlirLocation location = mlirLocationUnknownGet(contextOf(dtype, context));
            return cls(checked(location, [&] {
              intptr_t rank = sizes ? static_cast<intptr_t>(sizes->size()) : -1;
              return get(location, rank, sizes ? sizes->data() : nullptr, dtype.value_or(MlirType{nullptr}));
            }));
          },
          nb::arg("cls"), nb::arg("sizes") = nb::none(), nb::arg("dtype") = nb::none(), nb::kw_only(),
          nb::arg("context") = nb::none(),
          "Sizes: None (unknown rank) or a list, -1 where unknown. dtype: None or a type.")
      .def_property_readonly("sizes",
                             [](MlirType self) -> std::optional<std::vector<int64_t>> {
                               intptr_t rank = npcompTorchTensorTypeGetRank(self);
                               if (rank < 0)
                                 return std::nullopt;
                               std::vector<int64_t> sizes(rank);
                               for (intptr_t dim = 0; dim < rank; ++dim)
                                 sizes[dim] = npcompTorchTensorTypeGetSize(self, dim);
                               return sizes;
                             })
      .def_property_readonly("rank",
                             [](MlirType self) -> std::optional<intptr_t> {
                               intptr_t rank = npcompTorchTensorTypeGetRank(self);
                               return rank < 0 ? std::nullopt : std::optional<intptr_t>(rank);
                             })
      .def_property_readonly("dtype", [](MlirType self) -> std::optional<MlirType> {
        MlirType dtype = npcompTorchTensorTypeGetDtype(self);
        return mlirTypeIsNull(dtype) ? std::nullopt : std::optional<MlirType>(dtype);
      });
}

static void addWrapperType(nb::module_ &module, const char *name, bool (*isa)(MlirType), MlirTypeID (*typeID)(),
                           MlirType (*get)(MlirLocation, MlirType)) {
  mlir_type_subclass(module, name, isa, typeID)
      .def_classmethod(
          "get",
          [get](nb::object cls, MlirType contained) {
            MlirLocation location = mlirLocationUnknownGet(mlirTypeGetContext(contained));
            return cls(checked(location, [&] { return get(location, contained); }));
          },
          nb::arg("cls"), nb::arg("contained"))
      .def_property_readonly("contained", npcompTorchContainerTypeGetContained);
}

static void addMultiType(nb::module_ &module, const char *name, bool (*isa)(MlirType), MlirTypeID (*typeID)(),
                         MlirType (*get)(MlirLocation, intptr_t, MlirType const *)) {
  mlir_type_subclass(module, name, isa, typeID)
      .def_classmethod(
          "get",
          [get](nb::object cls, std::vector<MlirType> types, MlirContext context) {
            MlirLocation location = mlirLocationUnknownGet(types.empty() ? context : mlirTypeGetContext(types.front()));
            return cls(checked(location, [&] { return get(location, types.size(), types.data()); }));
          },
          nb::arg("cls"), nb::arg("contained_types"), nb::kw_only(), nb::arg("context") = nb::none())
      .def_property_readonly("contained_types", [](MlirType self) {
        std::vector<MlirType> types;
        for (intptr_t index = 0, end = npcompTorchMultiTypeGetNumTypes(self); index < end; ++index)
          types.push_back(npcompTorchMultiTypeGetType(self, index));
        return types;
      });
}

static void addSingleton(nb::module_ &module, const char *name, bool (*isa)(MlirType), MlirTypeID (*typeID)(),
                         MlirType (*get)(MlirContext)) {
  mlir_type_subclass(module, name, isa, typeID)
      .def_classmethod(
          "get", [get](nb::object cls, MlirContext context) { return cls(get(context)); }, nb::arg("cls"),
          nb::kw_only(), nb::arg("context") = nb::none());
}

static void addTorchTypes(nb::module_ module) {
  addTensorType(module, "ValueTensorType", npcompTorchTypeIsAValueTensor, npcompTorchValueTensorTypeGetTypeID,
                npcompTorchValueTensorTypeGetChecked);
  addTensorType(module, "NonValueTensorType", npcompTorchTypeIsANonValueTensor, npcompTorchNonValueTensorTypeGetTypeID,
                npcompTorchNonValueTensorTypeGetChecked);
  addWrapperType(module, "ListType", npcompTorchTypeIsAList, npcompTorchListTypeGetTypeID,
                 npcompTorchListTypeGetChecked);
  addWrapperType(module, "OptionalType", npcompTorchTypeIsAOptional, npcompTorchOptionalTypeGetTypeID,
                 npcompTorchOptionalTypeGetChecked);
  addMultiType(module, "TupleType", npcompTorchTypeIsATuple, npcompTorchTupleTypeGetTypeID,
               npcompTorchTupleTypeGetChecked);
  addMultiType(module, "UnionType", npcompTorchTypeIsAUnion, npcompTorchUnionTypeGetTypeID,
               npcompTorchUnionTypeGetChecked);
  mlir_type_subclass(module, "DictType", npcompTorchTypeIsADict, npcompTorchDictTypeGetTypeID)
      .def_classmethod(
          "get",
          [](nb::object cls, MlirType key, MlirType value) {
            MlirLocation location = mlirLocationUnknownGet(mlirTypeGetContext(key));
            return cls(checked(location, [&] { return npcompTorchDictTypeGetChecked(location, key, value); }));
          },
          nb::arg("cls"), nb::arg("key"), nb::arg("value"))
      .def_property_readonly("key", npcompTorchDictTypeGetKey)
      .def_property_readonly("value", npcompTorchDictTypeGetValue);
  mlir_type_subclass(module, "NnModuleType", npcompTorchTypeIsANnModule, npcompTorchNnModuleTypeGetTypeID)
      .def_classmethod(
          "get",
          [](nb::object cls, const std::string &name, MlirContext context) {
            return cls(npcompTorchNnModuleTypeGet(context, mlirStringRefCreate(name.data(), name.size())));
          },
          nb::arg("cls"), nb::arg("name"), nb::kw_only(), nb::arg("context") = nb::none())
      .def_property_readonly("name", [](MlirType self) {
        MlirStringRef name = npcompTorchNnModuleTypeGetClassName(self);
        return std::string(name.data, name.length);
      });
#define NPCOMP_ADD_SINGLETON(Name)                                                                                     \
  addSingleton(module, #Name "Type", npcompTorchTypeIsA##Name, npcompTorch##Name##TypeGetTypeID,                       \
               npcompTorch##Name##TypeGet);
  NPCOMP_TORCH_FOR_EACH_SINGLETON(NPCOMP_ADD_SINGLETON)
  module.def("is_subtype", npcompTorchTypeIsSubtype, nb::arg("narrow"), nb::arg("wide"),
             "Does every value of the one type belong to the other too?");
}

NB_MODULE(_npcompTypes, module) {
  module.doc() = "Types of npcomp's dialects";
  addTorchTypes(module.def_submodule("torch"));
  nb::module_ refrt = module.def_submodule("refrt");
  addSingleton(refrt, "TensorType", npcompRefrtTypeIsATensor, npcompRefrtTensorTypeGetTypeID, npcompRefrtTensorTypeGet);
}
