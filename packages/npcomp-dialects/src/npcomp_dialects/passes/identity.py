"""Whether two values are one tensor object, where the program's text decides it."""

from __future__ import annotations

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import effects, walk
from npcomp_dialects.passes.coerce import CASTS, uncast

_TENSORS = (td.ValueTensorType, td.NonValueTensorType)
_RENAMES = (*CASTS, "torch.copy.to_vtensor", "torch.copy.to_tensor")
_NEW_VIEWS = {
    "transpose", "permute", "t", "view", "unsqueeze", "select", "slice", "narrow", "expand", "unflatten", "diagonal",
    "detach", "alias", "as_strided",
}  # fmt: skip
"""Ops that share memory with their argument and are another tensor."""


def same_tensor(a: ir.Value, b: ir.Value) -> bool | None:
    """True for one tensor under two names, False for two that were made apart, None where control flow or an op that
    may return its argument decides. Two arguments of a program are two tensors."""
    a, b = uncast(a, _RENAMES), uncast(b, _RENAMES)
    if not isinstance(a.type, _TENSORS) or not isinstance(b.type, _TENSORS):
        return None
    if a == b:
        return True
    return False if _is_fresh(a) and _is_fresh(b) else None


def _is_fresh(value: ir.Value) -> bool:
    op = walk.owner(value)
    if op is None:
        return ir.BlockArgument(value).owner.owner.operation.name == "func.func"
    name = effects.kernel(op)
    return name is not None and (not effects.may_alias(name) or name.split(".")[1] in _NEW_VIEWS)
