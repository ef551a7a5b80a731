"""One TorchScript graph → the body of one function, node by node.

Only the nodes without a schema are known here, by kind; every node with a schema becomes `torch.operator` under its
schema's name (or the registered `torch.prim` op of that name), so an ATen op needs no word in this file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from npcomp_dialects.errors import SourceLocation
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td

from npcomp_torchscript import environment
from npcomp_torchscript.constants import create, scalar, value_of, widen
from npcomp_torchscript.errors import Refusal
from npcomp_torchscript.functions import Unit
from npcomp_torchscript.locations import Locations, is_library
from npcomp_torchscript.tuples import nothing, packed, part_types, parts

if TYPE_CHECKING:
    from npcomp_torchscript.importer import ProgramImporter

CONTEXTS = ("__torch__.torch.autograd.grad_mode.", "__torch__.torch.autograd.profiler.record_function")
REFUSED = {
    "prim::CreateObject": ("an object is created", "keep the values in tensors, tuples or a torch.nn.Module"),
    "prim::Enter": ("this `with` block is not supported", "only torch.no_grad() and the like can be entered"),
    "prim::fork": ("torch.jit.fork is not supported", "call the function directly"),
    "prim::awaitable": ("torch.jit awaitables are not supported", "call the function directly"),
    "prim::isinstance": ("isinstance on a value of many types", "give the value one type, or test `is None`"),
    "prim::rpc_async": ("remote calls are not supported", "call the function directly"),
}


class Poisoned(Exception):
    """A value is missing because the node that makes it was refused already."""


class GraphImporter:
    """Fills the body of one function. Refused nodes go to `program.problems`, and what depends on them is skipped."""

    def __init__(self, program: ProgramImporter, unit: Unit, block: ir.Block) -> None:
        self.program = program
        self.unit = unit
        self.locations = Locations()
        self._values: dict[int, ir.Value] = {}
        self._contexts: set[int] = set()
        self._place(program.location)
        for value, argument in zip(unit.graph.inputs(), block.arguments, strict=True):
            self._values[value.unique()] = argument

    def body(self, results: Sequence[ir.Type]) -> None:
        """Imports every node and the return; the insertion point is the function's entry block."""
        self._nodes(self.unit.graph.nodes())
        values = self._outputs(self.unit.graph.return_node().inputs(), results)
        if values is not None:
            with self.loc:
                create("func.return", [], values)

    def _place(self, place: SourceLocation | None) -> None:
        self.loc = self.program.mlir_location(place)

    def _nodes(self, nodes: Any) -> None:
        for node in nodes:
            self._place(self.locations.visit(node) or self.program.location)
            try:
                with self.loc:
                    self._visit(node)
            except Refusal as refusal:
                self.program.problem(refusal, self._users_place(), inside=self.locations.current)
            except Poisoned:
                pass

    def _users_place(self) -> SourceLocation | None:
        """The current line; inside torch's own code the line that called it."""
        current = self.locations.current or self.program.location
        if current is None or is_library(current.file):
            return self.unit.called_from or current
        return current

    def _calls(self, unit: Unit) -> None:
        unit.called_from = unit.called_from or self._users_place()

    def _visit(self, node: Any) -> None:
        handler = HANDLERS.get(node.kind())
        if handler is not None:
            handler(self, node)
            return
        self.program.quantized.visit(node, self._users_place())
        answer = environment.answer(node, self._attribute_held)
        if answer is not None:
            self._values[node.output().unique()] = scalar(answer)
            return
        schema = node.schema()
        if node.kind() in REFUSED or schema == "(no schema)":
            raise self._refusal(node)
        self._define(node, self._schema_op(schema, node))

    def _refusal(self, node: Any) -> Refusal:
        kind = node.kind()
        if kind == "prim::CreateObject":
            name = node.output().type().name()
            return Refusal(f"an object of class {name} is created", REFUSED[kind][1])
        message, do = REFUSED.get(kind, (f"{kind} is not supported", "rewrite the line without it"))
        return Refusal(message, do)

    def _schema_op(self, schema: str, node: Any) -> Any:
        name = schema.partition("(")[0].replace("::", ".", 1)
        operands = [self._value(value) for value in node.inputs()]
        if name.endswith(".enum"):  # enums stand as their values
            name = name.removesuffix("enum") + str(operands[0].type).removeprefix("!torch.")
        results = [self.program.types.get(value.type()) for value in node.outputs()]
        if name.startswith("prim.") and self.program.is_registered(f"torch.{name}"):
            return create(f"torch.{name}", results, operands)
        return create("torch.operator", results, operands, {"name": ir.StringAttr.get(name)})

    def _define(self, node: Any, op: Any) -> None:
        self._assign(node.outputs(), op.results)

    def _assign(self, values: Any, found: Iterable[ir.Value]) -> None:
        for value, result in zip(values, found, strict=True):
            self._values[value.unique()] = result

    def _value(self, value: Any) -> ir.Value:
        found = self._values.get(value.unique())
        if found is None:
            raise Poisoned
        return found

    def _as(self, value: Any, type: ir.Type) -> ir.Value:
        return widen(self._value(value), type)

    def _result_types(self, node: Any) -> list[ir.Type]:
        return [self.program.types.get(value.type()) for value in node.outputs()]

    def _outputs(self, values: Any, types: Sequence[ir.Type]) -> list[ir.Value] | None:
        """The values that a block gives on, or None when one of them was refused."""
        try:
            with self.loc:
                return [self._as(value, type) for value, type in zip(values, types, strict=True)]
        except Poisoned:
            return None

    # Constants, attributes, calls.

    def _constant(self, node: Any) -> None:
        type = node.output().type()
        if type.kind() == "FunctionType":
            return
        if type.kind() == "TensorType" and node.kindOf("value") == "t":
            built = self.program.forget(self.program.constants.tensor(node.t("value")))
        else:
            built = self.program.constants.build(node.output().toIValue(), type)
        self._values[node.output().unique()] = built

    def _get_attribute(self, node: Any) -> None:
        receiver = node.input()
        name = node.s("name")
        self.program.attribute_used(receiver.type(), name, node.output().type())
        type = self.program.types.get(node.output().type())
        attributes = {"name": ir.StringAttr.get(name)}
        self._values[node.output().unique()] = value_of("torch.prim.GetAttr", type, [self._value(receiver)], attributes)

    def _attribute_held(self, node: Any) -> Any:
        """What some object of the class holds in the attribute that a node reads."""
        instance = self.program.instances and self.program.instances.of_type(node.input().type())
        return instance.object.getattr(node.s("name")) if instance else None

    def _set_attribute(self, node: Any) -> None:
        receiver, value = node.inputs()
        name = node.s("name")
        declared = self.program.attribute_set(receiver.type(), name, value.type())
        operands = [self._value(receiver), self._as(value, self.program.types.get(declared))]
        create("torch.prim.SetAttr", [], operands, {"name": ir.StringAttr.get(name)})

    def _call_method(self, node: Any) -> None:
        receiver, *arguments = node.inputs()
        if receiver.unique() in self._contexts:
            self._values[node.output().unique()] = scalar(None)
            return
        unit = self.program.functions.method(receiver.type(), node.s("name"))
        self._calls(unit)
        operands = [self._value(receiver), *self._arguments(unit, arguments, skip=1)]
        attributes = {"name": ir.StringAttr.get(node.s("name"))}
        self._define(node, create("torch.prim.CallMethod", self._result_types(node), operands, attributes))

    def _call_function(self, node: Any) -> None:
        answer = environment.answer_of_function(node)
        if answer is not None:
            self._values[node.output().unique()] = scalar(answer)
            return
        unit = self.program.functions.called(node, self.unit)
        self._calls(unit)
        operands = self._arguments(unit, list(node.inputs())[1:], skip=0)
        callee = {"callee": ir.FlatSymbolRefAttr.get(unit.symbol)}
        self._define(node, create("func.call", self._result_types(node), operands, callee))

    def _arguments(self, unit: Unit, values: Sequence[Any], skip: int) -> list[ir.Value]:
        wanted = list(unit.graph.inputs())[skip:]
        types = [self.program.types.get(value.type()) for value in wanted]
        return [self._as(value, type) for value, type in zip(values, types, strict=True)]

    # Control flow.

    def _if(self, node: Any) -> None:
        results = self._result_types(node)
        op = ir.Operation.create(
            "torch.prim.If", results=part_types(results), operands=[self._value(node.input())], regions=2
        )
        loc = self.loc
        for region, block in zip(op.regions, node.blocks(), strict=True):
            with ir.InsertionPoint(region.blocks.append()):
                self._block(block, results, "torch.prim.If.yield", loc)
        self._assign(node.outputs(), packed(results, op.results))

    def _loop(self, node: Any) -> None:
        trips, condition, *carried = node.inputs()
        (body,) = node.blocks()
        types = self._result_types(node)
        operands = [self._value(trips), self._value(condition)]
        operands += parts([self._as(value, type) for value, type in zip(carried, types, strict=True)])
        op = ir.Operation.create("torch.prim.Loop", results=part_types(types), operands=operands, regions=1)
        loc = self.loc
        arguments = [td.IntType.get(), *part_types(types)]
        block = op.regions[0].blocks.append(*arguments, arg_locs=[loc] * len(arguments))
        with ir.InsertionPoint(block):
            self._assign(body.inputs(), packed([td.IntType.get(), *types], block.arguments))
            self._block(body, [td.BoolType.get(), *types], "torch.prim.Loop.condition", loc)
        self._assign(node.outputs(), packed(types, op.results))

    def _block(self, block: Any, types: Sequence[ir.Type], terminator: str, loc: ir.Location) -> None:
        self._nodes(block.nodes())
        self.loc = loc
        values = self._outputs(block.outputs(), types)
        if values is not None:
            with loc:
                create(terminator, [], parts(values))

    # Containers.

    def _list(self, node: Any) -> None:
        (type,) = self._result_types(node)
        operands = [self._as(value, type.contained) for value in node.inputs()]
        self._define(node, create("torch.prim.ListConstruct", [type], operands))

    def _tuple(self, node: Any) -> None:
        (type,) = self._result_types(node)
        operands = [self._as(value, part) for value, part in zip(node.inputs(), type.contained_types, strict=True)]
        self._define(node, create("torch.prim.TupleConstruct", [type], operands))

    def _dict(self, node: Any) -> None:
        (type,) = self._result_types(node)
        inputs = list(node.inputs())
        operands = [self._as(key, type.key) for key in inputs[0::2]]
        operands += [self._as(value, type.value) for value in inputs[1::2]]
        self._define(node, create("torch.prim.DictConstruct", [type], operands))

    # Contexts that change nothing in a compiled program, such as `with torch.no_grad():`.

    def _create_object(self, node: Any) -> None:
        type = node.output().type()
        if not type.qualified_name().startswith(CONTEXTS):
            raise self._refusal(node)
        self._contexts.add(node.output().unique())

    def _enter_or_exit(self, node: Any) -> None:
        if node.input().unique() not in self._contexts:
            raise self._refusal(node)
        if node.kind() == "prim::Enter":
            self._values[node.output().unique()] = scalar(None)

    def _python_call(self, node: Any) -> None:
        raise Refusal(
            f"Python function {node.pyname()} is called, which TorchScript did not compile",
            "remove @torch.jit.ignore, so that torch scripts it, or move the call out of the program",
        )

    def _uninitialized(self, node: Any) -> None:
        (type,) = self._result_types(node)
        self._values[node.output().unique()] = nothing(type)

    def _enum_value(self, node: Any) -> None:
        self._values[node.output().unique()] = self._value(node.input())


