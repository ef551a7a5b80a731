"""Maximum and average pooling."""

from __future__ import annotations

from .cases import case, f16, f32, f64, i64, u8
from .dtypes import DType
from .errors import InferError
from .families.pooling import Pooling
from .promotion import opmath
from .registry import op


def window_of(x, kernel, stride, padding, dilation=(1,), spatial=2):
    """Kernel, stride, padding and dilation with one entry a spatial dim; no stride means the kernel."""
    if x.rank not in (spatial + 1, spatial + 2):
        raise InferError(f"pooling over {spatial} dims takes an input of rank {spatial + 1} or {spatial + 2}")
    kernel, padding, dilation = (list(v) * spatial if len(v) == 1 else list(v) for v in (kernel, padding, dilation))
    stride = list(stride) * spatial if len(stride) == 1 else list(stride) or kernel
    for k, p, d in zip(kernel, padding, dilation, strict=True):
        if p < 0 or p > ((k - 1) * d + 1) // 2:
            raise InferError(
                f"pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k}, dilation={d}"
            )
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
    case(u8(2, 3, 5, 6, high=256), [2, 2], [1, 2], [1, 0]),
]


MAX_POOL3D_CASES = [
    case(f32(2, 3, 4, 5, 4), [2, 2, 2]),
    case(f32("?", 1, 4, "?", 3), [3, 2, 2], [2, 1, 1], [1, 0, 1], at=[(2, 5), (1, 2)]),
    case(f32(2, 4, 6, 3), [2, 3, 1], [2, 2, 1], [0, 1, 0], [2, 1, 1], True),
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
    "aten::max_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, int[3] dilation=1, "
    "bool ceil_mode=False) -> Tensor"
)
class MaxPool3d(MaxPooling):
    """Maximum over windows of three dims."""

    spatial = 3
    cases = MAX_POOL3D_CASES


@op(
    "aten::max_pool1d_with_indices(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], "
    "int[1] dilation=[1], bool ceil_mode=False) -> (Tensor, Tensor)",
    cases=[case(f32(2, 3, 7), [2]), case(f32("?", 3, "?"), [3], [2], [1], at=[(2, 7)])],
)
@op(
    "aten::max_pool2d_with_indices(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, "
    "int[2] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
    out="aten::max_pool2d_with_indices.out(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, "
    "int[2] dilation=1, bool ceil_mode=False, *, Tensor(a!) out, Tensor(b!) indices) -> (Tensor(a!), Tensor(b!))",
)
@op(
    "aten::max_pool3d_with_indices(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, "
    "int[3] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
    out="aten::max_pool3d_with_indices.out(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, "
    "int[3] dilation=1, bool ceil_mode=False, *, Tensor(a!) out, Tensor(b!) indices) -> (Tensor(a!), Tensor(b!))",
    cases=MAX_POOL3D_CASES,
)
class MaxPoolWithIndices(Pooling):
    """Maximum over windows, and where in the plane or volume it is."""

    @classmethod
    def lower(cls, b, x, kernel, stride, padding, dilation, ceil_mode):
        spatial = cls.schema.argument("kernel_size").type.length
        return b.pool_indices(x, *window_of(x, kernel, stride, padding, dilation, spatial), ceil_mode)

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
        return b.cast(b.map(lambda b, e: divided(b, e, divisor), total, dtype=wide), dtype)
    places = None
    for d in range(spatial):
        size, count = x.sizes[lead + d], total.sizes[lead + d]
        along = covered(b, size, kernel[d], stride[d], padding[d], count, include_pad)
        shaped = b.reshape(along, [count] + [1] * (spatial - d - 1))
        places = shaped if places is None else b.map(lambda b, p, n: p * n, places, shaped, dtype=DType.i64)
    return b.cast(b.map(lambda b, e, n: divided(b, e, b.cast(n, wide)), total, places, dtype=wide), dtype)


def divided(b, e, n):
    """An element divided by a count; integers towards zero, as C does."""
    if e.dtype.is_float:
        return e / (float(n) if isinstance(n, int) else n)
    if isinstance(n, int) and n < 0:
        return divided(b, -e, -n)
    return b.select(e < 0, -(-e // n), e // n)


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
        case(i64(2, 3, 6, 7), [2, 3], [2, 2], [1, 1], True),
        case(f32("?", 3, "?", 7), [3, 3], [2, 2], [1, 1], at=[(2, 6), (1, 3)]),
        case(f32(3, 6, 7), [3, 2], [2, 2], [1, 1], True, True),
        case(f32(3, 6, 7), [3, 2], [2, 2], [1, 1], True, False),
        case(f32(3, 6, 7), [3, 2], [2, 2], [1, 1], False, False),
        case(f16(3, 6, 7), [3, 2], [2, 2], [0, 0], False, True, 4),
    ]


@op(
    "aten::avg_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, bool ceil_mode=False, "
    "bool count_include_pad=True, int? divisor_override=None) -> Tensor",
    out="aten::avg_pool3d.out",
)
class AvgPool3d(Pooling):
    """Mean over windows of three dims."""

    def lower(b, x, kernel, stride, padding, ceil_mode, include_pad, divisor):
        return average(b, x, kernel, stride, padding, ceil_mode, include_pad, divisor, 3)

    cases = [
        case(f32(2, 3, 4, 5, 4), [2, 2, 2]),
        case(f32("?", 1, "?", 5, 4), [3, 2, 2], [2, 1, 1], [1, 0, 1], True, False, at=[(2, 5), (1, 3)]),
        case(f64(2, 4, 6, 3), [2, 3, 1], [2, 2, 1], [0, 1, 0], False, True, 5),
        case(i64(2, 4, 6, 3), [2, 3, 1], [2, 2, 1], [0, 1, 0], False, False),
    ]
