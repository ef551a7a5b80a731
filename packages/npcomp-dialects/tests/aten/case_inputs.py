"""Cases as torch inputs, and torch's own answer to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.ao.quantization.fx._decomposed  # registers quantized_decomposed
from aten.eager_builder import TORCH_DTYPES
from npcomp_dialects.aten.cases import Case, TensorSpec
from npcomp_dialects.aten.schema import Schema

SPECIAL = [float("nan"), float("inf"), float("-inf"), 0.0, -0.0]


def make_tensor(spec: TensorSpec, binding: Mapping[str, int], generator: torch.Generator) -> torch.Tensor:
    """A random tensor of the spec's dtype, sizes and range."""
    sizes, dtype = spec.sizes(binding), TORCH_DTYPES[spec.dtype]
    if not dtype.is_floating_point:
        return torch.randint(int(spec.low), int(spec.high), sizes, generator=generator).to(dtype)
    values = torch.rand(sizes, generator=generator, dtype=torch.float64) * (spec.high - spec.low) + spec.low
    if spec.special:
        flat = values.reshape(-1)
        for i, v in enumerate(SPECIAL[: flat.numel()]):
            flat[(i * 7) % flat.numel()] = v
    return values.to(dtype)


def make_arguments(case: Case, schema: Schema, binding: Mapping[str, int], seed: int) -> list[Any]:
    """Arguments in schema order with torch tensors."""
    generator = torch.Generator().manual_seed(seed)

    def make(value: Any) -> Any:
        if isinstance(value, list):
            return [make(v) for v in value]
        return make_tensor(value, binding, generator) if isinstance(value, TensorSpec) else value

    return [make(v) for v in case.arguments(schema)]


def torch_op(schema: Schema) -> Any:
    """torch's overload of a schema."""
    packet = getattr(getattr(torch.ops, schema.namespace), schema.base)
    return getattr(packet, schema.overload or "default")


def call_torch(schema: Schema, args: list[Any]) -> Any:
    """What torch answers; dtype numbers become torch dtypes."""
    named = list(zip(schema.arguments, args, strict=True))
    values = [TORCH_CODES[v] if a.type.leaf == "ScalarType" and isinstance(v, int) else v for a, v in named]
    positional = [v for (a, _), v in zip(named, values, strict=True) if not a.keyword_only]
    keywords = {a.name: v for (a, _), v in zip(named, values, strict=True) if a.keyword_only}
    if schema.torch_name in NOT_CALLABLE:
        return NOT_CALLABLE[schema.torch_name](*positional, **keywords)
    with torch.no_grad():
        return torch_op(schema)(*positional, **keywords)


NOT_CALLABLE = {
    "aten::tensor": lambda data, dtype, device, requires_grad: torch.tensor(data, dtype=dtype),
    "aten::as_tensor.list": lambda data, dtype, device: torch.as_tensor(data, dtype=dtype),
}
"""Ops of TorchScript that Python cannot call by schema, and how to say the same."""

TORCH_CODES = {d.torch_code: t for d, t in TORCH_DTYPES.items()}
