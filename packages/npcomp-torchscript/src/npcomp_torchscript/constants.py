"""Python values → constants of the torch dialect."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import torch
from npcomp_dialects import literals
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td

from npcomp_torchscript import quantized
from npcomp_torchscript.errors import Refusal
from npcomp_torchscript.specs import DTYPE_CODES
from npcomp_torchscript.torch_types import TypeImporter

Attributes = dict[str, ir.Attribute] | None


def create(name: str, results: list[ir.Type], operands: list[ir.Value], attributes: Attributes = None) -> Any:
    """Builds one op at the current insertion point and location."""
    return ir.Operation.create(name, results=results, operands=operands, attributes=attributes)


def value_of(name: str, result: ir.Type, operands: list[ir.Value], attributes: Attributes = None) -> ir.Value:
    return create(name, [result], operands, attributes).result


def _attribute(op: str, type: Callable[[], ir.Type], attribute: Callable[[Any], ir.Attribute]) -> Callable[[Any], Any]:
    return lambda value: value_of(f"torch.constant.{op}", type(), [], {"value": attribute(value)})


SCALARS: dict[type, Callable[[Any], ir.Value]] = {
    bool: _attribute("bool", td.BoolType.get, ir.BoolAttr.get),
    int: _attribute("int", td.IntType.get, lambda v: ir.IntegerAttr.get(ir.IntegerType.get_signless(64), v)),
    float: _attribute("float", td.FloatType.get, ir.FloatAttr.get_f64),
    str: _attribute("str", td.StringType.get, ir.StringAttr.get),
    torch.device: _attribute("device", td.DeviceType.get, lambda v: ir.StringAttr.get(str(v))),
    type(None): lambda v: value_of("torch.constant.none", td.NoneType.get(), []),
}


def scalar(value: Any) -> ir.Value:
    """A number, bool, string, None, device or enum value."""
    if isinstance(value, enum.Enum):
        return scalar(value.value)
    build = SCALARS.get(type(value))
    if build is None:
        raise Refusal(
            f"a constant of type {type(value).__name__} ({value!r}) has no form in the IR", "use a number or a tensor"
        )
    return build(value)


def widen(value: ir.Value, type: ir.Type) -> ir.Value:
    """`value` as `type`, which is its own type or a wider one: a member as its Optional or Union."""
    return value if value.type == type else value_of("torch.derefine", type, [value])


class Constants:
    """Builds constants of any type; a tensor that was met before is the same value."""

    def __init__(self, types: TypeImporter) -> None:
        self._types = types
        self.has_quantized = False

    def build(self, value: Any, type: Any) -> ir.Value:
        """The IR value of a Python value whose TorchScript type is `type`."""
        kind = type.kind()
        if kind in ("OptionalType", "UnionType"):
            return widen(self._member(value, type), self._types.get(type))
        if kind == "ListType":
            return self._sequence("torch.prim.ListConstruct", value, [type.getElementType()] * len(value), type)
        if kind == "TupleType":
            return self._sequence("torch.prim.TupleConstruct", value, type.elements(), type)
        if kind == "DictType":
            keys = [self.build(key, type.getKeyType()) for key in value]
            values = [self.build(item, type.getValueType()) for item in value.values()]
            return value_of("torch.prim.DictConstruct", self._types.get(type), keys + values)
        if isinstance(value, torch.Tensor):
            return self.tensor(value)
        if kind == "ClassType" and quantized.is_packed(type):
            return value_of("torch.prim.TupleConstruct", quantized.packed_type(), quantized.packed(self, value))
        if kind == "FloatType":
            value = float(value)
        return scalar(value)

    def tensor(self, tensor: torch.Tensor) -> ir.Value:
        """A literal whose type shows the sizes and dtype. Large contents are shared with torch, not copied."""
        if tensor.is_quantized:
            return self._quantized(tensor)
        code, elements = array(tensor)
        type = td.NonValueTensorType.get(list(elements.shape), literals.element_type(code))
        return value_of("torch.tensor.literal", type, [], {"value": literals.attribute(literals.Array(code, elements))})

    def loose_tensor(self, tensor: torch.Tensor) -> ir.Value:
        """A literal whose type shows nothing, as in tuples."""
        return value_of("torch.tensor_static_info_cast", td.NonValueTensorType.get(None, None), [self.tensor(tensor)])

    def _quantized(self, tensor: torch.Tensor) -> ir.Value:
        """A quantized tensor as torch makes it of its integers."""
        self.has_quantized = True
        integers, scales, zero_points = quantized.parts(tensor)
        per_tensor = tensor.qscheme() in (torch.per_tensor_affine, torch.per_tensor_symmetric)
        if per_tensor:
            operands = [self.tensor(integers), scalar(tensor.q_scale()), scalar(tensor.q_zero_point())]
        else:
            operands = [*map(self.tensor, (integers, scales, zero_points)), scalar(tensor.q_per_channel_axis())]
        name = f"aten._make_per_{'tensor' if per_tensor else 'channel'}_quantized_tensor"
        unknown = td.NonValueTensorType.get(None, None)
        return value_of("torch.operator", unknown, operands, {"name": ir.StringAttr.get(name)})

    def _member(self, value: Any, type: Any) -> ir.Value:
        if value is None:
            return scalar(None)
        if type.kind() == "OptionalType":
            return self.build(value, type.getElementType())
        return self.build(value, torch._C._jit_try_infer_type(value).type())

    def _sequence(self, op: str, values: Any, types: list[Any], type: Any) -> ir.Value:
        parts = [self.build(value, part) for value, part in zip(values, types, strict=True)]
        loose = [self._types.get(part) if not isinstance(v, torch.Tensor) else p.type
                 for v, part, p in zip(values, types, parts)]  # fmt: skip
        operands = [widen(part, wanted) for part, wanted in zip(parts, loose)]
        return value_of(op, self._types.get(type), operands)


def array(tensor: torch.Tensor) -> literals.Array:
    """Dtype code and elements of a tensor, in C order. bfloat16, which numpy lacks, travels as its bits."""
    if tensor.layout is not torch.strided:
        raise Refusal("a sparse tensor cannot be compiled", "convert it: x.to_dense()")
    if tensor.dtype not in DTYPE_CODES:
        names = ", ".join(str(dtype).removeprefix("torch.") for dtype in DTYPE_CODES)
        raise Refusal(f"a tensor of {tensor.dtype} cannot be compiled", f"cast it to one of {names}")
    if tensor.is_meta:
        raise Refusal("a tensor on the meta device has no contents", "load the weights before compiling")
    dense = tensor.detach().to("cpu").resolve_conj().resolve_neg().contiguous()
    bits = dense.view(torch.int16) if dense.dtype is torch.bfloat16 else dense
    return literals.Array(DTYPE_CODES[dense.dtype], bits.numpy())
