"""The dtype in which two numbers of a lowering meet."""

from __future__ import annotations

from typing import Any

from npcomp_dialects.aten.dtypes import DType

from .values import Scalar


def category(dtype: DType) -> int:
    """0 bool, 1 integer, 2 float."""
    return 2 if dtype.is_float else 0 if dtype is DType.bool else 1


def python_dtype(number: Any) -> DType:
    """The dtype of a Python number."""
    if isinstance(number, bool):
        return DType.bool
    return DType.i64 if isinstance(number, int) else DType.f64


def meet(x: Any, y: Any) -> tuple[DType, bool]:
    """The common dtype of two numbers, and whether the result is weak: at least one is a Scalar."""
    a, b = _described(x), _described(y)
    if a[1] == b[1]:
        return _wider(a[0], b[0]), a[1]
    weak, strong = (a[0], b[0]) if a[1] else (b[0], a[0])
    if category(weak) <= category(strong):
        return strong, False
    return (DType.f64 if strong in (DType.i64, DType.bool) else DType.f32) if weak.is_float else weak, False


def _described(number: Any) -> tuple[DType, bool]:
    if isinstance(number, Scalar):
        return number.dtype, number.weak
    return python_dtype(number), True


def _wider(a: DType, b: DType) -> DType:
    if a is b:
        return a
    if category(a) != category(b):
        return a if category(a) > category(b) else b
    if {a, b} == {DType.f16, DType.bf16}:
        return DType.f32
    if {a, b} == {DType.u8, DType.i8}:
        return DType.i16
    return a if a.bytes >= b.bytes else b
