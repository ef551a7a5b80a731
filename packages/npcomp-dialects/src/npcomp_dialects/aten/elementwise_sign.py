"""Signs, steps and neighbours of numbers: what looks at the bits or the side of zero."""

from __future__ import annotations

import math

from .block import Block
from .cases import bf16, case, f16, f32, f64, i1, i64, u8
from .dtypes import DType
from .families.elementwise import Elementwise
from .promotion import promote_floats, promote_to_bool, promote_to_float
from .registry import op

BROADCAST = [(3, 3), (1, 3), (3, 1)]
BITS = {"f16": DType.i16, "bf16": DType.i16, "f32": DType.i32, "f64": DType.i64}
"""The integers as wide as each float dtype."""


class Predicate(Elementwise):
    """A question about each element."""

    dtype = promote_to_bool
    exact = True


@op("aten::signbit(Tensor self) -> Tensor", out="aten::signbit.out")
class SignBit(Predicate):
    """True for negative numbers, and for -0."""

    def scalar(b, x):
        return b.math.copysign(b.const(1.0, x.dtype), x) < 0.0 if x.dtype.is_float else x < 0

    cases = [f32(3, 4, special=True), f32("?", 5), i64(5), u8(3), f16(3)]


@op("aten::isposinf(Tensor self) -> Tensor", out="aten::isposinf.out")
class IsPosInf(Predicate):
    """True where x is infinity."""

    def scalar(b, x):
        return x == math.inf if x.dtype.is_float else b.const(False, DType.bool)

    cases = [f32(3, 4, special=True), f32("?", 5), i64(2), i1(2)]


@op("aten::isneginf(Tensor self) -> Tensor", out="aten::isneginf.out")
class IsNegInf(Predicate):
    """True where x is minus infinity."""

    def scalar(b, x):
        return x == -math.inf if x.dtype.is_float else b.const(False, DType.bool)

    cases = [f32(3, 4, special=True), f32("?", 5), i64(2), i1(2)]


@op("aten::isreal(Tensor self) -> Tensor")
class IsReal(Predicate):
    """True: real dtypes have no imaginary part."""

    def scalar(b, x):
        return b.const(True, DType.bool)

    cases = [f32(3, 4), i64("?", 5)]


@op("aten::angle(Tensor self) -> Tensor", out="aten::angle.out")
class Angle(Elementwise):
    """0 or π by the sign; nan stays."""

    dtype = promote_to_float

    def scalar(b, x):
        zero, half_turn = b.const(0.0, x.dtype), b.const(math.pi, x.dtype)
        return b.select(b.isnan(x), x, b.select(x < 0.0, half_turn, zero))

    cases = [f32(3, 4, special=True), f32("?", 5), i64(3), bf16(3)]


@op("aten::heaviside(Tensor self, Tensor values) -> Tensor", inplace="aten::heaviside_", out="aten::heaviside.out")
class Heaviside(Elementwise):
    """0 below zero, 1 above, and `values` at zero."""

    exact = True

    def preconditions(b, x, values):
        if x.dtype is not values.dtype:
            b.error("heaviside is not yet implemented for tensors with different dtypes.")

    def scalar(b, x, at_zero):
        zero, one = b.const(0, x.dtype), b.const(1, x.dtype)
        above = x if x.dtype is DType.bool else x > zero
        return b.select(x == zero, at_zero, b.select(above, one, zero))

    cases = [
        case(f32(3, 4, special=True), f32(3, 4)),
        case(f32("n", 4, special=True), f32(4), at=[5, 1, 0]),
        case(i64(5), i64(5)),
        case(i1(5), i1(5)),
    ]


@op(
    "aten::copysign.Tensor(Tensor self, Tensor other) -> Tensor",
    inplace="aten::copysign_.Tensor",
    out="aten::copysign.out",
)
@op(
    "aten::copysign.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::copysign_.Scalar",
    out="aten::copysign.Scalar_out",
    cases=[case(f32(3, 4, special=True), -2.0), case(i64("?"), -1)],
)
class CopySign(Elementwise):
    """The size of self with the sign of other."""

    dtype = promote_to_float

    def scalar(b, x, y):
        return b.math.copysign(x, y)

    cases = [
        case(f32(3, 4), f32(3, 4, special=True)),
        case(i64("a", 4), f32("b", 4), at=BROADCAST),
        case(i64(5), i64(5)),
        case(bf16(3), bf16(3)),
    ]


@op("aten::nextafter(Tensor self, Tensor other) -> Tensor", inplace="aten::nextafter_", out="aten::nextafter.out")
class NextAfter(Elementwise):
    """The number beside self on the way to other: one more or less in the bits, which are ordered as sizes are."""

    dtype = promote_floats
    exact = True

    def scalar(b, x, y):
        kind = BITS[x.dtype.name]
        smallest = b.math.copysign(b.bitcast(b.const(1, kind), x.dtype), y)
        grows = (x < y) == (x > 0.0)
        bits = b.bitcast(x, kind)
        beside = b.bitcast(b.select(grows, bits + 1, bits - 1), x.dtype)
        moved = b.select(x == y, y, b.select(x == 0.0, smallest, beside))
        return b.select(b.isnan(x) | b.isnan(y), b.const(math.nan, x.dtype), moved)

    cases = [
        case(f32(3, 4, special=True), f32(4)),
        case(f32("a", 4), f32("b", 4), at=BROADCAST),
        case(f64(5), f64(5, special=True)),
        case(bf16(5, special=True), bf16(5)),
    ]


@op(
    "aten::frexp.Tensor(Tensor self) -> (Tensor mantissa, Tensor exponent)",
    out="aten::frexp.Tensor_out(Tensor self, *, Tensor(a!) mantissa, Tensor(b!) exponent) -> "
    "(Tensor(a!) mantissa, Tensor(b!) exponent)",
)
class Frexp(Block):
    """A number in [½, 1) and the power of two it is multiplied by; subnormals are scaled up first."""

    family = "elementwise"
    dtype = promote_floats

    def lower(b, x):
        wide = DType.f64 if x.dtype is DType.f64 else DType.f32
        fraction_bits, bias, scale = (52, 1022, 54) if wide is DType.f64 else (23, 126, 24)
        field = (1 << (11 if wide is DType.f64 else 8)) - 1

        def body(b, e):
            e = b.cast(e, wide)
            tiny = b.math.abs(e) < 2.0 ** (1 - bias)
            bits = b.bitcast(b.select(tiny, e * 2.0**scale, e), BITS[wide.name])
            power = (b.shift("right", bits, fraction_bits) & field) - bias
            mantissa = b.bitcast((bits & ~(field << fraction_bits)) | (bias << fraction_bits), wide)
            plain = (e == 0.0) | ~(b.math.abs(e) < math.inf)
            power = b.select(tiny, power - scale, power)
            exponent = b.select(plain, b.const(0, power.dtype), power)
            return b.cast(b.select(plain, e, mantissa), x.dtype), b.cast(exponent, DType.i32)

        return b.map(body, x, dtype=(x.dtype, DType.i32))

    cases = [f32(3, 4, special=True), f32("?", 5, low=-1e9, high=1e9), f64(5), f32(5, low=0, high=1e-40), bf16(5)]
