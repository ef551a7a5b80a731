"""Order along a dim: sort, top k, the k-th smallest, the median, the commonest."""

from __future__ import annotations

from .cases import bf16, case, f32, i1, i64, u8
from .dims import wrap_dim
from .dtypes import DType
from .errors import InferError
from .families.ordering import Ordering, flat, taken, taken_each, with_dim
from .families.reduction import guard_nonempty
from .registry import op

MOST_ROUNDS = 8
"""Largest k by k rounds of arg max; beyond that, sorting is faster."""


def in_order(b, x, dim, descending):
    """Values and indices along a dim; a 0-d tensor is one element."""
    sizes, dim = x.sizes, wrap_dim(dim, x.rank)
    values, indices = b.sort(with_dim(b, x), dim, descending)
    return b.reshape(values, sizes), b.reshape(indices, sizes)


@op(
    "aten::sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)",
    out="aten::sort.values(Tensor self, int dim=-1, bool descending=False, *, Tensor(a!) values, "
    "Tensor(b!) indices) -> (Tensor(a!) values, Tensor(b!) indices)",
)
class Sort(Ordering):
    """The elements along a dim in order, and where each came from; equal ones keep their order."""

    makes = (None, DType.i64)

    def lower(b, x, dim, descending):
        return in_order(b, x, dim, descending)

    cases = [
        f32(3, 4),
        case(f32("?", 4, special=True), 0, at=[3, 0, 1]),
        case(i64(2, 33, low=-(1 << 40), high=1 << 40), -1, True),
        case(u8(9), 0),
        case(bf16("?", special=True), 0, True, at=[9, 1]),
        f32(),
    ]


@op(
    "aten::sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> "
    "(Tensor values, Tensor indices)",
    out="aten::sort.values_stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False, "
    "Tensor(a!) values, Tensor(b!) indices) -> (Tensor(a!) values, Tensor(b!) indices)",
)
class SortStable(Ordering):
    """The elements along a dim in order, and where each came from."""

    makes = (None, DType.i64)

    def lower(b, x, _, dim, descending):
        return in_order(b, x, dim, descending)

    cases = [case(f32(3, 4), stable=True), case(i1("?", 4), stable=True, dim=0, descending=True, at=[5, 0])]


@op("aten::argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor")
class ArgSort(Ordering):
    """Where each element in order came from."""

    makes = (DType.i64,)

    def lower(b, x, dim, descending):
        return in_order(b, x, dim, descending)[1]

    cases = [f32(3, 4), case(f32("?", 4), 0)]


@op(
    "aten::argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> Tensor",
    out="aten::argsort.stable_out",
)
class ArgSortStable(Ordering):
    """Where each element in order came from."""

    makes = (DType.i64,)

    def lower(b, x, _, dim, descending):
        return in_order(b, x, dim, descending)[1]

    cases = [case(f32(3, 4), stable=True), case(i64("?", 4), stable=True, dim=0)]


@op("aten::msort(Tensor self) -> Tensor", out="aten::msort.out")
class MSort(Ordering):
    """Sorted along the first dim."""

    makes = (None,)

    def lower(b, x):
        return in_order(b, x, 0, False)[0]

    cases = [f32(3, 4), f32("?", 4)]


def take_largest(b, x, done, dim):
    """The index of the largest element not taken yet, as a tensor that keeps the dim."""
    left = b.map(lambda b, e, t: b.select(t, b.const(x.dtype.lowest, e.dtype), e), x, done, dtype=x.dtype)
    best = b.reduce("max", left, [dim], True)

    def candidate(b, e, t, m):
        equal = (e == m) | (b.isnan(e) & b.isnan(m)) if x.dtype.is_float else e == m
        return b.cast(equal & ~t, DType.i8)

    return b.arg_reduce("max", b.map(candidate, x, done, best, dtype=DType.i8), dim, True)


def largest_few(b, x, k, dim):
    """The indices of the k largest, one after the other."""
    places = b.reshape(b.iota(x.sizes[dim], DType.i64), [x.sizes[dim]] + [1] * (x.rank - dim - 1))
    done = b.map(lambda b, e: b.const(False, DType.bool), x, dtype=DType.bool)
    found = []
    for _ in range(k):
        at = take_largest(b, x, done, dim)
        done = b.map(lambda b, t, i, a: t | (i == a), done, places, at, dtype=DType.bool)
        found.append(at)
    return found[0] if k == 1 else b.concat(found, dim)


