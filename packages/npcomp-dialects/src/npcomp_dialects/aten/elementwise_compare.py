"""Comparisons, logic and bits."""

from __future__ import annotations

import math
import operator

from .cases import case, f32, i1, i64, u8
from .dtypes import DType
from .families.elementwise import Elementwise
from .promotion import promote, promote_to_bool
from .registry import op

BROADCAST = [(3, 3), (1, 3), (3, 1)]

TENSOR_CASES = [
    case(f32(3, 4, special=True), f32(4)),
    case(i64("a", 4, low=0, high=2), f32("b", 4, low=0, high=2), at=BROADCAST),
    case(i1(4), i1(4)),
    case(u8(5, high=256), u8(5, high=256)),
]
SCALAR_CASES = [case(f32(3, 4, special=True), 1), case(i64("?"), 1.5), case(i1("?"), True), case(i64(0), 2)]


class Comparison(Elementwise):
    """True where the relation holds; operands are promoted first."""

    dtype = promote_to_bool
    exact = True


def relation(name):
    """The body of a comparison."""
    compare = getattr(operator, name)

    def scalar(b, x, y):
        return compare(x, y)

    return scalar


@op("aten::eq.Tensor(Tensor self, Tensor other) -> Tensor", inplace="aten::eq_.Tensor", out="aten::eq.Tensor_out")
@op(
    "aten::eq.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::eq_.Scalar",
    out="aten::eq.Scalar_out",
    cases=SCALAR_CASES,
)
class Eq(Comparison):
    """self == other."""

    scalar = relation("eq")
    cases = TENSOR_CASES


@op("aten::ne.Tensor(Tensor self, Tensor other) -> Tensor", inplace="aten::ne_.Tensor", out="aten::ne.Tensor_out")
@op(
    "aten::ne.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::ne_.Scalar",
    out="aten::ne.Scalar_out",
    cases=SCALAR_CASES,
)
@op(
    "aten::not_equal.Tensor(Tensor self, Tensor other) -> Tensor",
    inplace="aten::not_equal_.Tensor",
    out="aten::not_equal.Tensor_out",
)
@op(
    "aten::not_equal.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::not_equal_.Scalar",
    out="aten::not_equal.Scalar_out",
    cases=SCALAR_CASES,
)
class Ne(Comparison):
    """self != other."""

    scalar = relation("ne")
    cases = TENSOR_CASES


@op("aten::lt.Tensor(Tensor self, Tensor other) -> Tensor", inplace="aten::lt_.Tensor", out="aten::lt.Tensor_out")
@op(
    "aten::lt.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::lt_.Scalar",
    out="aten::lt.Scalar_out",
    cases=SCALAR_CASES,
)
@op(
    "aten::less.Tensor(Tensor self, Tensor other) -> Tensor",
    inplace="aten::less_.Tensor",
    out="aten::less.Tensor_out",
)
@op(
    "aten::less.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::less_.Scalar",
    out="aten::less.Scalar_out",
    cases=SCALAR_CASES,
)
class Lt(Comparison):
    """self < other."""

    scalar = relation("lt")
    cases = TENSOR_CASES


@op("aten::le.Tensor(Tensor self, Tensor other) -> Tensor", inplace="aten::le_.Tensor", out="aten::le.Tensor_out")
@op(
    "aten::le.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::le_.Scalar",
    out="aten::le.Scalar_out",
    cases=SCALAR_CASES,
)
@op(
    "aten::less_equal.Tensor(Tensor self, Tensor other) -> Tensor",
    inplace="aten::less_equal_.Tensor",
    out="aten::less_equal.Tensor_out",
)
@op(
    "aten::less_equal.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::less_equal_.Scalar",
    out="aten::less_equal.Scalar_out",
    cases=SCALAR_CASES,
)
class Le(Comparison):
    """self <= other."""

    scalar = relation("le")
    cases = TENSOR_CASES


@op("aten::gt.Tensor(Tensor self, Tensor other) -> Tensor", inplace="aten::gt_.Tensor", out="aten::gt.Tensor_out")
@op(
    "aten::gt.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::gt_.Scalar",
    out="aten::gt.Scalar_out",
    cases=SCALAR_CASES,
)
@op(
    "aten::greater.Tensor(Tensor self, Tensor other) -> Tensor",
    inplace="aten::greater_.Tensor",
    out="aten::greater.Tensor_out",
)
@op(
    "aten::greater.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::greater_.Scalar",
    out="aten::greater.Scalar_out",
    cases=SCALAR_CASES,
)
class Gt(Comparison):
    """self > other."""

    scalar = relation("gt")
    cases = TENSOR_CASES


@op("aten::ge.Tensor(Tensor self, Tensor other) -> Tensor", inplace="aten::ge_.Tensor", out="aten::ge.Tensor_out")
@op(
    "aten::ge.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::ge_.Scalar",
    out="aten::ge.Scalar_out",
    cases=SCALAR_CASES,
)
@op(
    "aten::greater_equal.Tensor(Tensor self, Tensor other) -> Tensor",
    inplace="aten::greater_equal_.Tensor",
    out="aten::greater_equal.Tensor_out",
)
@op(
    "aten::greater_equal.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::greater_equal_.Scalar",
    out="aten::greater_equal.Scalar_out",
    cases=SCALAR_CASES,
)
class Ge(Comparison):
    """self >= other."""

    scalar = relation("ge")
    cases = TENSOR_CASES


