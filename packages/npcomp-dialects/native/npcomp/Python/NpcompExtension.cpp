// The extension `_npcomp`: registration and services. It is loaded while MLIR's own package is being set up, so it
// must not define Python classes of types, which need `mlir.ir`; those are in `_npcompTypes`.
#include "mlir/Bindings/Python/Nanobind.h"
#include "mlir/Bindings/Python/NanobindAdaptors.h"
#include "npcomp/CAPI/Codegen.h"
#include "npcomp/CAPI/Registration.h"
#include "npcomp/CAPI/Torch.h"
#include "npcomp/Python/DiagnosticText.h"

#include <nanobind/ndarray.h>
#include <string>

namespace nb = nanobind;

static MlirStringRef toRef(const std::string &text) { return mlirStringRefCreate(text.data(), text.size()); }

static void appendTo(MlirStringRef part, void *text) {
  static_cast<std::string *>(text)->append(part.data, part.length);
}

/// What a C function that calls back with text has to say.
static std::string collect(void (*function)(MlirStringCallback, void *)) {
  std::string text;
  function(appendTo, &text);
  return text;
}

static void registerAtenOps(MlirContext context, nb::str table) {
  // No copy: Python keeps the UTF-8 form of a string beside it.
  Py_ssize_t length = 0;
  const char *data = PyUnicode_AsUTF8AndSize(table.ptr(), &length);
  if (!data)
    throw nb::python_error();
  npcomp::python::DiagnosticText diagnostics(context);
  if (!npcompTorchRegisterAtenOps(context, mlirStringRefCreate(data, length)))
    throw nb::value_error(diagnostics.c_str());
}

static nb::bytes emitObject(MlirOperation module, int optLevel, const std::string &cpu, const std::string &features,
                            bool positionIndependent) {
  struct Output {
    std::string bytes, error;
  } output;
  bool done = false;
  {
    nb::gil_scoped_release unlocked;
    done = npcompEmitObject(
        module, optLevel, toRef(cpu), toRef(features), positionIndependent,
        [](MlirStringRef part, void *data) { appendTo(part, &static_cast<Output *>(data)->bytes); },
        [](MlirStringRef part, void *data) { appendTo(part, &static_cast<Output *>(data)->error); }, &output);
  }
  if (!done)
    throw nb::value_error(output.error.c_str());
  return nb::bytes(output.bytes.data(), output.bytes.size());
}

using ByteArray = nb::ndarray<nb::numpy, const uint8_t, nb::ndim<1>>;

/// The bytes of a dense constant: a view that keeps the attribute alive where possible, else a copy.
static nb::object elementBytes(nb::object attribute) {
  struct Output {
    nb::object attribute, result;
    std::string error;
  } output{attribute, nb::none(), {}};
  bool done = npcompGetElementBytes(
      nb::cast<MlirAttribute>(attribute),
      [](MlirStringRef data, bool isStable, void *userData) {
        auto *output = static_cast<Output *>(userData);
        if (isStable && data.length)
          output->result =
              nb::cast(ByteArray(reinterpret_cast<const uint8_t *>(data.data), {data.length}, output->attribute));
        else
          output->result = nb::bytes(data.data, data.length);
      },
      [](MlirStringRef part, void *userData) { appendTo(part, &static_cast<Output *>(userData)->error); }, &output);
  if (!done)
    throw nb::value_error(output.error.c_str());
  return output.result;
}

NB_MODULE(_npcomp, module) {
  module.doc() = "npcomp's dialects and passes, and the services below them";
  module.attr("native_number") = npcompGetNativeNumber();
  module.def("register_dialects", npcompRegisterAllDialects, nb::arg("registry"),
             "Adds our dialects, and those of MLIR that npcomp uses, to a registry.");
  module.def("register_passes", npcompRegisterAllPasses, "Makes the passes that npcomp uses known to pipelines.");
  module.def("register_aten_ops", registerAtenOps, nb::arg("context"), nb::arg("table"),
             "Registers ATen ops from a table of rows `torch.NAME|SCHEMA|TRAITS`.");
  module.def("emit_object", emitObject, nb::arg("module"), nb::arg("opt_level"), nb::arg("cpu"), nb::arg("features"),
             nb::arg("position_independent"));
  module.def("element_bytes", elementBytes, nb::arg("attribute"));
  module.def("host_cpu", [] { return collect(npcompGetHostCpu); });
  module.def("host_features", [] { return collect(npcompGetHostFeatures); });
}
