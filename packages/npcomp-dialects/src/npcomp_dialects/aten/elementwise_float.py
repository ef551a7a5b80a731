"""Functions on floats: integers and bool become the default float first."""

from __future__ import annotations

import math

from .cases import bf16, case, f16, f32, i64
from .families.elementwise import Elementwise
from .promotion import promote_to_float
from .registry import op


class FloatFunction(Elementwise):
    """An elementwise function whose result is always a float."""

    dtype = promote_to_float


def sinh(b, x):
    """Hyperbolic sine through expm1, which keeps small arguments exact."""
    e = b.math.expm1(b.math.abs(x))
    half = b.select(e == math.inf, e, (e + e / (e + 1.0)) * 0.5)
    return b.select(x < 0.0, -half, b.select(x == 0.0, x, half))


@op("aten::exp(Tensor self) -> Tensor", inplace="aten::exp_", out="aten::exp.out")
class Exp(FloatFunction):
    """e to the power x."""

    def scalar(b, x):
        return b.math.exp(x)

    cases = [f32(3, 4, special=True), f32("?", 5), i64(2)]


@op("aten::exp2(Tensor self) -> Tensor", inplace="aten::exp2_", out="aten::exp2.out")
class Exp2(FloatFunction):
    """2 to the power x."""

    def scalar(b, x):
        return b.math.exp2(x)

    cases = [f32(3, 4, special=True), f32("?", 5, low=-100, high=100), i64(2)]


@op("aten::expm1(Tensor self) -> Tensor", inplace="aten::expm1_", out="aten::expm1.out")
class Expm1(FloatFunction):
    """exp(x) - 1, exact near 0."""

    def scalar(b, x):
        return b.math.expm1(x)

    cases = [f32(3, 4, special=True), f32("?", 5, low=-1e-4, high=1e-4)]


@op("aten::log(Tensor self) -> Tensor", inplace="aten::log_", out="aten::log.out")
class Log(FloatFunction):
    """Natural logarithm; nan below 0, -inf at 0."""

    def scalar(b, x):
        return b.math.log(x)

    cases = [f32(3, 4, low=0, high=9, special=True), f32("?", 5), i64(4, low=0)]


@op("aten::log2(Tensor self) -> Tensor", inplace="aten::log2_", out="aten::log2.out")
class Log2(FloatFunction):
    """Logarithm to the base 2."""

    def scalar(b, x):
        return b.math.log2(x)

    cases = [f32(3, 4, low=0, high=9, special=True), f32("?", 5)]


@op("aten::log10(Tensor self) -> Tensor", inplace="aten::log10_", out="aten::log10.out")
class Log10(FloatFunction):
    """Logarithm to the base 10."""

    def scalar(b, x):
        return b.math.log10(x)

    cases = [f32(3, 4, low=0, high=9, special=True), f32("?", 5)]


@op("aten::log1p(Tensor self) -> Tensor", inplace="aten::log1p_", out="aten::log1p.out")
class Log1p(FloatFunction):
    """log(1 + x), exact near 0."""

    def scalar(b, x):
        return b.math.log1p(x)

    cases = [f32(3, 4, special=True), f32("?", 5, low=-1e-4, high=1e-4)]


@op("aten::sqrt(Tensor self) -> Tensor", inplace="aten::sqrt_", out="aten::sqrt.out")
class Sqrt(FloatFunction):
    """Square root; nan below 0."""

    def scalar(b, x):
        return b.math.sqrt(x)

    cases = [f32(3, 4, low=0, high=9, special=True), f32("?", 5), i64(4, low=0), f16(5, low=0)]


@op("aten::rsqrt(Tensor self) -> Tensor", inplace="aten::rsqrt_", out="aten::rsqrt.out")
class Rsqrt(FloatFunction):
    """1 / sqrt(x)."""

    def scalar(b, x):
        return b.math.rsqrt(x)

    cases = [f32(3, 4, low=0, high=9, special=True), f32("?", 5), i64(4, low=0)]


