"""Ops of the torch dialect that the backend contract keeps, for the reference evaluator: kernels, constants, slots."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from evaluator_scalars import is_bf16
from npcomp_dialects.mlir import ir


def to_torch(self: Any, op: ir.Operation, operands: list[Any]) -> list[Any]:
    """A builtin tensor as a torch tensor of the vtensor's dtype."""
    made = torch.from_numpy(np.array(operands[0]))
    shown = op.results[0].type.dtype
    if is_bf16(op.operands[0].type):
        made = made.to(torch.bfloat16)
    return [made.view(torch.uint8) if isinstance(shown, ir.IntegerType) and shown.is_unsigned else made]


def from_torch(self: Any, op: ir.Operation, operands: list[Any]) -> list[Any]:
    value = operands[0]
    if isinstance(value, torch.Tensor):
        value = value.float() if value.dtype is torch.bfloat16 else value
        value = value.view(torch.int8) if value.dtype is torch.uint8 else value
        value = value.numpy()
    return [value]


def number(self: Any, op: ir.Operation, operands: list[Any]) -> list[Any]:
    return [operands[0].item() if hasattr(operands[0], "item") else operands[0]]


def constant(self: Any, op: ir.Operation, operands: list[Any]) -> list[Any]:
    value = op.attributes["value"]
    if isinstance(value, ir.BoolAttr):
        return [bool(value.value)]
    return [value.value]


def operator(self: Any, op: ir.Operation, operands: list[Any]) -> list[Any]:
    """torch's own kernel."""
    name = ir.StringAttr(op.attributes["name"]).value
    namespace, base, *overload = name.split(".")
    packet = getattr(getattr(torch.ops, namespace), base)
    kernel = getattr(packet, overload[0] if overload else "default")
    positional, keywords = [], {}
    for argument, value in zip(kernel._schema.arguments, operands, strict=False):
        if argument.kwarg_only:
            keywords[argument.name] = value
        else:
            positional.append(value)
    results = kernel(*positional, **keywords)
    return list(results) if isinstance(results, tuple) else [results]


def slot_get(self: Any, op: ir.Operation, operands: list[Any]) -> list[Any]:
    return [self.slots[ir.FlatSymbolRefAttr(op.attributes["slot"]).value]]


def slot_set(self: Any, op: ir.Operation, operands: list[Any]) -> list[Any]:
    self.slots[ir.FlatSymbolRefAttr(op.attributes["slot"]).value] = operands[0]
    return []


def literal(self: Any, op: ir.Operation, operands: list[Any]) -> list[Any]:
    from evaluator_scalars import constant as elements

    type = ir.ShapedType(op.attributes["value"].type)
    return [torch.from_numpy(np.array(elements(op.attributes["value"], ir.RankedTensorType(type))))]


TORCH_OPS = {
    "torch.from_builtin_tensor": to_torch,
    "torch.to_builtin_tensor": from_torch,
    **{f"torch.{way}_{kind}": number for way in ("to", "from") for kind in ("i64", "f64", "i1")},
    **{f"torch.constant.{kind}": constant for kind in ("int", "float", "bool", "str", "device")},
    "torch.constant.none": lambda self, op, operands: [None],
    "torch.prim.ListConstruct": lambda self, op, operands: [list(operands)],
    "torch.prim.ListUnpack": lambda self, op, operands: list(operands[0]),
    "torch.operator": operator,
    "torch.vtensor.literal": literal,
    "torch.global_slot.get": slot_get,
    "torch.global_slot.set": slot_set,
}
