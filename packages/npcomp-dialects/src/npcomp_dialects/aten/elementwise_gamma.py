"""The gamma function and its relatives: log Γ, ψ and its derivatives, Hurwitz's ζ, the incomplete gamma functions."""

from __future__ import annotations

import math
from fractions import Fraction

from . import series_tables as tables
from .cases import bf16, case, f32, f64, i64
from .dtypes import DType
from .elementwise_float import FloatFunction
from .errors import InferError
from .promotion import promote_floats
from .registry import op

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def lgamma_positive(b, x):
    """log Γ(x) for x >= 0: a series on [1, 3], Stirling's form with a series for its remainder above."""
    below = b.select(x < 1.0, x, x - 1.0)
    near = below * (below - 1.0) * tables.LGAMMA.at(b, below + 1.0)
    near = b.select(x < 1.0, near - b.math.log(x), near)
    inverse = 1.0 / x
    rest = tables.STIRLING.at(b, inverse * inverse) * inverse
    far = (x - 0.5) * (b.math.log(x) - 1.0) + (rest + (HALF_LOG_2PI - 0.5))
    return b.select(x < 3.0, near, b.select(x == math.inf, x, far))


def lgamma(b, x):
    """log |Γ(x)|; below 0 by the reflection Γ(x) Γ(1 - x) = π / sin(πx)."""
    negative = x < 0.0
    positive = lgamma_positive(b, b.select(negative, 1.0 - x, x))
    size = b.math.abs(x)
    part = size - b.math.floor(size)
    sine = b.math.sin(b.minimum(part, 1.0 - part) * math.pi)
    pole = (size == math.inf) | (sine == 0.0)
    mirrored = b.select(pole, b.const(math.inf, x.dtype), b.math.log(math.pi / sine) - positive)
    return b.select(negative, mirrored, positive)


def digamma(b, x):
    """ψ(x): the asymptotic form from 3 on, with a series for its remainder; the recurrence and reflection below."""
    negative = x < 0.0
    place = b.select(negative, 1.0 - x, x)
    low = place < 3.0
    y = b.select(low, place + 3.0, place)
    inverse = 1.0 / y
    square = inverse * inverse
    value = b.math.log(y) - inverse * 0.5 - tables.DIGAMMA.at(b, square) * square
    value = b.select(low, value - (1.0 / place + 1.0 / (place + 1.0) + 1.0 / (place + 2.0)), value)
    part = x - b.math.trunc(x)
    mirrored = b.select(part == 0.0, b.const(math.nan, x.dtype), value - math.pi / b.math.tan(part * math.pi))
    pole = b.math.copysign(b.const(math.inf, x.dtype), -x)
    return b.select(x == 0.0, pole, b.select(negative, mirrored, value))


def trigamma(b, x):
    """ψ'(x), in the way of `digamma`."""
    mirrors = x < 0.5
    place = b.select(mirrors, 1.0 - x, x)
    low = place < 3.0
    y = b.select(low, place + 3.0, place)
    inverse = 1.0 / y
    square = inverse * inverse
    value = inverse + square * 0.5 + tables.TRIGAMMA.at(b, square) * square * inverse

    def term(k):
        step = 1.0 / (place + k)
        return step * step

    value = b.select(low, value + term(0.0) + term(1.0) + term(2.0), value)
    sine = b.math.sin(x * math.pi)
    return b.select(mirrors, (math.pi * math.pi) / (sine * sine) - value, value)


def bernoulli_ratios(count):
    """B2 / 2!, B4 / 4!, …, from the recurrence of the Bernoulli numbers."""
    numbers = [Fraction(1)]
    for m in range(1, 2 * count + 1):
        numbers.append(-sum(math.comb(m + 1, k) * numbers[k] for k in range(m)) / (m + 1))
    return [float(numbers[2 * k] / math.factorial(2 * k)) for k in range(1, count + 1)]


ZETA_TERMS = bernoulli_ratios(12)
EPSILON = 2.0**-53


def zeta(b, s, q):
    """Hurwitz's ζ(s, q) = Σ (q + k)^-s, by Euler and Maclaurin: terms up to q + k > 9, then the Bernoulli series.

    f64 throughout; an order below 1 has no value, a negative q only beside a whole order.
    """
    at_pole = (q <= 0.0) & (b.math.floor(q) == q)
    valid = (s > 1.0) & ((q > 0.0) | ((b.math.floor(s) == s) & ~at_pole))
    safe_s, start = b.select(valid, s, b.const(2.0, s.dtype)), b.select(valid, q, b.const(10.0, q.dtype))
    first = b.math.pow(start, -safe_s)

    def step(b, count, place, term, total):
        place = place + 1.0
        term = b.math.pow(place, -safe_s)
        total = total + term
        settled = b.math.abs(term) < b.math.abs(total) * EPSILON
        again = ((count < 8.0) | (place <= 9.0)) & ~settled & (count < 1e7)
        return again, count + 1.0, place, term, total

    _, place, term, total = b.loop(step, b.const(0.0, s.dtype), start, first, first)
    done = b.math.abs(term) < b.math.abs(total) * EPSILON
    total = b.select(done, total, total + term * place / (safe_s - 1.0) - term * 0.5)
    factor, power = b.const(1.0, s.dtype), term
    for k, ratio in enumerate(ZETA_TERMS):
        factor, power = factor * (safe_s + float(2 * k)), power / place
        change = factor * power * ratio
        total = b.select(done, total, total + change)
        done = done | (b.math.abs(change) < b.math.abs(total) * EPSILON)
        factor, power = factor * (safe_s + float(2 * k + 1)), power / place
    infinite = (s == 1.0) | ((s > 1.0) & at_pole)
    result = b.select(valid, total, b.select(infinite, b.const(math.inf, s.dtype), b.const(math.nan, s.dtype)))
    return b.select(b.isnan(s) | b.isnan(q), b.const(math.nan, s.dtype), result)


