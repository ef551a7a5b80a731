"""Elementwise functions of one tensor that keep its dtype, and predicates."""

from __future__ import annotations

import math

from .cases import case, f16, f32, i1, i8, i64, u8
from .dtypes import DType
from .families.decomposed import Decomposed
from .families.elementwise import Elementwise
from .promotion import promote_floats, promote_numbers, promote_to_bool
from .registry import op


@op("aten::abs(Tensor self) -> Tensor", inplace="aten::abs_", out="aten::abs.out")
class Abs(Elementwise):
    """Absolute value."""

    dtype = promote_numbers
    exact = True

    def scalar(b, x):
        return b.math.abs(x) if x.dtype.is_signed else x

    cases = [f32(3, 4, special=True), f32("?", 5), i64(2), i8(0, 3), f16(3), u8(4)]


@op("aten::absolute(Tensor self) -> Tensor", inplace="aten::absolute_", out="aten::absolute.out")
class Absolute(Decomposed):
    """Alias of aten.abs."""

    def decompose(b, x):
        return b.aten.abs(x)

    cases = [f32(3, 4), i64("?", 2)]


@op("aten::neg(Tensor self) -> Tensor", inplace="aten::neg_", out="aten::neg.out")
@op("aten::negative(Tensor self) -> Tensor", inplace="aten::negative_", out="aten::negative.out")
class Neg(Elementwise):
    """Negation."""

    dtype = promote_numbers
    exact = True

    def scalar(b, x):
        return -x

    cases = [f32(3, 4, special=True), case(f32("?", 5), at=[1, 0]), i64(2), u8(3)]


@op("aten::sign(Tensor self) -> Tensor", inplace="aten::sign_", out="aten::sign.out")
@op("aten::sgn(Tensor self) -> Tensor", inplace="aten::sgn_", out="aten::sgn.out")
class Sign(Elementwise):
    """-1, 0 or 1; 0 for nan, and bool stays."""

    exact = True

    def scalar(b, x):
        if x.dtype is DType.bool:
            return x
        one, zero, minus = (b.const(v, x.dtype) for v in (1, 0, -1 if x.dtype.is_signed else 0))
        return b.select(x > 0, one, b.select(x < 0, minus, zero))

    cases = [f32(3, 4, special=True), f32("?", 5), i64(3), u8(3), i1(2)]


def rounding(name):
    """The body of a rounding function: integers are whole already."""

    def scalar(b, x):
        return getattr(b.math, name)(x) if x.dtype.is_float else x

    return scalar


@op("aten::floor(Tensor self) -> Tensor", inplace="aten::floor_", out="aten::floor.out")
class Floor(Elementwise):
    """The largest whole number not above x."""

    dtype = promote_numbers
    scalar = rounding("floor")
    cases = [f32(3, 4, special=True), f32("?", 5, low=-9, high=9), i64(3)]


@op("aten::ceil(Tensor self) -> Tensor", inplace="aten::ceil_", out="aten::ceil.out")
class Ceil(Elementwise):
    """The smallest whole number not below x."""

    dtype = promote_numbers
    scalar = rounding("ceil")
    cases = [f32(3, 4, special=True), f32("?", 5, low=-9, high=9), i64(3)]


@op("aten::round(Tensor self) -> Tensor", inplace="aten::round_", out="aten::round.out")
class Round(Elementwise):
    """The nearest whole number, halves to even."""

    dtype = promote_numbers
    scalar = rounding("round")
    cases = [f32(3, 4, special=True), f32("?", 5, low=-9, high=9), i64(3)]


@op("aten::trunc(Tensor self) -> Tensor", inplace="aten::trunc_", out="aten::trunc.out")
class Trunc(Elementwise):
    """The whole part, towards 0."""

    dtype = promote_numbers
    scalar = rounding("trunc")
    cases = [f32(3, 4, special=True), f32("?", 5, low=-9, high=9), i64(3)]


@op("aten::frac(Tensor self) -> Tensor", inplace="aten::frac_", out="aten::frac.out")
class Frac(Elementwise):
    """x - trunc(x)."""

    dtype = promote_floats

    def scalar(b, x):
        return x - b.math.trunc(x)

    cases = [f32(3, 4), f32("?", 5, low=-9, high=9)]


@op("aten::square(Tensor self) -> Tensor", inplace="aten::square_", out="aten::square.out")
class Square(Decomposed):
    """x * x, promoted as pow is."""

    def decompose(b, x):
        return b.aten.pow.Tensor_Scalar(x, 2)

    cases = [f32(3, 4, special=True), f32("?", 5), i64(3)]


@op("aten::relu(Tensor self) -> Tensor", inplace="aten::relu_", out="aten::relu.out")
class Relu(Elementwise):
    """max(x, 0); nan stays nan."""

    dtype = promote_numbers
    exact = True

    def scalar(b, x):
        return b.maximum(x, 0)

    cases = [f32(3, 4, special=True), case(f32("?", 5), at=[1, 0]), i64(3), f16(3), u8(2)]


@op("aten::logical_not(Tensor self) -> Tensor", inplace="aten::logical_not_", out="aten::logical_not.out")
class LogicalNot(Elementwise):
    """True where x is 0."""

    dtype = promote_to_bool
    exact = True

    def scalar(b, x):
        return x == 0

    cases = [f32(3, 4, special=True), i1("?", 5), i64(3, low=-1, high=2)]


@op("aten::bitwise_not(Tensor self) -> Tensor", inplace="aten::bitwise_not_", out="aten::bitwise_not.out")
class BitwiseNot(Elementwise):
    """Every bit flipped; on bool, not."""

    exact = True

    def scalar(b, x):
        return ~x

    cases = [i64(3, 4), i1("?", 5), u8(3), i8(0)]


@op("aten::isnan(Tensor self) -> Tensor", out="aten::isnan.out")
class IsNan(Elementwise):
    """True where x is nan."""

    dtype = promote_to_bool
    exact = True

    def scalar(b, x):
        return b.isnan(x) if x.dtype.is_float else b.const(False, DType.bool)

    cases = [f32(3, 4, special=True), f32("?", 5), i64(2)]


@op("aten::isinf(Tensor self) -> Tensor", out="aten::isinf.out")
class IsInf(Elementwise):
    """True where x is plus or minus infinity."""

    dtype = promote_to_bool
    exact = True

    def scalar(b, x):
        return b.math.abs(x) == math.inf if x.dtype.is_float else b.const(False, DType.bool)

    cases = [f32(3, 4, special=True), f32("?", 5), i64(2)]


@op("aten::isfinite(Tensor self) -> Tensor")
class IsFinite(Elementwise):
    """True where x is neither nan nor infinite."""

    dtype = promote_to_bool
    exact = True

    def scalar(b, x):
        return b.math.abs(x) < math.inf if x.dtype.is_float else b.const(True, DType.bool)

    cases = [f32(3, 4, special=True), f32("?", 5), i64(2)]