def _same_name(kind: str) -> Callable[[GraphImporter, Any], None]:
    """The handler of a node whose op has the same name, operands and results."""
    op = "torch." + kind.replace("::", ".", 1)

    def handle(importer: GraphImporter, node: Any) -> None:
        operands = [importer._value(value) for value in node.inputs()]
        importer._define(node, create(op, importer._result_types(node), operands))

    return handle


HANDLERS: dict[str, Callable[[GraphImporter, Any], None]] = {
    "prim::Constant": GraphImporter._constant,
    "prim::GetAttr": GraphImporter._get_attribute,
    "prim::SetAttr": GraphImporter._set_attribute,
    "prim::CallMethod": GraphImporter._call_method,
    "prim::CallFunction": GraphImporter._call_function,
    "prim::If": GraphImporter._if,
    "prim::Loop": GraphImporter._loop,
    "prim::ListConstruct": GraphImporter._list,
    "prim::TupleConstruct": GraphImporter._tuple,
    "prim::DictConstruct": GraphImporter._dict,
    "prim::CreateObject": GraphImporter._create_object,
    "prim::Enter": GraphImporter._enter_or_exit,
    "prim::Exit": GraphImporter._enter_or_exit,
    "prim::EnumValue": GraphImporter._enum_value,
    "prim::PythonOp": GraphImporter._python_call,
    "prim::Uninitialized": GraphImporter._uninitialized,
    **{
        kind: _same_name(kind)
        for kind in ("prim::TupleIndex", "prim::TupleUnpack", "prim::ListUnpack", "prim::RaiseException",
                     "prim::unchecked_cast", "prim::Print", "prim::tolist")
    },
}  # fmt: skip
