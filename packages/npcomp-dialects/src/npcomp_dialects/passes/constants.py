"""Python constants and the ops of the torch dialect that hold them."""

from __future__ import annotations

from typing import Any

from npcomp_dialects.aten.schema import Type
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import walk

_READERS = {
    "torch.constant.int": lambda op: ir.IntegerAttr(op.attributes["value"]).value,
    "torch.constant.float": lambda op: ir.FloatAttr(op.attributes["value"]).value,
    "torch.constant.bool": lambda op: ir.BoolAttr(op.attributes["value"]).value,
    "torch.constant.str": lambda op: ir.StringAttr(op.attributes["value"]).value,
    "torch.constant.device": lambda op: ir.StringAttr(op.attributes["value"]).value,
    "torch.constant.none": lambda op: None,
    "torch.constant.number": lambda op: op.attributes["value"].value,
}


class NotConstant(Exception):
    """The value is only known at run time."""


def is_constant(op: ir.Operation) -> bool:
    return op.name in _READERS


def read(op: ir.Operation) -> Any:
    """The Python value of a `torch.constant.*` op."""
    return _READERS[op.name](op)


def of_value(value: ir.Value) -> Any:
    """The Python constant that a value is, lists of constants included; raises `NotConstant`."""
    op = walk.owner(value)
    if op is None:
        raise NotConstant
    if op.name in _READERS:
        return read(op)
    if op.name == "torch.prim.ListConstruct":
        return [of_value(element) for element in op.operands]
    raise NotConstant


def create(value: Any, loc: ir.Location, ip: ir.InsertionPoint) -> ir.Value:
    """An op that holds a Python constant: None, bool, int, float or str."""
    if value is None:
        return _create("none", td.NoneType.get(), {}, loc, ip)
    if isinstance(value, bool):
        return _create("bool", td.BoolType.get(), {"value": ir.BoolAttr.get(value)}, loc, ip)
    if isinstance(value, int):
        attr = ir.IntegerAttr.get(ir.IntegerType.get_signless(64), value)
        return _create("int", td.IntType.get(), {"value": attr}, loc, ip)
    if isinstance(value, float):
        return _create("float", td.FloatType.get(), {"value": ir.FloatAttr.get_f64(value)}, loc, ip)
    return _create("str", td.StringType.get(), {"value": ir.StringAttr.get(value)}, loc, ip)


def create_argument(value: Any, type: Type, loc: ir.Location, ip: ir.InsertionPoint) -> ir.Value:
    """Ops that hold a constant argument of a schema type; a list becomes a `ListConstruct`."""
    if isinstance(value, (list, tuple)):
        element = type.inner.items[0]
        items = [create_argument(item, element, loc, ip) for item in value]
        return create_list(items, ir_type(element), loc, ip)
    if isinstance(value, int) and not isinstance(value, bool) and type.inner.name == "float":
        value = float(value)
    return create(value, loc, ip)


def create_list(items: list[ir.Value], element: ir.Type, loc: ir.Location, ip: ir.InsertionPoint) -> ir.Value:
    kinds = {item.type for item in items}
    list_type = td.ListType.get(kinds.pop() if len(kinds) == 1 else element)
    return ir.Operation.create("torch.prim.ListConstruct", [list_type], items, loc=loc, ip=ip).results[0]


def ir_type(type: Type) -> ir.Type:
    """The torch dialect's type for a schema type; tensors are values of which nothing is known."""
    if type.is_list:
        return td.ListType.get(ir_type(type.items[0]))
    if type.is_optional:
        return td.OptionalType.get(ir_type(type.items[0]))
    if type.name == "Tensor":
        return td.ValueTensorType.get(None, None)
    return _LEAVES.get(type.name, td.AnyType).get()


_LEAVES = {
    "int": td.IntType,
    "SymInt": td.IntType,
    "ScalarType": td.IntType,
    "Layout": td.IntType,
    "MemoryFormat": td.IntType,
    "float": td.FloatType,
    "bool": td.BoolType,
    "str": td.StringType,
    "Scalar": td.NumberType,
    "Device": td.DeviceType,
    "Generator": td.GeneratorType,
}


def _create(kind: str, type: ir.Type, attributes: dict, loc: ir.Location, ip: ir.InsertionPoint) -> ir.Value:
    op = ir.Operation.create(f"torch.constant.{kind}", [type], [], attributes, loc=loc, ip=ip)
    return op.results[0]
