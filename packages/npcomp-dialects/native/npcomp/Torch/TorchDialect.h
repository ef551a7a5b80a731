#ifndef NPCOMP_TORCH_TORCHDIALECT_H
#define NPCOMP_TORCH_TORCHDIALECT_H

#include "mlir/IR/Dialect.h"

#include "npcomp/Torch/TorchDialect.h.inc"

#endif
