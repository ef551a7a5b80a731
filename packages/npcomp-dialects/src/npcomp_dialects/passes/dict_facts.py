"""What reading a dict gives when its keys are constants and nothing writes to it."""

from __future__ import annotations

from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.passes import walk
from npcomp_dialects.passes.effects import writer_of

MISSING = object()


def of_dict(name: str, facts: list[Any]) -> Any:
    """The result of an op on a known dict, or `MISSING`."""
    base = name.split(".")[1]
    known, *rest = facts
    if base == "len":
        return len(known)
    if base == "keys":
        return list(known)
    if base == "values":
        return list(known.values())
    if not rest or not isinstance(rest[0], (str, int, float, bool)):
        return MISSING
    if base == "__contains__":
        return rest[0] in known
    if base in ("__getitem__", "get") and rest[0] in known:
        return known[rest[0]]
    return MISSING


def item_of(op: ir.Operation, key: Any) -> ir.Value | None:
    """The value that `dict[key]` is, if the dict is made by an op and never written; keys are constants."""
    made = walk.owner(op.operands[0])
    if made is None or made.name != "torch.prim.DictConstruct" or writer_of(made.results[0]) is not None:
        return None
    operands, count = list(made.operands), len(made.operands) // 2
    keys = [walk.owner(k) for k in operands[:count]]
    for position, owner in enumerate(keys):
        if owner is not None and "value" in owner.attributes and owner.attributes["value"].value == key:
            return operands[count + position]
    return None
