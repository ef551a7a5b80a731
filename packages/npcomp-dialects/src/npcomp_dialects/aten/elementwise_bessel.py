"""Bessel functions of order 0 and 1, modified ones, and Airy's function, by Chebyshev series.

The oscillating ones compute in f64: their phase would lose f32 its digits.
"""

from __future__ import annotations

import math

from . import series_tables as tables
from .cases import case, f32, f64, i64
from .dtypes import DType
from .elementwise_float import FloatFunction
from .registry import op

INFINITY, NAN = math.inf, math.nan


def i0e(b, x):
    size = b.math.abs(x)
    return b.select(size <= 8.0, tables.I0.at(b, size), tables.I0_TAIL.at(b, 8.0 / size) / b.math.sqrt(size))


def i1e(b, x):
    size = b.math.abs(x)
    far = tables.I1_TAIL.at(b, 8.0 / size) / b.math.sqrt(size)
    return b.select(size <= 8.0, tables.I1.at(b, size) * x, b.math.copysign(far, x))


def growing(scaled):
    """A modified Bessel function of the first kind from its scaled form."""
    return lambda b, x: b.math.exp(b.math.abs(x)) * scaled(b, x)


def k0(b, x, scaled):
    near = tables.K0.at(b, x * x) - b.math.log(x * 0.5) * growing(i0e)(b, x)
    return decaying(b, x, near, tables.K0_TAIL, scaled)


def k1(b, x, scaled):
    near = tables.K1.at(b, x * x) / x + b.math.log(x * 0.5) * growing(i1e)(b, x)
    return decaying(b, x, near, tables.K1_TAIL, scaled)


def decaying(b, x, near, tail, scaled):
    """A modified Bessel function of the second kind: its form up to 2, a series above; infinite at 0."""
    far = tail.at(b, 2.0 / x) / b.math.sqrt(x)
    near, far = (near * b.math.exp(x), far) if scaled else (near, far * b.math.exp(-x))
    value = b.select(x <= 2.0, near, far)
    edge = b.select(x == 0.0, b.const(INFINITY, x.dtype), b.const(NAN, x.dtype))
    return b.select(x > 0.0, value, edge)


def hankel(b, size, order, second):
    """J or Y beyond 8: sqrt(2 / πx) times P and Q of the slowly varying amplitude (DLMF 10.17)."""
    sine, cosine = b.math.sin(size), b.math.cos(size)
    plus, minus = (cosine + sine) * math.sqrt(0.5), (sine - cosine) * math.sqrt(0.5)
    cos_chi, sin_chi = (plus, minus) if order == 0 else (minus, -plus)
    p_table, q_table = (tables.P0, tables.Q0) if order == 0 else (tables.P1, tables.Q1)
    u = 64.0 / (size * size)
    p, q = p_table.at(b, u), q_table.at(b, u) / size
    wave = p * sin_chi + q * cos_chi if second else p * cos_chi - q * sin_chi
    return wave * b.math.sqrt(2 / math.pi / size)


def bessel_j0(b, x):
    size = b.math.abs(b.cast(x, DType.f64))
    return b.select(size <= 8.0, tables.J0.at(b, size * size), hankel(b, size, 0, False))


def bessel_j1(b, x):
    x = b.cast(x, DType.f64)
    size = b.math.abs(x)
    far = hankel(b, size, 1, False)
    return b.select(size <= 8.0, tables.J1.at(b, size * size) * x, b.select(x < 0.0, -far, far))


def second_kind(b, x, near, order):
    edge = b.select(x == 0.0, b.const(-INFINITY, x.dtype), b.const(NAN, x.dtype))
    return b.select(x > 0.0, b.select(x <= 8.0, near, hankel(b, x, order, True)), edge)


def bessel_y0(b, x):
    x = b.cast(x, DType.f64)
    square = x * x
    near = tables.J0.at(b, square) * b.math.log(x) * (2 / math.pi) + tables.Y0.at(b, square)
    return second_kind(b, x, near, 0)


def bessel_y1(b, x):
    x = b.cast(x, DType.f64)
    square = x * x
    near = tables.J1.at(b, square) * x * b.math.log(x) * (2 / math.pi) + tables.Y1.at(b, square) / x
    return second_kind(b, x, near, 1)


def airy_ai(b, x):
    """Ai: a series in the middle, the decaying form on the right, the wave on the left (DLMF 9.7)."""
    x = b.cast(x, DType.f64)
    size = b.math.abs(x)
    root = b.math.sqrt(size)
    zeta = size * root * (2 / 3)
    quarter = b.math.sqrt(root) * math.sqrt(math.pi)
    inverse = 1.0 / zeta
    right = tables.AIRY_TAIL.at(b, inverse) * b.math.exp(-zeta) * 0.5 / quarter
    theta = zeta + math.pi / 4
    wave = tables.AIRY_F.at(b, inverse * inverse) * b.math.sin(theta)
    wave = wave - tables.AIRY_G.at(b, inverse * inverse) * inverse * b.math.cos(theta)
    value = b.select(x < -3.0, wave / quarter, b.select(x > 2.0, right, tables.AIRY.at(b, x)))
    return b.select(size == INFINITY, b.const(NAN, DType.f64), value)


def spherical_j0(b, x):
    square = x * x
    series = 1.0 + square * (square * (square * (square * (1 / 362880) - 1 / 5040) + 1 / 120) - 1 / 6)
    value = b.select(b.math.abs(x) < 0.25, series, b.math.sin(x) / x)
    return b.select(b.math.abs(x) == INFINITY, b.const(0.0, x.dtype), value)


