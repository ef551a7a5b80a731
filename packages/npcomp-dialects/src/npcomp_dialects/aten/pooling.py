"""Maximum and average pooling."""

from __future__ import annotations

from .cases import case, f16, f32
from .dtypes import DType
from .errors import InferError
from .families.pooling import Pooling
from .families.reduction import count_of, divide_by
from .promotion import opmath
from .registry import op


def window_of(x, kernel, stride, padding, dilation=(1,), spatial=2):
    """Kernel, stride, padding and dilation with one entry a spatial dim; no stride means the kernel."""
    if x.rank not in (spatial + 1, spatial + 2):
        raise InferError(f"pooling over {spatial} dims takes an input of rank {spatial + 1} or {spatial + 2}")
    kernel, padding, dilation = (list(v) * spatial if len(v) == 1 else list(v) for v in (kernel, padding, dilation))
    stride = list(stride) * spatial if len(stride) == 1 else list(stride) or kernel
    for k, p in zip(kernel, padding, strict=True):
        if p > k // 2:
            raise InferError(f"pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k}")
    return kernel, stride, padding, dilation


class MaxPooling(Pooling):
    """The largest element of each window; nan wins."""

    spatial = 2

    @classmethod
    def lower(cls, b, x, kernel, stride, padding, dilation, ceil_mode):
        return b.pool("max", x, *window_of(x, kernel, stride, padding, dilation, cls.spatial), ceil_mode)


MAX_POOL2D_CASES = [
    case(f32(2, 3, 6, 7), [2, 2]),
    case(f32("?", 3, "?", 7), [3, 3], [2, 2], [1, 1], at=[(2, 6), (1, 3), (0, 5)]),
    case(f32(3, 6, 7), [3, 2], [2, 1], [0, 0], [2, 1], True),
    case(f32(1, 1, 5, 5, special=True), [2, 2], [2, 2], [0, 0], [1, 1], True),
]


@op(
    "aten::max_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], int[1] dilation=[1], "
    "bool ceil_mode=False) -> Tensor"
)
class MaxPool1d(MaxPooling):
    """Maximum over windows of one dim."""

    spatial = 1
    cases = [case(f32(2, 3, 7), [2]), case(f32("?", 3, "?"), [3], [2], [1], at=[(2, 7)])]


@op(
    "aten::max_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, int[2] dilation=1, "
    "bool ceil_mode=False) -> Tensor"
)
class MaxPool2d(MaxPooling):
    """Maximum over windows of two dims."""

    cases = MAX_POOL2D_CASES


@op(
    "aten::max_pool2d_with_indices(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, "
    "int[2] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
    out="aten::max_pool2d_with_indices.out(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, "
    "int[2] dilation=1, bool ceil_mode=False, *, Tensor(a!) out, Tensor(b!) indices) -> (Tensor(a!), Tensor(b!))",
)
class MaxPool2dWithIndices(Pooling):
    """Maximum over windows of two dims, and where in the plane it is."""

    def lower(b, x, kernel, stride, padding, dilation, ceil_mode):
        return b.pool_indices(x, *window_of(x, kernel, stride, padding, dilation), ceil_mode)

    cases = MAX_POOL2D_CASES


def covered(b, size, kernel, stride, padding, count, include_pad):
    """How many places of a dim each window averages over; `count` windows."""

    def body(b, i):
        start = i * stride - padding
        stop = b.minimum(start + kernel, size + padding)
        if include_pad:
            return stop - start
        return b.minimum(stop, size) - b.maximum(start, 0)

    return b.map(body, b.iota(count, DType.i64), dtype=DType.i64)


def average(b, x, kernel, stride, padding, ceil_mode, include_pad, divisor, spatial):
    """The mean of each window; padding counts as zeros or not at all, or the divisor is given."""
    kernel, stride, padding, ones = window_of(x, kernel, stride, padding, (1,), spatial)
    dtype, wide = x.dtype, opmath(x.dtype)
    total = b.pool("sum", b.cast(x, wide), kernel, stride, padding, ones, ceil_mode)
    lead = x.rank - spatial
    if divisor is None and not ceil_mode and (include_pad or not any(padding)):
        divisor = 1
        for k in kernel:
            divisor *= k
    if divisor == 0:
        raise InferError("divisor must be not zero")
    if divisor is not None:
        return b.cast(divide_by(b, total, divisor), dtype)
    for d in range(spatial):
        size, count = x.sizes[lead + d], total.sizes[lead + d]
        places = covered(b, size, kernel[d], stride[d], padding[d], count, include_pad)
        shaped = b.reshape(places, [count] + [1] * (spatial - d - 1))
        total = b.map(lambda b, e, n: e / b.cast(n, e.dtype), total, shaped, dtype=wide)
    return b.cast(total, dtype)


