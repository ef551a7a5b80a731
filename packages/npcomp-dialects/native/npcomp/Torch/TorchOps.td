#ifndef NPCOMP_TORCH_OPS_TD
#define NPCOMP_TORCH_OPS_TD

include "npcomp/Torch/ModuleOps.td"
include "npcomp/Torch/ConstantOps.td"
include "npcomp/Torch/PrimOps.td"
include "npcomp/Torch/TensorOps.td"

#endif
