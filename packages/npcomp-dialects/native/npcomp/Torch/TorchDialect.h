#ifndef NPCOMP_TORCH_TORCHDIALECT_H
#define NPCOMP_TORCH_TORCHDIALECT_H

#include "mlir/IR/Dialect.h"

#include "llvm/ADT/DenseMap.h"

namespace npcomp::torch {
struct AtenSchema;
} // namespace npcomp::torch

#include "npcomp/Torch/TorchDialect.h.inc"

#endif
