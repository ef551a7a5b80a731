"""`tensor.pad` → a fresh tensor into which the border and the source are inserted.

The producer of the source then writes into the interior directly (destinations.py), and only the border is filled.
"""

from __future__ import annotations

from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith

from .build import generic, insert_slice, size, yield_op
from .layouts import shape_of

_DYNAMIC = -(2**63)
_SMALL = 4096  # elements: below, one fill of everything is cheaper than several of the border


def expand_pad(op: Any) -> None:
    """Rewrite one `tensor.pad` whose padding is one scalar."""
    source, result = op.operands[0], op.results[0]
    segments = list(op.attributes["operandSegmentSizes"])
    dynamic = list(op.operands)[1:]
    low = _mixed(op.attributes["static_low"], dynamic[: segments[1]])
    high = _mixed(op.attributes["static_high"], dynamic[segments[1] :])
    with ir.InsertionPoint(op), op.location:
        sizes = [size(source, d) for d in range(len(low))]
        padded = [_add(_add(l, s), h) for l, s, h in zip(low, sizes, high)]
        value = _padding_value(op)
        target = _empty(padded, shape_of(result), result.type)
        for offsets, extents in _border(low, sizes, high, padded):
            shape = [e if isinstance(e, int) else None for e in extents]
            kind = ir.RankedTensorType.get([_DYNAMIC if e is None else e for e in shape], result.type.element_type)
            target = insert_slice(_filled(value, _empty(extents, shape, kind)), target, offsets, extents)
        inserted = insert_slice(source, target, low, sizes)
    result.replace_all_uses_with(inserted)
    op.erase()


def _border(low: list[Any], sizes: list[Any], high: list[Any], padded: list[Any]) -> list[tuple[list[Any], list[Any]]]:
    """Offsets and sizes of the slabs around the interior; one slab of everything for small tensors."""
    total = 1
    for extent in padded:
        total = total * extent if isinstance(extent, int) and total is not None else None  # type: ignore[assignment]
    if total is not None and total <= _SMALL:
        return [([0] * len(padded), padded)]
    slabs = []
    offsets: list[Any] = [0] * len(padded)
    extents = list(padded)
    for d in range(len(padded)):
        for start, width in ((0, low[d]), (_add(low[d], sizes[d]), high[d])):
            if width != 0:
                slabs.append(([*offsets[:d], start, *offsets[d + 1 :]], [*extents[:d], width, *extents[d + 1 :]]))
        offsets[d], extents[d] = low[d], sizes[d]
    return slabs


def _empty(sizes: list[Any], known: Any, kind: Any) -> Any:
    """`tensor.empty` of a type; sizes that the type knows are left out."""
    dynamic = [_index(s) for s, k in zip(sizes, known) if k is None]
    return ir.Operation.create("tensor.empty", results=[kind], operands=dynamic).results[0]


def _filled(value: Any, out: Any) -> Any:
    rank = ir.RankedTensorType(out.type).rank
    made = generic([], out, [list(range(rank))], ["parallel"] * rank)
    with ir.InsertionPoint(made.regions[0].blocks[0]):
        yield_op([value])
    return made.results[0]


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
