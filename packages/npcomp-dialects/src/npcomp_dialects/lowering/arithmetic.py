"""Arithmetic on the numbers of a lowering.

Two Python numbers fold, integers of the program stay symbolic, the rest becomes arith operations: inside the body of a
structured op when an operand was made there, before the op otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.mlir import ir

from . import polynomial
from .conversion import convert
from .emitter import Emitter
from .integers import Integers
from .polynomial import Poly
from .promotion import meet, python_dtype
from .types import element_type
from .values import Scalar

_FLOAT = {"lt": 4, "le": 5, "gt": 2, "ge": 3, "eq": 1, "ne": 13}
_SIGNED = {"eq": 0, "ne": 1, "lt": 2, "le": 3, "gt": 4, "ge": 5}
_UNSIGNED = {"eq": 0, "ne": 1, "lt": 6, "le": 7, "gt": 8, "ge": 9}
_FOLD: dict[str, Callable[[Any, Any], bool]] = {
    "lt": lambda a, c: a < c,
    "le": lambda a, c: a <= c,
    "gt": lambda a, c: a > c,
    "ge": lambda a, c: a >= c,
    "eq": lambda a, c: a == c,
    "ne": lambda a, c: a != c,
}


def is_number(x: Any) -> bool:
    return isinstance(x, (bool, int, float))


class Arithmetic:
    """What the operators of `Scalar` do."""

    def __init__(self, emitter: Emitter, integers: Integers):
        self.emitter = emitter
        self.integers = integers
        self.symbols = integers.symbols
        self.guard: Callable[..., None] | None = None
        integers.arithmetic = self

    def materialise(self, p: Poly) -> ir.Value:
        return self.integers.value(p, self.emitter.i64)

    def emit(
        self,
        name: str,
        operands: Sequence[Scalar],
        dtype: DType,
        attributes: dict[str, ir.Attribute] | None = None,
        weak: bool = False,
    ) -> Scalar:
        """An operation on numbers; it goes where its innermost operand is."""
        inside = any(x.inside for x in operands)
        values = [x.value for x in operands]
        emitter = self.emitter
        type = element_type(dtype)
        if inside and emitter.body is not None:
            with emitter.at(emitter.body):
                return Scalar(self, dtype, emitter.value(name, values, type, attributes), inside=True)
        return self.wrap(emitter.value(name, values, type, attributes), dtype, weak)

    def wrap(self, value: ir.Value, dtype: DType, weak: bool = False) -> Scalar:
        """A number for an SSA value; a weak i64 becomes symbolic."""
        if weak and dtype is DType.i64:
            return Scalar(self, dtype, poly=self.integers.of_value(value), weak=True)
        return Scalar(self, dtype, value, weak=weak)

    def index_number(self, value: ir.Value) -> Scalar:
        """The counter of a loop: it is never negative."""
        p = self.integers.of_value(value)
        self.symbols.atoms[p[0][0][0]].low = 0
        return Scalar(self, DType.i64, poly=p, weak=True)

    def const(self, number: Any, dtype: DType) -> Scalar:
        """A Python number as a Scalar of a dtype."""
        if isinstance(number, Scalar):
            return self.cast(number, dtype)
        if dtype is DType.bool:
            number = bool(number)
        return Scalar(self, dtype, self.emitter.constant(number, element_type(dtype)))

    def cast(self, x: Any, dtype: DType) -> Any:
        """torch's conversion of a number; a Python number stays one."""
        if is_number(x):
            if dtype is DType.bool:
                return bool(x)
            return float(x) if dtype.is_float else int(x)
        return convert(self, x, dtype)

    def _both(self, x: Any, y: Any) -> tuple[Scalar, Scalar, DType, bool]:
        dtype, weak = meet(x, y)
        return self.const(x, dtype), self.const(y, dtype), dtype, weak

    def _symbolic(self, x: Any, y: Any) -> bool:
        return _is_symbolic(x) and _is_symbolic(y)

    def _polys(self, x: Any, y: Any) -> tuple[Poly, Poly]:
        return self.integers.of(x), self.integers.of(y)

    def add(self, x: Any, y: Any) -> Any:
        if is_number(x) and is_number(y):
            return x + y
        if self._symbolic(x, y):
            return self.integers.from_poly(polynomial.add(*self._polys(x, y)))
        return self._ring("add", x, y)

    def subtract(self, x: Any, y: Any) -> Any:
        if is_number(x) and is_number(y):
            return x - y
        if self._symbolic(x, y):
            return self.integers.from_poly(polynomial.subtract(*self._polys(x, y)))
        return self._ring("sub", x, y)

    def multiply(self, x: Any, y: Any) -> Any:
        if is_number(x) and is_number(y):
            return x * y
        if self._symbolic(x, y):
            return self.integers.from_poly(polynomial.multiply(*self._polys(x, y)))
        for one, other in ((x, y), (y, x)):
            if is_number(one) and one == 1 and other.dtype is not DType.bool and meet(x, y)[0] is other.dtype:
                return other
        return self._ring("mul", x, y)

    def _ring(self, kind: str, x: Any, y: Any) -> Scalar:
        a, c, dtype, weak = self._both(x, y)
        if dtype is DType.bool:
            return self.emit({"add": "arith.ori", "mul": "arith.andi", "sub": "arith.xori"}[kind], [a, c], dtype)
        suffix = "f" if dtype.is_float else "i"
        return self.emit(f"arith.{kind}{suffix}", [a, c], dtype, weak=weak)

    def divide(self, x: Any, y: Any) -> Any:
        """True division."""
        if is_number(x) and is_number(y):
            return x / y
        dtype, weak = meet(x, y)
        if not dtype.is_float:
            dtype = DType.f64 if weak else DType.f32
        return self.emit("arith.divf", [self.const(x, dtype), self.const(y, dtype)], dtype, weak=weak)

    def floor_divide(self, x: Any, y: Any) -> Any:
        """Python's `//`."""
        if is_number(x) and is_number(y):
            return x // y
        if self._symbolic(x, y):
            p, q = self._polys(x, y)
            self._refuse_zero(p, q, y)
            return self.integers.from_poly(self.symbols.floordiv(p, q))
        a, c, dtype, _ = self._both(x, y)
        if dtype.is_float:
            return self._float_floor_divide(a, c)
        if not dtype.is_signed:
            return self.emit("arith.divui", [a, self._divisor(c)], dtype)
        quotient = self.emit("arith.floordivsi", [a, self._divisor(c)], dtype)
        return quotient if is_number(y) else self.select(c == -1, self.negate(a), quotient)

    def modulo(self, x: Any, y: Any) -> Any:
        """Python's `%`: the result has the divisor's sign."""
        if is_number(x) and is_number(y):
            return x % y
        if self._symbolic(x, y):
            p, q = self._polys(x, y)
            self._refuse_zero(p, q, y)
            return self.integers.from_poly(self.symbols.modulo(p, q))
        a, c, dtype, weak = self._both(x, y)
        if dtype.is_float:
            rest = self.emit("arith.remf", [a, c], dtype, weak=weak)
        elif not dtype.is_signed:
            return self.emit("arith.remui", [a, self._divisor(c)], dtype)
        else:
            rest = self.emit("arith.remsi", [a, self._divisor(c)], dtype)
        crosses = (rest != 0) & ((rest < 0) ^ (c < 0))
        return self.select(crosses, rest + c, rest)

    def remainder_like_c(self, x: Any, y: Any) -> Any:
        """C's `%` and fmod: the result has the dividend's sign."""
        a, c, dtype, weak = self._both(x, y)
        if dtype.is_float:
            return self.emit("arith.remf", [a, c], dtype, weak=weak)
        return self.emit("arith.remsi" if dtype.is_signed else "arith.remui", [a, self._divisor(c)], dtype)

    def _refuse_zero(self, p: Poly, q: Poly, divisor: Any) -> None:
        """A division of run-time ints by zero is an error of the program, as in Python."""
        if q and polynomial.divide_exactly(p, q) is not None:
            return
        if self.symbols.equal(q, polynomial.ZERO) is not False and self.guard is not None:
            self.guard(divisor != 0, "integer division or modulo by zero", error="ZeroDivisionError")

    def _divisor(self, c: Scalar) -> Scalar:
        """The divisor made harmless: the hardware traps on 0 and on MIN / -1."""
        if _constant(c) not in (None, 0, -1):
            return c
        harmful = c == 0
        if c.dtype.is_signed:
            harmful = harmful | (c == -1)
        return self.select(harmful, self.const(1, c.dtype), c)

    def _float_floor_divide(self, a: Scalar, c: Scalar) -> Any:
        """torch's: from the remainder, so that no rounding of a / c shows."""
        rest = self.emit("arith.remf", [a, c], a.dtype)
        quotient = (a - rest) / c
        quotient = self.select((rest != 0) & ((c < 0) ^ (rest < 0)), quotient - 1.0, quotient)
        floor = self.emit("math.floor", [quotient], a.dtype)
        floor = self.select(quotient - floor > 0.5, floor + 1.0, floor)
        zero = self.emit("math.copysign", [self.const(0.0, a.dtype), a / c], a.dtype)
        return self.select(c == 0.0, a / c, self.select(quotient == 0.0, zero, floor))

    def power(self, x: Any, y: Any) -> Any:
        if is_number(x) and is_number(y):
            return x**y
        dtype, weak = meet(x, y)
        if is_number(y) and y == int(y) and 1 <= y <= 4:
            return self._small_power(self.cast(x, dtype), int(y))
        if not dtype.is_float:
            return self._integer_power(x, y, dtype, weak)
        a = self.const(x, dtype)
        if is_number(y) and y == 0.5:
            return self.emit("math.sqrt", [a], dtype, weak=weak)
        if is_number(y) and y in (-0.5, -1.0, -2.0):
            return 1.0 / self.power(a, -y)
        return self.emit("math.powf", [a, self.const(y, dtype)], dtype, weak=weak)

    def _small_power(self, x: Any, exponent: int) -> Any:
        if exponent == 1:
            return x
        half = self._small_power(x, exponent // 2)
        return half * half * x if exponent % 2 else half * half

    def _integer_power(self, x: Any, y: Any, dtype: DType, weak: bool) -> Any:
        dtype = DType.i64 if dtype is DType.bool else dtype
        return self.emit("math.ipowi", [self.const(x, dtype), self.const(y, dtype)], dtype, weak=weak)

    def negate(self, x: Any) -> Any:
        if is_number(x):
            return -x
        if x.dtype.is_float:
            return self.emit("arith.negf", [x], x.dtype, weak=x.weak)
        if x.poly is not None:
            return self.integers.from_poly(polynomial.negate(self.integers.of(x)))
        return self.const(0, x.dtype) - x

    def absolute(self, x: Any) -> Any:
        if is_number(x):
            return abs(x)
        if x.dtype.is_float:
            return self.emit("math.absf", [x], x.dtype, weak=x.weak)
        return self.emit("math.absi", [x], x.dtype, weak=x.weak) if x.dtype.is_signed else x

    def bitwise(self, kind: str, x: Any, y: Any) -> Any:
        if is_number(x) and is_number(y):
            return {"and": lambda: x & y, "or": lambda: x | y, "xor": lambda: x ^ y}[kind]()
        for one, other in ((x, y), (y, x)):
            if isinstance(one, bool) and other.dtype is DType.bool and kind != "xor":
                return other if one == (kind == "and") else one
        a, c, dtype, weak = self._both(x, y)
        return self.emit(f"arith.{kind}i", [a, c], dtype, weak=weak)

    def invert(self, x: Any) -> Any:
        if isinstance(x, bool):
            return not x
        if is_number(x):
            return ~x
        return self.bitwise("xor", x, True if x.dtype is DType.bool else -1)

    def shift(self, kind: str, x: Any, y: Any) -> Any:
        """`left` or `right`; the right shift keeps the sign."""
        if is_number(x) and is_number(y):
            return x << y if kind == "left" else x >> y
        a, c, dtype, weak = self._both(x, y)
        name = "arith.shli" if kind == "left" else "arith.shrsi" if dtype.is_signed else "arith.shrui"
        return self.emit(name, [a, c], dtype, weak=weak)

    def bitcast(self, x: Scalar, dtype: DType) -> Scalar:
        return self.emit("arith.bitcast", [x], dtype)

    def compare(self, kind: str, x: Any, y: Any) -> Any:
        if y is None:
            return kind == "ne"
        if is_number(x) and is_number(y):
            return _FOLD[kind](x, y)
        fact = None
        if self._symbolic(x, y):
            folded = self._decide(kind, *self._polys(x, y))
            if folded is not None:
                return folded
            fact = (kind, *self._polys(x, y)) if kind in ("eq", "ne") else None
        a, c, dtype, weak = self._both(x, y)
        if dtype.is_float:
            name, number = "arith.cmpf", _FLOAT[kind]
        else:
            name, number = "arith.cmpi", (_SIGNED if dtype.is_signed else _UNSIGNED)[kind]
        result = self.emit(name, [a, c], DType.bool, {"predicate": ir.IntegerAttr.get(self.emitter.i64, number)})
        result.fact = fact
        result.weak = weak
        return result

    def _decide(self, kind: str, p: Poly, q: Poly) -> bool | None:
        if kind in ("eq", "ne"):
            equal = self.symbols.equal(p, q)
            return None if equal is None else equal == (kind == "eq")
        if kind in ("gt", "le"):
            above = self.symbols.less(q, p)
            return None if above is None else above == (kind == "gt")
        below = self.symbols.less(p, q)
        return None if below is None else below == (kind == "lt")

    def select(self, condition: Any, x: Any, y: Any) -> Any:
        """`x` where the condition holds, else `y`."""
        if isinstance(condition, bool):
            return x if condition else y
        if is_number(x) and is_number(y):
            dtype, weak = python_dtype(x), True
            if python_dtype(y) is not dtype:
                dtype = max(dtype, python_dtype(y), key=lambda d: (d.is_float, d is not DType.bool))
        else:
            dtype, weak = meet(x, y)
        return self.emit("arith.select", [condition, self.const(x, dtype), self.const(y, dtype)], dtype, weak=weak)

    def minimum(self, x: Any, y: Any) -> Any:
        return self._extreme("min", x, y)

    def maximum(self, x: Any, y: Any) -> Any:
        return self._extreme("max", x, y)

    def _extreme(self, kind: str, x: Any, y: Any) -> Any:
        if is_number(x) and is_number(y):
            if x != x or y != y:
                return float("nan")
            return min(x, y) if kind == "min" else max(x, y)
        if self._symbolic(x, y):
            p, q = self._polys(x, y)
            return self.integers.from_poly(self.symbols.minimum(p, q) if kind == "min" else self.symbols.maximum(p, q))
        a, c, dtype, weak = self._both(x, y)
        if dtype.is_float:
            name = f"arith.{kind}imumf"
        else:
            name = f"arith.{kind}{'s' if dtype.is_signed else 'u'}i"
        return self.emit(name, [a, c], dtype, weak=weak)

    def isnan(self, x: Any) -> Any:
        if is_number(x):
            return x != x
        if not x.dtype.is_float:
            return False
        unordered = ir.IntegerAttr.get(self.emitter.i64, 14)
        return self.emit("arith.cmpf", [x, x], DType.bool, {"predicate": unordered}, weak=x.weak)


def _is_symbolic(x: Any) -> bool:
    if isinstance(x, Scalar):
        return x.poly is not None
    return isinstance(x, int)


def _constant(x: Scalar) -> int | None:
    """The value of a number that is an arith.constant."""
    owner = x.value.owner
    if isinstance(owner, ir.Block) or owner.name != "arith.constant":
        return None
    return ir.IntegerAttr(owner.attributes["value"]).value