@op("aten::tanh(Tensor self) -> Tensor", inplace="aten::tanh_", out="aten::tanh.out")
class Tanh(FloatFunction):
    """Hyperbolic tangent of each element."""

    def scalar(b, x):
        return b.math.tanh(x)

    cases = [f32(3, 4, special=True), f32("?", 5), i64(2), bf16(3)]


@op("aten::sigmoid(Tensor self) -> Tensor", inplace="aten::sigmoid_", out="aten::sigmoid.out")
class Sigmoid(FloatFunction):
    """1 / (1 + exp(-x))."""

    def scalar(b, x):
        return b.math.sigmoid(x)

    cases = [f32(3, 4, special=True), f32("?", 5), i64(2), f16(3)]


@op("aten::sin(Tensor self) -> Tensor", inplace="aten::sin_", out="aten::sin.out")
class Sin(FloatFunction):
    """Sine."""

    def scalar(b, x):
        return b.math.sin(x)

    cases = [f32(3, 4, special=True), f32("?", 5, low=-50, high=50), i64(2)]


@op("aten::cos(Tensor self) -> Tensor", inplace="aten::cos_", out="aten::cos.out")
class Cos(FloatFunction):
    """Cosine."""

    def scalar(b, x):
        return b.math.cos(x)

    cases = [f32(3, 4, special=True), f32("?", 5, low=-50, high=50), i64(2)]


@op("aten::tan(Tensor self) -> Tensor", inplace="aten::tan_", out="aten::tan.out")
class Tan(FloatFunction):
    """Tangent."""

    def scalar(b, x):
        return b.math.tan(x)

    cases = [f32(3, 4, special=True, low=-1, high=1), f32("?", 5, low=-1, high=1)]


@op("aten::atan(Tensor self) -> Tensor", inplace="aten::atan_", out="aten::atan.out")
class Atan(FloatFunction):
    """Inverse tangent."""

    def scalar(b, x):
        return b.math.atan2(x, 1.0)

    cases = [f32(3, 4, special=True), f32("?", 5)]


@op("aten::sinh(Tensor self) -> Tensor", inplace="aten::sinh_", out="aten::sinh.out")
class Sinh(FloatFunction):
    """Hyperbolic sine."""

    def scalar(b, x):
        return sinh(b, x)

    cases = [f32(3, 4, special=True), f32("?", 5)]


@op("aten::cosh(Tensor self) -> Tensor", inplace="aten::cosh_", out="aten::cosh.out")
class Cosh(FloatFunction):
    """Hyperbolic cosine."""

    def scalar(b, x):
        return (b.math.exp(x) + b.math.exp(-x)) * 0.5

    cases = [f32(3, 4, special=True), f32("?", 5)]


@op("aten::erf(Tensor self) -> Tensor", inplace="aten::erf_", out="aten::erf.out")
class Erf(FloatFunction):
    """Error function."""

    def scalar(b, x):
        return b.math.erf(x)

    cases = [f32(3, 4, special=True), f32("?", 5), i64(2)]


@op("aten::reciprocal(Tensor self) -> Tensor", inplace="aten::reciprocal_", out="aten::reciprocal.out")
class Reciprocal(FloatFunction):
    """1 / x."""

    def scalar(b, x):
        return 1.0 / x

    cases = [f32(3, 4, special=True), case(f32("?", 5), at=[1, 0]), i64(2, low=1)]


@op("aten::asin(Tensor self) -> Tensor", inplace="aten::asin_", out="aten::asin.out")
class Asin(FloatFunction):
    """Inverse sine."""

    def scalar(b, x):
        return b.math.atan2(x, b.math.sqrt((1.0 - x) * (x + 1.0)))

    cases = [f32(3, 4, low=-1, high=1), f32("?", 5, low=-1, high=1)]


@op("aten::acos(Tensor self) -> Tensor", inplace="aten::acos_", out="aten::acos.out")
class Acos(FloatFunction):
    """Inverse cosine."""

    def scalar(b, x):
        return b.math.atan2(b.math.sqrt((1.0 - x) * (x + 1.0)), x)

    cases = [f32(3, 4, low=-1, high=1), f32("?", 5, low=-1, high=1)]