@op(
    "aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> "
    "(Tensor values, Tensor indices)",
    out="aten::topk.values(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True, *, "
    "Tensor(a!) values, Tensor(b!) indices) -> (Tensor(a!) values, Tensor(b!) indices)",
)
class TopK(Ordering):
    """The k largest or smallest along a dim, in order."""

    makes = (None, DType.i64)
    runtime = ("k",)

    def lower(b, x, k, dim, largest, _):
        if x.dtype is DType.bool:
            raise InferError("topk does not support bool dtypes on CPU")
        dim, rank = wrap_dim(dim, x.rank), x.rank
        if rank == 0:
            b.guard(k <= 1, "selected index k out of range")
            x = b.reshape(x, [1])
        b.guard((k >= 0) & (k <= x.sizes[dim]), "selected index k out of range")
        if isinstance(k, int) and 0 < k <= MOST_ROUNDS and largest:
            indices = largest_few(b, x, k, dim)
            values = b.gather(x, dim, indices, error=None)
        else:
            values, indices = (b.slice(t, dim, 0, k, 1) for t in b.sort(x, dim, largest))
        return (values, indices) if rank else (b.reshape(values, []), b.reshape(indices, []))

    cases = [
        case(f32(3, 5), 3),
        case(f32("?", 4), 2, 0, at=[5, 2]),
        case(f32(2, 6, special=True), 2, -1, False),
        case(f32("?", 4), 1, at=[3, 0]),
        case(i64(3, 30, low=-(1 << 40), high=1 << 40), 20),
        case(f32("?", 30), 12, 1, at=[3, 0]),
        case(f32(), 1, 0),
    ]


@op(
    "aten::kthvalue(Tensor self, SymInt k, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)",
    out="aten::kthvalue.values(Tensor self, SymInt k, int dim=-1, bool keepdim=False, *, Tensor(a!) values, "
    "Tensor(b!) indices) -> (Tensor(a!) values, Tensor(b!) indices)",
)
class KthValue(Ordering):
    """The k-th smallest element along a dim and where it is."""

    makes = (None, DType.i64)
    runtime = ("k",)

    def lower(b, x, k, dim, keepdim):
        dim, rank = wrap_dim(dim, x.rank), x.rank
        x = with_dim(b, x)
        guard_nonempty(b, x, [dim], "kthvalue")
        text = f"kthvalue(): selected number k out of range for dimension {dim}"
        b.guard((k >= 1) & (k <= x.sizes[dim]), text)
        values, indices = (taken(b, t, dim, k - 1, keepdim and rank > 0) for t in b.sort(x, dim, False))
        return values, indices

    cases = [
        case(f32(3, 4), 2),
        case(f32("?", 4), 1, 0, True, at=[3, 1]),
        case(f32(5, special=True), 5),
        case(f32(), 1),
    ]


