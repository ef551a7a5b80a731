"""f16 and bf16 to and from f32, exactly rounded on every machine (no library call, no reliance on a feature)."""

from __future__ import annotations

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith

from .kernel import KernelBuilder


def to_f32(kb: KernelBuilder, value: ir.Value) -> ir.Value:
    """A half-width float widened to f32; any other value as it is."""
    dtype = kb.dtype(value)
    if dtype == "bf16":
        return _from_bf16(kb, value)
    if dtype == "f16":
        return _from_f16(kb, value)
    return value


def from_f32(kb: KernelBuilder, value: ir.Value, dtype: str) -> ir.Value:
    """An f32 rounded to `dtype`, to nearest, ties to even."""
    if dtype == "bf16":
        return _to_bf16(kb, value)
    if dtype == "f16":
        return _to_f16(kb, value)
    return value


def _from_bf16(kb: KernelBuilder, value: ir.Value) -> ir.Value:
    lanes = kb.lanes(value)
    bits = arith.BitcastOp(kb.type("i16", lanes), value).result
    wide = arith.ExtUIOp(kb.type("i32", lanes), bits).result
    return arith.BitcastOp(kb.type("f32", lanes), arith.ShLIOp(wide, kb.const(16, "i32", lanes)).result).result


def _to_bf16(kb: KernelBuilder, value: ir.Value) -> ir.Value:
    lanes = kb.lanes(value)

    def c(number: int) -> ir.Value:
        return kb.const(number, "i32", lanes)

    bits = arith.BitcastOp(kb.type("i32", lanes), value).result
    odd = arith.AndIOp(arith.ShRUIOp(bits, c(16)).result, c(1)).result
    rounded = arith.AddIOp(bits, arith.AddIOp(odd, c(0x7FFF)).result).result
    nan = arith.CmpFOp(arith.CmpFPredicate.UNO, value, value).result
    chosen = arith.SelectOp(nan, arith.OrIOp(bits, c(0x400000)).result, rounded).result
    top = arith.TruncIOp(kb.type("i16", lanes), arith.ShRUIOp(chosen, c(16)).result).result
    return arith.BitcastOp(kb.type("bf16", lanes), top).result


def _from_f16(kb: KernelBuilder, value: ir.Value) -> ir.Value:
    lanes = kb.lanes(value)
    if kb.target.has_f16c:
        return arith.ExtFOp(kb.type("f32", lanes), value).result
    wide = arith.ExtUIOp(kb.type("i32", lanes), arith.BitcastOp(kb.type("i16", lanes), value).result).result

    def c(number: int) -> ir.Value:
        return kb.const(number, "i32", lanes)

    sign = arith.ShLIOp(arith.AndIOp(wide, c(0x8000)).result, c(16)).result
    magnitude = arith.ShLIOp(arith.AndIOp(wide, c(0x7FFF)).result, c(13)).result
    scaled = arith.MulFOp(_f32(kb, magnitude), kb.const(2.0**112, "f32", lanes)).result
    special = arith.CmpIOp(arith.CmpIPredicate.uge, magnitude, c(0x7C00 << 13)).result
    bits = arith.BitcastOp(kb.type("i32", lanes), scaled).result
    bits = arith.SelectOp(special, arith.OrIOp(magnitude, c(0x7F800000)).result, bits).result
    return _f32(kb, arith.OrIOp(bits, sign).result)


def _to_f16(kb: KernelBuilder, value: ir.Value) -> ir.Value:
    lanes = kb.lanes(value)
    if kb.target.has_f16c:
        return arith.TruncFOp(kb.type("f16", lanes), value).result

    def c(number: int) -> ir.Value:
        return kb.const(number, "i32", lanes)

    bits = arith.BitcastOp(kb.type("i32", lanes), value).result
    sign = arith.ShRUIOp(arith.AndIOp(bits, c(-(2**31))).result, c(16)).result
    size = arith.AndIOp(bits, c(0x7FFFFFFF)).result
    odd = arith.AndIOp(arith.ShRUIOp(size, c(13)).result, c(1)).result
    normal = arith.AddIOp(arith.AddIOp(size, c(0xFFF - (112 << 23))).result, odd).result
    normal = arith.ShRUIOp(normal, c(13)).result
    # Below 2^-14 the last place is 2^-24 throughout: adding 0.5 puts it at the end of the significand.
    shifted = arith.AddFOp(_f32(kb, size), kb.const(0.5, "f32", lanes)).result
    tiny = arith.SubIOp(arith.BitcastOp(kb.type("i32", lanes), shifted).result, c(0x3F000000)).result
    result = arith.SelectOp(arith.CmpIOp(arith.CmpIPredicate.ult, size, c(113 << 23)).result, tiny, normal).result
    over = arith.CmpIOp(arith.CmpIPredicate.uge, size, c(0x477FF000)).result
    result = arith.SelectOp(over, c(0x7C00), result).result
    nan = arith.CmpIOp(arith.CmpIPredicate.ugt, size, c(0x7F800000)).result
    result = arith.SelectOp(nan, c(0x7E00), result).result
    narrow = arith.TruncIOp(kb.type("i16", lanes), arith.OrIOp(result, sign).result).result
    return arith.BitcastOp(kb.type("f16", lanes), narrow).result


def _f32(kb: KernelBuilder, bits: ir.Value) -> ir.Value:
    return arith.BitcastOp(kb.type("f32", kb.lanes(bits)), bits).result
