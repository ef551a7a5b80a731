"""Distinct elements and runs: as many results as run time finds."""

from __future__ import annotations

from .cases import case, f32, i1, i64
from .dims import wrap_dim
from .dtypes import DType
from .errors import InferError
from .families.ordering import Ordering, flat, positions
from .registry import op


def previous(b, x):
    """The element, or row, before each; the first is its own."""
    n = x.sizes[0]
    first = b.minimum(n, 1)
    return b.concat([b.slice(x, 0, 0, first, 1), b.slice(x, 0, 0, n - first, 1)], 0)


def begins(b, x):
    """True for each element or row that differs from the one before."""
    n = x.sizes[0]
    differs = b.map(lambda b, e, before: e != before, x, previous(b, x), dtype=DType.bool)
    if x.rank > 1:
        differs = b.reduce("any", differs, list(range(1, x.rank)))
    return b.map(lambda b, d, i: d | (i == 0), differs, b.iota(n, DType.i64), dtype=DType.bool)


def runs(b, x):
    """Where runs of equal elements begin, the number of each element's run, and the lengths of the runs."""
    starts = begins(b, x)
    first, count = positions(b, starts)
    numbers = b.scan("sum", b.cast(starts, DType.i64), 0)
    numbers = b.map(lambda b, r: r - 1, numbers, dtype=DType.i64)
    ones = b.broadcast(b.full([1], 1, DType.i64), numbers.sizes)
    return first, numbers, b.scatter("add", b.full([count], 0, DType.i64), 0, numbers, ones)


def placed(b, order, numbers):
    """For each element of the unsorted row, the number of its run."""
    return b.scatter("set", numbers, 0, order, numbers)


def nothing(b):
    """What stands for a result that was not asked for."""
    return b.full([0], 0, DType.i64)


@op(
    "aten::_unique2(Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False) -> "
    "(Tensor, Tensor, Tensor)",
    out="aten::_unique2.out(Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False, *, "
    "Tensor(a!) out0, Tensor(b!) out1, Tensor(c!) out2) -> (Tensor(a!), Tensor(b!), Tensor(c!))",
)
class Unique(Ordering):
    """The distinct elements, the place of each element among them, and how often each occurs."""

    makes = (None, DType.i64, DType.i64)

    def lower(b, x, _, inverse, counts):
        values, order = b.sort(flat(b, x), 0, False)
        first, numbers, lengths = runs(b, values)
        places = b.reshape(placed(b, order, numbers), x.sizes) if inverse else nothing(b)
        return b.index_select(values, 0, first, error=None), places, lengths if counts else nothing(b)

    cases = [
        case(i64(7), True, True, True),
        case(i64("?"), at=[9, 1, 0]),
        case(f32(3, "?"), True, True, at=[3, 0]),
        case(i1(5), True, False, True),
        case(f32(), True, True, True),
    ]


@op("aten::_unique(Tensor self, bool sorted=True, bool return_inverse=False) -> (Tensor, Tensor)")
class UniqueOnly(Ordering):
    """The distinct elements and the place of each element among them."""

    makes = (None, DType.i64)

    def lower(b, x, _, inverse):
        values, order = b.sort(flat(b, x), 0, False)
        first, numbers, _ = runs(b, values)
        places = b.reshape(placed(b, order, numbers), x.sizes) if inverse else nothing(b)
        return b.index_select(values, 0, first, error=None), places

    cases = [case(i64(7), True, True), i64("?")]


def rows_along(b, x, dim):
    """A dim in front, the others merged, and the order and sizes that lead back."""
    if x.rank == 0:
        raise InferError(f"Dimension specified as {dim} but tensor has no dimensions", "IndexError")
    dim = wrap_dim(dim, x.rank)
    order = [dim, *(d for d in range(x.rank) if d != dim)]
    moved = b.permute(x, order)
    width = 1
    for s in moved.sizes[1:]:
        width = width * s
    text = "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied"
    b.guard((width > 0) | (moved.sizes[0] == 0), text)
    return b.reshape(moved, [moved.sizes[0], width]), moved.sizes[1:], [order.index(d) for d in range(x.rank)]


def chosen_rows(b, rows, first, rest, back):
    """Some rows in the place of the dim they come from."""
    made = b.index_select(rows, 0, first, error=None)
    return b.permute(b.reshape(made, [made.sizes[0], *rest]), back)


DIM_OUT = "*, Tensor(a!) out0, Tensor(b!) out1, Tensor(c!) out2) -> (Tensor(a!), Tensor(b!), Tensor(c!))"


