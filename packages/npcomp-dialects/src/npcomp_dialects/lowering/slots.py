"""Slots: the values that a region hands on at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.mlir import ir

from . import polynomial
from .arithmetic import is_number
from .promotion import category, python_dtype
from .structures import UNINITIALIZED, Opaque, StructureMismatch
from .types import element_type, static_sizes, tensor_type
from .values import Scalar, T

if TYPE_CHECKING:
    from .torch_to_tcf import FunctionLowering


def number_slot(values: list[Any]) -> DType:
    """The dtype that holds all of these numbers: bool, i64 or f64."""
    kinds = [v.dtype if isinstance(v, Scalar) else python_dtype(v) for v in values]
    return (DType.bool, DType.i64, DType.f64)[max(map(category, kinds))]


def tensor_slot(f: FunctionLowering, values: list[T]) -> ir.RankedTensorType:
    """The tensor type that shows what all of these agree on."""
    first, *rest = values
    for value in rest:
        if value.dtype is not first.dtype or value.rank != first.rank:
            raise StructureMismatch(
                f"a tensor is {first.dtype} of rank {first.rank} on one side and {value.dtype} of rank {value.rank} on"
                " the other"
            )
    shapes = [f.builder.sizes.static(f.builder.sizes.of(v.value)) for v in values]
    joined = [sizes[0] if len(set(sizes)) == 1 else None for sizes in zip(*shapes, strict=True)]
    return tensor_type(joined, element_type(first.dtype))


def fill(f: FunctionLowering, value: Any, type: ir.Type, dtype: DType | None) -> ir.Value:
    """The SSA value that goes into a slot of this type, at the current place."""
    emitter = f.emitter
    if value is UNINITIALIZED:
        return _nothing(f, type)
    if isinstance(value, T):
        return cast_tensor(f, value.value, type)
    if isinstance(value, Opaque):
        return value.value
    if dtype is not None and (is_number(value) or isinstance(value, Scalar)):
        return f.builder.const(value, dtype).value
    made: ir.Value = f.boundary.to_torch(value, type)
    return made if made.type == type else emitter.value("torch.derefine", [made], type)


def cast_tensor(f: FunctionLowering, value: ir.Value, type: ir.Type) -> ir.Value:
    return value if value.type == type else f.emitter.value("tensor.cast", [value], type)


def _nothing(f: FunctionLowering, type: ir.Type) -> ir.Value:
    """A value that no path reads."""
    emitter = f.emitter
    if isinstance(type, ir.RankedTensorType):
        zero = emitter.constant(0, emitter.index)
        open_dims = [zero for s in static_sizes(type) if s is None]
        return emitter.value("tensor.empty", open_dims, type)
    if isinstance(type, (ir.IntegerType, ir.F64Type)):
        return emitter.constant(0, type)
    return emitter.value("torch.prim.Uninitialized", [], type)


def adopt(f: FunctionLowering, value: ir.Value, dtype: DType | None) -> Any:
    """What a slot's SSA value means after the region."""
    if isinstance(value.type, ir.RankedTensorType):
        assert dtype is not None
        return f.builder.tensor(value, dtype)
    return Opaque(value) if dtype is None else f.builder.arithmetic.wrap(value, dtype, weak=True)


def keep_common_sizes(f: FunctionLowering, made: ir.Value, values: list[T]) -> None:
    """The result's sizes are its sources' where those are one number that can be named here."""
    sizes = f.builder.sizes
    described = [sizes.of(v.value) for v in values]
    own = sizes.of(made)
    for d, candidates in enumerate(zip(*described, strict=True)):
        first, *rest = candidates
        agree = all(f.builder.symbols.equal(first, p) for p in rest)
        if polynomial.as_constant(own[d]) is None and agree and f.builder.integers.visible(first):
            own[d] = first