def polygamma(b, n, x):
    """ψ of order n: (-1)^(n + 1) n! ζ(n + 1, x) from the second derivative on."""
    if n < 2:
        return (digamma, trigamma)[n](b, x)
    factor = math.exp(math.lgamma(n + 1.0)) * (1.0 if n % 2 else -1.0)
    return zeta(b, b.const(n + 1.0, DType.f64), b.cast(x, DType.f64)) * factor


@op("aten::lgamma(Tensor self) -> Tensor", inplace="aten::lgamma_", out="aten::lgamma.out")
@op("aten::special_gammaln(Tensor self) -> Tensor", out="aten::special_gammaln.out")
class LGamma(FloatFunction):
    """The logarithm of |Γ(x)|; infinite at the poles."""

    def scalar(b, x):
        return lgamma(b, x)

    cases = [f32(3, 4, special=True), f32("?", 50, low=-20, high=40), f64(40, low=-5, high=9), i64(5), bf16(3)]


@op("aten::digamma(Tensor self) -> Tensor", inplace="aten::digamma_", out="aten::digamma.out")
@op("aten::special_digamma(Tensor self) -> Tensor", out="aten::special_digamma.out")
@op("aten::special_psi(Tensor self) -> Tensor", out="aten::special_psi.out")
class Digamma(FloatFunction):
    """The derivative of log Γ."""

    def scalar(b, x):
        return digamma(b, x)

    cases = [
        f32(3, 4, special=True),
        case(f32("?", 50, low=-9, high=40), rtol=3e-5),
        case(f64(40, low=-5, high=9), rtol=1e-10),
        i64(5),
    ]


@op("aten::polygamma(int n, Tensor self) -> Tensor", out="aten::polygamma.out")
@op("aten::special_polygamma(int n, Tensor self) -> Tensor", out="aten::special_polygamma.out")
class Polygamma(FloatFunction):
    """The derivative of order n of ψ."""

    def preconditions(b, n, x):
        if n < 0:
            raise InferError("polygamma(n, x) does not support negative n.")

    def scalar(b, n, x):
        return polygamma(b, n, x)

    cases = [
        case(0, f32(3, 4, low=0.1, high=9)),
        *(case(n, f64(3, 4, low=0.1, high=20), rtol=1e-9) for n in (1, 2, 3, 5)),
        case(1, f32(20, low=-3, high=3), rtol=2e-5),
        case(2, f32("?", 4, low=0.1, high=9)),
        case(3, i64(5, low=0, high=9)),
    ]


@op("aten::mvlgamma(Tensor self, int p) -> Tensor", inplace="aten::mvlgamma_", out="aten::mvlgamma.out")
@op("aten::special_multigammaln(Tensor self, int p) -> Tensor", out="aten::special_multigammaln.out")
class MultivariateLGamma(FloatFunction):
    """log Γ in p variables: Σ log Γ(x - k / 2) + p (p - 1) / 4 log π."""

    def preconditions(b, x, p):
        if p < 1:
            raise InferError("p has to be greater than or equal to 1")

    def scalar(b, x, p):
        total = lgamma(b, x)
        for k in range(1, p):
            total = total + lgamma(b, x - 0.5 * k)
        return total + p * (p - 1) / 4 * math.log(math.pi)

    cases = [case(f32(3, 4, low=2, high=9), 3), case(f32("?", 4, low=3, high=9), 5), case(i64(5, low=1), 1)]


@op("aten::special_zeta(Tensor self, Tensor other) -> Tensor", out="aten::special_zeta.out")
@op(
    "aten::special_zeta.self_scalar(Scalar self, Tensor other) -> Tensor",
    out="aten::special_zeta.self_scalar_out",
    cases=[case(2, f32(3, 4, low=0.5, high=9)), case(3.5, f32("?", 4, low=0.5, high=9))],
)
@op(
    "aten::special_zeta.other_scalar(Tensor self, Scalar other) -> Tensor",
    out="aten::special_zeta.other_scalar_out",
    cases=[case(f32(3, 4, low=1.5, high=9), 2), case(f32("?", 4, low=1.5, high=9), 0.5)],
)
class Zeta(FloatFunction):
    """Hurwitz's zeta function."""

    def scalar(b, s, q):
        s, q = (b.const(v, DType.f64) if isinstance(v, float) else b.cast(v, DType.f64) for v in (s, q))
        return zeta(b, s, q)

    cases = [
        case(f32(3, 4, low=1.5, high=9), f32(4, low=0.2, high=9)),
        case(f64("?", 30, low=1.01, high=30), f64(30, low=0.1, high=30)),
        case(f32(3, 4, special=True), f32(3, 4, special=True)),
        case(i64(30, low=-2, high=9), i64(30, low=-5, high=9)),
    ]


