"""Images resized: nearest and linear, over one to three dims."""

from __future__ import annotations

from .cases import bf16, case, f16, f32, f64, u8
from .dtypes import DType
from .errors import InferError, NotStatic
from .families.view import View
from .promotion import opmath
from .registry import op


def output_sizes(b, x, sizes, factors):
    """The sizes asked for, or the input's times the factors; and the scale of each dim, None when it is not given."""
    if (sizes is None) == (factors is None):
        raise InferError("Must specify exactly one of output_size and scale_factors")
    if sizes is not None:
        return list(sizes), [None] * len(sizes)
    return [times(b, s, f) for s, f in zip(x.sizes[-len(factors) :], factors, strict=True)], list(factors)


def times(b, size, factor):
    """A size times a float, rounded down."""
    if isinstance(size, int):
        return int(size * factor)
    return b.cast(b.math.floor(b.cast(size, DType.f64) * factor), DType.i64)


def check_images(b, x, sizes):
    """A batch and a channel dim, then as many dims as there are sizes, none of them empty."""
    spatial = len(sizes)
    if x.rank != spatial + 2:
        raise InferError(f"It is expected input_size equals to {spatial + 2}, but got size {x.rank}")
    for have, want in zip(x.sizes[2:], sizes, strict=True):
        message = "Input and output sizes should be greater than 0, but got input size {0} and output size {1}"
        b.guard(have > 0, message, have, want)
        b.guard(want > 0, message, have, want)
    message = f"Non-empty {spatial + 2}D data tensor expected but got a tensor with {{0}} channels"
    b.guard(x.sizes[1] > 0, message, x.sizes[1])


def ratio(b, size, wanted, scale, dtype):
    """Input pixels per output pixel."""
    if scale is not None and scale > 0:
        return 1.0 / scale
    if isinstance(size, int) and isinstance(wanted, int):
        return size / wanted
    return b.cast(size, dtype) / b.cast(wanted, dtype)


def corner_ratio(b, size, wanted, dtype):
    """Input pixels per output pixel when the corner pixels are to meet."""
    if isinstance(size, int) and isinstance(wanted, int):
        return (size - 1) / (wanted - 1) if wanted > 1 else 0.0
    step = b.cast(size - 1, dtype) / b.cast(b.maximum(wanted - 1, 1), dtype)
    return b.select(wanted > 1, step, b.const(0.0, dtype))


def position(b, i, step, align_corners, dtype):
    """Where output pixel i lies among the input pixels."""
    i = b.cast(i, dtype)
    return i * step if align_corners else (i + 0.5) * step - 0.5


def nearest(b, x, sizes, scales, offset=0.0):
    """Each output pixel is the input pixel at floor((i + offset) * ratio)."""
    check_images(b, x, sizes)
    for d, (wanted, scale) in enumerate(zip(sizes, scales, strict=True), 2):
        size = x.sizes[d]
        step = ratio(b, size, wanted, scale, DType.f32)

        def place(b, i, size=size, step=step):
            at = b.cast(b.math.floor((b.cast(i, DType.f32) + offset) * step), DType.i64)
            return b.minimum(at, size - 1)

        x = b.index_select(x, d, b.map(place, b.iota(wanted, DType.i64), dtype=DType.i64), error=None)
    return x


NEAREST_1D = "SymInt[1] output_size, float? scales=None"
NEAREST_2D = "SymInt[2] output_size, float? scales_h=None, float? scales_w=None"
NEAREST_3D = "SymInt[3] output_size, float? scales_d=None, float? scales_h=None, float? scales_w=None"
VEC = "SymInt[]? output_size, float[]? scale_factors"
CASES_1D = [case(f32(2, 3, 4), [9]), case(f32("?", 3, "?"), [8], 2.0, at=[(2, 4), (0, 3)])]
CASES_2D = [
    case(f32(2, 3, 4, 5), [8, 7]),
    case(f32("?", 3, 4, 5), [8, 10], 2.0, 2.0),
    case(u8(1, 3, 4, "?"), [2, 3], at=[5, 1]),
    case(bf16(2, 3, 4, 5), [3, 11]),
]
CASES_3D = [case(f32(2, 3, 4, 5, 3), [8, 7, 2]), case(f64("?", 3, 4, "?", 2), [4, 9, 3], None, 3.0, at=[(1, 3)])]
VEC_CASES_1D = [case(f32(2, 3, 4), None, [2.0]), case(f32("?", 3, 4), [9], None)]
VEC_CASES_2D = [
    case(f32(2, 3, 4, 5), None, [2.0, 1.5]),
    case(f32("?", 3, 4, 5), [8, 10], None),
    case(f32("?", 3, "?", 5), None, [1.7, 0.5], at=[(2, 4), (1, 3)]),
]
VEC_CASES_3D = [case(f32(2, 3, 4, 5, 3), None, [2.0, 0.7, 1.5]), case(f32("?", 3, 4, 5, 2), [8, 10, 2], None)]


