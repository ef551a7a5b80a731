// What ops read and write. Containers and tensors without value semantics are objects in memory.
#include "npcomp/Torch/TorchOps.h"

using namespace mlir;

namespace npcomp::torch {

/// Does this user of a container only read it, and keep no reference to it?
static bool onlyReads(Operation *user) {
  return isa<PrimListUnpackOp, PrimMinSelfIntOp, PrimMaxSelfIntOp>(user);
}

bool mayBeMutated(Value value) {
  if (!isMutableType(value.getType()))
    return false;
  Operation *creator = value.getDefiningOp();
  if (!isa_and_nonnull<PrimListConstructOp, PrimDictConstructOp>(creator))
    return true;
  if (llvm::any_of(creator->getOperandTypes(), isMutableType))
    return true;
  return !llvm::all_of(value.getUsers(), onlyReads);
}

/// A fresh object, unless it can pass for a value.
static void addAllocation(Operation *op, MemoryEffectList &effects) {
  for (OpResult result : op->getResults())
    if (mayBeMutated(result))
      effects.emplace_back(MemoryEffects::Allocate::get(), result, SideEffects::DefaultResource::get());
}

/// Reads of the operands that can change.
static void addReads(Operation *op, MemoryEffectList &effects) {
  for (OpOperand &operand : op->getOpOperands())
    if (mayBeMutated(operand.get()))
      effects.emplace_back(MemoryEffects::Read::get(), &operand, SideEffects::DefaultResource::get());
}

void PrimListConstructOp::getEffects(MemoryEffectList &effects) { addAllocation(*this, effects); }
void PrimDictConstructOp::getEffects(MemoryEffectList &effects) { addAllocation(*this, effects); }
void PrimNumToTensorScalarOp::getEffects(MemoryEffectList &effects) { addAllocation(*this, effects); }
void PrimListUnpackOp::getEffects(MemoryEffectList &effects) { addReads(*this, effects); }
void PrimMinSelfIntOp::getEffects(MemoryEffectList &effects) { addReads(*this, effects); }
void PrimMaxSelfIntOp::getEffects(MemoryEffectList &effects) { addReads(*this, effects); }

} // namespace npcomp::torch
