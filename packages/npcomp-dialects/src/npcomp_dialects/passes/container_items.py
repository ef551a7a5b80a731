"""Which operands of a list, tuple or dict that is just made come out of it again."""

from __future__ import annotations

from npcomp_dialects.mlir import ir
from npcomp_dialects.passes import constants
from npcomp_dialects.passes.effects import kernel

UNPACKS = ("torch.prim.ListUnpack", "torch.prim.TupleUnpack", "torch.prim.TupleIndex")
_SEQUENCES = ("torch.prim.ListConstruct", "torch.prim.TupleConstruct")


def places_of(op: ir.Operation, made: ir.Operation) -> list[int] | None:
    """The operands of `made` that `op`, which takes items of it, gives; None for other ops or unknown places."""
    try:
        if made.name == "torch.prim.DictConstruct":
            return _by_key(op, made)
        return _by_number(op, len(made.operands)) if made.name in _SEQUENCES else None
    except constants.NotConstant:
        return None


def _by_number(op: ir.Operation, count: int) -> list[int] | None:
    if op.name in ("torch.prim.ListUnpack", "torch.prim.TupleUnpack"):
        return list(range(count)) if len(op.results) == count else None
    if op.name != "torch.prim.TupleIndex" and kernel(op) != "aten.__getitem__.t":
        return None
    number = constants.of_value(op.operands[1])
    return [number % count] if -count <= number < count else None


def _by_key(op: ir.Operation, made: ir.Operation) -> list[int] | None:
    if not (kernel(op) or "").startswith("aten.__getitem__.Dict"):
        return None
    keys = [constants.of_value(key) for key in list(made.operands)[: len(made.operands) // 2]]
    key = constants.of_value(op.operands[1])
    return [len(keys) + keys.index(key)] if key in keys else None