@op(
    "aten::unique_consecutive(Tensor self, bool return_inverse=False, bool return_counts=False, int? dim=None) -> "
    "(Tensor, Tensor, Tensor)",
    out="aten::unique_consecutive.out(Tensor self, bool return_inverse=False, bool return_counts=False, "
    f"int? dim=None, {DIM_OUT}",
)
class UniqueConsecutive(Ordering):
    """The first of each run of equal elements or slices, each one's run, and the lengths of the runs."""

    makes = (None, DType.i64, DType.i64)

    def lower(b, x, inverse, counts, dim):
        if dim is not None:
            rows, rest, back = rows_along(b, x, dim)
            first, numbers, lengths = runs(b, rows)
            return chosen_rows(b, rows, first, rest, back), numbers, lengths
        row = flat(b, x)
        first, numbers, lengths = runs(b, row)
        places = b.reshape(numbers, x.sizes) if inverse else nothing(b)
        return b.index_select(row, 0, first, error=None), places, lengths if counts else nothing(b)

    cases = [
        case(i64(9, low=0, high=2), True, True),
        case(i64("?", 3, low=0, high=2), at=[4, 1, 0]),
        case(i64(2, 7, low=0, high=2), True, True, 1),
        case(i64("?", 1, low=0, high=2), False, False, 0, at=[4, 1, 0]),
    ]


@op(
    "aten::unique_dim_consecutive(Tensor self, int dim, bool return_inverse=False, bool return_counts=False) -> "
    "(Tensor, Tensor, Tensor)"
)
class UniqueDimConsecutive(Ordering):
    """The first of each run of equal slices, each one's run, and the lengths of the runs."""

    makes = (None, DType.i64, DType.i64)

    def lower(b, x, dim, *_):
        rows, rest, back = rows_along(b, x, dim)
        first, numbers, lengths = runs(b, rows)
        return chosen_rows(b, rows, first, rest, back), numbers, lengths

    cases = [case(i64(2, 7, low=0, high=2), 1), case(i64("?", 1, low=0, high=2), 0)]


def lexicographic(b, rows):
    """The order of the rows of a matrix, the first column deciding first: sorted by each column from the last."""
    n, width = rows.sizes

    def by_column(b, trip, order):
        at = width - 1 - trip
        keys = b.index_select(b.reshape(b.slice(rows, 1, at, at + 1, 1), [n]), 0, order, error=None)
        return (b.index_select(order, 0, b.sort(keys, 0, False)[1], error=None),)

    return b.repeat(width, by_column, b.iota(n, DType.i64))[0]


@op(
    "aten::unique_dim(Tensor self, int dim, bool sorted=True, bool return_inverse=False, bool return_counts=False) -> "
    "(Tensor, Tensor, Tensor)",
    out="aten::unique_dim.out(Tensor self, int dim, bool sorted=True, bool return_inverse=False, "
    f"bool return_counts=False, {DIM_OUT}",
)
class UniqueDim(Ordering):
    """The distinct slices in order, the place of each slice among them, and how often each occurs."""

    makes = (None, DType.i64, DType.i64)

    def lower(b, x, dim, *_):
        rows, rest, back = rows_along(b, x, dim)
        order = lexicographic(b, rows)
        rows = b.index_select(rows, 0, order, error=None)
        first, numbers, lengths = runs(b, rows)
        return chosen_rows(b, rows, first, rest, back), placed(b, order, numbers), lengths

    cases = [
        case(i64(2, 7, low=0, high=2), 1, True, True, True),
        case(f32("?", 2), 0, at=[4, 1, 0]),
        case(i64(3, "?", 2, low=0, high=2), 1, at=[5, 1]),
    ]


@op(
    "aten::repeat_interleave.Tensor(Tensor repeats, *, SymInt? output_size=None) -> Tensor",
    out="aten::repeat_interleave.Tensor_out",
)
class RepeatInterleaveCounts(Ordering):
    """Each index as often as its count says."""

    makes = (None,)
    runtime = ("output_size",)

    def lower(b, repeats, size):
        if repeats.rank != 1:
            raise InferError("repeat_interleave only accept 1D vector as repeat")
        if repeats.dtype not in (DType.i64, DType.i32):
            raise InferError("repeats has to be Long or Int tensor")
        counts = b.cast(repeats, DType.i64)
        smallest = b.item(b.reduce("min", counts, [0]))
        b.guard(smallest >= 0, "repeats can not be negative")
        total = b.item(b.reduce("sum", counts, [0]))
        if size is not None:
            b.guard(total == size, "allocated size does not match required size")
        ends = b.scan("sum", counts, 0)
        return b.cast(b.search(ends, b.iota(total if size is None else size, DType.i64), True), repeats.dtype)

    cases = [case(i64(4, low=0, high=4)), case(i64("?", low=0, high=3), at=[5, 1, 0])]
