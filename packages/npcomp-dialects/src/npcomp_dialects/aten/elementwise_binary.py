"""Arithmetic of two operands: sums, products, extrema, fused forms."""

from __future__ import annotations

import math

from .cases import bf16, case, f16, f32, i1, i64, u8
from .dtypes import DType
from .families.elementwise import Elementwise
from .promotion import promote_floats, promote_numbers, promote_to_float
from .registry import op

BROADCAST = [(3, 3), (1, 3), (3, 1), (1, 1)]


@op(
    "aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor",
    inplace="aten::add_.Tensor",
    out="aten::add.out",
)
@op(
    "aten::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor",
    inplace="aten::add_.Scalar",
    out="aten::add.Scalar_out",
    cases=[case(f32(3, 4), 2), case(i64("?"), 1.5, alpha=2), case(f32("?", 0), 1)],
)
class Add(Elementwise):
    """self + alpha * other; on bool, or."""

    def scalar(b, x, y, alpha):
        return x | (y & alpha) if x.dtype is DType.bool else x + y * alpha

    cases = [
        case(f32(3, 4), f32(4)),
        case(f32("a", 4), f32("b", 4), alpha=2, at=BROADCAST),
        case(i64(2, 1), f32(3)),
        case(i1(4), i1(4)),
        case(bf16(3), f16(3)),
        case(u8("?"), i1(1), at=[3, 0]),
    ]


@op(
    "aten::sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor",
    inplace="aten::sub_.Tensor",
    out="aten::sub.out",
)
@op("aten::subtract.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", inplace="aten::subtract_.Tensor")
@op(
    "aten::sub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor",
    inplace="aten::sub_.Scalar",
    out="aten::sub.Scalar_out",
    cases=[case(f32(3, 4), 2), case(i64("?"), 1.5, alpha=2)],
)
class Sub(Elementwise):
    """self - alpha * other."""

    dtype = promote_numbers

    def scalar(b, x, y, alpha):
        return x - y * alpha

    cases = [
        case(f32(3, 4), f32(4)),
        case(f32("a", 4), f32("b", 4), alpha=2, at=BROADCAST),
        case(i64(0, 1), f32(3)),
    ]


@op("aten::rsub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor")
@op(
    "aten::rsub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor",
    cases=[case(f32(3, 4), 2), case(i64("?"), 1, alpha=2)],
)
class RSub(Elementwise):
    """other - alpha * self."""

    dtype = promote_numbers

    def scalar(b, x, y, alpha):
        return y - x * alpha

    cases = [case(f32(3, 4), f32(4)), case(f32("a", 4), f32("b", 4), alpha=2, at=BROADCAST)]


@op("aten::mul.Tensor(Tensor self, Tensor other) -> Tensor", inplace="aten::mul_.Tensor", out="aten::mul.out")
@op("aten::multiply.Tensor(Tensor self, Tensor other) -> Tensor", inplace="aten::multiply_.Tensor")
@op(
    "aten::mul.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::mul_.Scalar",
    out="aten::mul.Scalar_out",
    cases=[case(f32(3, 4), 2), case(i64("?"), 1.5), case(i1("?"), True)],
)
class Mul(Elementwise):
    """self * other; on bool, and."""

    def scalar(b, x, y):
        return x & y if x.dtype is DType.bool else x * y

    cases = [
        case(f32(3, 4), f32(4)),
        case(f32("a", 4), f32("b", 4), at=BROADCAST),
        case(i1(4), i1(4)),
        case(f32(), i64(2, 2)),
    ]


def larger(b, x, y):
    """The larger of two elements; nan if either is."""
    return x | y if x.dtype is DType.bool else b.maximum(x, y)


def smaller(b, x, y):
    """The smaller of two elements; nan if either is."""
    return x & y if x.dtype is DType.bool else b.minimum(x, y)