EVEN_CASES = [f32(3, 4, special=True), f32("?", 60, low=-30, high=30), f64(80, low=-20, high=20), i64(5)]
RIGHT_CASES = [
    f32(3, 4, special=True),
    case(f32("?", 60, low=0, high=30), rtol=4e-6),
    f64(80, low=0, high=20),
    i64(5),
]
WAVE_CASES = [
    f32(3, 4, special=True),
    case(f32("?", 60, low=-40, high=40), rtol=2e-5),
    case(f64(80, low=-15, high=30), rtol=5e-6),
    i64(5),
]
"""torch's own f64 values err by up to 4e-7 (2e-6 for Airy's function), ours by 1e-14."""


@op("aten::i0(Tensor self) -> Tensor", inplace="aten::i0_", out="aten::i0.out")
@op("aten::special_i0(Tensor self) -> Tensor", out="aten::special_i0.out")
@op("aten::special_modified_bessel_i0(Tensor self) -> Tensor", out="aten::special_modified_bessel_i0.out")
class I0(FloatFunction):
    """The modified Bessel function of the first kind, order 0."""

    def scalar(b, x):
        return growing(i0e)(b, x)

    cases = [case(c, rtol=4e-6) for c in EVEN_CASES[:2]] + EVEN_CASES[2:]


@op("aten::special_i0e(Tensor self) -> Tensor", out="aten::special_i0e.out")
class I0e(FloatFunction):
    """exp(-|x|) I0(x)."""

    def scalar(b, x):
        return i0e(b, x)

    cases = EVEN_CASES


@op("aten::special_i1(Tensor self) -> Tensor", out="aten::special_i1.out")
@op("aten::special_modified_bessel_i1(Tensor self) -> Tensor", out="aten::special_modified_bessel_i1.out")
class I1(FloatFunction):
    """The modified Bessel function of the first kind, order 1."""

    def scalar(b, x):
        return growing(i1e)(b, x)

    cases = [case(c, rtol=4e-6) for c in EVEN_CASES[:2]] + EVEN_CASES[2:]


@op("aten::special_i1e(Tensor self) -> Tensor", out="aten::special_i1e.out")
class I1e(FloatFunction):
    """exp(-|x|) I1(x)."""

    def scalar(b, x):
        return i1e(b, x)

    cases = EVEN_CASES


@op("aten::special_modified_bessel_k0(Tensor self) -> Tensor", out="aten::special_modified_bessel_k0.out")
class K0(FloatFunction):
    """The modified Bessel function of the second kind, order 0."""

    def scalar(b, x):
        return k0(b, x, False)

    cases = RIGHT_CASES


@op("aten::special_scaled_modified_bessel_k0(Tensor x) -> Tensor", out="aten::special_scaled_modified_bessel_k0.out")
class K0e(FloatFunction):
    """exp(x) K0(x)."""

    def scalar(b, x):
        return k0(b, x, True)

    cases = RIGHT_CASES


@op("aten::special_modified_bessel_k1(Tensor self) -> Tensor", out="aten::special_modified_bessel_k1.out")
class K1(FloatFunction):
    """The modified Bessel function of the second kind, order 1."""

    def scalar(b, x):
        return k1(b, x, False)

    cases = RIGHT_CASES


@op("aten::special_scaled_modified_bessel_k1(Tensor x) -> Tensor", out="aten::special_scaled_modified_bessel_k1.out")
class K1e(FloatFunction):
    """exp(x) K1(x)."""

    def scalar(b, x):
        return k1(b, x, True)

    cases = RIGHT_CASES


@op("aten::special_bessel_j0(Tensor self) -> Tensor", out="aten::special_bessel_j0.out")
class J0(FloatFunction):
    """The Bessel function of the first kind, order 0."""

    def scalar(b, x):
        return bessel_j0(b, x)

    cases = WAVE_CASES


@op("aten::special_bessel_j1(Tensor self) -> Tensor", out="aten::special_bessel_j1.out")
class J1(FloatFunction):
    """The Bessel function of the first kind, order 1."""

    def scalar(b, x):
        return bessel_j1(b, x)

    cases = WAVE_CASES


@op("aten::special_bessel_y0(Tensor self) -> Tensor", out="aten::special_bessel_y0.out")
class Y0(FloatFunction):
    """The Bessel function of the second kind, order 0."""

    def scalar(b, x):
        return bessel_y0(b, x)

    cases = WAVE_CASES


@op("aten::special_bessel_y1(Tensor self) -> Tensor", out="aten::special_bessel_y1.out")
class Y1(FloatFunction):
    """The Bessel function of the second kind, order 1."""

    def scalar(b, x):
        return bessel_y1(b, x)

    cases = WAVE_CASES


@op("aten::special_airy_ai(Tensor x) -> Tensor", out="aten::special_airy_ai.out")
class AiryAi(FloatFunction):
    """Airy's function Ai."""

    def scalar(b, x):
        return airy_ai(b, x)

    cases = WAVE_CASES


@op("aten::special_spherical_bessel_j0(Tensor x) -> Tensor", out="aten::special_spherical_bessel_j0.out")
class SphericalJ0(FloatFunction):
    """sin(x) / x, 1 at 0."""

    def scalar(b, x):
        return spherical_j0(b, x)

    cases = EVEN_CASES
