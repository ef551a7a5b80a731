"""Images made larger: nearest and bilinear, and channels traded for pixels."""

from __future__ import annotations

import math

from .cases import case, f16, f32
from .dtypes import DType
from .errors import InferError, NotStatic
from .families.view import View
from .promotion import opmath
from .registry import op


def output_sizes(x, sizes, factors, spatial):
    """The sizes asked for, or the input's times the factors; and the scale of each dim, None when it is not given."""
    if sizes is not None:
        return list(sizes), [None] * spatial
    own = x.sizes[-spatial:]
    if not all(isinstance(s, int) for s in own):
        raise NotStatic("upsampling by a factor needs known sizes: the factor is a float")
    return [math.floor(s * f) for s, f in zip(own, factors, strict=True)], list(factors)


def ratio(b, size, wanted, scale):
    """Input pixels per output pixel."""
    if scale is not None and scale > 0:
        return 1.0 / scale
    if isinstance(size, int) and isinstance(wanted, int):
        return size / wanted
    as_float = [float(v) if isinstance(v, int) else b.cast(v, DType.f32) for v in (size, wanted)]
    return as_float[0] / as_float[1]


def nearest(b, x, sizes, scales):
    """Each output pixel is the input pixel at floor(i * ratio)."""
    first = x.rank - len(sizes)
    for d, (wanted, scale) in enumerate(zip(sizes, scales, strict=True), first):
        size = x.sizes[d]
        step = ratio(b, size, wanted, scale)

        def place(b, i, size=size, step=step):
            at = b.cast(b.math.floor(b.cast(i, DType.f32) * step), DType.i64)
            return b.minimum(at, size - 1)

        x = b.index_select(x, d, b.map(place, b.iota(wanted, DType.i64), dtype=DType.i64))
    return x


NEAREST_1D = "aten::upsample_nearest1d"
NEAREST_2D = "aten::upsample_nearest2d"


@op(f"{NEAREST_1D}(Tensor self, SymInt[1] output_size, float? scales=None) -> Tensor", out=f"{NEAREST_1D}.out")
class UpsampleNearest1d(View):
    """The nearest pixel, over one dim."""

    def lower(b, x, sizes, scale):
        return nearest(b, x, sizes, [scale])

    cases = [case(f32(2, 3, 4), [9]), case(f32("?", 3, 4), [8], 2.0)]


@op(
    f"{NEAREST_2D}(Tensor self, SymInt[2] output_size, float? scales_h=None, float? scales_w=None) -> Tensor",
    out=f"{NEAREST_2D}.out",
)
class UpsampleNearest2d(View):
    """The nearest pixel, over two dims."""

    def lower(b, x, sizes, *scales):
        return nearest(b, x, sizes, scales)

    cases = [case(f32(2, 3, 4, 5), [8, 7]), case(f32("?", 3, 4, 5), [8, 10], 2.0, 2.0)]


@op(f"{NEAREST_1D}.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor")
@op(
    f"{NEAREST_2D}.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor",
    cases=[case(f32(2, 3, 4, 5), None, [2.0, 1.5]), case(f32("?", 3, 4, 5), [8, 10], None)],
)
class UpsampleNearestVec(View):
    """The nearest pixel, by sizes or by factors."""

    def lower(b, x, sizes, factors):
        return nearest(b, x, *output_sizes(x, sizes, factors, x.rank - 2))

    cases = [case(f32(2, 3, 4), None, [2.0]), case(f32("?", 3, 4), [9], None)]


def interpolate(b, x, dim, wanted, scale, align_corners):
    """Linear interpolation along a dim between the two nearest input pixels."""
    size = x.sizes[dim]
    step = corner_ratio(b, size, wanted) if align_corners else ratio(b, size, wanted, scale)

    def position(b, i):
        i = b.cast(i, x.dtype)
        return i * step if align_corners else b.maximum((i + 0.5) * step - 0.5, 0.0)

    places = b.map(position, b.iota(wanted, DType.i64), dtype=x.dtype)
    low = b.map(lambda b, p: b.minimum(b.cast(p, DType.i64), size - 1), places, dtype=DType.i64)
    high = b.map(lambda b, i: b.minimum(i + 1, size - 1), low, dtype=DType.i64)
    share = b.map(lambda b, p, i: p - b.cast(i, x.dtype), places, low, dtype=x.dtype)
    shaped = b.reshape(share, [wanted] + [1] * (x.rank - dim - 1))

    def blend(b, a, c, s):
        return a * (1.0 - s) + c * s

    return b.map(blend, b.index_select(x, dim, low), b.index_select(x, dim, high), shaped, dtype=x.dtype)


