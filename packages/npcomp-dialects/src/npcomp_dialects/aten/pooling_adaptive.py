"""Pooling over parts: as many windows as asked, which may overlap when they do not divide the input."""

from __future__ import annotations

from .cases import case, f32, f64
from .dtypes import DType
from .errors import InferError
from .families.pooling import Pooling
from .families.reduction import count_of, divide_by
from .promotion import opmath
from .registry import op
from .window_columns import weighted


def check_spatial(b, x, output):
    """The dims that are pooled exist and, unlike the batch, are not empty."""
    spatial = len(output)
    if x.rank not in (spatial + 1, spatial + 2):
        raise InferError(f"adaptive pooling to {output} takes an input of rank {spatial + 1} or {spatial + 2}")
    if any(n < 0 for n in output):
        raise InferError(f"adaptive pooling: elements of output_size must be greater than or equal to 0, got {output}")
    for d in range(x.rank - spatial, x.rank):
        message = f"adaptive pooling: expected input to have non-zero size, but dimension {d} has size {{0}}"
        b.guard(x.sizes[d] > 0, message, x.sizes[d])


def adaptive_average(b, x, output):
    """The mean over equal parts of each of the last dims."""
    check_spatial(b, x, output)
    dtype, wide = x.dtype, opmath(x.dtype)
    first = x.rank - len(output)
    if 0 in output:
        return b.full([*x.sizes[:first], *output], 0, dtype)
    x = b.cast(x, wide)
    if all(n == 1 for n in output):
        dims = list(range(first, x.rank))
        return b.cast(divide_by(b, b.reduce("sum", x, dims, True), count_of(x, dims)), dtype)
    for d, n in enumerate(output, first):
        x = part_means(b, x, d, n)
    return b.cast(x, dtype)


