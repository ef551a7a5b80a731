"""Computes the Chebyshev series of special functions and writes them as a Python module.

    python ci/series.py packages/npcomp-dialects/src/npcomp_dialects/aten/series_tables.py

Each series is computed with 50 digits (mpmath) by interpolation at Chebyshev nodes and cut where its terms fall below
a hundredth of a unit in the last place of f64. The functions of `SERIES` are smooth on their whole interval, which is
given in the variable of the series.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath as mp

mp.mp.dps = 50
NODES, CUT = 80, mp.mpf("2e-18")


def coefficients(fn: Callable[[Any], Any], low: Any, high: Any) -> list[float]:
    """c0 / 2 + c1 T1(t) + c2 T2(t) + …, with t running from -1 to 1 over the interval; c0 comes halved."""
    angles = [mp.pi * (k + mp.mpf(1) / 2) / NODES for k in range(NODES)]
    values = [fn((high - low) / 2 * mp.cos(a) + (high + low) / 2) for a in angles]
    series = [2 * mp.fsum(v * mp.cos(j * a) for v, a in zip(values, angles, strict=True)) / NODES for j in range(NODES)]
    series[0] /= 2
    scale = max(abs(v) for v in values)
    last = max(j for j, c in enumerate(series) if abs(c) > CUT * scale)
    return [float(c) for c in series[: last + 1]]


def erfcx(u: Any) -> Any:
    x = 4 * (1 + u) / (1 - u)
    return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)


def erfinv(w: Any) -> Any:
    """erfinv(x) / x where 1 - x² = exp(-w)."""
    if w == 0:
        return mp.sqrt(mp.pi) / 2
    x = mp.sqrt(-mp.expm1(-w))
    if w < 3:
        return mp.erfinv(x) / x
    rest = mp.exp(-w) / (1 + x)
    start = mp.sqrt(w - mp.log(mp.sqrt(mp.pi * w) / 2) if w > 6 else w)
    return mp.findroot(lambda y: mp.log(mp.erfc(y)) - mp.log(rest), start) / x


def lgamma(x: Any) -> Any:
    return mp.loggamma(x) / ((x - 1) * (x - 2))


def stirling(t: Any) -> Any:
    x = 1 / mp.sqrt(t)
    return x * (mp.loggamma(x) - (x - mp.mpf(1) / 2) * mp.log(x) + x - mp.log(2 * mp.pi) / 2)


def digamma(t: Any) -> Any:
    x = 1 / mp.sqrt(t)
    return x * x * (mp.log(x) - 1 / (2 * x) - mp.digamma(x))


def trigamma(t: Any) -> Any:
    x = 1 / mp.sqrt(t)
    return x**3 * (mp.polygamma(1, x) - 1 / x - 1 / (2 * x * x))


def modulus(order: int, part: str) -> Callable[[Any], Any]:
    """P or x Q of Hankel's form: J = sqrt(2 / πx) (P cos χ - Q sin χ), Y = sqrt(2 / πx) (P sin χ + Q cos χ)."""

    def fn(u: Any) -> Any:
        x = 8 / mp.sqrt(u)
        chi = x - mp.pi / 4 - order * mp.pi / 2
        j, y, s = mp.besselj(order, x), mp.bessely(order, x), mp.sqrt(mp.pi * x / 2)
        if part == "P":
            return s * (j * mp.cos(chi) + y * mp.sin(chi))
        return x * s * (y * mp.cos(chi) - j * mp.sin(chi))

    return fn


def airy_wave(part: str) -> Callable[[Any], Any]:
    """F or ζ G: Ai(-z) = (F sin θ - G cos θ) / (sqrt(π) z^¼), θ = ζ + π/4, ζ = ⅔ z^(3/2)."""

    def fn(u: Any) -> Any:
        zeta = 1 / mp.sqrt(u)
        z = (zeta * 3 / 2) ** (mp.mpf(2) / 3)
        theta = zeta + mp.pi / 4
        a, b, s = mp.airyai(-z), mp.airybi(-z), mp.sqrt(mp.pi) * mp.root(z, 4)
        if part == "F":
            return s * (a * mp.sin(theta) + b * mp.cos(theta))
        return zeta * s * (b * mp.sin(theta) - a * mp.cos(theta))

    return fn


def airy_tail(u: Any) -> Any:
    zeta = 1 / u
    z = (zeta * 3 / 2) ** (mp.mpf(2) / 3)
    return 2 * mp.sqrt(mp.pi) * mp.root(z, 4) * mp.exp(zeta) * mp.airyai(z)


def scaled(bessel: Callable[..., Any], order: int, sign: int) -> Callable[[Any], Any]:
    def fn(u: Any) -> Any:
        x = (8 if sign < 0 else 2) / u
        return mp.sqrt(x) * mp.exp(sign * x) * bessel(order, x)

    return fn


def k1_core(u: Any) -> Any:
    x = mp.sqrt(u)
    return x * (mp.besselk(1, x) - mp.log(x / 2) * mp.besseli(1, x))


def y1_core(u: Any) -> Any:
    x = mp.sqrt(u)
    return x * (mp.bessely(1, x) - 2 / mp.pi * mp.log(x) * mp.besselj(1, x))


