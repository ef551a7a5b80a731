"""Fractional maximum pooling, and maxima put back where they were."""

from __future__ import annotations

import math

from .cases import case, f32, f64, i64
from .checks import same_dtype
from .dtypes import DType
from .errors import InferError
from .families.ordering import guarded
from .families.pooling import Pooling
from .families.reduction import count_of
from .promotion import opmath
from .registry import op


def interval_starts(b, sample, size, count, kernel):
    """Where the `count` windows of a dim start, for each number of `sample`: [N, C] → [N, C, count]."""
    dtype, wide = sample.dtype, opmath(sample.dtype)

    def rounded(v):
        return b.cast(b.cast(v, dtype), wide)

    def number(v):
        return b.const(float(v), wide) if isinstance(v, int) else b.cast(v, wide)

    def body(b, u, i):
        u = b.cast(u, wide)
        alpha = rounded(rounded(number(size - kernel)) / number(max(count - 1, 1)))
        first = b.cast(b.math.trunc(rounded(u * alpha)), DType.i64)
        start = b.cast(b.math.trunc(rounded(rounded(b.cast(i, wide) + u) * alpha)), DType.i64) - first
        return b.maximum(b.minimum(b.select(i == count - 1, size - kernel, start), size - kernel), 0)

    numbers = b.reshape(sample, [*sample.sizes, 1])
    return b.map(body, numbers, b.iota(count, DType.i64), dtype=DType.i64)


def fractional_maximum(b, x, kernel, output, samples, order):
    """The largest element of each window and its place; `order` says which sample belongs to which dim."""
    spatial = len(kernel)
    if x.rank not in (spatial + 1, spatial + 2):
        raise InferError(
            f"fractional_max_pool{spatial}d(): expected {spatial + 1}D or {spatial + 2}D tensor, got {x.rank}D"
        )
    if len(output) != spatial or any(k < 1 for k in kernel) or any(n < 1 for n in output):
        raise InferError(
            f"fractional_max_pool{spatial}d(): expected {spatial} positive sizes, got {kernel} and {output}"
        )
    same_dtype(f"fractional_max_pool{spatial}d()", x, samples)
    batched = x if x.rank == spatial + 2 else b.reshape(x, [1, *x.sizes])
    n, channels, *extents = batched.sizes
    for d, want in enumerate((n, channels, spatial)):
        message = f"fractional_max_pool{spatial}d(): expected dimension {d} of _random_samples to be {{1}}, got {{0}}"
        b.guard(samples.sizes[d] == want, message, samples.sizes[d], want)
    for size, k, count in zip(extents, kernel, output, strict=True):
        message = f"fractional_max_pool{spatial}d(): pool size {{0}} too large relative to input size {{1}}"
        b.guard(count + k - 1 <= size if spatial == 2 else count + k - 1 < size, message, k, size)
    place = None
    for d in range(spatial):
        column = b.reshape(b.slice(samples, 2, order[d], order[d] + 1, 1), [n, channels])
        starts = interval_starts(b, column, extents[d], output[d], kernel[d])
        offsets = b.iota(kernel[d], DType.i64)
        starts = b.reshape(starts, [n, channels, *[1] * d, output[d], *[1] * (spatial - d - 1), *[1] * spatial])
        offsets = b.reshape(offsets, [kernel[d], *[1] * (spatial - d - 1)])
        places = b.map(lambda b, s, k: s + k, starts, offsets, dtype=DType.i64)
        size = extents[d]
        place = (
            places if place is None else b.map(lambda b, p, q, size=size: p * size + q, place, places, dtype=DType.i64)
        )
    area = math.prod(kernel)
    total = area * math.prod(output)
    flat = b.reshape(batched, [n, channels, count_of(batched, range(2, batched.rank))])
    index = b.reshape(place, [n, channels, total])
    windows = b.reshape(b.gather(flat, 2, index, error=None), [n, channels, *output, area])
    last = windows.rank - 1
    best = b.arg_reduce("max", windows, last, True)
    where = b.gather(b.reshape(place, [n, channels, *output, area]), last, best, error=None)
    sizes = [*x.sizes[: x.rank - spatial], *output]
    return b.reshape(b.reduce("max", windows, [last]), sizes), b.reshape(where, sizes)


