// What ops read and write. Containers and tensors without value semantics are objects in memory.
#ifndef NPCOMP_TORCH_EFFECTS_H
#define NPCOMP_TORCH_EFFECTS_H

#include "npcomp/Torch/AtenOps.h"
#include "npcomp/Torch/TorchOps.h"

namespace npcomp::torch {

/// The effects of an ATen op, from the annotations of its schema and the types of its operands.
void addSchemaEffects(AtenOp op, MemoryEffectList &effects);

} // namespace npcomp::torch

#endif
