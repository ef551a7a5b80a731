"""A case of an op as a program: in eager torch, as a TorchScript graph of that one overload, and traced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import npcomp_acap as acap
import npcomp_torchscript as nts
import torch
import torch.ao.quantization.fx._decomposed  # registers quantized_decomposed
from npcomp_dialects.aten.block import Block
from npcomp_dialects.aten.cases import Case, TensorSpec
from npcomp_dialects.aten.dtypes import DType

DTYPES = {
    DType.f32: torch.float32, DType.f64: torch.float64, DType.f16: torch.float16, DType.bf16: torch.bfloat16,
    DType.i8: torch.int8, DType.u8: torch.uint8, DType.i16: torch.int16, DType.i32: torch.int32,
    DType.i64: torch.int64, DType.bool: torch.bool,
}  # fmt: skip
NUMBERS = ("aten::item(", "aten::_local_scalar_dense(")  # what they return is a Scalar


class Runnable:
    """A compiled case: call it with the tensors, ask it which ops fell back."""

    def __init__(self, programs: dict[tuple[tuple[int, ...], ...] | None, Any]):
        self.programs = programs

    def __call__(self, *tensors: torch.Tensor) -> Any:
        program = self.programs.get(None) or self.programs[tuple(tuple(t.shape) for t in tensors)]
        return program(*tensors)

    def fallbacks(self) -> list[str]:
        return [name for program in self.programs.values() for name in program.report().fallbacks]


def overload(block: type[Block]) -> Any:
    """The op as `torch.ops` offers it."""
    schema = block.schema
    packet = getattr(getattr(torch.ops, schema.namespace), schema.base)
    return getattr(packet, schema.overload or "default")


def filled(block: type[Block], case: Case, tensors: tuple[torch.Tensor, ...]) -> dict[str, Any]:
    """The arguments by name, with the tensors in their places."""
    pending = iter(tensors)

    def place(value: Any) -> Any:
        if isinstance(value, TensorSpec):
            return next(pending)
        return [place(v) for v in value] if isinstance(value, list) else value

    values = block.schema.bind(case.args, case.kwargs)
    return {a.name: place(v) for a, v in zip(block.schema.arguments, values, strict=True)}


def eager_program(block: type[Block], case: Case) -> Callable[..., Any]:
    if any(a.type.leaf == "t" for a in block.schema.arguments):
        raise NotImplementedError("torch.ops takes no list of any element type")
    op = overload(block)
    positional = [a.name for a in block.schema.arguments if not a.keyword_only]

    def run(*tensors: torch.Tensor) -> Any:
        arguments = _torch_values(block, filled(block, case, tensors))
        leading = [arguments.pop(name) for name in positional]
        return op(*leading, **arguments)

    return run


def _torch_values(block: type[Block], arguments: dict[str, Any]) -> dict[str, Any]:
    """Codes that `torch.ops` wants as torch objects."""
    for argument in block.schema.arguments:
        value = arguments.get(argument.name)
        if argument.type.leaf == "ScalarType" and isinstance(value, int):
            arguments[argument.name] = DTYPES[DType(value)]
    return arguments


def torchscript_program(block: type[Block], case: Case, tensors: list[torch.Tensor]) -> Runnable:
    """The graph of one call, written as TorchScript IR, so that exactly this overload is imported."""
    results = eager_program(block, case)(*(t.clone() for t in tensors))
    graph = torch._C.parse_ir(graph_text(block, case, results))
    function = torch._C._create_function_from_graph("forward", graph)
    specs = [nts.TensorSpec([_dim(d) for d in spec.dims], t.dtype) for spec, t in zip(case.tensors(), tensors)]
    return Runnable({None: nts.compile(function, specs)})


def _dim(dim: int | str) -> Any:
    return dim.replace("?", "unknown") if isinstance(dim, str) else dim


def graph_text(block: type[Block], case: Case, results: Any) -> str:
    """TorchScript IR that calls the op on the case's tensors and returns its results, a list of them as a tuple."""
    inputs = [f"%t{i} : Tensor" for i, _ in enumerate(case.tensors())]
    lines: list[str] = []
    pending = iter(range(len(inputs)))

    def emit(type: str, text: str) -> str:
        name = f"%v{len(lines)}"
        lines.append(f"  {name} : {type} = {text}")
        return name

    def operand(value: Any, kind: str) -> str:
        if isinstance(value, TensorSpec):
            return f"%t{next(pending)}"
        if isinstance(value, list):
            if kind == "Scalar":
                raise NotImplementedError("TorchScript's text form has no list of Scalars")
            items = [operand(v, kind) for v in value]
            element = {"Tensor": "Tensor", "int": "int", "SymInt": "int", "float": "float", "bool": "bool"}[kind]
            element = "Tensor?" if any(v is None for v in value) else element
            return emit(f"{element}[]", f"prim::ListConstruct({', '.join(items)})")
        return emit(*_constant(value, kind))

    values = block.schema.bind(case.args, case.kwargs)
    operands = [operand(v, a.type.leaf) for a, v in zip(block.schema.arguments, values, strict=True)]
    call = f"{block.schema.namespace}::{block.schema.base}({', '.join(operands)})"
    returned = _returned(lines, call, results)
    return "\n".join([f"graph({', '.join(inputs)}):", *lines, f"  return ({returned})"])


