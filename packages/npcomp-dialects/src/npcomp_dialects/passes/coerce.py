"""Makes a value fit a type, where control flow and functions demand that types be equal."""

from __future__ import annotations

from collections.abc import Collection

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import walk

_TENSORS = (td.ValueTensorType, td.NonValueTensorType)
_NARROWER = (td.OptionalType, td.UnionType, td.AnyType, td.NumberType)
CASTS = ("torch.derefine", "torch.prim.unchecked_cast", "torch.tensor_static_info_cast")


def coerce(value: ir.Value, type: ir.Type, loc: ir.Location, ip: ir.InsertionPoint) -> ir.Value:
    """The same value with another type. Casts that it came through are undone rather than stacked."""
    if value.type == type:
        return value
    source = walk.owner(value)
    if source is not None and source.name in CASTS and source.operands[0].type == type:
        return source.operands[0]
    if source is not None and source.name == "torch.prim.Uninitialized":
        return ir.Operation.create("torch.prim.Uninitialized", [type], [], loc=loc, ip=ip).results[0]
    if isinstance(type, td.OptionalType) and isinstance(value.type, _TENSORS):
        value = coerce(value, type.contained, loc, ip)
    return ir.Operation.create(_cast(value.type, type), [type], [value], loc=loc, ip=ip).results[0]


def uncast(value: ir.Value, casts: Collection[str] = CASTS) -> ir.Value:
    """The value that casts, or ops of other names that rename it, were made from."""
    source = walk.owner(value)
    while source is not None and source.name in casts:
        value = source.operands[0]
        source = walk.owner(value)
    return value


def _cast(given: ir.Type, wanted: ir.Type) -> str:
    if isinstance(given, _TENSORS) and isinstance(wanted, _TENSORS):
        return "torch.tensor_static_info_cast"
    if isinstance(given, _NARROWER) and not isinstance(wanted, td.AnyType):
        return "torch.prim.unchecked_cast"
    return "torch.derefine"
