"""torch's type promotion, and the named dtype rules of op blocks.

Operands fall in three classes of falling rank: tensors with dims, 0-d tensors, Python numbers. A lower class decides
only when its category (bool < integer < float < complex) is above that of the classes before it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .abstract import Unknown
from .dtypes import DType
from .errors import InferError

DEFAULT_FLOAT = DType.f32


@dataclass(frozen=True)
class Operand:
    """What promotion sees of an operand; None is unknown. A number's dtype is f64, i64 or bool by its Python type."""

    dtype: DType | None
    zero_dim: bool | None = False
    is_number: bool = False


def operand_of(value: object) -> Operand:
    """The operand that an argument is: a tensor (abstract or not), a Python number, a run-time number."""
    if isinstance(value, bool):
        return Operand(DType.bool, is_number=True)
    if isinstance(value, int):
        return Operand(DType.i64, is_number=True)
    if isinstance(value, float):
        return Operand(DType.f64, is_number=True)
    if isinstance(value, Unknown):
        known = {"int": DType.i64, "SymInt": DType.i64, "float": DType.f64, "bool": DType.bool}
        return Operand(known.get(value.type), is_number=True)
    if hasattr(value, "rank"):
        rank = value.rank
        return Operand(value.dtype, None if rank is None else rank == 0)  # type: ignore[attr-defined]
    if hasattr(value, "dtype"):
        return Operand(value.dtype, is_number=True)
    raise InferError(f"expected a tensor or a number, got {value!r}")


def promote_types(a: DType, b: DType) -> DType:
    """The dtype that holds both, as torch.promote_types."""
    if a is b or b is DType.bool:
        return a
    if a is DType.bool:
        return b
    if a.is_complex or b.is_complex:
        wide = bool({a, b} & {DType.c128, DType.f64})
        half = {a, b} <= {DType.c32, DType.f16} or not (a.is_float or b.is_float or {a, b} & {DType.c64})
        return DType.c128 if wide else DType.c32 if half else DType.c64
    if a.is_float != b.is_float:
        return a if a.is_float else b
    if a.bytes == b.bytes:
        return DType.f32 if a.is_float else DType.i16
    large, small = (a, b) if a.bytes > b.bytes else (b, a)
    return large if large.is_signed or not small.is_signed else DType.i16


def result_type(operands: Sequence[Operand]) -> DType:
    """The dtype of an op over fully known operands, as torch.result_type."""
    by_class: list[DType | None] = [None, None, None]
    for o in operands:
        assert o.dtype is not None
        dtype = DEFAULT_FLOAT if o.is_number and o.dtype.is_float else o.dtype
        i = 2 if o.is_number else 1 if o.zero_dim else 0
        seen = by_class[i]
        by_class[i] = dtype if seen is None else promote_types(seen, dtype)
    result = _combine(by_class[0], _combine(by_class[1], by_class[2]))
    if result is None:
        raise InferError("promotion needs at least one operand")
    return result


def _combine(higher: DType | None, lower: DType | None) -> DType | None:
    if higher is None or lower is None:
        return higher or lower
    if higher.is_complex or (higher.is_float and not lower.is_complex):
        return higher
    if higher.is_float:
        return {DType.f64: DType.c128, DType.f16: DType.c32}.get(higher, DType.c64)
    if higher is DType.bool or lower.is_float or lower.is_complex:
        return promote_types(higher, lower)
    return higher


def partial_result_type(operands: Sequence[Operand]) -> DType | None:
    """`result_type` where ranks and dtypes may be unknown: the answer if all possibilities agree, else None."""
    if any(o.dtype is None and not o.is_number for o in operands):
        return None
    answers = {result_type(choice) for choice in itertools.product(*map(_possibilities, operands))}
    return answers.pop() if len(answers) == 1 else None


def _possibilities(o: Operand) -> list[Operand]:
    if o.is_number and o.dtype is None:
        return [Operand(d, is_number=True) for d in (DType.bool, DType.i64, DType.f64)]
    if o.zero_dim is None:
        return [Operand(o.dtype, True), Operand(o.dtype, False)]
    return [o]


@dataclass(frozen=True)
class Rule:
    """A dtype rule: from the promoted dtype of the operands to the dtype computed in and the dtype of the result."""

    name: str
    compute_of: Callable[[DType], DType]
    result_of: Callable[[DType], DType]
    fixed: DType | None = None
    """The result's dtype when the operands do not matter."""

    def compute(self, operands: Sequence[Operand]) -> DType | None:
        promoted = partial_result_type(operands)
        return None if promoted is None else self.compute_of(promoted)

    def result(self, operands: Sequence[Operand]) -> DType | None:
        promoted = partial_result_type(operands)
        return self.fixed if promoted is None else self.result_of(promoted)


def same(dtype: DType) -> DType:
    return dtype


def float_of(dtype: DType) -> DType:
    """The dtype of a float function: integers and bool become the default float."""
    return dtype if dtype.is_float else DEFAULT_FLOAT


def sum_of(dtype: DType) -> DType:
    """The dtype of a sum: integers and bool add up in i64."""
    return dtype if dtype.is_float else DType.i64


def opmath(dtype: DType) -> DType:
    """The dtype arithmetic is done in: 16-bit floats compute in f32."""
    return DType.f32 if dtype.is_half else dtype


def bool_as_u8(dtype: DType) -> DType:
    """Ordered as numbers: in a signed one-bit integer, True would be -1."""
    return DType.u8 if dtype is DType.bool else dtype


def float_only(dtype: DType) -> DType:
    """For ops that torch offers on floats alone."""
    if not dtype.is_float:
        raise InferError(f"the op is not implemented for {dtype} tensors; do: cast the input to a float dtype")
    return dtype


def not_bool(dtype: DType) -> DType:
    """For arithmetic that torch refuses on bool."""
    if dtype is DType.bool:
        raise InferError("the op is not implemented for bool tensors; do: cast the input, or use a logical op")
    return dtype


promote = Rule("promote", same, same)
promote_to_float = Rule("promote_to_float", float_of, float_of)
promote_to_bool = Rule("promote_to_bool", bool_as_u8, lambda _: DType.bool, DType.bool)
promote_floats = Rule("promote_floats", float_only, float_only)
promote_numbers = Rule("promote_numbers", not_bool, not_bool)
integers_to_i64 = Rule("integers_to_i64", sum_of, sum_of)
to_bool_but_u8 = Rule("to_bool_but_u8", same, lambda d: d if d is DType.u8 else DType.bool)
to_i64 = Rule("to_i64", bool_as_u8, lambda _: DType.i64, DType.i64)
