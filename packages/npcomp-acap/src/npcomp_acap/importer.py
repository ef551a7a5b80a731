"""FX graph of ATen calls → torch dialect. Every call is `torch.operator "aten.name.overload"`; no op is known by name,
but for the Python operators that stand for arithmetic on numbers (numbers.py)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
from npcomp_dialects import literals
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import func
from npcomp_dialects.mlir.dialects import torch as td

from npcomp_acap import numbers, user_lines
from npcomp_acap.capture import results_of
from npcomp_acap.errors import CaptureError
from npcomp_acap.layers import KEPT
from npcomp_acap.signature import DTYPE_CODES

RENAMES = {torch.ops.aten.detach.default, torch.ops.aten.alias.default}
SIZES = {torch.ops.aten.sym_size.int: "aten.size.int", torch.ops.aten.sym_numel.default: "aten.numel"}


class Importer:
    """Builds one `func.func` from one graph. Tensors have value semantics from the start: the graph is functional."""

    def __init__(self, owner: torch.nn.Module):
        self.owner = owner
        self.values: dict[torch.fx.Node, Any] = {}
        self.location = ir.Location.unknown()

    def function(self, name: str, graph: torch.fx.Graph) -> func.FuncOp:
        inputs = graph.find_nodes(op="placeholder")
        results = results_of(graph)
        arguments = [tensor_type(node.meta["val"]) for node in inputs]
        signature = ir.FunctionType.get(arguments, [value_type(_fake_of(node)) for node in results])
        function = func.FuncOp(name, signature)
        block = function.add_entry_block()
        self.values.update(zip(inputs, block.arguments, strict=True))
        with ir.InsertionPoint(block):
            for node in graph.nodes:
                try:
                    self._visit(node)
                except CaptureError as error:
                    raise CaptureError(error.message, error.location or user_lines.of_node(node), do=error.do) from None
            func.ReturnOp([self._value(node, "Tensor") for node in results])
        return function

    def _visit(self, node: torch.fx.Node) -> None:
        line = user_lines.of_node(node)
        self.location = ir.Location.file(line.file, line.line, 0) if line else ir.Location.unknown()
        with self.location:
            if node.op == "get_attr":
                self.values[node] = literals.tensor(_array(getattr(self.owner, node.target)))  # type: ignore[arg-type]
            elif node.op == "call_function":
                self.values[node] = self._call(node)

    def _call(self, node: torch.fx.Node) -> Any:
        target = node.target
        if target in RENAMES:
            return self.values[node.args[0]]  # type: ignore[index]
        if target is operator.getitem:
            return self.values[node.args[0]][node.args[1]]  # type: ignore[index]
        if target in SIZES:
            return self._operator(SIZES[target], node.args, ["Tensor", "int"], [td.IntType.get()])  # type: ignore[index]
        if isinstance(target, torch._ops.OpOverload):
            return self._aten(target, node)
        if target in numbers.OPERATORS:
            kinds = [numbers.kind_of(_fake_of(value)) for value in node.args]
            return numbers.call(target, [self._value(v, k) for v, k in zip(node.args, kinds)], kinds)
        message = f"a call of {target} entered the graph, which is not an ATen operator"
        raise CaptureError(message, user_lines.of_node(node))

    def _aten(self, target: torch._ops.OpOverload, node: torch.fx.Node) -> Any:
        schema = target._schema
        given = dict(zip((a.name for a in schema.arguments), node.args)) | node.kwargs
        args = [given.get(a.name, a.default_value) for a in schema.arguments]
        kinds = [str(a.real_type) for a in schema.arguments]
        fakes = node.meta.get("val")  # a call without results has none
        if len(schema.returns) == 1 and isinstance(fakes, list | tuple):
            return self._list_result(schema_name(schema), args, kinds, fakes)
        outputs = list(fakes) if isinstance(fakes, list | tuple) else [] if fakes is None else [fakes]
        return self._operator(schema_name(schema), args, kinds, [value_type(fake) for fake in outputs])

    def _list_result(
        self, name: str, args: Sequence[Any], kinds: Sequence[str], fakes: Sequence[Any]
    ) -> list[ir.Value]:
        element = td.ValueTensorType.get(None, None)
        packed = self._operator(name, args, kinds, [td.ListType.get(element)])
        return list(td.PrimListUnpackOp([value_type(fake) for fake in fakes], packed).results)

    def _operator(self, name: str, args: Sequence[Any], kinds: Sequence[str], results: Sequence[ir.Type]) -> Any:
        operands = [self._value(value, kind) for value, kind in zip(args, kinds, strict=True)]
        op = td.OperatorOp(list(results), name, operands, 0)
        if any(isinstance(value, complex) for value in args):
            op.attributes["torch.kernel"] = ir.UnitAttr.get()
        return op.results[0] if len(op.results) == 1 else list(op.results)

    def _value(self, value: Any, kind: str) -> ir.Value:
        """The SSA value of an argument whose schema type is `kind`, such as `int[]` or `Optional[Tensor]`."""
        if isinstance(value, torch.fx.Node):
            return self.values[value]
        if isinstance(value, list | tuple):
            return self._list(value, _element_kind(kind))
        return constant(value, kind)

    def _list(self, values: Sequence[Any], kind: str) -> ir.Value:
        operands = [self._value(value, kind) for value in values]
        element = list_element_type(kind, operands)
        if isinstance(element, td.NumberType):
            operands = [td.DerefineOp(element, operand).result for operand in operands]
        return td.PrimListConstructOp(td.ListType.get(element), operands).result


def _fake_of(node: Any) -> Any:
    return node.meta["val"] if isinstance(node, torch.fx.Node) else node


def schema_name(schema: torch._C.FunctionSchema) -> str:
    namespace, _, base = schema.name.partition("::")
    name = f"aten.{base}" if namespace == KEPT else f"{namespace}.{base}"
    return f"{name}.{schema.overload_name}" if schema.overload_name else name


def tensor_type(fake: torch.Tensor) -> ir.Type:
    if fake.layout is not torch.strided:
        raise CaptureError(f"a tensor of layout {fake.layout} is made, which programs cannot hold", do="keep it dense")
    sizes = [size if isinstance(size, int) else -1 for size in fake.shape]
    return td.ValueTensorType.get(sizes, literals.element_type(_code(DTYPE_CODES, fake.dtype)))


def value_type(fake: Any) -> ir.Type:
    if fake is None:  # a result that was not asked for
        return td.ValueTensorType.get(None, None)
    if isinstance(fake, torch.Tensor):
        return tensor_type(fake)
    if isinstance(fake, torch.SymBool | bool):
        return td.BoolType.get()
    if isinstance(fake, torch.SymInt | int):
        return td.IntType.get()
    if isinstance(fake, torch.SymFloat | float):
        return td.FloatType.get()
    raise CaptureError(f"a call gives a {type(fake).__name__}, which has no type in the torch dialect")


LAYOUT_CODES = {torch.strided: 0}
MEMORY_FORMAT_CODES = {torch.contiguous_format: 0, torch.preserve_format: 1, torch.channels_last: 2}


def _code(table: dict[Any, int], value: Any) -> int:
    if value not in table:
        raise CaptureError(f"{value} is not supported", do=f"use one of {', '.join(map(str, table))}")
    return table[value]


CONSTANTS: dict[type, Callable[[Any], ir.Value]] = {
    bool: lambda v: td.ConstantBoolOp(v).result,
    int: lambda v: td.ConstantIntOp(v).result,
    float: lambda v: td.ConstantFloatOp(v).result,
    str: lambda v: td.ConstantStrOp(v).result,
    complex: lambda v: td.ConstantStrOp(str(v)).result,
    type(None): lambda v: td.ConstantNoneOp().result,
    torch.device: lambda v: td.ConstantDeviceOp(v.type).result,
    torch.dtype: lambda v: td.ConstantIntOp(_code(DTYPE_CODES, v)).result,
    torch.layout: lambda v: td.ConstantIntOp(_code(LAYOUT_CODES, v)).result,
    torch.memory_format: lambda v: td.ConstantIntOp(_code(MEMORY_FORMAT_CODES, v)).result,
}


def constant(value: Any, kind: str) -> ir.Value:
    if kind.removeprefix("Optional[").startswith("float") and type(value) is int:
        value = float(value)
    build = CONSTANTS.get(type(value))
    if build is None:
        raise CaptureError(
            f"an argument of type {type(value).__name__} ({value!r}) has no constant in the torch dialect"
        )
    return build(value)


def _element_kind(kind: str) -> str:
    inner = kind.removeprefix("Optional[").removesuffix("]") if kind.startswith("Optional[List") else kind
    return inner.removeprefix("List[").removesuffix("]")


def list_element_type(kind: str, operands: Sequence[ir.Value]) -> ir.Type:
    scalars = {
        "int": td.IntType,
        "SymInt": td.IntType,
        "float": td.FloatType,
        "bool": td.BoolType,
        "str": td.StringType,
    }
    if kind in scalars:
        return scalars[kind].get()
    if kind.startswith("Optional["):
        return td.OptionalType.get(td.ValueTensorType.get(None, None))
    types = {operand.type for operand in operands}
    if kind in ("number", "Scalar") and len(types) > 1:
        return td.NumberType.get()
    return types.pop() if len(types) == 1 else td.ValueTensorType.get(None, None)


def _array(tensor: torch.Tensor) -> Any:
    """(dtype code, numpy view of the bytes' values, sizes): what `literals.tensor` takes; bfloat16 travels as int16."""
    if tensor.dtype is torch.complex32:
        raise CaptureError("a constant of torch.complex32 has no form in a program", do="keep it in torch.complex64")
    dense = tensor.detach().resolve_conj().resolve_neg().contiguous()
    bits = dense.view(torch.int16) if dense.dtype is torch.bfloat16 else dense
    return literals.Array(_code(DTYPE_CODES, dense.dtype), bits.numpy())