class Resizing(View):
    """Resizes the dims after batch and channels."""

    runtime = ("output_size", "input_size")


@op(
    f"aten::upsample_nearest1d(Tensor self, {NEAREST_1D}) -> Tensor", out="aten::upsample_nearest1d.out", cases=CASES_1D
)
@op(
    f"aten::upsample_nearest2d(Tensor self, {NEAREST_2D}) -> Tensor", out="aten::upsample_nearest2d.out", cases=CASES_2D
)
@op(
    f"aten::upsample_nearest3d(Tensor self, {NEAREST_3D}) -> Tensor", out="aten::upsample_nearest3d.out", cases=CASES_3D
)
class UpsampleNearest(Resizing):
    """The pixel whose corner is nearest."""

    def lower(b, x, sizes, *scales):
        return nearest(b, x, sizes, scales)


@op(f"aten::upsample_nearest1d.vec(Tensor input, {VEC}) -> Tensor", cases=VEC_CASES_1D)
@op(f"aten::upsample_nearest2d.vec(Tensor input, {VEC}) -> Tensor", cases=VEC_CASES_2D)
@op(f"aten::upsample_nearest3d.vec(Tensor input, {VEC}) -> Tensor", cases=VEC_CASES_3D)
class UpsampleNearestVec(Resizing):
    """The pixel whose corner is nearest, by sizes or by factors."""

    def lower(b, x, sizes, factors):
        return nearest(b, x, *output_sizes(b, x, sizes, factors))


EXACT = "aten::_upsample_nearest_exact"


@op(f"{EXACT}1d(Tensor self, {NEAREST_1D}) -> Tensor", out=f"{EXACT}1d.out", cases=CASES_1D)
@op(f"{EXACT}2d(Tensor self, {NEAREST_2D}) -> Tensor", out=f"{EXACT}2d.out", cases=CASES_2D)
@op(f"{EXACT}3d(Tensor self, {NEAREST_3D}) -> Tensor", out=f"{EXACT}3d.out", cases=CASES_3D)
class UpsampleNearestExact(Resizing):
    """The pixel whose middle is nearest."""

    def lower(b, x, sizes, *scales):
        return nearest(b, x, sizes, scales, 0.5)


@op(f"{EXACT}1d.vec(Tensor input, {VEC}) -> Tensor", cases=VEC_CASES_1D)
@op(f"{EXACT}2d.vec(Tensor input, {VEC}) -> Tensor", cases=VEC_CASES_2D)
@op(f"{EXACT}3d.vec(Tensor input, {VEC}) -> Tensor", cases=VEC_CASES_3D)
class UpsampleNearestExactVec(Resizing):
    """The pixel whose middle is nearest, by sizes or by factors."""

    def lower(b, x, sizes, factors):
        return nearest(b, x, *output_sizes(b, x, sizes, factors), 0.5)


def interpolate(b, x, dim, wanted, scale, align_corners):
    """Linear interpolation along a dim between the two nearest input pixels."""
    size, dtype = x.sizes[dim], x.dtype
    step = corner_ratio(b, size, wanted, dtype) if align_corners else ratio(b, size, wanted, scale, dtype)

    def places(b, i):
        at = b.maximum(position(b, i, step, align_corners, dtype), b.const(0.0, dtype))
        low = b.minimum(b.cast(at, DType.i64), size - 1)
        return low, b.minimum(low + 1, size - 1), b.minimum(at - b.cast(low, dtype), b.const(1.0, dtype))

    low, high, share = b.map(places, b.iota(wanted, DType.i64), dtype=(DType.i64, DType.i64, dtype))
    shaped = b.reshape(share, [wanted] + [1] * (x.rank - dim - 1))

    def blend(b, a, c, s):
        return a * (1.0 - s) + c * s

    first, second = (b.index_select(x, dim, i, error=None) for i in (low, high))
    return b.map(blend, first, second, shaped, dtype=dtype)


