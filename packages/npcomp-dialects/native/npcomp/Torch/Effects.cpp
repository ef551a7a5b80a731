#include "npcomp/Torch/Effects.h"

using namespace mlir;

namespace npcomp::torch {

/// Does this use of a container only read it, and keep no reference to it?
static bool onlyReads(OpOperand &use) {
  Operation *user = use.getOwner();
  if (isa<PrimListUnpackOp, PrimMinSelfIntOp, PrimMaxSelfIntOp>(user))
    return true;
  auto aten = AtenOp::from(user);
  if (!aten || !aten->getSchema().effectsFromAnnotations)
    return false;
  const SchemaValue *argument = aten->getArgument(use.getOperandNumber());
  return argument && argument->type.kind != SchemaType::Kind::Named && !argument->type.aliases;
}

/// Does this op make a new container, which nothing else refers to?
static bool makesContainer(Operation *op) {
  if (isa<PrimListConstructOp, PrimDictConstructOp>(op))
    return true;
  auto aten = AtenOp::from(op);
  return aten && aten->getSchema().isPure;
}

/// What a list or a dict holds: can that change?
static bool holdsMutable(Type type) {
  if (auto list = dyn_cast<ListType>(type))
    return isMutableType(list.getContained());
  if (auto dict = dyn_cast<DictType>(type))
    return isMutableType(dict.getKey()) || isMutableType(dict.getValue());
  return true;
}

bool mayBeMutated(Value value) {
  if (!isMutableType(value.getType()))
    return false;
  Operation *creator = value.getDefiningOp();
  if (!creator || holdsMutable(value.getType()) || !makesContainer(creator))
    return true;
  return !llvm::all_of(value.getUses(), onlyReads);
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

void addSchemaEffects(AtenOp aten, MemoryEffectList &effects) {
  Operation *op = aten.getOperation();
  const AtenSchema &schema = aten.getSchema();
  if (!schema.effectsFromAnnotations) {
    effects.emplace_back(MemoryEffects::Read::get(), SideEffects::DefaultResource::get());
    effects.emplace_back(MemoryEffects::Write::get(), SideEffects::DefaultResource::get());
    return;
  }
  addReads(op, effects);
  addAllocation(op, effects);
  for (OpOperand &operand : op->getOpOperands()) {
    const SchemaValue *argument = aten.getArgument(operand.getOperandNumber());
    if (argument && argument->type.writes)
      effects.emplace_back(MemoryEffects::Write::get(), &operand, SideEffects::DefaultResource::get());
  }
}

void PrimListConstructOp::getEffects(MemoryEffectList &effects) { addAllocation(*this, effects); }
void PrimDictConstructOp::getEffects(MemoryEffectList &effects) { addAllocation(*this, effects); }
void PrimNumToTensorScalarOp::getEffects(MemoryEffectList &effects) { addAllocation(*this, effects); }
void PrimListUnpackOp::getEffects(MemoryEffectList &effects) { addReads(*this, effects); }
void PrimMinSelfIntOp::getEffects(MemoryEffectList &effects) { addReads(*this, effects); }
void PrimMaxSelfIntOp::getEffects(MemoryEffectList &effects) { addReads(*this, effects); }

} // namespace npcomp::torch
