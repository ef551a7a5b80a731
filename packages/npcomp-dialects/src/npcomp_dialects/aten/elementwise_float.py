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
        return b.math.exp(x * math.log(2))

    cases = [f32(3, 4), f32("?", 5), i64(2)]


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
        return b.math.log(x) * (1 / math.log(2))

    cases = [f32(3, 4, low=0, high=9, special=True), f32("?", 5)]


@op("aten::log10(Tensor self) -> Tensor", inplace="aten::log10_", out="aten::log10.out")
class Log10(FloatFunction):
    """Logarithm to the base 10."""

    def scalar(b, x):
        return b.math.log(x) * (1 / math.log(10))

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
