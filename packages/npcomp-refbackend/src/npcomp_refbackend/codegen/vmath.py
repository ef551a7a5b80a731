"""Elementary functions on vectors of f32, as polynomials; f64 and rare functions call the C library lane by lane.

Every polynomial was fitted for this file (minimax in the relative error that the result sees). Errors are about two
units in the last place over the whole range; NaN, infinities and signed zeros come out as in C, except that results
below the smallest normal number may be flushed to zero. `OPS` maps MLIR op names to functions `fn(kb, *operands)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith, vector

from .kernel import KernelBuilder
from .lanes import Lanes, by_lanes
from .trig import OPS as TRIG_OPS

_INF, _NAN = float("inf"), float("nan")
_LOG2E, _LN2 = 1.4426950408889634, 0.6931471805599453
_LN2_HI, _LN2_LO = 0.693145751953125, 1.428606820309417e-06
_ROUND = 12582912.0  # 1.5 * 2^23: adding it rounds to an integer and leaves that integer in the low bits

_EXP = (0.5000000078434028, 0.16666666856880794, 0.041666268263859135, 0.008333265163955538, 0.0013946189716990305,
        0.00019917972545845157)  # fmt: skip
_LOG = (0.33333310439857666, -0.24999986599828145, 0.20002226614004479, -0.16669250816155248, 0.14218658090176614,
        -0.12384348470113886, 0.11872976293730692, -0.11789807695871948, 0.06915368068154543)  # fmt: skip
_TANH_P = (0.9999999986940341, 0.13679918925200193, 0.003868332391237536, 2.8007541686512307e-05,
           3.0585179964105745e-08, -1.220354661884567e-11)  # fmt: skip
_TANH_Q = (1.0, 0.4701325098793698, 0.027245856287660193, 0.00039386389110546177, 1.2873718226703533e-06)
_ERF_P = (1.1283791691602973, 0.18514229048716604, 0.05424940347202344, 0.003839481932559079, 0.00037696102322692303,
          4.614571855855347e-06, -1.2828579709602586e-08)  # fmt: skip
_ERF_Q = (1.0, 0.497411489613135, 0.11388062927990383, 0.015432485126148449, 0.0013019689793495367,
          6.244930064626682e-05)  # fmt: skip


def _scale(v: Lanes, n_bits: ir.Value) -> ir.Value:
    """2^(low bits of n_bits) of a number rounded by `_ROUND`, as a float."""
    shifted = v.shl(n_bits, 23)
    return v.floats(v.iadd(shifted, v.int(127 << 23)))


def _reduce_exp(v: Lanes, x: ir.Value) -> tuple[ir.Value, ir.Value]:
    """(bits whose low end is n, r) with x = n ln2 + r."""
    shifted = v.fma(x, v.c(_LOG2E), v.c(_ROUND))
    n = v.sub(shifted, v.c(_ROUND))
    r = v.fma(n, v.c(-_LN2_HI), x)
    return v.bits(shifted), v.fma(n, v.c(-_LN2_LO), r)


def exp(kb: KernelBuilder, x: ir.Value) -> ir.Value:
    v = Lanes.of(kb, x)
    n_bits, r = _reduce_exp(v, x)
    p = v.fma(v.mul(r, r), v.poly(r, _EXP), r)
    p = v.add(p, v.c(1.0))
    y = v.floats(v.iadd(v.bits(p), v.shl(n_bits, 23)))
    y = v.select(v.cmp("ugt", x, v.c(88.72283172607422)), v.mul(x, v.c(_INF)), y)
    return v.select(v.cmp("olt", x, v.c(-87.33)), v.c(0.0), y)


def exp2(kb: KernelBuilder, x: ir.Value) -> ir.Value:
    v = Lanes.of(kb, x)
    shifted = v.add(x, v.c(_ROUND))
    r = v.mul(v.sub(x, v.sub(shifted, v.c(_ROUND))), v.c(_LN2))
    p = v.add(v.fma(v.mul(r, r), v.poly(r, _EXP), r), v.c(1.0))
    y = v.floats(v.iadd(v.bits(p), v.shl(v.bits(shifted), 23)))
    y = v.select(v.cmp("uge", x, v.c(128.0)), v.mul(x, v.c(_INF)), y)
    return v.select(v.cmp("olt", x, v.c(-125.99)), v.c(0.0), y)


def expm1(kb: KernelBuilder, x: ir.Value) -> ir.Value:
    """2^n (e^r - 1) + (2^n - 1), halved and doubled so that n = 128 stays in range."""
    v = Lanes.of(kb, x)
    low = v.max(x, v.c(-20.0))
    n_bits, r = _reduce_exp(v, low)
    p = v.fma(v.mul(r, r), v.poly(r, _EXP), r)
    half = _scale(v, v.isub(n_bits, v.int(1)))
    y = v.fma(half, p, v.sub(half, v.c(0.5)))
    y = v.add(y, y)
    y = v.select(v.cmp("ugt", x, v.c(88.72283172607422)), v.mul(x, v.c(_INF)), y)
    return v.copysign(y, x)


def _log_parts(v: Lanes, x: ir.Value) -> tuple[ir.Value, ir.Value, ir.Value]:
    """(e, f, tail): x = 2^e (1 + f) and log(1 + f) = f + tail, for finite positive x, subnormals too."""
    tiny = v.cmp("olt", x, v.c(1.1754943508222875e-38))
    scaled = v.select(tiny, v.mul(x, v.c(2.0**23)), x)
    bits = v.bits(scaled)
    shift = v.isub(bits, v.int(0x3F3504F3))
    exponent = v.sar(shift, 23)
    f = v.sub(v.floats(v.isub(bits, v.shl(exponent, 23))), v.c(1.0))
    e = v.to_float(exponent)
    e = v.select(tiny, v.sub(e, v.c(23.0)), e)
    square = v.mul(f, f)
    tail = v.mul(v.mul(square, f), v.poly(f, _LOG))
    return e, f, v.fma(square, v.c(-0.5), tail)


def _log_special(v: Lanes, x: ir.Value, y: ir.Value) -> ir.Value:
    y = v.select(v.cmp("olt", x, v.c(_INF)), y, x)
    bad = v.select(v.cmp("oeq", x, v.c(0.0)), v.c(-_INF), v.c(_NAN))
    return v.select(v.cmp("ole", x, v.c(0.0)), bad, y)


def log(kb: KernelBuilder, x: ir.Value) -> ir.Value:
    v = Lanes.of(kb, x)
    e, f, tail = _log_parts(v, x)
    y = v.add(f, v.fma(e, v.c(_LN2_LO), tail))
    return _log_special(v, x, v.fma(e, v.c(_LN2_HI), y))


def log2(kb: KernelBuilder, x: ir.Value) -> ir.Value:
    v = Lanes.of(kb, x)
    e, f, tail = _log_parts(v, x)
    fraction = v.fma(f, v.c(_LOG2E), v.mul(tail, v.c(_LOG2E)))
    return _log_special(v, x, v.add(e, fraction))


def log10(kb: KernelBuilder, x: ir.Value) -> ir.Value:
    v = Lanes.of(kb, x)
    e, f, tail = _log_parts(v, x)
    inverse = v.c(0.4342944819032518)
    fraction = v.fma(f, inverse, v.fma(tail, inverse, v.mul(e, v.c(4.605038981195214e-06))))
    return _log_special(v, x, v.fma(e, v.c(0.301025390625), fraction))


def log1p(kb: KernelBuilder, x: ir.Value) -> ir.Value:
    """log of the rounded 1 + x, plus what rounding lost over it."""
    v = Lanes.of(kb, x)
    u = v.add(x, v.c(1.0))
    lost = v.sub(x, v.sub(u, v.c(1.0)))
    e, f, tail = _log_parts(v, u)
    y = v.add(f, v.fma(e, v.c(_LN2_LO), v.add(tail, v.div(lost, u))))
    y = v.fma(e, v.c(_LN2_HI), y)
    y = v.select(v.cmp("oeq", u, v.c(1.0)), x, y)
    return _log_special(v, u, y)


def tanh(kb: KernelBuilder, x: ir.Value) -> ir.Value:
    v = Lanes.of(kb, x)
    clipped = v.max(v.min(x, v.c(9.02)), v.c(-9.02))
    z = v.mul(clipped, clipped)
    y = v.div(v.mul(clipped, v.poly(z, _TANH_P)), v.poly(z, _TANH_Q))
    return v.max(v.min(y, v.c(1.0)), v.c(-1.0))


def erf(kb: KernelBuilder, x: ir.Value) -> ir.Value:
    v = Lanes.of(kb, x)
    clipped = v.max(v.min(x, v.c(3.925)), v.c(-3.925))
    z = v.mul(clipped, clipped)
    y = v.div(v.mul(clipped, v.poly(z, _ERF_P)), v.poly(z, _ERF_Q))
    return v.max(v.min(y, v.c(1.0)), v.c(-1.0))


def sinh(kb: KernelBuilder, x: ir.Value) -> ir.Value:
    """(m + m / (m + 1)) / 2 with m = e^|x| - 1; above 88 from e^(|x| / 2) squared, which overflows later."""
    v = Lanes.of(kb, x)
    size = v.abs(x)
    m = expm1(kb, size)
    y = v.mul(v.add(m, v.div(m, v.add(m, v.c(1.0)))), v.c(0.5))
    return v.copysign(v.select(v.cmp("ogt", size, v.c(88.0)), _half_exp(kb, v, size), y), x)


def cosh(kb: KernelBuilder, x: ir.Value) -> ir.Value:
    v = Lanes.of(kb, x)
    size = v.abs(x)
    e = exp(kb, size)
    y = v.fma(e, v.c(0.5), v.div(v.c(0.5), e))
    return v.select(v.cmp("ogt", size, v.c(88.0)), _half_exp(kb, v, size), y)


def _half_exp(kb: KernelBuilder, v: Lanes, x: ir.Value) -> ir.Value:
    """e^x / 2 where e^x itself would overflow."""
    root = exp(kb, v.mul(x, v.c(0.5)))
    return v.mul(v.mul(root, v.c(0.5)), root)


def rsqrt(kb: KernelBuilder, x: ir.Value) -> ir.Value:
    from npcomp_dialects.mlir.dialects import math

    one = kb.const(1.0, kb.dtype(x), kb.lanes(x))
    return arith.DivFOp(one, math.SqrtOp(x).result).result


def isnan(kb: KernelBuilder, x: ir.Value) -> ir.Value:
    return arith.CmpFOp(arith.CmpFPredicate.UNO, x, x).result


def _size_compare(predicate: str) -> Callable[..., ir.Value]:
    def test(kb: KernelBuilder, x: ir.Value) -> ir.Value:
        v = Lanes.of(kb, x)
        return v.cmp(predicate, v.abs(x), v.c(_INF))

    return test


def any_lane(kb: KernelBuilder, mask: ir.Value) -> ir.Value:
    """Whether any lane of an i1 vector is set."""
    if kb.lanes(mask) == 1:
        return mask
    return vector.ReductionOp(kb.type("i1"), vector.CombiningKind.OR, mask).result


def _either(polynomial: Callable[..., ir.Value] | None, function: str) -> Callable[..., ir.Value]:
    """The polynomial for f32, the C function of that name for f64 (and for f32 with no polynomial)."""

    def compute(kb: KernelBuilder, *operands: ir.Value) -> ir.Value:
        wide = kb.dtype(operands[0]) == "f64"
        if polynomial is not None and not wide:
            return polynomial(kb, *operands)
        return by_lanes(kb, function if wide else function + "f", operands)

    return compute


def _names(rows: Sequence[tuple[str, Callable[..., ir.Value] | None, str]]) -> dict[str, Callable[..., ir.Value]]:
    return {f"math.{op}": _either(polynomial, function) for op, polynomial, function in rows}


OPS: dict[str, Callable[..., ir.Value]] = {
    **_names([
        ("exp", exp, "exp"), ("exp2", exp2, "exp2"), ("expm1", expm1, "expm1"),
        ("log", log, "log"), ("log2", log2, "log2"), ("log10", log10, "log10"), ("log1p", log1p, "log1p"),
        ("tanh", tanh, "tanh"), ("sinh", sinh, "sinh"), ("cosh", cosh, "cosh"),
        ("erf", erf, "erf"), ("erfc", None, "erfc"), ("cbrt", None, "cbrt"),
        ("asinh", None, "asinh"), ("acosh", None, "acosh"), ("atanh", None, "atanh"),
    ]),
    **{name: _either(polynomial, function) for name, (polynomial, function) in TRIG_OPS.items()},
    "math.rsqrt": rsqrt,
    "math.isnan": isnan,
    "math.isinf": _size_compare("oeq"),
    "math.isfinite": _size_compare("olt"),
}  # fmt: skip
