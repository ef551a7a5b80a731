"""A module with one aten op, from a block's test case; and calls of lowered modules with torch tensors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from aten.eager_builder import TORCH_DTYPES
from npcomp_dialects.aten.cases import Case, TensorSpec
from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.lowering.types import torch_element_type
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from reference_evaluator import Evaluator


def tensor_type(spec: TensorSpec) -> ir.Type:
    return td.ValueTensorType.get([-1 if isinstance(d, str) else d for d in spec.dims], torch_element_type(spec.dtype))


def constant(value: Any, kind: str, loc: Any = None) -> ir.Value:
    """A torch constant at the current place."""
    if value is None:
        return ir.Operation.create("torch.constant.none", results=[td.NoneType.get()]).result
    if isinstance(value, DType):
        value = value.torch_code
    if isinstance(value, str):
        device = kind.startswith("Device")
        name, type = ("device", td.DeviceType) if device else ("str", td.StringType)
        attribute = ir.StringAttr.get(value)
    elif isinstance(value, bool):
        name, type, attribute = "bool", td.BoolType, ir.BoolAttr.get(value)
    elif isinstance(value, int):
        name, type, attribute = "int", td.IntType, ir.IntegerAttr.get(ir.IntegerType.get_signless(64), value)
    else:
        name, type, attribute = "float", td.FloatType, ir.FloatAttr.get_f64(value)
    return ir.Operation.create(f"torch.constant.{name}", results=[type.get()], attributes={"value": attribute}).result


def leaf_type(kind: str) -> ir.Type:
    """The torch type of a schema's leaf."""
    numbers = {"int": td.IntType, "SymInt": td.IntType, "float": td.FloatType, "bool": td.BoolType}
    if kind in ("Scalar", "number"):
        return td.NumberType.get()
    return numbers[kind].get() if kind in numbers else td.ValueTensorType.get(None, None)


class CaseModule:
    """The function `forward` that applies an op to a case's tensors. Tensors are arguments, the rest is constant."""

    def __init__(self, context: ir.Context, block: Any, case: Case, dynamic: bool = True):
        self.block, self.case = block, case
        specs = case.arguments(block.schema)
        self.tensors = [t for v in specs for t in (v if isinstance(v, list) else [v]) if isinstance(t, TensorSpec)]
        with context, ir.Location.file("model.py", 12, 1):
            self.module = ir.Module.create()
            inputs = [tensor_type(t) for t in self.tensors]
            body = ir.Block
            function = ir.Operation.create(
                "func.func",
                attributes={
                    "sym_name": ir.StringAttr.get("forward"),
                    "function_type": ir.TypeAttr.get(ir.FunctionType.get([], [])),
                    "npcomp.signature": ir.StringAttr.get(json.dumps(self._signature())),
                },
                regions=1,
                ip=ir.InsertionPoint(self.module.body),
            )
            body = ir.Block.create_at_start(function.regions[0], inputs, [ir.Location.unknown()] * len(inputs))
            with ir.InsertionPoint(body):
                queue = iter(body.arguments)
                operands = [self._operand(v, a.type, queue) for v, a in zip(specs, block.schema.arguments, strict=True)]
                results = self._result_types(specs)
                op = ir.Operation.create(f"torch.{block.schema.name}", results=results, operands=operands)
                ir.Operation.create("func.return", operands=list(op.results))
            function.attributes["function_type"] = ir.TypeAttr.get(ir.FunctionType.get(inputs, results))

    def _signature(self) -> dict[str, Any]:
        args = [
            {"name": f"x{i}", "kind": "tensor", "dtype": t.dtype.name, "dims": list(t.dims)}
            for i, t in enumerate(self.tensors)
        ]
        return {"name": "forward", "args": args, "returns": {"kind": "tensor"}}

    def _operand(self, value: Any, type: Any, queue: Any) -> ir.Value:
        if isinstance(value, TensorSpec):
            return next(queue)
        if isinstance(value, list):
            element = type.inner.items[0] if type.inner.items else type
            items = [self._operand(v, element, queue) for v in value]
            contained = leaf_type("int" if type.leaf == "t" else type.leaf)
            if element.is_optional:
                contained = td.OptionalType.get(contained)
            elif items and len({str(i.type) for i in items}) == 1:
                contained = items[0].type
            return ir.Operation.create(
                "torch.prim.ListConstruct", results=[td.ListType.get(contained)], operands=items
            ).result
        return constant(value, str(type.inner))

    def _result_types(self, specs: Sequence[Any]) -> list[ir.Type]:
        """Inference's own answer, as the torch contract promises."""
        from npcomp_dialects.aten.abstract import TensorInfo

        abstract = [_abstract(v) for v in specs]
        found = self.block.infer(*abstract)
        infos = found if isinstance(found, tuple) else (found,)
        types = []
        for info, result in zip(infos, self.block.schema.returns, strict=True):
            if isinstance(info, TensorInfo):
                types.append(
                    td.ValueTensorType.get(
                        None if info.sizes is None else [-1 if s is None else s for s in info.sizes],
                        None if info.dtype is None else torch_element_type(info.dtype),
                    )
                )
            elif result.type.is_list:
                types.append(td.ListType.get(leaf_type(result.type.leaf)))
            else:
                kind = getattr(info, "type", None) or (
                    str(result.type)
                    if str(result.type) != "Scalar"
                    else "bool"
                    if isinstance(info, bool)
                    else "int"
                    if isinstance(info, int)
                    else "float"
                )
                types.append(leaf_type(kind))
        return types


def _abstract(value: Any) -> Any:
    if isinstance(value, list):
        return [_abstract(v) for v in value]
    return value.info() if isinstance(value, TensorSpec) else value


def to_array(tensor: torch.Tensor) -> np.ndarray:
    """A torch tensor as the evaluator takes it: u8 as i8 bits, bf16 in float32."""
    tensor = tensor.detach().contiguous()
    if tensor.dtype is torch.bfloat16:
        return tensor.float().numpy()
    return (tensor.view(torch.int8) if tensor.dtype is torch.uint8 else tensor).numpy()


def to_tensor(array: Any, dtype: torch.dtype) -> torch.Tensor:
    """An evaluator's array as a torch tensor of the dtype."""
    made = torch.from_numpy(np.array(array))
    return made.view(torch.uint8) if dtype is torch.uint8 else made.to(dtype)


def evaluate(module: ir.Module, *arguments: Any, name: str = "forward") -> list[Any]:
    """Runs a lowered module on torch tensors and numbers."""
    values = [to_array(a) if isinstance(a, torch.Tensor) else a for a in arguments]
    with module.context:
        return Evaluator(module).call(name, *values)


CODES = {dtype.torch_code: made for dtype, made in TORCH_DTYPES.items()}
