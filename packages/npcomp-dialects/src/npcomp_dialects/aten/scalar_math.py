"""Functions of numbers."""

from __future__ import annotations

import math

from .cases import case
from .dtypes import DType
from .elementwise_divide import int_power
from .families.scalar import Numbers, as_float, binary, unary
from .registry import op

FLOAT = {"int": "float", "float": "float", "Scalar": "Scalar"}


def function(name):
    """A float function of a number: Python's own for constants."""
    fold = getattr(math, name)

    def number(b, x):
        return fold(x) if isinstance(x, float) else getattr(b.math, name)(x)

    return number


class FloatFunction(Numbers):
    """A function whose argument becomes a float."""

    floats = True
    cases = [case(2)]


@unary("sqrt", FLOAT)
class SqrtNumber(FloatFunction):
    """Square root."""

    number = function("sqrt")


@unary("exp", FLOAT)
class ExpNumber(FloatFunction):
    """e to the power a."""

    number = function("exp")


@unary("log", FLOAT)
class LogNumber(FloatFunction):
    """Natural logarithm."""

    number = function("log")


@unary("log1p", FLOAT)
class Log1pNumber(FloatFunction):
    """log(1 + a)."""

    number = function("log1p")


@unary("sin", FLOAT)
class SinNumber(FloatFunction):
    """Sine."""

    number = function("sin")


@unary("cos", FLOAT)
class CosNumber(FloatFunction):
    """Cosine."""

    number = function("cos")


@unary("tan", FLOAT)
class TanNumber(FloatFunction):
    """Tangent."""

    number = function("tan")


@unary("tanh", FLOAT)
class TanhNumber(FloatFunction):
    """Hyperbolic tangent."""

    number = function("tanh")


@unary("erf", FLOAT)
class ErfNumber(FloatFunction):
    """Error function."""

    number = function("erf")


@unary("expm1", FLOAT)
class Expm1Number(FloatFunction):
    """exp(a) - 1."""

    number = function("expm1")


@unary("floor", {"int": "int", "float": "int", "Scalar": "Scalar"})
class FloorNumber(Numbers):
    """The largest integer not above a."""

    def number(b, x):
        return whole(b, x, "floor")

    cases = [case(2)]


@unary("ceil", {"int": "int", "float": "int", "Scalar": "Scalar"})
class CeilNumber(Numbers):
    """The smallest integer not below a."""

    def number(b, x):
        return whole(b, x, "ceil")

    cases = [case(2)]


def whole(b, x, name):
    """floor or ceil of a number; integers are whole already."""
    if isinstance(x, (bool, int)):
        return x
    if isinstance(x, float):
        return getattr(math, name)(x)
    return getattr(b.math, name)(as_float(b, x))


@unary("round", {"int": "float", "float": "float", "Scalar": "Scalar"})
class RoundNumber(Numbers):
    """The nearest whole number, halves to even, as a float."""

    floats = True

    def number(b, x):
        return float(round(x)) if isinstance(x, float) else b.math.round(x)

    cases = [case(2)]


@binary(
    "pow",
    {"int": "float", "float": "float", "float_int": "float", "int_float": "float"},
    "int float float_int int_float",
)
@op("aten::pow.Scalar_Scalar(Scalar a, Scalar b) -> float")
class PowNumbers(Numbers):
    """a to the power b, as a float."""

    floats = True

    def number(b, x, y):
        return x**y if isinstance(x, float) and isinstance(y, float) else b.math.pow(x, y)

    cases = [case(2, 3)]


@op("aten::pow.int_to_int(int a, int b) -> int")
class PowInt(Numbers):
    """a to the power b, both integers."""

    def number(b, x, y):
        if isinstance(x, int) and isinstance(y, int):
            return x**y
        x, y = (b.from_scalar(b.cast(v, DType.i64), DType.i64) for v in (x, y))  # the loop is one of an element
        return b.item(b.map(int_power, x, y, dtype=DType.i64))

    cases = [case(2, 3)]
