"""Quantized tensors and packed weights as constants: integers with their scales and zero points.

A packed object becomes a tuple of weight, scales, bias and configuration; a tensor becomes the op that makes it of its
integers. The pass `lower-quantized-tensors` follows both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td

from npcomp_torchscript.errors import Refusal

if TYPE_CHECKING:
    from npcomp_torchscript.constants import Constants

CUSTOM = "__torch__.torch.classes."
LINEAR = f"{CUSTOM}quantized.LinearPackedParamsBase"
PACKED = (LINEAR, f"{CUSTOM}quantized.Conv2dPackedParamsBase", f"{CUSTOM}quantized.Conv3dPackedParamsBase")
INTEGERS = (torch.quint8, torch.qint8, torch.qint32)


class Census:
    """Notes where a program asks whether a tensor is quantized, and if it makes such tensors: import answers no."""

    def __init__(self) -> None:
        self._asked: list[Any] = []
        self._makes = False

    def visit(self, node: Any, place: Any) -> None:
        kind = node.kind()
        if kind == "prim::is_quantized":
            self._asked.append(place)
        elif kind.startswith(("quantized::", "aten::quantize_per_")):
            self._makes = True

    def refusals(self, has_constants: bool) -> Iterator[tuple[Refusal, Any]]:
        """One for each question, where the answer could be yes."""
        for place in self._asked if self._makes or has_constants else ():
            yield (
                Refusal(
                    "the program asks whether a tensor is quantized, and makes such tensors",
                    "remove the question: each value of a compiled program is quantized always or never",
                ),
                place,
            )


def is_custom(type: Any) -> bool:
    """True for a class that C++ registered, whose objects are no modules."""
    return bool(type.qualified_name().startswith(CUSTOM))


def is_packed(type: Any) -> bool:
    """True for the packed weights of a linear layer or a convolution."""
    return type.qualified_name() in PACKED


def packed_type() -> ir.Type:
    """Weight, scale of each output channel, bias, and the integers stride, padding, dilation, groups."""
    tensor = td.NonValueTensorType.get(None, None)
    return td.TupleType.get([tensor, tensor, tensor, td.ListType.get(td.IntType.get())])


def packed(constants: Constants, value: Any) -> list[ir.Value]:
    """The parts of a packed object. A weight with zero points is stored with them subtracted."""
    weight, bias = value.unpack()
    configuration: list[int] = []
    if value._type().qualified_name() != LINEAR:
        if value.transpose():
            raise Refusal("a quantized transposed convolution is not supported", "leave the layer in floats")
        configuration = [*value.stride(), *value.padding(), *value.dilation(), value.groups()]
    if not weight.is_quantized:
        raise Refusal("packed weights of half precision are not supported", "quantize the layer to torch.qint8")
    integers, scales, zero_points = parts(weight)
    count = weight.shape[0]
    shifted = integers.to(torch.int16) - zero_points.to(torch.int16).reshape(-1, *[1] * (weight.dim() - 1))
    tensors = [
        shifted if zero_points.any() else integers,
        scales.to(torch.float32).expand(count),
        torch.zeros(count) if bias is None else bias,
    ]
    return [*map(constants.loose_tensor, tensors), constants.build(configuration, torch.ListType(torch.IntType.get()))]


def parts(tensor: Any) -> tuple[Any, Any, Any]:
    """Integers, scales and zero points of a quantized tensor; scales and zero points have a dim."""
    if tensor.dtype not in INTEGERS:
        raise Refusal(f"a quantized tensor of {tensor.dtype} cannot be compiled", "quantize it to torch.qint8")
    if tensor.qscheme() in (torch.per_tensor_affine, torch.per_tensor_symmetric):
        return tensor.int_repr(), torch.tensor([tensor.q_scale()]), torch.tensor([tensor.q_zero_point()])
    if tensor.qscheme() in (torch.per_channel_affine, torch.per_channel_symmetric):
        return tensor.int_repr(), tensor.q_per_channel_scales(), tensor.q_per_channel_zero_points()
    raise Refusal(
        f"a quantized tensor of scheme {tensor.qscheme()} cannot be compiled",
        "quantize it with torch.quantize_per_tensor or torch.quantize_per_channel",
    )
