// The extension `_npcomp`: registration. It is loaded while MLIR's own package is being set up, so it must not
// define Python classes of types, which need `mlir.ir`; those are in extensions of their own.
#include "mlir/Bindings/Python/Nanobind.h"
#include "mlir/Bindings/Python/NanobindAdaptors.h"
#include "npcomp/CAPI/Registration.h"

namespace nb = nanobind;

NB_MODULE(_npcomp, module) {
  module.doc() = "Registration of npcomp's dialects and passes";
  module.attr("native_number") = npcompGetNativeNumber();
  module.def("register_dialects", npcompRegisterAllDialects, nb::arg("registry"),
             "Adds our dialects, and those of MLIR that npcomp uses, to a registry.");
  module.def("register_passes", npcompRegisterAllPasses, "Makes the passes that npcomp uses known to pipelines.");
}