@op("aten::asinh(Tensor self) -> Tensor", inplace="aten::asinh_", out="aten::asinh.out")
class Asinh(FloatFunction):
    """Inverse hyperbolic sine."""

    def scalar(b, x):
        size = b.math.abs(x)
        near = b.math.log1p(size + size * size / (b.math.sqrt(size * size + 1.0) + 1.0))
        value = b.select(size > 1e9, b.math.log(size) + math.log(2), near)
        return b.math.copysign(value, x)

    cases = [f32(3, 4, special=True), f32("?", 5, low=-1e-3, high=1e-3), f32(5, low=-1e30, high=1e30)]


@op("aten::atanh(Tensor self) -> Tensor", inplace="aten::atanh_", out="aten::atanh.out")
class Atanh(FloatFunction):
    """Inverse hyperbolic tangent."""

    def scalar(b, x):
        return (b.math.log1p(x) - b.math.log1p(-x)) * 0.5

    cases = [f32(3, 4, low=-0.9, high=0.9, special=True), f32("?", 5, low=-1e-3, high=1e-3)]


@op("aten::logit(Tensor self, float? eps=None) -> Tensor", inplace="aten::logit_", out="aten::logit.out")
class Logit(FloatFunction):
    """log(x / (1 - x)), x kept eps away from 0 and 1."""

    def scalar(b, x, eps):
        x = x if eps is None else b.minimum(b.maximum(x, eps), 1.0 - eps)
        return b.math.log(x / (1.0 - x))

    cases = [f32(3, 4, low=0.05, high=0.95), case(f32("?", 5, low=0, high=1), 0.1)]


@op(
    "aten::xlogy.Tensor(Tensor self, Tensor other) -> Tensor",
    inplace="aten::xlogy_.Tensor",
    out="aten::xlogy.OutTensor",
)
@op("aten::special_xlogy(Tensor self, Tensor other) -> Tensor", out="aten::special_xlogy.out")
@op(
    "aten::xlogy.Scalar_Other(Tensor self, Scalar other) -> Tensor",
    inplace="aten::xlogy_.Scalar_Other",
    out="aten::xlogy.OutScalar_Other",
    cases=[case(f32(3, 4), 2), case(i64("?"), 0.5)],
)
@op(
    "aten::xlogy.Scalar_Self(Scalar self, Tensor other) -> Tensor",
    out="aten::xlogy.OutScalar_Self",
    cases=[case(2, f32(3, 4)), case(0.0, f32("?", special=True))],
)
class XLogY(FloatFunction):
    """self * log(other), 0 where self is 0."""

    def scalar(b, x, y):
        dtype = y.dtype if isinstance(x, float) else x.dtype
        x, y = (b.const(v, dtype) if isinstance(v, float) else v for v in (x, y))
        return b.select(b.isnan(y), y, b.select(x == 0.0, b.const(0.0, dtype), x * b.math.log(y)))

    cases = [case(f32(3, 4), f32(4, low=0.1)), case(i64("?", 4), f32(4, low=0.1))]


@op(
    "aten::nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor",
    inplace="aten::nan_to_num_",
    out="aten::nan_to_num.out",
)
class NanToNum(Elementwise):
    """nan and infinities replaced by numbers: 0 and the largest ones unless given."""

    exact = True

    def scalar(b, x, nan, posinf, neginf):
        if not x.dtype.is_float:
            return x
        top = LARGEST[x.dtype.name]
        low, high, nothing = (
            b.const(d if v is None else v, x.dtype) if v is None or isinstance(v, float) else v
            for v, d in ((neginf, -top), (posinf, top), (nan, 0.0))
        )
        finite = b.select(x == math.inf, high, b.select(x == -math.inf, low, x))
        return b.select(b.isnan(x), nothing, finite)

    cases = [f32(3, 4, special=True), case(f32("?", 4, special=True), 1.0, 2.0, -3.0), f16(5, special=True)]


LARGEST = {
    "f16": 65504.0,
    "bf16": 3.3895313892515355e38,
    "f32": 3.4028234663852886e38,
    "f64": 1.7976931348623157e308,
}
"""The largest finite number of each float dtype."""
