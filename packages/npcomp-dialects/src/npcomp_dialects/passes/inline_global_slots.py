"""inline-global-slots: state that the program never changes becomes constants."""

from __future__ import annotations

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import effects, register, walk

_INITIALIZER = "torch.global_slot.module_initializer"


@register("inline-global-slots")
def inline_global_slots(module: ir.Module) -> None:
    """Replace reads of slots that nothing writes by their initial values, and drop those slots.

    Goal: weights, hyperparameters and flags are constants that inference and folding can see.

    A slot is written by `torch.global_slot.set` and also by any in-place op that reaches what a read of it gives:
    through views, through lists and tuples, and through branches and loops (`num_batches_tracked.add_(1)` is a
    write). A slot whose value is part of another slot that is written stays too.

    Rationale: what cannot change during a call cannot change between calls, since nothing else holds the state.
    """
    initializer = next((op for op in walk.ops(module.body) if op.name == _INITIALIZER), None)
    if initializer is None:
        return
    with module.context:
        _Inliner(module, initializer).run()


class _Inliner:
    def __init__(self, module: ir.Module, initializer: ir.Operation) -> None:
        self.module = module
        self.initializer = initializer
        self.end = walk.terminator(walk.blocks(initializer)[0])
        names = [ir.FlatSymbolRefAttr(a).value for a in self.end.attributes["slotSymNames"]]
        self.initial = dict(zip(names, self.end.operands, strict=True))

    def run(self) -> None:
        reads = self._reads()
        written = self._written(reads)
        for name, gets in reads.items():
            if name not in written:
                self._inline(self.initial[name], gets)
        self._drop(written)

    def _reads(self) -> dict[str, list[ir.Operation]]:
        reads: dict[str, list[ir.Operation]] = {}
        for function in walk.functions(self.module):
            for op in walk.nested(walk.blocks(function)[0]):
                if op.name == "torch.global_slot.get":
                    reads.setdefault(walk.string(op, "slot"), []).append(op)
        return reads

    def _written(self, reads: dict[str, list[ir.Operation]]) -> set[str]:
        written = {
            walk.string(op, "slot")
            for function in walk.functions(self.module)
            for op in walk.nested(walk.blocks(function)[0])
            if op.name == "torch.global_slot.set"
        }
        for name, gets in reads.items():
            if any(effects.writer_of(op.results[0]) is not None for op in gets):
                written.add(name)
        shared = {value: name for name, value in self.initial.items()}
        for name, value in self.initial.items():
            if not written.isdisjoint(_parts(value, shared)):
                written.add(name)
        return written

    def _inline(self, value: ir.Value, gets: list[ir.Operation]) -> None:
        """Compute the value once in each function that reads it, before everything else."""
        copies: dict[ir.Block, ir.Value] = {}
        for get in gets:
            block = _entry(get)
            if block not in copies:
                copies[block] = _clone(value, ir.InsertionPoint.at_block_begin(block))
            result = get.results[0]
            result.replace_all_uses_with(_cast(copies[block], result.type, get))
            get.erase()

    def _drop(self, kept: set[str]) -> None:
        names = [name for name in self.initial if name in kept]
        if names:
            symbols = ir.ArrayAttr.get([ir.FlatSymbolRefAttr.get(name) for name in names])
            ir.Operation.create(
                "torch.initialize.global_slots",
                [],
                [self.initial[name] for name in names],
                {"slotSymNames": symbols},
                loc=self.end.location,
                ip=ir.InsertionPoint(self.end),
            )
            self.end.erase()
            for op in reversed(walk.ops(walk.blocks(self.initializer)[0])[:-1]):
                if walk.unused(op):
                    op.erase()
        for op in walk.ops(self.module.body):
            if op.name == "torch.global_slot" and walk.symbol(op) not in kept:
                op.erase()
        if not names:
            self.initializer.erase()


def _parts(value: ir.Value, names: dict[ir.Value, str]) -> set[str]:
    """The slots whose initial values a value is built of."""
    found, pending = set(), list(walk.maker(value).operands)
    while pending:
        part = pending.pop()
        if part in names:
            found.add(names[part])
        pending.extend(walk.maker(part).operands)
    return found


def _entry(op: ir.Operation) -> ir.Block:
    """The first block of the function around an op."""
    while op.name != "func.func":
        op = op.parent.operation
    return op.regions[0].blocks[0]


def _clone(value: ir.Value, ip: ir.InsertionPoint) -> ir.Value:
    """A copy of the ops that compute an initial value, at the start of a function."""
    op = walk.maker(value)
    operands = [_clone(operand, ip) for operand in op.operands]
    copy = op.clone(ip).operation
    for position, operand in enumerate(operands):
        copy.operands[position] = operand
    return copy.results[ir.OpResult(value).result_number]


def _cast(value: ir.Value, type: ir.Type, at: ir.Operation) -> ir.Value:
    if value.type == type:
        return value
    tensors = (td.NonValueTensorType, td.ValueTensorType)
    is_tensor = isinstance(type, tensors) and isinstance(value.type, tensors)
    name = "torch.tensor_static_info_cast" if is_tensor else "torch.derefine"
    op = ir.Operation.create(name, [type], [value], loc=at.location, ip=ir.InsertionPoint(at))
    return op.results[0]
