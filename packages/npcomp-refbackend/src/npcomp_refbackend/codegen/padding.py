"""`tensor.pad` → a filled tensor with the source inserted; its producer then writes into the interior directly."""

from __future__ import annotations

from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith, tensor

from .build import generic, insert_slice, size, yield_op
from .layouts import shape_of

_DYNAMIC = -(2**63)


def expand_pad(op: Any) -> None:
    """Rewrite one `tensor.pad` whose padding is one scalar."""
    source, result = op.operands[0], op.results[0]
    segments = list(op.attributes["operandSegmentSizes"])
    dynamic = list(op.operands)[1:]
    low = _mixed(op.attributes["static_low"], dynamic[: segments[1]])
    high = _mixed(op.attributes["static_high"], dynamic[segments[1] :])
    with ir.InsertionPoint(op), op.location:
        sizes = [size(source, d) for d in range(len(low))]
        known = shape_of(result)
        padded = [k if k is not None else _add(_add(l, s), h) for k, l, s, h in zip(known, low, sizes, high)]
        empty = tensor.EmptyOp(padded, ir.RankedTensorType(source.type).element_type).result
        empty = empty if empty.type == result.type else tensor.CastOp(result.type, empty).result
        value = _padding_value(op)
        filled = generic([], empty, [list(range(len(low)))], ["parallel"] * len(low))
        with ir.InsertionPoint(filled.regions[0].blocks[0]):
            yield_op([value])
        inserted = insert_slice(source, filled.results[0], low, sizes)
    result.replace_all_uses_with(inserted)
    op.erase()


def _padding_value(op: Any) -> Any:
    """What the region yields: a value from outside, or a constant inside that is moved out."""
    terminator = list(op.regions[0].blocks[0].operations)[-1].operation
    value = terminator.operands[0]
    if not isinstance(value.owner, ir.Block) and value.owner.operation.block == op.regions[0].blocks[0]:
        return value.owner.operation.clone().results[0]
    return value


def _mixed(static: Any, dynamic: list[Any]) -> list[Any]:
    rest = iter(dynamic)
    return [s if s > _DYNAMIC else next(rest) for s in static]


def _add(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    if isinstance(a, int) and a == 0:
        return b
    if isinstance(b, int) and b == 0:
        return a
    return arith.AddIOp(_index(a), _index(b)).result


def _index(x: Any) -> Any:
    return arith.ConstantOp(ir.IndexType.get(), x).result if isinstance(x, int) else x
