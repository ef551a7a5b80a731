"""Constant tensors."""

from __future__ import annotations

from typing import Any

from npcomp_dialects.mlir import ir

from .boundary import describe_tensor
from .builder import Builder
from .types import element_type, tensor_type
from .values import T


def constant_tensor(builder: Builder, elements: ir.Attribute, type: Any) -> T:
    """`arith.constant` for the elements of a torch literal; integers are stored signless."""
    _, dtype = describe_tensor(type, builder.emitter.loc)
    shape = ir.RankedTensorType(ir.ShapedType(elements.type))
    made = tensor_type(list(shape.shape), element_type(dtype))
    if shape != made:
        elements = _relabel(elements, made)
    value = builder.emitter.value("arith.constant", [], made, {"value": elements})
    return T(builder, value, dtype)


def _relabel(elements: ir.Attribute, type: ir.RankedTensorType) -> ir.Attribute:
    """The same bytes under the signless type."""
    text = str(elements)
    head, _, _ = text.rpartition(" : ")
    return ir.Attribute.parse(f"{head} : {type}")