def middle(b, x, dim, ignore_nan, keepdim):
    """The lower median of rows of at least one element, and where it is; nan is the median of rows that hold one."""
    n = x.sizes[dim]
    values, indices = b.sort(x, dim, False)
    if not x.dtype.is_float:
        return tuple(taken(b, t, dim, (n - 1) // 2, keepdim) for t in (values, indices))
    numbers = b.reduce("sum", b.map(lambda b, e: b.cast(~b.isnan(e), DType.i64), x, dtype=DType.i64), [dim], True)

    def place(b, count):
        if ignore_nan:
            return b.select(count == 0, b.const(0, DType.i64), (count - 1) // 2)
        return b.select(count == n, (count - 1) // 2, count)

    at = b.map(place, numbers, dtype=DType.i64)
    return tuple(taken_each(b, t, dim, at, keepdim) for t in (values, indices))


def median_of_all(b, x, ignore_nan):
    """The median of the flattened tensor; nan, or the lowest integer, of nothing."""
    row = flat(b, x)
    if isinstance(row.sizes[0], int) and row.sizes[0] > 0:
        return middle(b, row, 0, ignore_nan, False)[0]
    nothing = float("nan") if x.dtype.is_float else x.dtype.lowest
    count = b.maximum(row.sizes[0], 1)
    padded = b.pad(row, [0], [count - row.sizes[0]], nothing)
    return middle(b, padded, 0, ignore_nan, False)[0]


@op("aten::median(Tensor self) -> Tensor", out="aten::median.out")
class Median(Ordering):
    """The lower middle element, nan if there is one."""

    makes = (None,)

    def lower(b, x):
        return median_of_all(b, x, False)

    cases = [f32(3, 4), f32("?", 4, special=True), i64("?"), case(f32("?"), at=[5, 1, 0])]


@op("aten::nanmedian(Tensor self) -> Tensor", out="aten::nanmedian.out")
class NanMedian(Ordering):
    """The lower middle element of those that are not nan."""

    makes = (None,)

    def lower(b, x):
        return median_of_all(b, x, True)

    cases = [f32(3, 4, special=True), f32("?", 4, special=True), case(i64("?"), at=[5, 1])]


def median_along(b, name, x, dim, keepdim, ignore_nan):
    rank, dim = x.rank, wrap_dim(dim, x.rank)
    x = with_dim(b, x)
    guard_nonempty(b, x, [dim], name)
    return middle(b, x, dim, ignore_nan, keepdim and rank > 0)


@op(
    "aten::median.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
    out="aten::median.dim_values(Tensor self, int dim, bool keepdim=False, *, Tensor(a!) values, "
    "Tensor(b!) indices) -> (Tensor(a!) values, Tensor(b!) indices)",
)
class MedianDim(Ordering):
    """The lower middle element along a dim and where it is, nan if there is one."""

    makes = (None, DType.i64)

    def lower(b, x, dim, keepdim):
        return median_along(b, "median", x, dim, keepdim, False)

    cases = [case(f32(3, 4), 1), case(f32("?", 5, special=True), 1, True, at=[3, 1, 0]), case(f32(), 0)]


@op(
    "aten::nanmedian.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
    out="aten::nanmedian.dim_values(Tensor self, int dim, bool keepdim=False, *, Tensor(a!) values, "
    "Tensor(b!) indices) -> (Tensor(a!) values, Tensor(b!) indices)",
)
class NanMedianDim(Ordering):
    """The lower middle element along a dim of those that are not nan, and where it is."""

    makes = (None, DType.i64)

    def lower(b, x, dim, keepdim):
        return median_along(b, "nanmedian", x, dim, keepdim, True)

    cases = [case(f32(3, 4), 1), case(f32("?", 9, special=True), 1, True, at=[3, 1, 0])]


@op(
    "aten::mode(Tensor self, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)",
    out="aten::mode.values(Tensor self, int dim=-1, bool keepdim=False, *, Tensor(a!) values, "
    "Tensor(b!) indices) -> (Tensor(a!) values, Tensor(b!) indices)",
)
class Mode(Ordering):
    """The smallest of the commonest elements along a dim, and the last place of it."""

    makes = (None, DType.i64)

    def lower(b, x, dim, keepdim):
        rank, dim = x.rank, wrap_dim(dim, x.rank)
        x = with_dim(b, x)
        guard_nonempty(b, x, [dim], "mode")
        values, indices = b.sort(x, dim, False)
        places = b.reshape(b.iota(x.sizes[dim], DType.i64), [x.sizes[dim]] + [1] * (x.rank - dim - 1))

        def start(b, e, before, place):
            return b.select((e == before) & (place > 0), b.const(0, DType.i64), place)

        starts = b.scan("max", b.map(start, values, shifted(b, values, dim), places, dtype=DType.i64), dim)
        lengths = b.map(lambda b, p, s: p - s, places, starts, dtype=DType.i64)
        at = b.arg_reduce("max", lengths, dim, True)
        keepdim = keepdim and rank > 0
        return taken_each(b, values, dim, at, keepdim), taken_each(b, indices, dim, at, keepdim)

    cases = [
        case(i64(3, 9, low=0, high=4), 1),
        case(i64("?", 4, low=0, high=2), 0, True, at=[7, 1]),
        case(f32(5, special=True)),
        case(f32(), 0),
    ]


def shifted(b, x, dim):
    """Each element's predecessor along a dim; the first is its own."""
    n = x.sizes[dim]
    first = b.minimum(n, 1)
    return b.concat([b.slice(x, dim, 0, first, 1), b.slice(x, dim, 0, n - first, 1)], dim)
