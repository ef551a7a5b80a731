"""Integer ops that need more than one instruction: division that never traps, floor division, integer powers."""

from __future__ import annotations

from collections.abc import Callable

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith

from .kernel import KernelBuilder


def _const(kb: KernelBuilder, number: int, like: ir.Value) -> ir.Value:
    return kb.const(number, kb.dtype(like), kb.lanes(like))


def _is(kb: KernelBuilder, x: ir.Value, number: int) -> ir.Value:
    return arith.CmpIOp(arith.CmpIPredicate.eq, x, _const(kb, number, x)).result


def _signed(kb: KernelBuilder, n: ir.Value, d: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Quotient and remainder towards zero. `n / 0` is 0 and `min / -1` wraps, so no lane can trap."""
    zero = _const(kb, 0, d)
    minus = _is(kb, d, -1)
    unsafe = arith.OrIOp(minus, _is(kb, d, 0)).result
    safe = arith.SelectOp(unsafe, _const(kb, 1, d), d).result
    quotient = arith.DivSIOp(n, safe).result
    quotient = arith.SelectOp(unsafe, arith.SelectOp(minus, arith.SubIOp(zero, n).result, zero).result, quotient).result
    remainder = arith.SubIOp(n, arith.MulIOp(quotient, d).result).result
    return quotient, remainder


def divsi(kb: KernelBuilder, n: ir.Value, d: ir.Value) -> ir.Value:
    return _signed(kb, n, d)[0]


def remsi(kb: KernelBuilder, n: ir.Value, d: ir.Value) -> ir.Value:
    return _signed(kb, n, d)[1]


def floordivsi(kb: KernelBuilder, n: ir.Value, d: ir.Value) -> ir.Value:
    quotient, remainder = _signed(kb, n, d)
    inexact = arith.CmpIOp(arith.CmpIPredicate.ne, remainder, _const(kb, 0, d)).result
    opposite = arith.CmpIOp(arith.CmpIPredicate.slt, arith.XOrIOp(remainder, d).result, _const(kb, 0, d)).result
    lower = arith.AndIOp(inexact, opposite).result
    return arith.SelectOp(lower, arith.SubIOp(quotient, _const(kb, 1, d)).result, quotient).result


def ceildivsi(kb: KernelBuilder, n: ir.Value, d: ir.Value) -> ir.Value:
    zero = _const(kb, 0, n)
    return arith.SubIOp(zero, floordivsi(kb, arith.SubIOp(zero, n).result, d)).result


def _unsigned(kb: KernelBuilder, n: ir.Value, d: ir.Value) -> tuple[ir.Value, ir.Value]:
    nothing = _is(kb, d, 0)
    safe = arith.SelectOp(nothing, _const(kb, 1, d), d).result
    quotient = arith.SelectOp(nothing, _const(kb, 0, d), arith.DivUIOp(n, safe).result).result
    return quotient, arith.SubIOp(n, arith.MulIOp(quotient, d).result).result


def divui(kb: KernelBuilder, n: ir.Value, d: ir.Value) -> ir.Value:
    return _unsigned(kb, n, d)[0]


def remui(kb: KernelBuilder, n: ir.Value, d: ir.Value) -> ir.Value:
    return _unsigned(kb, n, d)[1]


def ceildivui(kb: KernelBuilder, n: ir.Value, d: ir.Value) -> ir.Value:
    quotient, remainder = _unsigned(kb, n, d)
    inexact = arith.CmpIOp(arith.CmpIPredicate.ne, remainder, _const(kb, 0, d)).result
    return arith.SelectOp(inexact, arith.AddIOp(quotient, _const(kb, 1, d)).result, quotient).result


def ipowi(kb: KernelBuilder, base: ir.Value, exponent: ir.Value) -> ir.Value:
    """base ** exponent with wrap-around; a negative exponent gives what 1 / base ** -exponent truncates to."""
    one, zero = _const(kb, 1, base), _const(kb, 0, base)
    negative = arith.CmpIOp(arith.CmpIPredicate.slt, exponent, zero).result
    magnitude = arith.SelectOp(negative, arith.SubIOp(zero, exponent).result, exponent).result

    def bit(_: ir.Value, power: ir.Value, square: ir.Value, left: ir.Value) -> list[ir.Value]:
        odd = arith.CmpIOp(arith.CmpIPredicate.ne, arith.AndIOp(left, one).result, zero).result
        taken = arith.SelectOp(odd, arith.MulIOp(power, square).result, power).result
        return [taken, arith.MulIOp(square, square).result, arith.ShRUIOp(left, one).result]

    power = kb.loop(0, int(kb.dtype(base)[1:]), bit, carried=[one, base, magnitude])[0]
    return arith.SelectOp(negative, divsi(kb, one, power), power).result


INTEGER_OPS: dict[str, Callable[..., ir.Value]] = {
    "arith.divsi": divsi,
    "arith.remsi": remsi,
    "arith.floordivsi": floordivsi,
    "arith.ceildivsi": ceildivsi,
    "arith.divui": divui,
    "arith.remui": remui,
    "arith.ceildivui": ceildivui,
    "math.ipowi": ipowi,
}
