"""Images resized with wider filters: bicubic, and antialiased bilinear and bicubic."""

from __future__ import annotations

import math

from .cases import case, f32, f64
from .dtypes import DType
from .errors import NotStatic
from .promotion import opmath
from .registry import op
from .upsample import (
    LINEAR_2D,
    LINEAR_VEC,
    Resizing,
    check_images,
    corner_ratio,
    output_sizes,
    position,
    ratio,
)
from .window_columns import weighted

SHARP, SOFT = -0.75, -0.5
"""The slope of the cubic filter at distance 1: plain, and antialiased."""


def near(x, slope):
    """The cubic filter up to distance 1."""
    return ((x * (slope + 2.0) - (slope + 3.0)) * x) * x + 1.0


def far(x, slope):
    """The cubic filter from distance 1 to 2."""
    return ((x * slope - 5.0 * slope) * x + 8.0 * slope) * x - 4.0 * slope


def cubic(b, x, dim, wanted, scale, align_corners):
    """Cubic interpolation along a dim between four input pixels; those outside are the nearest inside."""
    size, dtype = x.sizes[dim], x.dtype
    step = corner_ratio(b, size, wanted, dtype) if align_corners else ratio(b, size, wanted, scale, dtype)

    def body(b, i, tap):
        at = position(b, i, step, align_corners, dtype)
        low = b.math.floor(at)
        share = b.minimum(b.maximum(at - low, b.const(0.0, dtype)), b.const(1.0, dtype))
        place = b.maximum(b.minimum(b.cast(low, DType.i64) + tap - 1, size - 1), 0)
        distance = b.select(tap < 2, share, 1.0 - share)
        return place, b.select((tap == 0) | (tap == 3), far(distance + 1.0, SHARP), near(distance, SHARP))

    rows, taps = b.reshape(b.iota(wanted, DType.i64), [wanted, 1]), b.iota(4, DType.i64)
    places, weights = b.map(body, rows, taps, dtype=(DType.i64, dtype))
    return weighted(b, x, dim, places, weights)


def smoothed(b, x, dim, wanted, scale, align_corners, width, weight):
    """Interpolation along a dim by a filter that is as wide as the pixels it merges."""
    size, dtype = x.sizes[dim], x.dtype
    step = corner_ratio(b, size, wanted, dtype) if align_corners else ratio(b, size, wanted, scale, dtype)
    if isinstance(step, float):
        reach = width * 0.5 * max(step, 1.0)
        count = math.ceil(reach) * 2 + 1
    else:
        reach = b.maximum(step, b.const(1.0, dtype)) * (width * 0.5)
        count = b.cast(b.math.ceil(reach), DType.i64) * 2 + 1
    shrink = 1.0 / max(step, 1.0) if isinstance(step, float) else 1.0 / b.maximum(step, b.const(1.0, dtype))

    def body(b, i, tap):
        middle = (b.cast(i, dtype) + 0.5) * step
        first = b.maximum(b.cast(b.math.trunc(middle - reach + 0.5), DType.i64), 0)
        stop = b.minimum(b.cast(b.math.trunc(middle + reach + 0.5), DType.i64), size)
        distance = b.math.abs((b.cast(tap + first, dtype) - middle + 0.5) * shrink)
        inside = tap < b.minimum(stop - first, count)
        return b.maximum(b.minimum(first + tap, stop - 1), 0), b.select(
            inside, weight(b, distance), b.const(0.0, dtype)
        )

    rows, taps = b.reshape(b.iota(wanted, DType.i64), [wanted, 1]), b.iota(count, DType.i64)
    places, weights = b.map(body, rows, taps, dtype=(DType.i64, dtype))
    total = b.reduce("sum", weights, [1], True)
    shares = b.map(lambda b, w, t: b.select(t == 0.0, w, w / t), weights, total, dtype=dtype)
    return weighted(b, x, dim, places, shares)


def tent(b, x):
    """1 - x up to distance 1."""
    return b.select(x < 1.0, 1.0 - x, b.const(0.0, x.dtype))


def soft_cubic(b, x):
    """The cubic filter of antialiasing."""
    return b.select(x < 1.0, near(x, SOFT), b.select(x < 2.0, far(x, SOFT), b.const(0.0, x.dtype)))


def resized(b, x, sizes, scales, along):
    """`along(x, dim, wanted, scale)` over both spatial dims, the last first."""
    check_images(b, x, sizes)
    dtype = x.dtype
    if not dtype.is_float:
        raise NotStatic("interpolation of integers rounds in ways of its own")
    x = b.cast(x, opmath(dtype))
    for d in (3, 2):
        x = along(x, d, sizes[d - 2], scales[d - 2])
    return b.cast(x, dtype)


class Smooth(Resizing):
    """A filter of some width over two dims."""

    width = 0

    @classmethod
    def lower(cls, b, x, sizes, align_corners, *rest):
        sizes, scales = (sizes, rest) if len(rest) == 2 else output_sizes(b, x, sizes, *rest)

        def along(x, dim, wanted, scale):
            if cls.width == 0:
                return cubic(b, x, dim, wanted, scale, align_corners)
            weight = tent if cls.width == 2 else soft_cubic
            return smoothed(b, x, dim, wanted, scale, align_corners, cls.width, weight)

        return resized(b, x, sizes, scales, along)


CASES = [
    case(f32(2, 3, 4, 5), [8, 7], False),
    case(f32("?", 3, 4, 5), [3, 2], True, at=[2, 1]),
    case(f32(1, 2, "?", "?"), [3, 8], False, at=[(7, 5), (1, 1)]),
    case(f64(1, 2, 9, 4), [4, 6], False, 0.4, 1.5),
]
VEC_CASES = [
    case(f32(2, 3, 4, 5), None, False, [2.0, 0.5]),
    case(f32("?", 3, 4, 5), [8, 10], True, None),
    case(f32("?", 3, "?", 5), None, False, [1.7, 0.5], at=[(2, 4), (1, 3)]),
]


def smooth(name):
    """The two overloads of a resizing op."""

    def register(block):
        block = op(f"aten::{name}.vec(Tensor input, {LINEAR_VEC}) -> Tensor", cases=VEC_CASES)(block)
        return op(f"aten::{name}(Tensor self, {LINEAR_2D}) -> Tensor", out=f"aten::{name}.out", cases=CASES)(block)

    return register


@smooth("upsample_bicubic2d")
class UpsampleBicubic(Smooth):
    """Cubic interpolation between four by four pixels."""


@smooth("_upsample_bilinear2d_aa")
class UpsampleBilinearAntialiased(Smooth):
    """Linear interpolation that averages over the pixels that it merges."""

    width = 2


@smooth("_upsample_bicubic2d_aa")
class UpsampleBicubicAntialiased(Smooth):
    """Cubic interpolation that averages over the pixels that it merges."""

    width = 4
