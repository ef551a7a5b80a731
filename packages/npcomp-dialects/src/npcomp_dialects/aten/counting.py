"""Counts: how often each number occurs, how many elements fall into each bin."""

from __future__ import annotations

import math

from .cases import case, f32, f64, i32, i64
from .dtypes import DType
from .errors import InferError
from .families.ordering import Ordering, flat
from .families.reduction import count_of
from .registry import op


@op("aten::bincount(Tensor self, Tensor? weights=None, SymInt minlength=0) -> Tensor", out="aten::bincount.out")
class BinCount(Ordering):
    """How often each number occurs, or the sum of the weights of its places."""

    runtime = ("minlength",)

    def lower(b, x, weights, least):
        if x.rank != 1 or x.dtype.is_float or x.dtype is DType.bool:
            raise InferError("bincount only supports 1-d non-negative integral inputs.")
        b.guard(least >= 0, "minlength should be >= 0")
        n = x.sizes[0]
        if isinstance(n, int) and n == 0:
            return b.full([least], 0, DType.i64)
        x = b.cast(x, DType.i64)
        b.guard(b.item(b.reduce("min", x, [0])) >= 0, "bincount only supports 1-d non-negative integral inputs.")
        largest = b.maximum(b.item(b.reduce("max", x, [0])), -1)
        dtype = DType.i64 if weights is None else DType.f32 if weights.dtype is DType.f32 else DType.f64
        if weights is None:
            amounts = b.broadcast(b.full([1], 1, dtype), x.sizes)
        else:
            text = "weights should be 1-d and have the same length as input"
            if weights.rank != 1:
                raise InferError(text)
            b.guard(weights.sizes[0] == n, text)
            amounts = b.cast(weights, dtype)
        size = b.maximum(largest + 1, least)
        return b.scatter("add", b.full([size], 0, dtype), 0, x, amounts)

    cases = [
        case(i64(9, low=0, high=5)),
        case(i64("n", low=0, high=5), f32("n"), 4, at=[5, 1]),
        case(i32("?", low=0, high=3), None, 7, at=[5, 0]),
    ]


def finite(b, low, high):
    """Guards that a range is one."""
    text = "torch.histc: range of the elements is not finite"
    b.guard((low > -math.inf) & (low < math.inf) & (high > -math.inf) & (high < math.inf), text)


def extremes(b, x, margin, empty):
    """The range of the elements, `empty` where there are none, made wider where it is one point."""
    low, high = (b.item(b.reduce(kind, x, [0])) for kind in ("min", "max"))
    none = x.sizes[0] == 0
    low, high = (b.select(none, b.const(e, x.dtype), v) for e, v in zip(empty, (low, high), strict=True))
    finite(b, low, high)
    same = low == high
    return b.select(same, low - margin, low), b.select(same, high + margin, high)


@op("aten::histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor", out="aten::histc.out")
class Histc(Ordering):
    """How many elements fall into each of equal bins; without a range, the one of the elements."""

    makes = (None,)
    constant = ("min", "max")

    def lower(b, x, bins, low, high):
        if not x.dtype.is_float:
            b.error(f'"histogram_cpu" not implemented for {x.dtype}', "NotImplementedError")
        if bins <= 0:
            raise InferError("bins must be > 0")
        if low > high:
            raise InferError("max must be larger than min")
        x = flat(b, x)
        if low == high:
            low, high = extremes(b, x, 1.0, (0.0, 0.0))
        else:
            low, high = (b.const(float(v), x.dtype) for v in (low, high))
            finite(b, low, high)

        def place(b, e):
            at = b.cast((e - low) * float(bins) / (high - low), DType.i64)
            at = b.minimum(b.maximum(at, 0), bins - 1)
            return b.select((e >= low) & (e <= high), at, b.const(bins, DType.i64))

        places = b.map(place, x, dtype=DType.i64)
        ones = b.broadcast(b.full([1], 1, x.dtype), x.sizes)
        return b.slice(b.scatter("add", b.full([bins + 1], 0, x.dtype), 0, places, ones), 0, 0, bins, 1)

    cases = [
        case(f32(3, 4), 5),
        case(f32("?"), 4, -1, 1, at=[9, 1, 0]),
        case(f64("?", 3), 3, at=[5, 0]),
        case(f32(9, special=True), 4, -1.5, 1.5),
    ]


