"""sin, cos, tan, atan, atan2, asin, acos and pow of f32 vectors.

Arguments are reduced by multiples of pi/2 in four steps; past the range where that is exact, the vector goes to the
C library lane by lane. pow takes its logarithm and its product in f64, because the exponential magnifies their error.
"""

from __future__ import annotations

from collections.abc import Callable

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith, vector

from .kernel import KernelBuilder
from .lanes import Lanes, by_lanes

_INF, _NAN, _PI = float("inf"), float("nan"), 3.141592653589793
_ROUND = 12582912.0
# pi/2 in pieces of 11, 11 and 24 bits and the rest, so that the first products are exact even without fused steps.
_HALF_PI = (1.5703125, 0.0004837512969970703, 7.549789415861596e-08, 5.390302858158119e-15)
_SIN = (-0.16666666639557623, 0.008333329143891751, -0.00019839256627534623, 2.717564402591745e-06)
_COS = (0.041666666619204, -0.001388888343840173, 2.4799436402247287e-05, -2.720330324749465e-07)
_ATAN = (0.999999986365804, -0.3333309394501497, 0.19993053843512432, -0.1420713150278318, 0.1065466878659561,
         -0.07533657424746495, 0.04303914485119463, -0.016282869285006264, 0.002903517521671847)  # fmt: skip
_LOG2_F64 = (2.8853900817778495, 0.9617966941149567, 0.5770779418851407, 0.41220930224035646, 0.319903593347564,
             0.2829310187628893)  # fmt: skip
_EXP2 = (0.6931471805415064, 0.24022651078140927, 0.05550410963150768, 0.00961803654103857, 0.0013333430276118274,
         0.00015467237805464457, 1.5315071506567745e-05)  # fmt: skip


def _reduced(v: Lanes, x: ir.Value) -> tuple[ir.Value, ir.Value, ir.Value]:
    """(quadrant bits, sin r, cos r) with x = quadrant * pi/2 + r."""
    shifted = v.fma(x, v.c(2.0 / _PI), v.c(_ROUND))
    n = v.sub(shifted, v.c(_ROUND))
    r = x
    for part in _HALF_PI:
        r = v.fma(n, v.c(-part), r)
    z = v.mul(r, r)
    sine = v.fma(v.mul(z, r), v.poly(z, _SIN), r)
    cosine = v.fma(v.mul(z, z), v.poly(z, _COS), v.fma(z, v.c(-0.5), v.c(1.0)))
    return v.bits(shifted), sine, cosine


def _circular(name: str, polynomial: Callable[[Lanes, ir.Value], ir.Value]) -> Callable[..., ir.Value]:
    """The polynomial where every lane is in range, else the C function for the whole vector."""

    def compute(kb: KernelBuilder, x: ir.Value) -> ir.Value:
        v = Lanes.of(kb, x)
        limit = 60000.0 if kb.target.has_fma else 3000.0
        far = v.cmp("ogt", v.abs(x), v.c(limit))
        if v.count > 1:
            far = vector.ReductionOp(kb.type("i1"), vector.CombiningKind.OR, far).result
        return kb.branch(far, lambda: [by_lanes(kb, name, [x])], lambda: [polynomial(v, x)], results=[x.type])[0]

    return compute


def _quadrant(v: Lanes, sine: ir.Value, cosine: ir.Value, quadrant: ir.Value) -> ir.Value:
    """sin(r + quadrant * pi/2)."""
    swap = v.int_equal(v.iand(quadrant, v.int(1)), v.int(1))
    sign = v.shl(v.iand(quadrant, v.int(2)), 30)
    return v.floats(v.xor(v.bits(v.select(swap, cosine, sine)), sign))


def _sin(v: Lanes, x: ir.Value) -> ir.Value:
    quadrant, sine, cosine = _reduced(v, x)
    y = _quadrant(v, sine, cosine, quadrant)
    return v.select(v.cmp("oeq", x, v.c(0.0)), x, y)


def _cos(v: Lanes, x: ir.Value) -> ir.Value:
    quadrant, sine, cosine = _reduced(v, x)
    return _quadrant(v, sine, cosine, v.iadd(quadrant, v.int(1)))


def _tan(v: Lanes, x: ir.Value) -> ir.Value:
    quadrant, sine, cosine = _reduced(v, x)
    odd = v.int_equal(v.iand(quadrant, v.int(1)), v.int(1))
    minus = v.floats(v.xor(v.bits(cosine), v.int(-(2**31))))
    y = v.div(v.select(odd, minus, sine), v.select(odd, sine, cosine))
    return v.select(v.cmp("oeq", x, v.c(0.0)), x, y)


def atan(kb: KernelBuilder, x: ir.Value) -> ir.Value:
    v = Lanes.of(kb, x)
    size = v.abs(x)
    big = v.cmp("ogt", size, v.c(1.0))
    t = v.select(big, v.div(v.c(-1.0), size), size)
    y = v.mul(t, v.poly(v.mul(t, t), _ATAN))
    y = v.select(big, v.add(y, v.c(_PI / 2)), y)
    return v.copysign(y, x)


