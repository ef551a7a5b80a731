"""Scalar: ops on Python numbers and on the sizes of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from ..block import Block
from ..dtypes import DType
from ..registry import op

_NUMBERS = (bool, int, float)


class Scalar(Block):
    """`lower` gets and returns numbers: constants fold, the rest are run-time numbers."""

    family = "scalar"

    @classmethod
    def static_arguments(cls) -> list[str]:
        """Numbers may be known at run time only."""
        return [a.name for a in cls.schema.arguments if a.type.leaf == "str" or a.name in cls.constant]


class Numbers(Scalar):
    """`number(b, …)` over numbers of one kind: beside a float, integers become floats.

    Results take the schema's type.
    """

    number: ClassVar[Any] = None
    floats: ClassVar[bool] = False
    """True when integers become floats in any case."""

    @classmethod
    def lower(cls, b: Any, *args: Any) -> Any:
        values = [as_float(b, v) for v in args] if cls.floats else unify(b, args)
        return as_type(b, cls.number(b, *values), cls.schema.returns[0].type.name)


def kind_of(value: Any) -> DType | None:
    """The dtype of a Python or run-time number; None is a run-time number of either kind."""
    if isinstance(value, bool):
        return DType.bool
    if isinstance(value, _NUMBERS):
        return DType.f64 if isinstance(value, float) else DType.i64
    return value.dtype


def as_float(b: Any, value: Any) -> Any:
    return float(value) if isinstance(value, _NUMBERS) else b.cast(value, DType.f64)


def as_int(b: Any, value: Any) -> Any:
    return int(value) if isinstance(value, _NUMBERS) else b.cast(value, DType.i64)


def unify(b: Any, values: Any) -> list[Any]:
    """The numbers as floats if one is, else as they are, bool beside an integer as an integer; strings stay."""
    if any(isinstance(v, str) for v in values):
        return list(values)
    kinds = [kind_of(v) for v in values]
    if DType.f64 in kinds:
        return [as_float(b, v) for v in values]
    if DType.i64 in kinds and DType.bool in kinds:
        return [as_int(b, v) for v in values]
    return list(values)


def as_type(b: Any, value: Any, type: str) -> Any:
    """A result as the schema's `int`, `float` or `bool`; anything else stays."""
    dtype = {"int": DType.i64, "float": DType.f64, "bool": DType.bool}.get(type)
    if dtype is None:
        return value
    if isinstance(value, _NUMBERS):
        return {"int": int, "float": float, "bool": bool}[type](value)
    return value if value.dtype is dtype else b.cast(value, dtype)


B = TypeVar("B", bound=type[Block])

OVERLOADS = {"int": "int int", "float": "float float", "float_int": "float int", "int_float": "int float"}


def binary(base: str, result: str | dict[str, str], overloads: str, names: str = "a b") -> Callable[[B], B]:
    """One body for the overloads of a binary number op.

    `overloads` lists them (`""` is the one on Scalars, written `-`), `result` is the type returned, by overload where
    it differs.
    """
    first, second = names.split()

    def register(block: B) -> B:
        for overload in overloads.split():
            suffix = "" if overload == "-" else f".{overload}"
            left, right = OVERLOADS.get(overload, "Scalar Scalar").split()
            returned = result if isinstance(result, str) else result[overload]
            block = op(f"aten::{base}{suffix}({left} {first}, {right} {second}) -> {returned}")(block)
        return block

    return register


def unary(base: str, result: dict[str, str]) -> Callable[[B], B]:
    """One body for the overloads of a unary number op; `result` is the type returned by overload."""

    def register(block: B) -> B:
        for overload, returned in result.items():
            argument = "Scalar" if overload == "Scalar" else overload
            block = op(f"aten::{base}.{overload}({argument} a) -> {returned}")(block)
        return block

    return register