# name: (what it is, function of the variable, low, high)
SERIES: dict[str, tuple[str, Callable[[Any], Any], Any, Any]] = {
    "ERFCX": ("(1 + 2x) exp(x²) erfc(x) in (x - 4) / (x + 4)", erfcx, -1, 1),
    "ERFINV_CENTER": ("erfinv(x) / x in w = -log(1 - x²)", erfinv, 0, mp.mpf("6.25")),
    "ERFINV_TAIL": ("erfinv(x) / x in sqrt(w)", lambda s: erfinv(s * s), mp.mpf("2.5"), mp.mpf("6.25")),
    "ERFINV_FAR": ("erfinv(x) / x in sqrt(w)", lambda s: erfinv(s * s), mp.mpf("6.25"), 28),
    "LGAMMA": ("log Γ(x) / ((x - 1) (x - 2)) in x", lgamma, 1, 3),
    "STIRLING": ("x (log Γ(x) - (x - ½) log x + x - ½ log 2π) in 1 / x²", stirling, 0, mp.mpf(1) / 9),
    "DIGAMMA": ("x² (log x - 1 / 2x - ψ(x)) in 1 / x²", digamma, 0, mp.mpf(1) / 9),
    "TRIGAMMA": ("x³ (ψ'(x) - 1 / x - 1 / 2x²) in 1 / x²", trigamma, 0, mp.mpf(1) / 9),
    "I0": ("exp(-x) I0(x) in x", lambda x: mp.exp(-x) * mp.besseli(0, x), 0, 8),
    "I0_TAIL": ("sqrt(x) exp(-x) I0(x) in 8 / x", scaled(mp.besseli, 0, -1), 0, 1),
    "I1": ("exp(-x) I1(x) / x in x", lambda x: mp.exp(-x) * mp.besseli(1, x) / x, 0, 8),
    "I1_TAIL": ("sqrt(x) exp(-x) I1(x) in 8 / x", scaled(mp.besseli, 1, -1), 0, 1),
    "K0": (
        "K0(x) + log(x / 2) I0(x) in x²",
        lambda u: mp.besselk(0, mp.sqrt(u)) + mp.log(mp.sqrt(u) / 2) * mp.besseli(0, mp.sqrt(u)),
        0,
        4,
    ),
    "K0_TAIL": ("sqrt(x) exp(x) K0(x) in 2 / x", scaled(mp.besselk, 0, 1), 0, 1),
    "K1": ("x (K1(x) - log(x / 2) I1(x)) in x²", k1_core, 0, 4),
    "K1_TAIL": ("sqrt(x) exp(x) K1(x) in 2 / x", scaled(mp.besselk, 1, 1), 0, 1),
    "J0": ("J0(x) in x²", lambda u: mp.besselj(0, mp.sqrt(u)), 0, 64),
    "Y0": (
        "Y0(x) - 2 / π log(x) J0(x) in x²",
        lambda u: mp.bessely(0, mp.sqrt(u)) - 2 / mp.pi * mp.log(mp.sqrt(u)) * mp.besselj(0, mp.sqrt(u)),
        0,
        64,
    ),
    "P0": ("P of order 0 in 64 / x²", modulus(0, "P"), 0, 1),
    "Q0": ("x Q of order 0 in 64 / x²", modulus(0, "Q"), 0, 1),
    "J1": ("J1(x) / x in x²", lambda u: mp.besselj(1, mp.sqrt(u)) / mp.sqrt(u), 0, 64),
    "Y1": ("x (Y1(x) - 2 / π log(x) J1(x)) in x²", y1_core, 0, 64),
    "P1": ("P of order 1 in 64 / x²", modulus(1, "P"), 0, 1),
    "Q1": ("x Q of order 1 in 64 / x²", modulus(1, "Q"), 0, 1),
    "AIRY": ("Ai(x) in x", mp.airyai, -3, 2),
    "AIRY_TAIL": ("2 sqrt(π) x^¼ exp(ζ) Ai(x) in 1 / ζ", airy_tail, 0, mp.mpf("0.5304")),
    "AIRY_F": ("F of Ai(-z) in 1 / ζ²", airy_wave("F"), 0, mp.mpf("0.0834")),
    "AIRY_G": ("ζ G of Ai(-z) in 1 / ζ²", airy_wave("G"), 0, mp.mpf("0.0834")),
}


def block(name: str) -> str:
    what, fn, low, high = SERIES[name]
    numbers = [repr(c) for c in coefficients(fn, mp.mpf(low), mp.mpf(high))]
    rows = [f"        {', '.join(numbers[i : i + 4])}," for i in range(0, len(numbers), 4)]
    lines = [f"{name} = Series(", f"    {float(low)!r},", f"    {float(high)!r},", "    (", *rows, "    ),", ")"]
    return "\n".join([*lines, f'"""{what}."""', ""])


def main() -> None:
    head = '"""Chebyshev series of special functions, computed by ci/series.py with 50 digits."""\n'
    imports = "from __future__ import annotations\n\nfrom .series import Series\n"
    Path(sys.argv[1]).write_text("\n".join([head, "# fmt: off", imports, *map(block, SERIES)]))


if __name__ == "__main__":
    main()
