"""Results written where a dying input lies.

A dispatch that computes every element of its one result from the same element of an input may write the result over
that input, when nothing needs it any more. Whether it dies here is known from the block; whether it is the call's own
is asked at run time. Memory that is in the cache stays there, and a loop that maps what it carries allocates nothing.
"""

from __future__ import annotations

from typing import Any

from npcomp_dialects.mlir import ir

from .layouts import CONTENTS, layout_of
from .ownership import Frame


def is_deferred(empty: Any) -> bool:
    """Whether a `tensor.empty` is allocated with the launch of the one dispatch that fills it."""
    uses = list(empty.results[0].uses)
    if len(uses) != 1:
        return False
    user = uses[0].owner.operation
    if user.name != "refrt.dispatch" or CONTENTS in user.attributes:
        return False
    return user.block == empty.block and len(user.results) == 1


def dying_input(op: Any, frame: Frame) -> Any:
    """The input that the result of dispatch `op` may overwrite, or None."""
    inputs, out = list(op.operands)[:-1], op.operands[-1]
    arguments = list(op.regions[0].blocks[0].arguments)
    for value, argument in zip(inputs, arguments):
        if value.type != out.type or value not in frame.owned or frame.last.get(value) != op:
            continue
        layout = layout_of(value)
        if layout.dense and layout.constant is None and _is_read_in_place(op, argument):
            return value
    return None


def _is_read_in_place(op: Any, argument: Any) -> bool:
    """Whether element i of `argument` is read for element i of the result only, and before that is written."""
    rank = ir.RankedTensorType(argument.type).rank
    identity = ir.AffineMap.get_identity(rank)
    local: list[Any] = []
    for inner in op.regions[0].blocks[0].operations:
        if inner.operation.name != "linalg.generic":
            continue
        maps = [m.value for m in inner.attributes["indexing_maps"]]
        if any("reduction" in str(k) for k in inner.attributes["iterator_types"]) or maps[-1] != identity:
            return False
        if any(m != identity for v, m in zip(inner.operands, maps) if v == argument or v in local):
            return False
        local += list(inner.results)
    return all(_is_element_read(use.owner.operation) for use in argument.uses)


def _is_element_read(op: Any) -> bool:
    return op.name in ("linalg.generic", "tensor.dim")
