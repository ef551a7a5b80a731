"""Elements that a mask selects: as many as run time finds."""

from __future__ import annotations

from .abstract import TensorInfo
from .abstract import broadcast as broadcast_sizes
from .cases import case, f32, i1, i64
from .dtypes import DType
from .errors import InferError
from .families.ordering import Ordering, coordinates, flat, positions
from .registry import op


def holds(b, x):
    """True where an element is not zero."""
    return b.map(lambda b, e: b.cast(e, DType.bool), x, dtype=DType.bool)


def rows_of(b, parts, count):
    """One index a dim as the columns of a matrix."""
    if not parts:
        return b.full([count, 0], 0, DType.i64)
    return b.concat([b.reshape(p, [count, 1]) for p in parts], 1)


@op("aten::nonzero(Tensor self) -> Tensor", out="aten::nonzero.out")
@op("aten::argwhere(Tensor self) -> Tensor")
class Nonzero(Ordering):
    """The indices of the nonzero elements, one a row."""

    def give_up(args):
        return TensorInfo((None, None), DType.i64)

    def lower(b, x):
        found, count = positions(b, flat(b, holds(b, x)))
        return rows_of(b, coordinates(b, found, x.sizes), count)

    cases = [f32(3, 4), case(i64("?", low=0, high=2), at=[7, 1, 0]), i1(2, "?", 3), case(f32())]


@op(
    "aten::nonzero_static(Tensor self, *, SymInt size, int fill_value=-1) -> Tensor",
    out="aten::nonzero_static.out",
)
class NonzeroStatic(Ordering):
    """The indices of the first `size` nonzero elements; missing rows hold a number."""

    makes = (DType.i64,)
    runtime = ("size",)

    def lower(b, x, size, fill):
        b.guard(size >= 0, "nonzero_static: 'size' must be an non-negative integer")
        found, count = positions(b, flat(b, holds(b, x)))
        kept = b.minimum(count, size)
        rows = rows_of(b, coordinates(b, b.slice(found, 0, 0, kept, 1), x.sizes), kept)
        return b.reshape(b.pad(rows, [0, 0], [size - kept, 0], fill), [size, x.rank])

    cases = [case(i64(9, low=0, high=2), size=4), case(f32("?", 2), size=5, fill_value=7, at=[3, 0])]


@op("aten::masked_select(Tensor self, Tensor mask) -> Tensor", out="aten::masked_select.out")
class MaskedSelect(Ordering):
    """The elements where a mask holds."""

    makes = (None,)

    def lower(b, x, mask):
        if mask.dtype is not DType.bool:
            raise InferError("masked_select: expected BoolTensor for mask")
        mask = b.map(lambda b, e, m: m, x, mask, dtype=DType.bool)
        x = b.broadcast(x, mask.sizes)
        return b.index_select(flat(b, x), 0, positions(b, flat(b, mask))[0], error=None)

    cases = [case(f32(3, 4), i1(3, 4)), case(f32("?", 4), i1(4), at=[3, 0]), case(i64(4), i1("?", 1))]


@op(
    "aten::masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor",
    inplace="aten::masked_scatter_",
    out="aten::masked_scatter.out",
)
class MaskedScatter(Ordering):
    """self with the elements of the source, in order, where a mask holds."""

    makes = (None,)

    def infer(x, mask, source):
        return TensorInfo(broadcast_sizes([x.sizes, mask.sizes]), x.dtype)

    def lower(b, x, mask, source):
        if source.dtype is not x.dtype:
            text = f"masked_scatter: expected self and source to have same dtypes but got {x.dtype} and {source.dtype}"
            raise InferError(text)
        if mask.dtype is not DType.bool:
            raise InferError("masked_scatter_ only supports boolean masks")
        mask = b.map(lambda b, e, m: m, x, mask, dtype=DType.bool)
        x = b.broadcast(x, mask.sizes)
        ones = b.cast(flat(b, mask), DType.i64)
        count, given = b.item(b.reduce("sum", ones, [0])), b.numel(source)
        b.guard(count <= given, "Number of elements of source < number of ones in mask: {0} < {1}", given, count)
        place = b.map(
            lambda b, m, r: b.select(m > 0, r, b.const(0, DType.i64)), ones, b.scan("sum", ones, 0), dtype=DType.i64
        )
        padded = b.pad(flat(b, source), [1], [0], 0)
        moved = b.reshape(b.index_select(padded, 0, place, error=None), mask.sizes)
        return b.map(lambda b, e, m, s: b.select(m, s, e), x, mask, moved, dtype=x.dtype)

    cases = [
        case(f32(3, 4), i1(3, 4), f32(12)),
        case(f32("n", 4), i1("n", 1), f32("n", 5), at=[3, 0]),
    ]


@op("aten::masked_scatter_backward(Tensor grad_output, Tensor mask, SymInt[] sizes) -> Tensor")
class MaskedScatterBackward(Ordering):
    """The gradient of masked_scatter's source: what the mask selects, then zeros."""

    makes = (None,)
    runtime = ("sizes",)

    def lower(b, grad, mask, sizes):
        mask = b.broadcast(mask, grad.sizes)
        chosen = b.index_select(flat(b, grad), 0, positions(b, flat(b, mask))[0], error=None)
        total = 1
        for s in sizes:
            total = total * s
        count = chosen.sizes[0]
        kept = b.minimum(count, total)
        padded = b.pad(b.slice(chosen, 0, 0, kept, 1), [0], [total - kept], 0)
        return b.reshape(padded, sizes)

    cases = [case(f32(3, 4), i1(3, 4), [12]), case(f32("n", 4), i1("n", 4), [3, 5], at=[3, 2])]
