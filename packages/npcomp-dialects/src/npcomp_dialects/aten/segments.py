"""Reductions of consecutive segments of a dim."""

from __future__ import annotations

from .cases import case, f32, i64
from .dims import wrap_dim
from .dtypes import DType
from .errors import InferError
from .families.ordering import Ordering
from .registry import op
from .scatter import REDUCTIONS, neutral

NAMES = {"max": "amax", "min": "amin"}


def ends_of(b, data, axis, lengths, offsets, unsafe):
    """Where each segment begins, and after them where the last one ends."""
    if offsets is not None:
        return b.cast(offsets, DType.i64)
    lengths = b.cast(lengths, DType.i64)
    total = b.reduce("sum", lengths, [axis])
    n = data.sizes[axis]
    if not unsafe:
        every = list(range(total.rank))
        least = b.item(b.reduce("min", lengths, list(range(lengths.rank))))
        b.guard(least >= 0, "lengths contains negative value!")
        agrees = b.map(lambda b, t: t == n, total, dtype=DType.bool)
        text = "Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) when !unsafe."
        b.guard(b.item(b.reduce("all", agrees, every)), f"segment_reduce(): {text}")
    zeros = b.full([1 if d == axis else s for d, s in enumerate(lengths.sizes)], 0, DType.i64)
    return b.concat([zeros, b.scan("sum", lengths, axis)], axis)


@op(
    "aten::segment_reduce(Tensor data, str reduce, *, Tensor? lengths=None, Tensor? indices=None, "
    "Tensor? offsets=None, int axis=0, bool unsafe=False, Scalar? initial=None) -> Tensor",
    out="aten::segment_reduce.out",
)
class SegmentReduce(Ordering):
    """sum, mean, max, min or prod of each segment of an axis."""

    makes = (None,)

    def lower(b, data, reduce, lengths, _, offsets, axis, unsafe, initial):
        if reduce not in ("sum", "mean", "max", "min", "prod"):
            raise InferError(f"segment_reduce(): {reduce} is no reduction; there are sum, mean, max, min, prod")
        if (lengths is None) == (offsets is None):
            raise InferError("segment_reduce(): Either lengths or offsets must be defined")
        axis, dtype = wrap_dim(axis, data.rank), data.dtype
        bounds = ends_of(b, data, axis, lengths, offsets, unsafe)
        lead, n, trail = data.sizes[:axis], data.sizes[axis], data.sizes[axis + 1 :]
        count = bounds.sizes[axis] - 1
        slots = b.search(bounds, b.broadcast(b.iota(n, DType.i64), [*lead, n]), True)
        slots = b.broadcast(b.reshape(slots, [*lead, n, *[1] * len(trail)]), data.sizes)
        start = neutral(dtype, NAMES.get(reduce, reduce)) if initial is None else initial
        made = b.full([*lead, count + 2, *trail], b.cast(start, dtype), dtype)
        made = b.scatter(REDUCTIONS[NAMES.get(reduce, reduce)], made, axis, slots, data)
        made = b.slice(made, axis, 1, count + 1, 1)
        if reduce != "mean":
            return made
        sizes = b.map(
            lambda b, after, before: b.cast(after - before, dtype),
            b.slice(bounds, axis, 1, count + 1, 1),
            b.slice(bounds, axis, 0, count, 1),
            dtype=dtype,
        )
        sizes = b.reshape(sizes, [*lead, count, *[1] * len(trail)])

        def divide(b, total, size):
            nothing = b.const(float("nan"), dtype) if initial is None else total
            return b.select(size > 0, total / size, nothing)

        return b.map(divide, made, sizes, dtype=dtype)

    cases = [
        case(f32(4, 2), "sum", offsets=i64(3, low=2, high=3)),
        case(f32("n", 2), "mean", offsets=i64(3, low=1, high=2), initial=2.5, at=[4, 1]),
    ]


def row_places(b, ends, lengths, count):
    """Of `count` elements told off into rows, each one's row and place in it."""
    k = b.iota(count, DType.i64)
    row = b.search(ends, k, True)
    begin = b.map(lambda b, e, n: e - n, ends, lengths, dtype=DType.i64)
    begin = b.index_select(begin, 0, row, error=None)
    return row, b.map(lambda b, i, s: i - s, k, begin, dtype=DType.i64)


def triangle(b, rows, columns, offset, dtype, upper):
    """The rows and columns of a triangle's elements, row by row."""
    if rows < 0 or columns < 0:
        raise InferError(f"row and col must be non-negative, got {rows} and {columns}")
    first = [min(max(r + offset, 0), columns) if upper else 0 for r in range(rows)]
    last = [columns if upper else min(max(r + offset + 1, 0), columns) for r in range(rows)]
    count = sum(z - a for a, z in zip(first, last, strict=True))
    r = b.iota(rows, DType.i64)

    def width(b, r):
        edge = b.maximum(b.minimum(r + (offset if upper else offset + 1), columns), 0)
        return columns - edge if upper else edge

    lengths = b.map(width, r, dtype=DType.i64)
    row, place = row_places(b, b.scan("sum", lengths, 0), lengths, count)
    if upper:
        place = b.map(lambda b, p, r: p + b.maximum(r + offset, 0), place, row, dtype=DType.i64)
    return b.cast(b.concat([b.reshape(v, [1, count]) for v in (row, place)], 0), dtype or DType.i64)


OPTIONS = "ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None"


@op(f"aten::tril_indices(int row, int col, int offset=0, *, {OPTIONS}) -> Tensor")
class TrilIndices(Ordering):
    """The places of a lower triangle."""

    def lower(b, rows, columns, offset, dtype, *_):
        return triangle(b, rows, columns, offset, dtype, False)

    cases = [case(3, 4, 1), case(5, 2, -2), case(3, 4, -7, dtype=3), case(0, 4)]


@op(f"aten::triu_indices(int row, int col, int offset=0, *, {OPTIONS}) -> Tensor")
class TriuIndices(Ordering):
    """The places of an upper triangle."""

    def lower(b, rows, columns, offset, dtype, *_):
        return triangle(b, rows, columns, offset, dtype, True)

    cases = [case(3, 4, 1), case(5, 2, -2), case(3, 4, 7, dtype=3), case(0, 4)]
