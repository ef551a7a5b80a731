"""Arithmetic and comparison of numbers."""

from __future__ import annotations

import operator

from .cases import case
from .families.scalar import Numbers, binary, unary
from .registry import op

ALL = "int float float_int int_float -"
ARITHMETIC = {"int": "int", "float": "float", "float_int": "float", "int_float": "float", "-": "Scalar"}
PAIR = [case(7, 2), case(-7, 2)]
"""Integers fit every overload: torch reads them as floats where it asks for floats."""


def guard_divisor(b, y):
    """Integers have no answer for a zero divisor."""
    b.guard(y != 0, "division by 0")


@binary("add", ARITHMETIC, ALL)
class AddNumbers(Numbers):
    """a + b."""

    def number(b, x, y):
        return x + y

    cases = PAIR


@binary("sub", ARITHMETIC, ALL)
class SubNumbers(Numbers):
    """a - b."""

    def number(b, x, y):
        return x - y

    cases = PAIR


@binary("mul", ARITHMETIC, ALL)
class MulNumbers(Numbers):
    """a * b."""

    def number(b, x, y):
        return x * y

    cases = PAIR


@binary("div", "float", "int float -")
class DivNumbers(Numbers):
    """a / b as a float."""

    floats = True

    def number(b, x, y):
        return x / y

    cases = PAIR


@binary("floordiv", ARITHMETIC, ALL)
class FloorDivNumbers(Numbers):
    """a / b rounded down."""

    def number(b, x, y):
        guard_divisor(b, y)
        return x // y

    cases = PAIR


@binary("remainder", ARITHMETIC, ALL)
class RemainderNumbers(Numbers):
    """a % b with the sign of b."""

    def number(b, x, y):
        guard_divisor(b, y)
        return x % y

    cases = PAIR


@op("aten::__round_to_zero_floordiv.int(int a, int b) -> int")
class RoundToZeroDiv(Numbers):
    """a / b rounded towards 0."""

    def number(b, x, y):
        guard_divisor(b, y)
        down = x // y
        return down + b.select((down * y != x) & (down < 0), 1, 0)

    cases = [case(7, 2), case(-7, 2), case(6, -3)]


@unary("neg", {"int": "int", "float": "float", "Scalar": "Scalar"})
class NegNumber(Numbers):
    """-a."""

    def number(b, x):
        return -x

    cases = [case(3)]


def comparison(name):
    """The body of a comparison of numbers."""
    compare = getattr(operator, name)

    def number(b, x, y):
        return compare(x, y)

    return number


@op("aten::eq.bool(bool a, bool b) -> bool", cases=[case(True, False)])
@op("aten::eq.str(str a, str b) -> bool", cases=[case("a", "a")])
@binary("eq", "bool", ALL)
class EqNumbers(Numbers):
    """a == b."""

    number = comparison("eq")
    cases = PAIR


@op("aten::ne.bool(bool a, bool b) -> bool", cases=[case(True, False)])
@op("aten::ne.str(str a, str b) -> bool", cases=[case("a", "a")])
@binary("ne", "bool", ALL)
class NeNumbers(Numbers):
    """a != b."""

    number = comparison("ne")
    cases = PAIR


@op("aten::lt.str(str a, str b) -> bool", cases=[case("a", "b")])
@binary("lt", "bool", ALL)
class LtNumbers(Numbers):
    """a < b."""

    number = comparison("lt")
    cases = PAIR


@op("aten::le.str(str a, str b) -> bool", cases=[case("a", "b")])
@binary("le", "bool", ALL)
class LeNumbers(Numbers):
    """a <= b."""

    number = comparison("le")
    cases = PAIR


@op("aten::gt.str(str a, str b) -> bool", cases=[case("a", "b")])
@binary("gt", "bool", ALL)
class GtNumbers(Numbers):
    """a > b."""

    number = comparison("gt")
    cases = PAIR


@op("aten::ge.str(str a, str b) -> bool", cases=[case("a", "b")])
@binary("ge", "bool", ALL)
class GeNumbers(Numbers):
    """a >= b."""

    number = comparison("ge")
    cases = PAIR


def logic(name):
    """and, or, xor of two bools or two integers."""
    combine = getattr(operator, name)

    def number(b, x, y):
        return combine(x, y)

    return number


@op("aten::__and__.bool(bool a, bool b) -> bool", cases=[case(True, False)])
@op("aten::__and__.int(int a, int b) -> int", cases=[case(6, 3)])
class AndNumbers(Numbers):
    """a & b."""

    number = logic("and_")


@op("aten::__or__.bool(bool a, bool b) -> bool", cases=[case(True, False)])
@op("aten::__or__.int(int a, int b) -> int", cases=[case(6, 3)])
class OrNumbers(Numbers):
    """a | b."""

    number = logic("or_")


@op("aten::__xor__.bool(bool a, bool b) -> bool", cases=[case(True, False)])
@op("aten::__xor__.int(int a, int b) -> int", cases=[case(6, 3)])
class XorNumbers(Numbers):
    """a ^ b."""

    number = logic("xor")


@op("aten::__not__(bool self) -> bool")
class Not(Numbers):
    """not a."""

    def number(b, x):
        return not x if isinstance(x, bool) else ~x

    cases = [case(True)]


@op("aten::__range_length(int lo, int hi, int step) -> int")
class RangeLength(Numbers):
    """How many numbers range(lo, hi, step) has."""

    def number(b, lo, hi, step):
        if not isinstance(step, int):
            up = (hi - lo + (step - 1)) // b.maximum(step, 1)
            down = (lo - hi - step - 1) // b.maximum(-step, 1)
            return b.maximum(b.select(step > 0, up, down), 0)
        return b.maximum(-((lo - hi) // step), 0)

    cases = [case(0, 10, 3), case(10, 0, -3), case(5, 5, 1)]


@op("aten::__derive_index(int index, int start, int step) -> int")
class DeriveIndex(Numbers):
    """The number at an index of a range."""

    def number(b, index, start, step):
        return start + index * step

    cases = [case(2, 1, 3)]


@op("aten::Int.Scalar(Scalar a) -> int")
@op("aten::Int.bool(bool a) -> int", cases=[case(True)])
@op("aten::Int.float(float a) -> int", cases=[case(2.7), case(-2.7)])
class Int(Numbers):
    """A number as an integer, the fraction dropped."""

    def number(b, x):
        return x

    cases = [case(2)]


@op("aten::Float.Scalar(Scalar a) -> float")
@op("aten::Float.int(int a) -> float")
@op("aten::Float.bool(bool a) -> float", cases=[case(True)])
class Float(Numbers):
    """A number as a float."""

    def number(b, x):
        return x

    cases = [case(2)]


@op("aten::Bool.int(int a) -> bool")
@op("aten::Bool.float(float a) -> bool", cases=[case(2.5)])
class Bool(Numbers):
    """True unless the number is 0."""

    def number(b, x):
        return x != 0

    cases = [case(2), case(0)]
