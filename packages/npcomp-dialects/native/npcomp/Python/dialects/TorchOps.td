#ifndef NPCOMP_PYTHON_TORCH_OPS_TD
#define NPCOMP_PYTHON_TORCH_OPS_TD

include "npcomp/Torch/TorchOps.td"

#endif
