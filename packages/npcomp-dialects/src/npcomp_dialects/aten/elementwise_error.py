"""The error function's family: complement, scaled complement, inverse, and the normal distribution's."""

from __future__ import annotations

import math

from . import series_tables as tables
from .cases import bf16, case, f32, f64, i64
from .dtypes import DType
from .elementwise_float import FloatFunction
from .registry import op


def exp_of_square(b, x, sign):
    """exp(±x²): the square in two parts, so that no rounding of it is blown up."""
    blown = x * (4097.0 if x.dtype is DType.f32 else 134217729.0)
    high = blown - (blown - x)
    low = (x - high) * (x + high)
    return b.math.exp(high * high * sign) * b.math.exp(low * sign)


def erfcx_positive(b, x):
    """exp(x²) erfc(x) for x >= 0, as a series in (x - 4) / (x + 4), after Shepherd and Laframboise."""
    return tables.ERFCX.at(b, 1.0 - 8.0 / (x + 4.0)) / (x * 2.0 + 1.0)


def erfc(b, x):
    size = b.minimum(b.math.abs(x), 30.0)
    tail = exp_of_square(b, size, -1.0) * erfcx_positive(b, size)
    return b.select(x < 0.0, 2.0 - tail, tail)


def erfcx(b, x):
    size = b.math.abs(x)
    right = erfcx_positive(b, size)
    return b.select(x < 0.0, exp_of_square(b, b.minimum(size, 30.0), 1.0) * 2.0 - right, right)


def over_argument(b, w, far):
    """erfinv(x) / x as a function of w = -log(1 - x²); `far` reaches beyond what 1 - x² can say."""
    root = b.math.sqrt(w)
    value = b.select(w < 6.25, tables.ERFINV_CENTER.at(b, w), tables.ERFINV_TAIL.at(b, root))
    return b.select(w < 39.0, value, tables.ERFINV_FAR.at(b, root)) if far else value


def erfinv(b, x):
    value = x * over_argument(b, -b.math.log((1.0 - x) * (x + 1.0)), False)
    return b.select(b.math.abs(x) == 1.0, x * math.inf, value)


def ndtri(b, p):
    """The quantile: sqrt(2) erfinv(2p - 1), from -log(4p (1 - p)) so that small p keep their digits."""
    value = (p * 2.0 - 1.0) * over_argument(b, -b.math.log(p * 4.0 * (1.0 - p)), True) * math.sqrt(2)
    infinite = (p * 2.0 - 1.0) * math.inf
    return b.select((p == 0.0) | (p == 1.0), infinite, value)


def log_ndtr(b, x):
    """log of the normal distribution; far left from erfcx, where the distribution itself underflows."""
    scaled = x * math.sqrt(0.5)
    left = b.math.log(erfcx_positive(b, b.math.abs(scaled)) * 0.5) - scaled * scaled
    return b.select(x < -1.0, left, b.math.log1p(erfc(b, scaled) * -0.5))


@op("aten::erfc(Tensor self) -> Tensor", inplace="aten::erfc_", out="aten::erfc.out")
@op("aten::special_erfc(Tensor self) -> Tensor", out="aten::special_erfc.out")
class Erfc(FloatFunction):
    """1 - erf(x), without its cancellation."""

    def scalar(b, x):
        return erfc(b, x)

    cases = [f32(3, 4, special=True), f32("?", 30, low=-9, high=9), f64(40, low=-9, high=27), i64(5), bf16(3)]


@op("aten::special_erfcx(Tensor self) -> Tensor", out="aten::special_erfcx.out")
class Erfcx(FloatFunction):
    """exp(x²) erfc(x)."""

    def scalar(b, x):
        return erfcx(b, x)

    cases = [
        f32(3, 4, special=True),
        case(f32("?", 30, low=-6, high=60), rtol=4e-6),
        f64(40, low=-20, high=100),
        i64(5),
    ]


@op("aten::erfinv(Tensor self) -> Tensor", inplace="aten::erfinv_", out="aten::erfinv.out")
@op("aten::special_erfinv(Tensor self) -> Tensor", out="aten::special_erfinv.out")
class Erfinv(FloatFunction):
    """The inverse of erf; infinite at -1 and 1."""

    def scalar(b, x):
        return erfinv(b, x)

    cases = [f32(3, 4, special=True), f32("?", 50, low=-1, high=1), f64(50, low=-1, high=1), i64(5)]


@op("aten::special_ndtri(Tensor self) -> Tensor", out="aten::special_ndtri.out")
class Ndtri(FloatFunction):
    """The quantile of the normal distribution."""

    def scalar(b, x):
        return ndtri(b, x)

    cases = [f32(3, 4, special=True), f32("?", 50, low=0, high=1), f64(50, low=0, high=1e-30), i64(5)]


@op("aten::special_log_ndtr(Tensor self) -> Tensor", out="aten::special_log_ndtr.out")
class LogNdtr(FloatFunction):
    """The logarithm of the normal distribution."""

    def scalar(b, x):
        return log_ndtr(b, x)

    cases = [f32(3, 4, special=True), f32("?", 30, low=-30, high=9), f64(40, low=-60, high=9), i64(5)]