@op(
    "aten::avg_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], bool ceil_mode=False, "
    "bool count_include_pad=True) -> Tensor",
    out="aten::avg_pool1d.out",
)
class AvgPool1d(Pooling):
    """Mean over windows of one dim."""

    def lower(b, x, kernel, stride, padding, ceil_mode, include_pad):
        return average(b, x, kernel, stride, padding, ceil_mode, include_pad, None, 1)

    cases = [case(f32(2, 3, 7), [2]), case(f32("?", 3, "?"), [3], [2], [1], True, False, at=[(2, 7), (1, 4)])]


@op(
    "aten::avg_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, bool ceil_mode=False, "
    "bool count_include_pad=True, int? divisor_override=None) -> Tensor",
    out="aten::avg_pool2d.out",
)
class AvgPool2d(Pooling):
    """Mean over windows of two dims."""

    def lower(b, x, kernel, stride, padding, ceil_mode, include_pad, divisor):
        return average(b, x, kernel, stride, padding, ceil_mode, include_pad, divisor, 2)

    cases = [
        case(f32(2, 3, 6, 7), [2, 2]),
        case(f32("?", 3, "?", 7), [3, 3], [2, 2], [1, 1], at=[(2, 6), (1, 3)]),
        case(f32(3, 6, 7), [3, 2], [2, 2], [1, 1], True, True),
        case(f32(3, 6, 7), [3, 2], [2, 2], [1, 1], True, False),
        case(f32(3, 6, 7), [3, 2], [2, 2], [1, 1], False, False),
        case(f16(3, 6, 7), [3, 2], [2, 2], [0, 0], False, True, 4),
    ]


def adaptive_average(b, x, output):
    """The mean over equal parts of each of the last dims, which may overlap when they do not divide it."""
    dtype, wide = x.dtype, opmath(x.dtype)
    x = b.cast(x, wide)
    first = x.rank - len(output)
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

    letters = "abcdefgh"[: x.rank]
    out = letters.replace(letters[dim], "z")
    return b.contract(f"{letters},z{letters[dim]}->{out}", x, part_weights(b, n, size, x.dtype))


def part_weights(b, n, size, dtype):
    """A matrix with a row for each part: 1 / length at the places of the part, 0 elsewhere."""

    def weight(b, i, j):
        start, stop = i * size // n, (i * size + size + (n - 1)) // n
        inside = (j >= start) & (j < stop)
        return b.select(inside, 1.0 / b.cast(stop - start, dtype), b.const(0.0, dtype))

    parts, places = b.reshape(b.iota(n, DType.i64), [n, 1]), b.iota(size, DType.i64)
    return b.map(weight, parts, places, dtype=dtype)


@op("aten::adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor", out="aten::adaptive_avg_pool1d.out")
@op(
    "aten::adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor",
    out="aten::adaptive_avg_pool2d.out",
    cases=[
        case(f32(2, 3, 6, 7), [1, 1]),
        case(f32("?", 3, "?", "?"), [1, 1], at=[(2, 5, 4), (1, 1, 1)]),
        case(f32(2, 3, 6, 7), [3, 2]),
        case(f32("?", 3, "?", 7), [3, 7], at=[(2, 5), (1, 2)]),
    ],
)
@op(
    "aten::_adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor",
    out="aten::_adaptive_avg_pool2d.out",
    cases=[case(f32(2, 3, 6, 7), [3, 2]), case(f32("?", 3, 6, 7), [3, 2])],
)
class AdaptiveAvgPool(Pooling):
    """The mean over parts of each spatial dim, as many as asked."""

    def lower(b, x, output):
        return adaptive_average(b, x, output)

    cases = [case(f32(2, 3, 7), [3]), case(f32(2, "?"), [1], at=[7, 1]), case(f32(2, "?"), [2], at=[7, 1])]
