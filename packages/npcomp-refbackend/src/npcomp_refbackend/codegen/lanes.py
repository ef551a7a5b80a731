"""Short names for arithmetic on floats of any lane count, in which vmath writes its polynomials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith, math

from .kernel import KernelBuilder

_UNROLLED = 8


@dataclass(frozen=True)
class Lanes:
    """Arithmetic on values of one float dtype and lane count, and on integers of the same width."""

    kb: KernelBuilder
    count: int
    dtype: str = "f32"

    @classmethod
    def of(cls, kb: KernelBuilder, x: ir.Value) -> Lanes:
        return cls(kb, kb.lanes(x), kb.dtype(x))

    @property
    def integer(self) -> str:
        return "i64" if self.dtype == "f64" else "i32"

    def c(self, number: float) -> ir.Value:
        return self.kb.const(float(number), self.dtype, self.count)

    def int(self, number: Any) -> ir.Value:
        return self.kb.const(number, self.integer, self.count)

    def add(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return arith.AddFOp(a, b).result

    def sub(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return arith.SubFOp(a, b).result

    def mul(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return arith.MulFOp(a, b).result

    def div(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return arith.DivFOp(a, b).result

    def fma(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        return self.kb.fma(a, b, c)

    def abs(self, x: ir.Value) -> ir.Value:
        return math.AbsFOp(x).result

    def copysign(self, size: ir.Value, sign: ir.Value) -> ir.Value:
        return math.CopySignOp(size, sign).result

    def cmp(self, predicate: str, a: ir.Value, b: ir.Value) -> ir.Value:
        return arith.CmpFOp(getattr(arith.CmpFPredicate, predicate.upper()), a, b).result

    def select(self, condition: ir.Value, a: ir.Value, b: ir.Value) -> ir.Value:
        return arith.SelectOp(condition, a, b).result

    def min(self, x: ir.Value, limit: ir.Value) -> ir.Value:
        """The smaller; a NaN `x` stays. One x86 instruction."""
        return self.select(self.cmp("olt", limit, x), limit, x)

    def max(self, x: ir.Value, limit: ir.Value) -> ir.Value:
        return self.select(self.cmp("ogt", limit, x), limit, x)

    def poly(self, x: ir.Value, coefficients: Sequence[float]) -> ir.Value:
        """c0 + c1 x + c2 x² + …, by Horner."""
        total = self.c(coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            total = self.fma(total, x, self.c(coefficient))
        return total

    def bits(self, x: ir.Value) -> ir.Value:
        return arith.BitcastOp(self.kb.type(self.integer, self.count), x).result

    def floats(self, bits: ir.Value) -> ir.Value:
        return arith.BitcastOp(self.kb.type(self.dtype, self.count), bits).result

    def to_float(self, integer: ir.Value) -> ir.Value:
        return arith.SIToFPOp(self.kb.type(self.dtype, self.count), integer).result

    def iadd(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return arith.AddIOp(a, b).result

    def isub(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return arith.SubIOp(a, b).result

    def iand(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return arith.AndIOp(a, b).result

    def xor(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return arith.XOrIOp(a, b).result

    def shl(self, x: ir.Value, count: Any) -> ir.Value:
        return arith.ShLIOp(x, self.int(count)).result

    def sar(self, x: ir.Value, count: Any) -> ir.Value:
        return arith.ShRSIOp(x, self.int(count)).result

    def int_equal(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return arith.CmpIOp(arith.CmpIPredicate.eq, a, b).result


def by_lanes(kb: KernelBuilder, function: str, operands: Sequence[ir.Value]) -> ir.Value:
    """The C function of that name on every lane, one after the other."""
    lanes = kb.lanes(operands[0])
    if lanes == 1:
        return kb.libm(function, *operands)

    def one(lane: int | ir.Value, total: ir.Value) -> ir.Value:
        return kb.insert(kb.libm(function, *(kb.extract(x, lane) for x in operands)), total, lane)

    total = kb.const(0.0, kb.dtype(operands[0]), lanes)
    if lanes > _UNROLLED:
        return kb.loop(0, lanes, lambda lane, t: [one(lane, t)], carried=[total])[0]
    for lane in range(lanes):
        total = one(lane, total)
    return total