@op("aten::maximum(Tensor self, Tensor other) -> Tensor", out="aten::maximum.out")
@op("aten::max.other(Tensor self, Tensor other) -> Tensor", out="aten::max.out")
class Maximum(Elementwise):
    """The larger element; nan if either is."""

    exact = True
    scalar = larger
    cases = [
        case(f32(3, 4, special=True), f32(4)),
        case(f32("a", 4), i64("b", 4), at=BROADCAST),
        case(i1(4), i1(4)),
        case(u8(5), u8(5, high=256)),
    ]


@op("aten::minimum(Tensor self, Tensor other) -> Tensor", out="aten::minimum.out")
@op("aten::min.other(Tensor self, Tensor other) -> Tensor", out="aten::min.out")
class Minimum(Elementwise):
    """The smaller element; nan if either is."""

    exact = True
    scalar = smaller
    cases = [
        case(f32(3, 4, special=True), f32(4)),
        case(f32("a", 4), i64("b", 4), at=BROADCAST),
        case(i1(4), i1(4)),
        case(u8(5), u8(5, high=256)),
    ]


@op("aten::fmax(Tensor self, Tensor other) -> Tensor", out="aten::fmax.out")
class FMax(Elementwise):
    """The larger element; nan only if both are."""

    exact = True

    def scalar(b, x, y):
        if not x.dtype.is_float:
            return larger(b, x, y)
        return b.select(b.isnan(y), x, b.select(x >= y, x, y))

    cases = [case(f32(3, 4, special=True), f32(4)), case(f32("a", 4), i64("b", 4), at=BROADCAST)]


@op("aten::fmin(Tensor self, Tensor other) -> Tensor", out="aten::fmin.out")
class FMin(Elementwise):
    """The smaller element; nan only if both are."""

    exact = True

    def scalar(b, x, y):
        if not x.dtype.is_float:
            return smaller(b, x, y)
        return b.select(b.isnan(y), x, b.select(x <= y, x, y))

    cases = [case(f32(3, 4, special=True), f32(4)), case(f32("a", 4), i64("b", 4), at=BROADCAST)]


@op(
    "aten::clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor",
    inplace="aten::clamp_",
    out="aten::clamp.out",
)
@op(
    "aten::clip(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor",
    inplace="aten::clip_",
    out="aten::clip.out",
)
@op(
    "aten::clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor",
    inplace="aten::clamp_.Tensor",
    out="aten::clamp.Tensor_out",
    cases=[case(f32(3, 4, special=True), f32(4), f32(3, 1)), case(f32("?", 4), None, i64(4))],
)
class Clamp(Elementwise):
    """x kept between min and max; max wins where they cross."""

    promoting = ("self", "min", "max")
    exact = True

    def scalar(b, x, low, high):
        x = x if low is None else b.maximum(x, low)
        return x if high is None else b.minimum(x, high)

    cases = [
        case(f32(3, 4, special=True), -1, 1),
        case(f32("?", 5), None, 0.5),
        case(i64("?", 5), 0.5, at=[3, 0]),
        case(f16(3), 1, -1),
    ]


@op("aten::clamp_min(Tensor self, Scalar min) -> Tensor", inplace="aten::clamp_min_", out="aten::clamp_min.out")
@op(
    "aten::clamp_min.Tensor(Tensor self, Tensor min) -> Tensor",
    inplace="aten::clamp_min_.Tensor",
    out="aten::clamp_min.Tensor_out",
    cases=[case(f32(3, 4), f32(4)), case(f32("a", 4), f32("b", 4), at=BROADCAST)],
)
class ClampMin(Elementwise):
    """max(x, min)."""

    promoting = ("self", "min")
    exact = True
    scalar = larger
    cases = [case(f32(3, 4, special=True), 0), case(i64("?", 5), 0.5)]


@op("aten::clamp_max(Tensor self, Scalar max) -> Tensor", inplace="aten::clamp_max_", out="aten::clamp_max.out")
@op(
    "aten::clamp_max.Tensor(Tensor self, Tensor max) -> Tensor",
    inplace="aten::clamp_max_.Tensor",
    out="aten::clamp_max.Tensor_out",
    cases=[case(f32(3, 4), f32(4)), case(f32("a", 4), f32("b", 4), at=BROADCAST)],
)
class ClampMax(Elementwise):
    """min(x, max)."""

    promoting = ("self", "max")
    exact = True
    scalar = smaller
    cases = [case(f32(3, 4, special=True), 0), case(i64("?", 5), 0.5)]