@op("aten::logical_and(Tensor self, Tensor other) -> Tensor", inplace="aten::logical_and_", out="aten::logical_and.out")
class LogicalAnd(Comparison):
    """Both are nonzero."""

    def scalar(b, x, y):
        return (x != 0) & (y != 0)

    cases = TENSOR_CASES


@op("aten::logical_or(Tensor self, Tensor other) -> Tensor", inplace="aten::logical_or_", out="aten::logical_or.out")
class LogicalOr(Comparison):
    """Either is nonzero."""

    def scalar(b, x, y):
        return (x != 0) | (y != 0)

    cases = TENSOR_CASES


@op("aten::logical_xor(Tensor self, Tensor other) -> Tensor", inplace="aten::logical_xor_", out="aten::logical_xor.out")
class LogicalXor(Comparison):
    """Exactly one is nonzero."""

    def scalar(b, x, y):
        return (x != 0) ^ (y != 0)

    cases = TENSOR_CASES


BIT_CASES = [case(i64(3, 4), i64(4)), case(i1("a", 4), i1("b", 4), at=BROADCAST), case(u8(5), i64(5))]
BIT_SCALAR_CASES = [case(i64(3, 4), 5), case(i1("?"), True), case(u8("?"), 3)]


class Bits(Elementwise):
    """Bitwise logic of integers, logic of bool."""

    dtype = promote
    exact = True


@op(
    "aten::bitwise_and.Tensor(Tensor self, Tensor other) -> Tensor",
    inplace="aten::bitwise_and_.Tensor",
    out="aten::bitwise_and.Tensor_out",
)
@op("aten::__and__.Tensor(Tensor self, Tensor other) -> Tensor", inplace="aten::__iand__.Tensor")
@op(
    "aten::bitwise_and.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::bitwise_and_.Scalar",
    out="aten::bitwise_and.Scalar_out",
    cases=BIT_SCALAR_CASES,
)
@op(
    "aten::__and__.Scalar(Tensor self, Scalar other) -> Tensor", inplace="aten::__iand__.Scalar", cases=BIT_SCALAR_CASES
)
class BitwiseAnd(Bits):
    """Both are nonzero, bit by bit."""

    scalar = relation("and_")
    cases = BIT_CASES


@op(
    "aten::bitwise_or.Tensor(Tensor self, Tensor other) -> Tensor",
    inplace="aten::bitwise_or_.Tensor",
    out="aten::bitwise_or.Tensor_out",
)
@op("aten::__or__.Tensor(Tensor self, Tensor other) -> Tensor", inplace="aten::__ior__.Tensor")
@op(
    "aten::bitwise_or.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::bitwise_or_.Scalar",
    out="aten::bitwise_or.Scalar_out",
    cases=BIT_SCALAR_CASES,
)
@op("aten::__or__.Scalar(Tensor self, Scalar other) -> Tensor", inplace="aten::__ior__.Scalar", cases=BIT_SCALAR_CASES)
class BitwiseOr(Bits):
    """Either is nonzero, bit by bit."""

    scalar = relation("or_")
    cases = BIT_CASES


@op(
    "aten::bitwise_xor.Tensor(Tensor self, Tensor other) -> Tensor",
    inplace="aten::bitwise_xor_.Tensor",
    out="aten::bitwise_xor.Tensor_out",
)
@op("aten::__xor__.Tensor(Tensor self, Tensor other) -> Tensor", inplace="aten::__ixor__.Tensor")
@op(
    "aten::bitwise_xor.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::bitwise_xor_.Scalar",
    out="aten::bitwise_xor.Scalar_out",
    cases=BIT_SCALAR_CASES,
)
@op(
    "aten::__xor__.Scalar(Tensor self, Scalar other) -> Tensor", inplace="aten::__ixor__.Scalar", cases=BIT_SCALAR_CASES
)
class BitwiseXor(Bits):
    """Exactly one is nonzero, bit by bit."""

    scalar = relation("xor")
    cases = BIT_CASES


@op(
    "aten::isclose(Tensor self, Tensor other, float rtol=1.0000000000000001e-05, float atol=1e-08, "
    "bool equal_nan=False) -> Tensor"
)
class IsClose(Comparison):
    """|self - other| <= atol + rtol * |other|; infinities of one sign are close."""

    raw = ("rtol", "atol")

    def scalar(b, x, y, rtol, atol, equal_nan):
        if not x.dtype.is_float:
            x, y = (b.cast(v, DType.f64) for v in (x, y))
        rtol, atol = (v if isinstance(v, float) else b.cast(v, x.dtype) for v in (rtol, atol))
        gap = b.math.abs(x - y)
        close = (x == y) | ((gap < math.inf) & (gap <= b.math.abs(y * rtol) + atol))
        return close | (b.isnan(x) & b.isnan(y)) if equal_nan else close

    cases = [
        case(f32(3, 4, special=True), f32(4)),
        case(f32("n", 4, special=True), f32("n", 4, special=True), 0.5, 0.1, True),
        case(i64(5), i64(5), 0.0, 1.0),
    ]