def part_means(b, x, dim, n):
    """The mean of n parts of a dim: part i runs from floor(i * size / n) to ceil((i + 1) * size / n)."""
    size = x.sizes[dim]
    if (size == n) is True:
        return x
    if isinstance(size, int) and size % n == 0:
        split = b.reshape(x, [*x.sizes[:dim], n, size // n, *x.sizes[dim + 1 :]])
        return divide_by(b, b.reduce("sum", split, [dim + 1]), size // n)

    def share(b, i, j):
        start, stop = part_bounds(i, n, size)
        weight = b.select(j < stop - start, 1.0 / b.cast(stop - start, x.dtype), b.const(0.0, x.dtype))
        return place_in_part(b, i, j, n, size), weight

    parts, offsets = b.reshape(b.iota(n, DType.i64), [n, 1]), b.iota(longest_part(n, size), DType.i64)
    return weighted(b, x, dim, *b.map(share, parts, offsets, dtype=(DType.i64, x.dtype)))


def part_bounds(i, n, size):
    """Where part i of n starts and stops."""
    return i * size // n, (i * size + size + (n - 1)) // n


def longest_part(n, size):
    """How many elements the longest part has, or a bound of it where only run time knows the size."""
    if not isinstance(size, int):
        return (size + (n - 1)) // n + 1
    bounds = [part_bounds(i, n, size) for i in range(n)]
    return max(stop - start for start, stop in bounds)


def adaptive_maximum(b, x, output):
    """The largest element of each part and its place in the flattened input; parts repeat their last element."""
    check_spatial(b, x, output)
    first = x.rank - len(output)
    if 0 in output:
        sizes = [*x.sizes[:first], *output]
        return b.full(sizes, 0, x.dtype), b.full(sizes, 0, DType.i64)
    extents = x.sizes[first:]
    if all(isinstance(s, int) and s % n == 0 for s, n in zip(extents, output, strict=True)):
        kernel = [s // n for s, n in zip(extents, output, strict=True)]
        zeros, ones = [0] * len(output), [1] * len(output)
        return b.pool_indices(x, kernel, kernel, zeros, ones, False)
    lengths = [longest_part(n, s) for n, s in zip(output, extents, strict=True)]
    windows = x
    for t, (n, size, length) in enumerate(zip(output, extents, lengths, strict=True)):
        parts, offsets = b.reshape(b.iota(n, DType.i64), [n, 1]), b.iota(length, DType.i64)
        places = b.map(lambda b, i, j, n=n, size=size: place_in_part(b, i, j, n, size), parts, offsets, dtype=DType.i64)
        windows = b.index_select(windows, first + 2 * t, places)
    counts = [first + 2 * t for t in range(len(output))]
    windows = b.permute(windows, [*range(first), *counts, *(d + 1 for d in counts)])
    total = 1
    for length in lengths:
        total = total * length
    windows = b.reshape(windows, [*x.sizes[:first], *output, total])
    last = windows.rank - 1
    where = b.arg_reduce("max", windows, last)
    return b.reduce("max", windows, [last]), flat_place(b, where, output, extents, lengths)


def place_in_part(b, i, j, n, size):
    """Element j of part i, the last one where the part is shorter."""
    start, stop = part_bounds(i, n, size)
    return b.minimum(start + j, stop - 1)


def flat_place(b, where, output, extents, lengths):
    """The place in the flattened input of element `where` of each window."""
    spatial = len(output)
    parts = [b.reshape(b.iota(n, DType.i64), [n] + [1] * (spatial - d - 1)) for d, n in enumerate(output)]

    def body(b, rest, *parts):
        flat, stride = None, 1
        for d in reversed(range(spatial)):
            offset = rest % lengths[d] if d else rest
            rest = rest // lengths[d]
            at = place_in_part(b, parts[d], offset, output[d], extents[d])
            flat = at if flat is None else flat + at * stride
            stride = stride * extents[d]
        return flat

    return b.map(body, where, *parts, dtype=DType.i64)


@op("aten::adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor", out="aten::adaptive_avg_pool1d.out")
@op(
    "aten::adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor",
    out="aten::adaptive_avg_pool2d.out",
    cases=[
        case(f32(2, 3, 6, 7), [1, 1]),
        case(f32("?", 3, "?", "?"), [1, 1], at=[(2, 5, 4), (1, 1, 1)]),
        case(f32(2, 3, 6, 7), [3, 2]),
        case(f32("?", 3, "?", 7), [3, 7], at=[(2, 5), (1, 2)]),
        case(f32(2, 3, 4), [0, 2]),
    ],
)
@op(
    "aten::_adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor",
    out="aten::_adaptive_avg_pool2d.out",
    cases=[case(f32(2, 3, 6, 7), [3, 2]), case(f32("?", 3, 6, 7), [3, 2])],
)
@op(
    "aten::adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor",
    out="aten::adaptive_avg_pool3d.out",
    cases=[case(f32(2, 3, 6, 7, 4), [3, 2, 3]), case(f64("?", 3, "?", 5, 4), [2, 1, 4], at=[(2, 5), (1, 1)])],
)
@op(
    "aten::_adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor",
    out="aten::_adaptive_avg_pool3d.out",
    cases=[case(f32(2, 3, 6, 7, 4), [3, 2, 3]), case(f32(3, "?", 7, 4), [3, 2, 2], at=[6, 1])],
)
class AdaptiveAvgPool(Pooling):
    """The mean over parts of each spatial dim, as many as asked."""

    def lower(b, x, output):
        return adaptive_average(b, x, output)

    cases = [case(f32(2, 3, 7), [3]), case(f32(2, "?"), [1], at=[7, 1]), case(f32(2, "?"), [2], at=[7, 1])]


@op("aten::adaptive_max_pool1d(Tensor self, int[1] output_size) -> (Tensor, Tensor)")
@op(
    "aten::adaptive_max_pool2d(Tensor self, int[2] output_size) -> (Tensor, Tensor)",
    out="aten::adaptive_max_pool2d.out(Tensor self, int[2] output_size, *, Tensor(a!) out, Tensor(b!) indices) -> "
    "(Tensor(a!), Tensor(b!))",
    cases=[
        case(f32(2, 3, 6, 8), [3, 2]),
        case(f32("?", 3, "?", 7), [3, 2], at=[(2, 5), (1, 2), (0, 4)]),
        case(f64(3, 5, 7), [2, 3]),
        case(f32(3, 5, 7), [0, 3]),
    ],
)
@op(
    "aten::adaptive_max_pool3d(Tensor self, int[3] output_size) -> (Tensor, Tensor)",
    out="aten::adaptive_max_pool3d.out(Tensor self, int[3] output_size, *, Tensor(a!) out, Tensor(b!) indices) -> "
    "(Tensor(a!), Tensor(b!))",
    cases=[case(f32(2, 3, 6, 8, 4), [3, 2, 2]), case(f32("?", 3, 5, "?", 4), [2, 3, 3], at=[(2, 7), (1, 1)])],
)
class AdaptiveMaxPool(Pooling):
    """The maximum over parts of each spatial dim, as many as asked, and where it is."""

    def lower(b, x, output):
        return adaptive_maximum(b, x, output)

    cases = [case(f32(2, 3, 7), [3]), case(f32(2, "?"), [1], at=[7, 1]), case(f32(2, "?"), [2], at=[7, 1])]