def _constant(value: Any, kind: str) -> tuple[str, str]:
    if value is None:
        return "NoneType", "prim::Constant()"
    if isinstance(value, bool) and kind == "Scalar":
        raise NotImplementedError("TorchScript has no bool among its Scalars")
    if isinstance(value, bool):
        return "bool", f"prim::Constant[value={int(value)}]()"
    if isinstance(value, str) and kind == "Device":
        return "Device", f'prim::Constant[value="{value}"]()'
    if isinstance(value, str):
        return "str", f'prim::Constant[value="{value}"]()'
    if isinstance(value, int) and kind != "float":
        return "int", f"prim::Constant[value={value}]()"
    number = float(value)
    if number in (float("inf"), float("-inf")) or number != number:
        raise NotImplementedError("TorchScript's text form has no spelling for this number")
    text = repr(number)
    return "float", f"prim::Constant[value={text if '.' in text or 'e' in text else text + '.'}]()"


TYPES = {bool: "bool", int: "int", float: "float"}


def _returned(lines: list[str], call: str, results: Any) -> str:
    if results is None:
        raise NotImplementedError("no result to compare")
    if not isinstance(results, (list, tuple)):
        if isinstance(results, bool) and call.startswith(NUMBERS):
            raise NotImplementedError("TorchScript has no bool among its Scalars")
        kind = TYPES.get(type(results), "Tensor")
        lines.append(f"  %r : {kind} = {call}")
        return "%r"
    if not results:
        raise NotImplementedError("no result to compare")
    names = [f"%r{i}" for i in range(len(results))]
    types = [TYPES.get(type(result), "Tensor") for result in results]
    typed = ", ".join(f"{name} : {kind}" for name, kind in zip(names, types))
    if isinstance(results, list):
        lines.append(f"  %list : {types[0]}[] = {call}")
        call = "prim::ListUnpack(%list)"
    lines.append(f"  {typed} = {call}")
    lines.append(f"  %tuple : ({', '.join(types)}) = prim::TupleConstruct({', '.join(names)})")
    return "%tuple"


def acap_program(block: type[Block], case: Case, tensors: list[torch.Tensor]) -> Runnable:
    """The traced call. Where the unknown sizes are related in a way that a capture fixes, one program for each run."""
    if not tensors:
        raise NotImplementedError("no tensor, nothing to trace")
    eager = eager_program(block, case)
    dynamic = {
        i: {d: _dim(name) for d, name in enumerate(spec.dims) if isinstance(name, str)}
        for i, spec in enumerate(case.tensors())
    }
    if isinstance(eager(*(t.clone() for t in tensors)), (bool, int, float)):
        raise NotImplementedError("a number is a Python value in a trace")
    try:
        return Runnable({None: acap.trace(eager, *tensors, dynamic=dynamic)})
    except acap.CaptureError:
        programs: dict[Any, Any] = {}
        for binding in case.bindings():
            shapes = tuple(spec.sizes(binding) for spec in case.tensors())
            programs[shapes] = acap.trace(eager, *(torch.ones(s, dtype=t.dtype) for s, t in zip(shapes, tensors)))
        return Runnable(programs)
