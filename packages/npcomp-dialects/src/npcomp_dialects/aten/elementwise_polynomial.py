"""Orthogonal polynomials of a run-time degree, by their recurrences; Chebyshev's between -1 and 1 by their angle."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from .block import Block
from .cases import case, f32, f64, i64
from .dtypes import DType
from .elementwise_float import FloatFunction
from .registry import op

B = TypeVar("B", bound=type[Block])

ANGLE_DEGREE = 6
"""Chebyshev polynomials of a higher degree take their trigonometric form, whatever the degree."""


def polynomial(name: str) -> Callable[[B], B]:
    """One body for a polynomial's overloads: point and degree may each be a number."""
    base, point, degree = f"aten::special_{name}", f32(3, 4), i64(4, low=-1, high=12)

    def register(block: B) -> B:
        block = op(
            f"{base}.n_scalar(Tensor x, Scalar n) -> Tensor",
            out=f"{base}.n_scalar_out",
            cases=[case(point, 3), case(f32("?", 4), 9, rtol=2e-5)],
        )(block)
        block = op(
            f"{base}.x_scalar(Scalar x, Tensor n) -> Tensor",
            out=f"{base}.x_scalar_out",
            cases=[case(0.5, f32(4, low=0, high=9)), case(1.5, degree), case(1.5, i64("?", low=0))],
        )(block)
        return op(f"{base}(Tensor x, Tensor n) -> Tensor", out=f"{base}.out")(block)

    return register


class Polynomial(FloatFunction):
    """`first(x)` is the polynomial of degree 1, `following(k, x, p, q)` the one of degree k + 1 after p and q."""

    promoting = ("x", "n")
    first = None
    following = None

    @classmethod
    def scalar(cls, b, x, n):
        dtype = x.dtype if isinstance(n, float) else n.dtype
        x, n = (b.const(v, dtype) if isinstance(v, float) else v for v in (x, n))
        n = b.math.trunc(n)
        real_degree = (n >= 0.0) & (n < 2.0**63)
        zero = b.const(0.0, dtype)
        return b.select(real_degree, cls.value(b, x, b.select(real_degree, n, zero)), zero)

    @classmethod
    def value(cls, b, x, n):
        return cls.recurrence(b, x, n)

    @classmethod
    def recurrence(cls, b, x, n):
        one = b.const(1.0, x.dtype)

        def step(b, k, p, q):
            value = cls.following(b, k, x, p, q)
            more = (k < n) & ~b.isnan(q)
            p, q = b.select(more, q, p), b.select(more, value, q)
            return more & (k + 1.0 < n), k + 1.0, p, q

        result = b.loop(step, one, one, cls.first(b, x))[2]
        return b.select(n == 0.0, one, result)

    cases = [
        case(f32(3, 4), i64(4, low=-1, high=12), rtol=2e-5),
        case(f64("?", 30, low=-3, high=3), i64(30, low=0, high=15), rtol=1e-9),
        case(f32(5, low=-1, high=1), f32(3, 1, low=-3, high=4, special=True)),
        case(i64(9), i64(9, low=0), rtol=1e-5),
    ]


class Chebyshev(Polynomial):
    """A Chebyshev polynomial: `shape` says what is at the ends and what its angle's form is."""

    shifted = False

    @classmethod
    def value(cls, b, x, n):
        if cls.shifted:
            x = x + x - 1.0
        sign = b.select(b.math.floor(n * 0.5) * 2.0 == n, b.const(1.0, x.dtype), b.const(-1.0, x.dtype))
        by_angle = (n > float(ANGLE_DEGREE)) & (b.math.abs(x) < 1.0)
        far = cls.recurrence(b, x, b.select(by_angle, b.const(1.0, x.dtype), n))
        angle = b.math.atan2(b.math.sqrt((1.0 - (wide := b.cast(x, DType.f64))) * (wide + 1.0)), wide)
        inside = b.cast(cls.wave(b, angle, b.cast(n, DType.f64)), x.dtype)
        result = b.select(by_angle, inside, far)
        one = b.const(1.0, x.dtype)
        result = b.select(x == 1.0, cls.right(n, one), result)
        return b.select(x == -1.0, sign * cls.left(n, one), result)

    def following(b, k, x, p, q):
        return (x + x) * q - p

    def right(n, one):
        return one

    def left(n, one):
        return one


class ChebyshevT(Chebyshev):
    """Chebyshev polynomials of the first kind: cos(n θ)."""

    def first(b, x):
        return x

    def wave(b, angle, n):
        return b.math.cos(angle * n)


class ChebyshevU(Chebyshev):
    """Chebyshev polynomials of the second kind: sin((n + 1) θ) / sin(θ)."""

    def first(b, x):
        return x + x

    def right(n, one):
        return n + 1.0

    left = right

    def wave(b, angle, n):
        return b.math.sin(angle * (n + 1.0)) / b.math.sin(angle)


class ChebyshevV(Chebyshev):
    """Chebyshev polynomials of the third kind: cos((n + ½) θ) / cos(θ / 2)."""

    def first(b, x):
        return x + x - 1.0

    def left(n, one):
        return n + n + 1.0

    def wave(b, angle, n):
        return b.math.cos(angle * (n + 0.5)) / b.math.cos(angle * 0.5)


class ChebyshevW(Chebyshev):
    """Chebyshev polynomials of the fourth kind: sin((n + ½) θ) / sin(θ / 2)."""

    def first(b, x):
        return x + x + 1.0

    def right(n, one):
        return n + n + 1.0

    def wave(b, angle, n):
        return b.math.sin(angle * (n + 0.5)) / b.math.sin(angle * 0.5)


def shifted(kind):
    """The same on [0, 1]."""
    return type(f"Shifted{kind.__name__}", (kind,), {"__doc__": f"{kind.__doc__} Shifted to [0, 1].", "shifted": True})


for letter, kind in {"t": ChebyshevT, "u": ChebyshevU, "v": ChebyshevV, "w": ChebyshevW}.items():
    polynomial(f"chebyshev_polynomial_{letter}")(kind)
    polynomial(f"shifted_chebyshev_polynomial_{letter}")(shifted(kind))


class Hermite(Polynomial):
    """A Hermite polynomial; nan beyond the degree that its dtype can hold, as in torch."""

    @classmethod
    def value(cls, b, x, n):
        limit = 128.0 if x.dtype is DType.f32 else 512.0
        return b.select(n > limit, b.const(math.nan, x.dtype), cls.recurrence(b, x, b.minimum(n, limit)))


@polynomial("hermite_polynomial_h")
class HermiteH(Hermite):
    """Hermite polynomials as physicists write them."""

    def first(b, x):
        return x + x

    def following(b, k, x, p, q):
        return (x + x) * q - (k + k) * p


@polynomial("hermite_polynomial_he")
class HermiteHe(Hermite):
    """Hermite polynomials as probabilists write them."""

    def first(b, x):
        return x

    def following(b, k, x, p, q):
        return x * q - k * p


@polynomial("laguerre_polynomial_l")
class Laguerre(Polynomial):
    """Laguerre polynomials."""

    def first(b, x):
        return 1.0 - x

    def following(b, k, x, p, q):
        return ((k + k + (1.0 - x)) * q - k * p) / (k + 1.0)


@polynomial("legendre_polynomial_p")
class Legendre(Polynomial):
    """Legendre polynomials."""

    def first(b, x):
        return x

    def following(b, k, x, p, q):
        return ((k + k + 1.0) * x * q - k * p) / (k + 1.0)