def atan2(kb: KernelBuilder, y: ir.Value, x: ir.Value) -> ir.Value:
    """The angle of (x, y); the quotient is of the smaller by the larger, so it never overflows."""
    v = Lanes.of(kb, x)
    ax, ay = v.abs(x), v.abs(y)
    steep = v.cmp("ogt", ay, ax)
    low, high = v.select(steep, ax, ay), v.select(steep, ay, ax)
    t = v.div(low, high)
    t = v.select(v.cmp("oeq", high, v.c(0.0)), v.c(0.0), t)
    t = v.select(v.cmp("oeq", low, v.c(_INF)), v.c(1.0), t)
    angle = v.mul(t, v.poly(v.mul(t, t), _ATAN))
    angle = v.select(steep, v.sub(v.c(_PI / 2), angle), angle)
    left = v.cmp("olt", v.copysign(v.c(1.0), x), v.c(0.0))
    angle = v.copysign(v.select(left, v.sub(v.c(_PI), angle), angle), y)
    return v.select(v.cmp("uno", x, y), v.c(_NAN), angle)


def pow(kb: KernelBuilder, x: ir.Value, y: ir.Value) -> ir.Value:
    v = Lanes.of(kb, x)
    w = Lanes(kb, v.count, "f64")
    size = v.abs(x)
    wide = arith.ExtFOp(kb.type("f64", v.count), size).result
    exponent_of = arith.ExtFOp(kb.type("f64", v.count), y).result
    product = w.mul(_log2_f64(w, wide), exponent_of)
    result = _exp2_of_f64(kb, v, w, product)
    result = _pow_sizes(v, size, y, result)
    return _pow_signs(kb, v, x, y, result)


def _log2_f64(w: Lanes, x: ir.Value) -> ir.Value:
    """log2 of a positive finite f64, to about 1e-13."""
    bits = w.bits(x)
    exponent = w.sar(w.isub(bits, w.int(0x3FE6A09E667F3BCD)), 52)
    m = w.floats(w.isub(bits, w.shl(exponent, 52)))
    s = w.div(w.sub(m, w.c(1.0)), w.add(m, w.c(1.0)))
    return w.fma(s, w.poly(w.mul(s, s), _LOG2_F64), w.to_float(exponent))


def _exp2_of_f64(kb: KernelBuilder, v: Lanes, w: Lanes, t: ir.Value) -> ir.Value:
    clipped = w.max(w.min(t, w.c(200.0)), w.c(-200.0))
    shifted = w.add(clipped, w.c(1.5 * 2.0**52))
    narrow = arith.TruncFOp(kb.type("f32", v.count), w.sub(clipped, w.sub(shifted, w.c(1.5 * 2.0**52)))).result
    fraction = v.fma(narrow, v.poly(narrow, _EXP2), v.c(1.0))
    n = arith.TruncIOp(kb.type("i32", v.count), w.bits(shifted)).result
    first = v.sar(n, 1)
    second = v.isub(n, first)
    for part in (first, second):
        fraction = v.mul(fraction, v.floats(v.shl(v.iadd(part, v.int(127)), 23)))
    return fraction


def _pow_sizes(v: Lanes, size: ir.Value, y: ir.Value, result: ir.Value) -> ir.Value:
    """|x| of 0 and infinity, infinite y, and the two ways to get 1."""
    up = v.cmp("ogt", y, v.c(0.0))
    result = v.select(v.cmp("oeq", size, v.c(0.0)), v.select(up, v.c(0.0), v.c(_INF)), result)
    result = v.select(v.cmp("oeq", size, v.c(_INF)), v.select(up, v.c(_INF), v.c(0.0)), result)
    grows = v.xor(v.cmp("ogt", size, v.c(1.0)), v.cmp("olt", y, v.c(0.0)))
    endless = v.cmp("oeq", v.abs(y), v.c(_INF))
    result = v.select(endless, v.select(grows, v.c(_INF), v.c(0.0)), result)
    return v.select(v.cmp("oeq", size, v.c(1.0)), v.c(1.0), result)


def _pow_signs(kb: KernelBuilder, v: Lanes, x: ir.Value, y: ir.Value, result: ir.Value) -> ir.Value:
    half = v.mul(y, v.c(0.5))
    whole = v.cmp("oeq", _trunc(v, y), y)
    odd = v.iand(whole, v.cmp("one", _trunc(v, half), half))
    negative = v.cmp("olt", v.copysign(v.c(1.0), x), v.c(0.0))
    minus = v.floats(v.xor(v.bits(result), v.int(-(2**31))))
    result = v.select(v.iand(negative, odd), minus, result)
    # A negative finite base with a fractional exponent has no real power.
    fractional = v.iand(v.cmp("olt", x, v.c(0.0)), v.cmp("one", _trunc(v, y), y))
    fractional = v.iand(fractional, v.cmp("one", x, v.c(-_INF)))
    result = v.select(fractional, v.c(_NAN), result)
    result = v.select(v.cmp("uno", x, y), v.c(_NAN), result)
    result = v.select(v.cmp("oeq", x, v.c(1.0)), v.c(1.0), result)
    return v.select(v.cmp("oeq", y, v.c(0.0)), v.c(1.0), result)


def _trunc(v: Lanes, x: ir.Value) -> ir.Value:
    from npcomp_dialects.mlir.dialects import math

    return math.TruncOp(x).result


OPS: dict[str, tuple[Callable[..., ir.Value] | None, str]] = {
    "math.sin": (_circular("sinf", _sin), "sin"),
    "math.cos": (_circular("cosf", _cos), "cos"),
    "math.tan": (_circular("tanf", _tan), "tan"),
    "math.atan": (atan, "atan"),
    "math.atan2": (atan2, "atan2"),
    "math.asin": (None, "asin"),
    "math.acos": (None, "acos"),
    "math.powf": (pow, "pow"),
}
