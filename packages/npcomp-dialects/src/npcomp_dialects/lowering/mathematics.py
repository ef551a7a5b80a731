"""`b.math`: functions of one or two numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from npcomp_dialects.aten.dtypes import DType

from .arithmetic import Arithmetic, is_number
from .promotion import meet

_OPERATIONS = {
    "exp": "math.exp",
    "log": "math.log",
    "log2": "math.log2",
    "log10": "math.log10",
    "log1p": "math.log1p",
    "expm1": "math.expm1",
    "exp2": "math.exp2",
    "sqrt": "math.sqrt",
    "rsqrt": "math.rsqrt",
    "tanh": "math.tanh",
    "sin": "math.sin",
    "cos": "math.cos",
    "tan": "math.tan",
    "asin": "math.asin",
    "acos": "math.acos",
    "atan": "math.atan",
    "sinh": "math.sinh",
    "cosh": "math.cosh",
    "asinh": "math.asinh",
    "acosh": "math.acosh",
    "atanh": "math.atanh",
    "erf": "math.erf",
}
_ROUNDING = {"floor": "math.floor", "ceil": "math.ceil", "trunc": "math.trunc", "round": "math.roundeven"}
_PYTHON: dict[str, Callable[[float], float]] = {
    "rsqrt": lambda x: 1.0 / math.sqrt(x),
    "floor": math.floor,
    "ceil": math.ceil,
    "trunc": math.trunc,
    "round": round,
}


class Mathematics:
    """Named functions; integers are taken as floats first, except by the rounding ones, which keep them."""

    def __init__(self, arithmetic: Arithmetic):
        self._arithmetic = arithmetic

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        if name in _OPERATIONS:
            return lambda x: self._unary(name, x)
        if name in _ROUNDING:
            return lambda x: self._round(name, x)
        known = ", ".join(sorted([*_OPERATIONS, *_ROUNDING, "abs", "atan2", "pow", "sigmoid", "fmod"]))
        raise AttributeError(f"b.math has no function {name!r}; do: use one of {known}")

    def _unary(self, name: str, x: Any) -> Any:
        if is_number(x):
            return _PYTHON.get(name, getattr(math, name, None))(x)  # type: ignore[misc]
        x = self._as_float(x)
        return self._arithmetic.emit(_OPERATIONS[name], [x], x.dtype, weak=x.weak)

    def _as_float(self, x: Any) -> Any:
        if x.dtype.is_float:
            return x
        return self._arithmetic.cast(x, DType.f64 if x.weak else DType.f32)

    def _round(self, name: str, x: Any) -> Any:
        if is_number(x):
            return x if isinstance(x, int) else float(_PYTHON[name](x))
        if not x.dtype.is_float:
            return x
        return self._arithmetic.emit(_ROUNDING[name], [x], x.dtype, weak=x.weak)

    def abs(self, x: Any) -> Any:
        return self._arithmetic.absolute(x)

    def pow(self, x: Any, y: Any) -> Any:
        return self._arithmetic.power(x, y)

    def fmod(self, x: Any, y: Any) -> Any:
        """The remainder with the dividend's sign."""
        return math.fmod(x, y) if is_number(x) and is_number(y) else self._arithmetic.remainder_like_c(x, y)

    def atan2(self, y: Any, x: Any) -> Any:
        if is_number(x) and is_number(y):
            return math.atan2(y, x)
        dtype, weak = meet(y, x)
        if not dtype.is_float:
            dtype = DType.f64 if weak else DType.f32
        a = self._arithmetic
        return a.emit("math.atan2", [a.const(y, dtype), a.const(x, dtype)], dtype, weak=weak)

    def copysign(self, x: Any, y: Any) -> Any:
        if is_number(x) and is_number(y):
            return math.copysign(x, y)
        dtype, weak = meet(x, y)
        a = self._arithmetic
        return a.emit("math.copysign", [a.const(x, dtype), a.const(y, dtype)], dtype, weak=weak)

    def sigmoid(self, x: Any) -> Any:
        if is_number(x):
            return 1.0 / (1.0 + math.exp(-x))
        return 1.0 / (1.0 + self.exp(-self._as_float(x)))