def corner_ratio(b, size, wanted):
    """Input pixels per output pixel when the corner pixels are to meet."""
    if not isinstance(size, int) or not isinstance(wanted, int):
        raise NotStatic("upsampling with aligned corners needs known sizes")
    return (size - 1) / (wanted - 1) if wanted > 1 else 0.0


def bilinear(b, x, sizes, scales, align_corners):
    """Linear interpolation over both spatial dims."""
    dtype = x.dtype
    x = b.cast(x, opmath(dtype))
    for d, (wanted, scale) in enumerate(zip(sizes, scales, strict=True), x.rank - 2):
        x = interpolate(b, x, d, wanted, scale, align_corners)
    return b.cast(x, dtype)


BILINEAR = "aten::upsample_bilinear2d"


@op(
    f"{BILINEAR}(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, "
    "float? scales_w=None) -> Tensor",
    out=f"{BILINEAR}.out",
)
class UpsampleBilinear(View):
    """Linear interpolation over two dims."""

    def lower(b, x, sizes, align_corners, *scales):
        return bilinear(b, x, sizes, scales, align_corners)

    cases = [
        case(f32(2, 3, 4, 5), [8, 7], False),
        case(f32("?", 3, 4, 5), [7, 9], True),
        case(f16(1, 1, 3, 3), [5, 5], False),
    ]


@op(f"{BILINEAR}.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor")
class UpsampleBilinearVec(View):
    """Linear interpolation over two dims, by sizes or by factors."""

    def lower(b, x, sizes, align_corners, factors):
        sizes, scales = output_sizes(x, sizes, factors, 2)
        return bilinear(b, x, sizes, scales, align_corners)

    cases = [case(f32(2, 3, 4, 5), None, False, [2.0, 2.0]), case(f32("?", 3, 4, 5), [8, 10], False, None)]


@op("aten::pixel_shuffle(Tensor self, int upscale_factor) -> Tensor", out="aten::pixel_shuffle.out")
class PixelShuffle(View):
    """(…, C r², H, W) → (…, C, H r, W r)."""

    def lower(b, x, r):
        if x.rank < 3:
            raise InferError(f"pixel_shuffle expects input to have at least 3 dimensions, got {x.rank}")
        *lead, channels, height, width = x.sizes
        b.guard(channels % (r * r) == 0, "pixel_shuffle: {0} channels are not a multiple of {1}", channels, r * r)
        n, apart = len(lead), b.reshape(x, [*lead, channels // (r * r), r, r, height, width])
        turned = b.permute(apart, [*range(n + 1), n + 3, n + 1, n + 4, n + 2])
        return b.reshape(turned, [*lead, channels // (r * r), height * r, width * r])

    cases = [case(f32(2, 8, 3, 4), 2), case(f32("?", 9, 2, "?"), 3)]


@op("aten::pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor", out="aten::pixel_unshuffle.out")
class PixelUnshuffle(View):
    """(…, C, H r, W r) → (…, C r², H, W)."""

    def lower(b, x, r):
        if x.rank < 3:
            raise InferError(f"pixel_unshuffle expects input to have at least 3 dimensions, got {x.rank}")
        *lead, channels, height, width = x.sizes
        for s in (height, width):
            b.guard(s % r == 0, "pixel_unshuffle: size {0} is not a multiple of {1}", s, r)
        n, apart = len(lead), b.reshape(x, [*lead, channels, height // r, r, width // r, r])
        turned = b.permute(apart, [*range(n + 1), n + 2, n + 4, n + 1, n + 3])
        return b.reshape(turned, [*lead, channels * r * r, height // r, width // r])

    cases = [case(f32(2, 3, 4, 6), 2), case(f32("?", 3, 6, 3), 3)]