def evenly(b, low, high, count, dtype):
    """`count + 1` edges of equal bins, computed from the nearer end."""
    step = (high - low) / float(count)

    def edge(b, i):
        e = b.cast(i, dtype)
        back = b.cast(count - i, dtype)
        return b.select(i < (count + 1) // 2, low + e * step, high - back * step)

    return b.map(edge, b.iota(count + 1, DType.i64), dtype=dtype)


def bin_of(b, edges, values):
    """The bin of each value; the number of bins for those in none. The last bin holds its right edge."""
    count = edges.sizes[0] - 1
    first = b.item(b.reshape(b.slice(edges, 0, 0, 1, 1), []))
    last = b.item(b.reshape(b.slice(edges, 0, count, count + 1, 1), []))

    def place(b, behind, e):
        at = b.maximum(b.minimum(behind - 1, count - 1), 0)
        return b.select((e >= first) & (e <= last), at, count)

    return b.map(place, b.search(edges, values, True), values, dtype=DType.i64)


def histogram(b, x, edges, weight, density):
    """The counts, or sums of weights, of the rows of a matrix in a grid of bins: one row of edges a column."""
    n, counts = x.sizes[0], [e.sizes[0] - 1 for e in edges]
    place = None
    for d, row in enumerate(edges):
        values = b.reshape(b.slice(x, 1, d, d + 1, 1), [n])
        part, stride = bin_of(b, row, values), counts[d] + 1
        place = part if place is None else b.map(lambda b, p, q, s=stride: p * s + q, place, part, dtype=DType.i64)
    total = 1
    for c in counts:
        total = total * (c + 1)
    amounts = b.broadcast(b.full([1], 1, x.dtype), [n]) if weight is None else weight
    made = b.scatter("add", b.full([total], 0, x.dtype), 0, place, amounts)
    made = b.reshape(made, [c + 1 for c in counts])
    for d, c in enumerate(counts):
        made = b.slice(made, d, 0, c, 1)
    return by_volume(b, made, edges) if density else made


def by_volume(b, counts, edges):
    """Counts divided by their sum and by the volume of each bin."""
    total = b.reshape(b.reduce("sum", counts, list(range(counts.rank))), [])
    counts = b.map(lambda b, e, t: e / t, counts, total, dtype=counts.dtype)
    for d, row in enumerate(edges):
        c = row.sizes[0] - 1
        shape = [c if i == d else 1 for i in range(counts.rank)]
        lower, upper = (b.reshape(b.slice(row, 0, i, c + i, 1), shape) for i in (0, 1))
        counts = b.map(lambda b, e, p, q: e / (q - p), counts, lower, upper, dtype=counts.dtype)
    return counts


def as_rows(b, x, columns):
    """The elements as a matrix, and its rows' weights checked."""
    return b.reshape(x, [count_of(x, range(x.rank - 1)), x.sizes[-1]]) if columns else b.reshape(x, [b.numel(x), 1])


def weights_of(b, x, weight):
    if weight is None:
        return None
    if weight.dtype is not x.dtype:
        raise InferError("torch.histogramdd: input tensor and weight tensor should have the same dtype")
    b.guard(b.numel(weight) == x.sizes[0], "torch.histogramdd: weight should have one number for each row of the input")
    return flat(b, weight)


def even_edges(b, x, bins, bounds):
    """For each column, the edges of its bins."""
    found = []
    for d, count in enumerate(bins):
        if count <= 0:
            raise InferError(f"torch.histogramdd(): bins must be > 0, got {count} for dimension {d}")
        if bounds is not None:
            low, high = (b.const(float(v), x.dtype) for v in bounds[2 * d : 2 * d + 2])
            same = low == high
            low, high = b.select(same, low - 0.5, low), b.select(same, high + 0.5, high)
        else:
            column = b.reshape(b.slice(x, 1, d, d + 1, 1), [x.sizes[0]])
            low, high = extremes(b, column, 0.5, (0.0, 1.0))
        found.append(evenly(b, low, high, count, x.dtype))
    return found


def check_floats(b, x):
    if x.dtype not in (DType.f32, DType.f64):
        b.error(f'"histogram_cpu" not implemented for {x.dtype}', "NotImplementedError")


@op(
    "aten::histogram.bins_tensor(Tensor self, Tensor bins, *, Tensor? weight=None, bool density=False) -> "
    "(Tensor hist, Tensor bin_edges)"
)
class HistogramEdges(Ordering):
    """How many elements fall between each two edges, and the edges."""

    makes = (None, None)

    def lower(b, x, edges, weight, density):
        check_floats(b, x)
        x = as_rows(b, x, False)
        return histogram(b, x, [edges], weights_of(b, x, weight), density), edges

    cases = [
        case(f32(3, 4, low=1, high=1), f32(5, low=1, high=1)),
        case(f32("n"), f32("m", low=1, high=1), weight=f32("n"), at=[(9, 3), (1, 2)]),
    ]


@op(
    "aten::histogram.bin_ct(Tensor self, int bins=100, *, float[]? range=None, Tensor? weight=None, "
    "bool density=False) -> (Tensor hist, Tensor bin_edges)"
)
class Histogram(Ordering):
    """How many elements fall into each of equal bins, and the edges of these."""

    makes = (None, None)

    def lower(b, x, bins, bounds, weight, density):
        check_floats(b, x)
        x = as_rows(b, x, False)
        edges = even_edges(b, x, [bins], bounds)
        return histogram(b, x, edges, weights_of(b, x, weight), density), edges[0]

    cases = [
        case(f32(3, 4), 5),
        case(f32("n"), 4, range=[-1.0, 1.0], weight=f32("n"), at=[9, 1, 0]),
        case(f64("?", 3), 3, density=True, at=[5, 2]),
    ]


@op(
    "aten::_histogramdd_bin_edges(Tensor self, int[] bins, *, float[]? range=None, Tensor? weight=None, "
    "bool density=False) -> Tensor[]"
)
class HistogramGrid(Ordering):
    """The edges of equal bins for each column."""

    def lower(b, x, bins, bounds, *_):
        check_floats(b, x)
        return even_edges(b, as_rows(b, x, True), bins, bounds)

    cases = [case(f32(7, 2), [3, 4]), case(f32("?", 2), [2, 3], range=[-1.0, 1.0, -1.0, 1.0])]


@op(
    "aten::_histogramdd_from_bin_cts(Tensor self, int[] bins, *, float[]? range=None, Tensor? weight=None, "
    "bool density=False) -> Tensor"
)
class HistogramOfGrid(Ordering):
    """How many rows fall into each bin of a grid."""

    makes = (None,)

    def lower(b, x, bins, bounds, weight, density):
        check_floats(b, x)
        x = as_rows(b, x, True)
        return histogram(b, x, even_edges(b, x, bins, bounds), weights_of(b, x, weight), density)

    cases = [
        case(f32(7, 2), [3, 4]),
        case(f32("n", 2), [2, 3], range=[-1.0, 1.0, -1.0, 1.0], weight=f32("n"), density=True, at=[9, 5]),
    ]


@op(
    "aten::_histogramdd_from_bin_tensors(Tensor self, Tensor[] bins, *, Tensor? weight=None, bool density=False) -> "
    "Tensor"
)
class HistogramOfEdges(Ordering):
    """How many rows fall into each bin of a grid of given edges."""

    makes = (None,)

    def lower(b, x, edges, weight, density):
        check_floats(b, x)
        x = as_rows(b, x, True)
        return histogram(b, x, edges, weights_of(b, x, weight), density)

    cases = [
        case(f32(7, 2, low=1, high=1), [f32(3, low=1, high=1), f32(4, low=1, high=1)]),
        case(f32("n", 1), [f32(3, low=1, high=1)], weight=f32("n"), at=[9, 0]),
    ]