def fractional(spatial):
    """Schema text of the op over some dims."""
    inputs = f"Tensor self, int[{spatial}] kernel_size, int[{spatial}] output_size, Tensor random_samples"
    name = f"aten::fractional_max_pool{spatial}d"
    results = "(Tensor(a!), Tensor(b!))"
    return (
        f"{name}({inputs}) -> (Tensor, Tensor)",
        f"{name}.output({inputs}, *, Tensor(a!) output, Tensor(b!) indices) -> {results}",
    )


@op(fractional(2)[0], out=fractional(2)[1])
class FractionalMaxPool2d(Pooling):
    """Maximum over windows whose places are partly random."""

    def lower(b, x, kernel, output, samples):
        return fractional_maximum(b, x, kernel, output, samples, [1, 0])

    cases = [
        case(f32(2, 3, 7, 8), [2, 3], [3, 4], f32(2, 3, 2, low=0, high=1)),
        case(f32("n", 3, "?", 8), [2, 3], [3, 1], f32("n", 3, 2, low=0, high=1), at=[(2, 9), (1, 4)]),
        case(f64(3, 7, 8), [2, 2], [6, 4], f64(1, 3, 2, low=0, high=1)),
    ]


@op(fractional(3)[0], out=fractional(3)[1])
class FractionalMaxPool3d(Pooling):
    """Maximum over windows whose places are partly random."""

    def lower(b, x, kernel, output, samples):
        return fractional_maximum(b, x, kernel, output, samples, [0, 1, 2])

    cases = [
        case(f32(2, 3, 7, 8, 5), [2, 3, 1], [3, 4, 2], f32(2, 3, 3, low=0, high=1)),
        case(f32("n", 3, 7, 6, 5), [2, 2, 2], [3, 4, 1], f32("n", 3, 3, low=0, high=1)),
    ]


def unpooled(b, x, indices, sizes):
    """Zeros with the elements of x at the places that the indices name in each plane or volume."""
    spatial = len(sizes)
    if indices.dtype is not DType.i64:
        raise InferError(f"elements in indices should be type int64 but got: {indices.dtype}")
    if x.rank not in (spatial + 1, spatial + 2) or indices.rank != x.rank:
        raise InferError(
            f"max_unpooling{spatial}d: expected a {spatial + 1}d or {spatial + 2}d tensor, got rank {x.rank}"
        )
    for d, (have, want) in enumerate(zip(indices.sizes, x.sizes, strict=True)):
        message = f"Expected shape of indices to be same as that of the input, but dimension {d} is {{0}} and not {{1}}"
        b.guard(have == want, message, have, want)
    lead, total = x.sizes[: x.rank - spatial], 1
    for size in sizes:
        total = total * size
    count = count_of(x, range(x.rank - spatial, x.rank))
    text = "Found an invalid max index: {0} (output volumes are of size {1})"
    index = guarded(b, b.reshape(indices, [*lead, count]), total, x.rank - spatial, "RuntimeError", text)
    zeros = b.full([*lead, total], 0, x.dtype)
    flat = b.scatter("set", zeros, len(lead), index, b.reshape(x, [*lead, count]))
    return b.reshape(flat, [*lead, *sizes])


@op("aten::max_unpool2d(Tensor self, Tensor indices, SymInt[2] output_size) -> Tensor", out="aten::max_unpool2d.out")
class MaxUnpool2d(Pooling):
    """Maxima put back where they were, zeros elsewhere."""

    runtime = ("output_size",)

    def lower(b, x, indices, sizes):
        return unpooled(b, x, indices, sizes)

    cases = [
        case(f32(2, 3, 2, 3), i64(2, 3, 2, 3, low=0, high=20), [4, 5]),
        case(f32("n", 3, 2), i64("n", 3, 2, low=0, high=20), [4, 5]),
    ]


@op(
    "aten::max_unpool3d(Tensor self, Tensor indices, SymInt[3] output_size, int[3] stride, int[3] padding) -> Tensor",
    out="aten::max_unpool3d.out",
)
class MaxUnpool3d(Pooling):
    """Maxima put back where they were, zeros elsewhere."""

    runtime = ("output_size",)

    def lower(b, x, indices, sizes, stride, padding):
        return unpooled(b, x, indices, sizes)

    cases = [
        case(f32(2, 3, 2, 3, 2), i64(2, 3, 2, 3, 2, low=0, high=60), [4, 5, 3], [2, 2, 2], [0, 0, 0]),
        case(f32("n", 3, 2, 1), i64("n", 3, 2, 1, low=0, high=60), [4, 5, 3], [2, 2, 2], [0, 0, 0]),
    ]
