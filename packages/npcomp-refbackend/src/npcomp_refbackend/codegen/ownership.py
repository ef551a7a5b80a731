"""Who releases which handle: every handle value owns one reference, released after its last use.

A frame is one block being written. A value that the block defines is released after the last op of the block that
uses it, nested regions included. Terminators and loop inits take values: the last taker gets the reference, earlier
ones an extra one. Values from outside the block are borrowed.
"""

from __future__ import annotations

from typing import Any

from npcomp_dialects.mlir import ir

from .graph import values_used

_DESCRIBED = ("torch.prim.ListConstruct", "torch.prim.TupleConstruct", "torch.derefine")


def is_handle(kind: ir.Type) -> bool:
    """Types that the driver represents by a tensor handle."""
    return isinstance(kind, ir.RankedTensorType) or str(kind).startswith(("!torch.vtensor", "!torch.tensor"))


def _read(op: Any) -> list[Any]:
    """Values that an op needs alive; an insert into a `unique` base has its base from the view."""
    if op.operation.name == "tensor.insert_slice" and "unique" in op.operation.attributes:
        return [op.operation.operands[0]]
    if op.operation.name in _DESCRIBED and not is_handle(op.operation.results[0].type):
        return []
    return [handle for value in values_used(op) for handle in _handles(value)]


def _handles(value: Any) -> list[Any]:
    """The tensors that a use of `value` needs alive: those of a list, which exists only where a kernel takes it."""
    kind = value.type
    if is_handle(kind):
        return [value]
    owner = None if isinstance(value.owner, ir.Block) else value.owner.operation
    if owner is None or owner.name not in _DESCRIBED:
        return []
    return [handle for operand in owner.operands for handle in _handles(operand)]


class Frame:
    def __init__(self, block: Any):
        self.owned: set[Any] = set()
        self.last: dict[Any, Any] = {}
        for op in block.operations:
            for value in _read(op):
                self.last[value] = op.operation

    def own(self, value: Any) -> None:
        self.owned.add(value)

    def takes(self, value: Any, op: Any, uses: int = 1) -> bool:
        """Whether `op` may take this block's reference to `value`: it is the last user and this its only use."""
        if value not in self.owned or self.last.get(value) != op or uses != 1:
            return False
        self.owned.discard(value)
        return True

    def finished(self, op: Any) -> list[Any]:
        """Owned values that nothing needs once `op` is done."""
        used = [v for v in dict.fromkeys(_read(op)) if v in self.owned and self.last[v] == op.operation]
        unused = [r for r in op.operation.results if r in self.owned and r not in self.last]
        self.owned.difference_update(used, unused)
        return used + unused

    def unused_arguments(self, block: Any) -> list[Any]:
        found = [a for a in block.arguments if a in self.owned and a not in self.last]
        self.owned.difference_update(found)
        return found
