"""What `b` hands to op blocks: tensors (`T`) and run-time numbers (`Scalar`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.aten.errors import NotStatic
from npcomp_dialects.mlir import ir

from .polynomial import Poly

if TYPE_CHECKING:
    from .builder import Builder

Number = "Scalar | int | float | bool"


class T:
    """A tensor. `sizes` has a Python int for a dim of known size, else a Scalar."""

    __slots__ = ("_builder", "dtype", "value")

    def __init__(self, builder: Builder, value: ir.Value, dtype: DType):
        self._builder = builder
        self.value = value
        self.dtype = dtype

    @property
    def rank(self) -> int:
        return len(self._builder.sizes.of(self.value))

    @property
    def sizes(self) -> list[Any]:
        return [self._builder.integers.from_poly(p) for p in self._builder.sizes.of(self.value)]

    @property
    def type(self) -> ir.RankedTensorType:
        return ir.RankedTensorType(self.value.type)

    def __repr__(self) -> str:
        return f"T({self.value.type}, {self.dtype})"


class Scalar:
    """A run-time number.

    `weak` numbers come from torch's int and float and take the dtype of the element beside them. A weak integer is
    symbolic: it has a polynomial, and becomes an SSA value only where one is needed. `inside` marks a number made in
    the body of a structured op. `fact` is what a true bool tells of two
    integers: `("eq" or "ne", p, q)`.
    """

    __slots__ = ("_arithmetic", "_value", "dtype", "fact", "inside", "poly", "weak")

    def __init__(
        self,
        arithmetic: Any,
        dtype: DType,
        value: ir.Value | None = None,
        *,
        poly: Poly | None = None,
        weak: bool = False,
        inside: bool = False,
        fact: tuple[str, Poly, Poly] | None = None,
    ):
        self._arithmetic = arithmetic
        self._value = value
        self.dtype = dtype
        self.poly = poly
        self.weak = weak
        self.inside = inside
        self.fact = fact

    @property
    def value(self) -> ir.Value:
        """The SSA value, at the current place of the program."""
        if self._value is not None:
            return self._value
        return self._arithmetic.materialise(self.poly)

    def __bool__(self) -> bool:
        raise NotStatic(
            f"the lowering of an op branches on a {self.dtype} that only run time knows; do: use b.select or b.guard"
        )

    def __repr__(self) -> str:
        return f"Scalar({self.dtype}, {self.poly or self._value})"

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: Any) -> Any:
        return self._arithmetic.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return self._arithmetic.add(other, self)

    def __sub__(self, other: Any) -> Any:
        return self._arithmetic.subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._arithmetic.subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return self._arithmetic.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._arithmetic.multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        return self._arithmetic.divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._arithmetic.divide(other, self)

    def __floordiv__(self, other: Any) -> Any:
        return self._arithmetic.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._arithmetic.floor_divide(other, self)

    def __mod__(self, other: Any) -> Any:
        return self._arithmetic.modulo(self, other)

    def __rmod__(self, other: Any) -> Any:
        return self._arithmetic.modulo(other, self)

    def __pow__(self, other: Any) -> Any:
        return self._arithmetic.power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return self._arithmetic.power(other, self)

    def __neg__(self) -> Any:
        return self._arithmetic.negate(self)

    def __abs__(self) -> Any:
        return self._arithmetic.absolute(self)

    def __and__(self, other: Any) -> Any:
        return self._arithmetic.bitwise("and", self, other)

    def __or__(self, other: Any) -> Any:
        return self._arithmetic.bitwise("or", self, other)

    def __xor__(self, other: Any) -> Any:
        return self._arithmetic.bitwise("xor", self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __invert__(self) -> Any:
        return self._arithmetic.invert(self)

    def __lt__(self, other: Any) -> Any:
        return self._arithmetic.compare("lt", self, other)

    def __le__(self, other: Any) -> Any:
        return self._arithmetic.compare("le", self, other)

    def __gt__(self, other: Any) -> Any:
        return self._arithmetic.compare("gt", self, other)

    def __ge__(self, other: Any) -> Any:
        return self._arithmetic.compare("ge", self, other)

    def __eq__(self, other: Any) -> Any:
        return self._arithmetic.compare("eq", self, other)

    def __ne__(self, other: Any) -> Any:
        return self._arithmetic.compare("ne", self, other)