@op("aten::atan2(Tensor self, Tensor other) -> Tensor", inplace="aten::atan2_", out="aten::atan2.out")
class Atan2(Elementwise):
    """The angle of the point (other, self)."""

    dtype = promote_to_float

    def scalar(b, x, y):
        return b.math.atan2(x, y)

    cases = [case(f32(3, 4, special=True), f32(4)), case(i64("a", 4), f32("b", 4), at=BROADCAST)]


@op(
    "aten::addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor",
    inplace="aten::addcmul_",
    out="aten::addcmul.out",
)
class AddCMul(Elementwise):
    """self + value * tensor1 * tensor2."""

    dtype = promote_numbers

    def scalar(b, x, y, z, value):
        return x + y * value * z

    cases = [case(f32(3, 4), f32(4), f32(3, 1)), case(f32("a", 4), f32("b", 4), f32(4), value=0.5, at=BROADCAST)]


@op(
    "aten::addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor",
    inplace="aten::addcdiv_",
    out="aten::addcdiv.out",
)
class AddCDiv(Elementwise):
    """self + value * tensor1 / tensor2."""

    dtype = promote_floats

    def scalar(b, x, y, z, value):
        return x + y * value / z

    cases = [
        case(f32(3, 4), f32(4), f32(3, 1, low=1)),
        case(f32("a", 4), f32("b", 4), f32(4, low=1), value=0.5, at=BROADCAST),
    ]


@op(
    "aten::lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor",
    inplace="aten::lerp_.Scalar",
    out="aten::lerp.Scalar_out",
    cases=[case(f32(3, 4), f32(4), 0.25), case(f32("a", 4), f32("b", 4), 0.75, at=BROADCAST)],
)
@op(
    "aten::lerp.Tensor(Tensor self, Tensor end, Tensor weight) -> Tensor",
    inplace="aten::lerp_.Tensor",
    out="aten::lerp.Tensor_out",
)
class Lerp(Elementwise):
    """From self to end by weight, measured from the nearer side."""

    dtype = promote_floats

    def scalar(b, x, end, weight):
        step = end - x
        return b.select(b.math.abs(weight) < 0.5, x + step * weight, end - step * (1.0 - weight))

    cases = [case(f32(3, 4), f32(4), f32(3, 1)), case(f32("a", 4), f32("b", 4), f32(4), at=BROADCAST)]


@op("aten::logaddexp(Tensor self, Tensor other) -> Tensor", out="aten::logaddexp.out")
class LogAddExp(Elementwise):
    """log(exp(self) + exp(other)) without overflow."""

    dtype = promote_floats

    def scalar(b, x, y):
        top = b.maximum(x, y)
        return b.select(x == y, x + 0.6931471805599453, top + b.math.log1p(b.math.exp(-b.math.abs(x - y))))

    cases = [case(f32(3, 4), f32(4)), case(f32("a", 4), f32("b", 4), at=BROADCAST)]


@op("aten::hypot(Tensor self, Tensor other) -> Tensor", inplace="aten::hypot_", out="aten::hypot.out")
class Hypot(Elementwise):
    """sqrt(self² + other²), from the ratio of the smaller to the larger: the squares might overflow."""

    dtype = promote_floats

    def scalar(b, x, y):
        x, y = b.math.abs(x), b.math.abs(y)
        large, small = b.maximum(x, y), b.minimum(x, y)
        ratio = small / large
        value = b.select(large == 0.0, large, large * b.math.sqrt(ratio * ratio + 1.0))
        infinite = (x == math.inf) | (y == math.inf)
        return b.select(infinite, b.const(math.inf, x.dtype), value)

    cases = [
        case(f32(3, 4, special=True), f32(4)),
        case(f32("a", 4), f32("b", 4), at=BROADCAST),
        case(f32(4, low=1e25, high=1e30), f32(4, low=1e25, high=1e30)),
    ]