def linear(b, x, sizes, scales, align_corners):
    """Linear interpolation over all spatial dims."""
    check_images(b, x, sizes)
    dtype = x.dtype
    if not dtype.is_float:
        raise NotStatic("linear interpolation of integers rounds in ways of its own")
    x = b.cast(x, opmath(dtype))
    for d, (wanted, scale) in enumerate(zip(sizes, scales, strict=True), 2):
        x = interpolate(b, x, d, wanted, scale, align_corners)
    return b.cast(x, dtype)


LINEAR_1D = "SymInt[1] output_size, bool align_corners, float? scales=None"
LINEAR_2D = "SymInt[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None"
LINEAR_3D = (
    "SymInt[3] output_size, bool align_corners, float? scales_d=None, float? scales_h=None, float? scales_w=None"
)
LINEAR_VEC = "SymInt[]? output_size, bool align_corners, float[]? scale_factors"


@op(
    f"aten::upsample_linear1d(Tensor self, {LINEAR_1D}) -> Tensor",
    out="aten::upsample_linear1d.out",
    cases=[
        case(f32(2, 3, 4), [9], False),
        case(f32("?", 3, "?"), [7], True, at=[(2, 4), (1, 1)]),
        case(f64(2, 3, 5), [3], False, 0.7),
    ],
)
@op(
    f"aten::upsample_bilinear2d(Tensor self, {LINEAR_2D}) -> Tensor",
    out="aten::upsample_bilinear2d.out",
    cases=[
        case(f32(2, 3, 4, 5), [8, 7], False),
        case(f32("?", 3, 4, 5), [7, 9], True),
        case(f32(2, 3, "?", 5), [7, 1], True, at=[4, 1]),
        case(f32(2, 3, "?", "?"), [7, 2], False, at=[(4, 3), (1, 1)]),
        case(f16(1, 1, 3, 3), [5, 5], False),
    ],
)
@op(
    f"aten::upsample_trilinear3d(Tensor self, {LINEAR_3D}) -> Tensor",
    out="aten::upsample_trilinear3d.out",
    cases=[case(f32(2, 3, 4, 5, 3), [8, 7, 2], False), case(f64("?", 3, 4, "?", 2), [7, 9, 3], True, at=[(2, 3)])],
)
class UpsampleLinear(Resizing):
    """Linear interpolation between pixels."""

    def lower(b, x, sizes, align_corners, *scales):
        return linear(b, x, sizes, scales, align_corners)


@op(
    f"aten::upsample_linear1d.vec(Tensor input, {LINEAR_VEC}) -> Tensor",
    cases=[case(f32(2, 3, 4), None, False, [2.0]), case(f32("?", 3, "?"), None, True, [1.5], at=[(2, 4)])],
)
@op(
    f"aten::upsample_bilinear2d.vec(Tensor input, {LINEAR_VEC}) -> Tensor",
    cases=[
        case(f32(2, 3, 4, 5), None, False, [2.0, 2.0]),
        case(f32("?", 3, 4, 5), [8, 10], False, None),
        case(f32("?", 3, "?", 5), None, False, [1.7, 0.5], at=[(2, 4), (1, 3)]),
    ],
)
@op(
    f"aten::upsample_trilinear3d.vec(Tensor input, {LINEAR_VEC}) -> Tensor",
    cases=[case(f32(2, 3, 4, 5, 3), None, False, [2.0, 2.0, 0.7]), case(f32("?", 3, 4, 5, 2), [8, 10, 3], True, None)],
)
class UpsampleLinearVec(Resizing):
    """Linear interpolation between pixels, by sizes or by factors."""

    def lower(b, x, sizes, align_corners, factors):
        sizes, scales = output_sizes(b, x, sizes, factors)
        return linear(b, x, sizes, scales, align_corners)