def gamma_weight(b, a, x):
    """x^a exp(-x) / Γ(a + 1) for positive f64: from 10 on by Stirling's form, in which nothing cancels."""
    ratio = (x - a) / a
    gap = ratio - b.math.log1p(ratio)
    inverse = 1.0 / a
    rest = tables.STIRLING.at(b, inverse * inverse) * inverse
    large = b.math.exp(-(a * gap) - rest) / b.math.sqrt(a * (2 * math.pi))
    small = b.math.exp(a * b.math.log(x) - x - lgamma_positive(b, a + 1.0))
    return b.select(a < 10.0, small, large)


def incomplete_gamma(b, a, x):
    """(P, Q) for positive finite f64: the power series below a + 1, Lentz's continued fraction above.

    Both as in DLMF 8.7.1 and 8.9.2; the other of the pair is what is left to 1.
    """
    below = x < a + 1.0
    weight = gamma_weight(b, a, x)
    one = b.const(1.0, a.dtype)
    series_x = b.select(below, x, b.const(0.0, x.dtype))

    def term(b, place, term, total):
        place = place + 1.0
        term = term * series_x / place
        total = total + term
        return (term > total * EPSILON) & (place < a + 20000.0), place, term, total

    total = b.loop(term, a, one, one)[2]
    fraction_x = b.select(below, a + 1e9, x)
    base = fraction_x + 1.0 - a

    def convergent(b, count, c, d, value):
        count = count + 1.0
        numerator = count * (a - count)
        denominator = base + count * 2.0
        c = denominator + numerator / c
        d = 1.0 / (denominator + numerator * d)
        change = c * d
        again = (b.math.abs(change - 1.0) > 2 * EPSILON) & (count < 20000.0)
        return again, count, c, d, value * change

    start = 1.0 / base
    value = b.loop(convergent, b.const(0.0, a.dtype), b.const(1e300, a.dtype), start, start)[3]
    p, q = weight * total, weight * a * value
    return b.select(below, p, 1.0 - q), b.select(below, 1.0 - p, q)


def with_limits(b, a, x, inside, at_zero, at_infinity):
    """The values where an argument is 0, infinite or negative: `at_zero` for x = 0, `at_infinity` for x = inf."""
    nan, zero, end = (b.const(v, a.dtype) for v in (math.nan, at_zero, at_infinity))
    result = b.select(x == 0.0, zero, b.select(x == math.inf, end, inside))
    result = b.select(a == math.inf, b.select(x == math.inf, nan, zero), result)
    result = b.select(a == 0.0, b.select(x > 0.0, end, nan), result)
    return b.select((a >= 0.0) & (x >= 0.0), result, nan)


class IncompleteGamma(FloatFunction):
    """A regularized incomplete gamma function, in f64."""

    dtype = promote_floats
    part, at_zero, at_infinity = 0, 0.0, 1.0

    @classmethod
    def scalar(cls, b, a, x):
        a, x = b.cast(a, DType.f64), b.cast(x, DType.f64)
        inside = (a > 0.0) & (a < math.inf) & (x > 0.0) & (x < math.inf)
        safe_a, safe_x = (b.select(inside, v, b.const(1.0, DType.f64)) for v in (a, x))
        value = incomplete_gamma(b, safe_a, safe_x)[cls.part]
        return with_limits(b, a, x, value, cls.at_zero, cls.at_infinity)

    cases = [
        case(f32(3, 4, low=0, high=9), f32(4, low=0, high=9)),
        case(f64("?", 40, low=0, high=300), f64(40, low=0, high=300), rtol=1e-8),
        case(f32(5, special=True), f32(5, low=0)),
        case(f32(5, low=0), f32(5, special=True)),
        case(f64(5, low=1e4, high=2e4), f64(5, low=1e4, high=2e4), rtol=1e-9),
    ]


@op("aten::igamma(Tensor self, Tensor other) -> Tensor", inplace="aten::igamma_", out="aten::igamma.out")
@op("aten::special_gammainc(Tensor self, Tensor other) -> Tensor", out="aten::special_gammainc.out")
class Igamma(IncompleteGamma):
    """P(a, x), the lower part."""


@op("aten::igammac(Tensor self, Tensor other) -> Tensor", inplace="aten::igammac_", out="aten::igammac.out")
@op("aten::special_gammaincc(Tensor self, Tensor other) -> Tensor", out="aten::special_gammaincc.out")
class Igammac(IncompleteGamma):
    """Q(a, x), the upper part."""

    part, at_zero, at_infinity = 1, 1.0, 0.0
