"""From the torch contract to tcf, scf and arith: one function at a time, op by op.

An aten op is lowered by its block of the op library; constants, lists and tuples become Python values on the way and
leave nothing behind. What has no lowering stays `torch.operator`.
"""

from __future__ import annotations

from typing import Any

from npcomp_dialects.aten import registry
from npcomp_dialects.aten.dtypes import as_dtype
from npcomp_dialects.aten.errors import InferError, NotStatic
from npcomp_dialects.errors import InferenceError, UnsupportedError
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import kernel_types

from . import containers, fallback, polynomial, texts
from .arithmetic import is_number
from .boundary import Boundary, number_dtype
from .branches import lower_if
from .builder import Builder
from .emitter import Emitter
from .loops import lower_loop
from .prims import HANDLERS
from .promotion import python_dtype
from .signature import Signature
from .structures import UNINITIALIZED, Opaque, StructureMismatch, leaves
from .types import element_type, static_sizes, tensor_type
from .values import Scalar, T

TERMINATORS = ("func.return", "torch.prim.If.yield", "torch.prim.Loop.condition")


class FunctionLowering:
    """Builds the lowered function beside its source; the caller erases the source."""

    def __init__(self, source: ir.Operation, functions: dict[str, ir.Operation]):
        self.source = source
        self.functions = functions
        self.env: dict[ir.Value, Any] = {}
        self.list_depth: dict[int, int] = {}
        self._containers: list[Any] = []  # alive, so that their ids stay theirs
        self._calls: list[str] = []

    def run(self) -> tuple[ir.Operation, Builder]:
        """Returns the new function and the builder, which knows the sizes of everything in it."""
        attributes = _kept_attributes(self.source)
        source_block = self.source.regions[0].blocks[0]
        empty = ir.TypeAttr.get(ir.FunctionType.get([], []))
        with self.source.location:
            target = ir.Operation.create(
                "func.func",
                attributes={**attributes, "function_type": empty},
                regions=1,
                loc=self.source.location,
                ip=ir.InsertionPoint(self.source),
            )
        entry = ir.Block.create_at_start(target.regions[0], [])
        self.emitter = Emitter(entry)
        self.emitter.loc = self.source.location
        self.builder = Builder(self.emitter)
        self.boundary = Boundary(self.builder)
        try:
            self._arguments(source_block, entry)
            self._return(self.block(source_block))
        except StructureMismatch as error:
            self.emitter.finish()
            raise UnsupportedError(str(error), self.emitter.loc) from None
        except Exception:
            self.emitter.finish()  # what it drops uses values of the function, which must not go first
            raise
        inputs = [a.type for a in entry.arguments]
        outputs = [o.type for o in entry.operations[len(entry.operations) - 1].operands]
        target.attributes["function_type"] = ir.TypeAttr.get(ir.FunctionType.get(inputs, outputs))
        return target, self.builder

    # -- the border of the function

    def _arguments(self, source: ir.Block, entry: ir.Block) -> None:
        made: list[ir.Value] = []
        for argument in source.arguments:
            self.env[argument] = self._argument(argument.type, entry, argument.location, made)
        self._name_dims(made)

    def _argument(self, type: ir.Type, entry: ir.Block, location: ir.Location, made: list[ir.Value]) -> Any:
        if isinstance(type, td.NoneType):
            return None
        if isinstance(type, td.TupleType):
            return tuple(self._argument(t, entry, location, made) for t in type.contained_types)
        made.append(entry.add_argument(self.boundary.builtin_type(type), location))
        return self.boundary.adopt(made[-1], type)

    def _name_dims(self, arguments: list[ir.Value]) -> None:
        """Dims of one name are one number: the runtime checks that on entry."""
        if "npcomp.signature" not in self.source.attributes:
            return
        text = self.source.attributes["npcomp.signature"]
        names: dict[str, polynomial.Poly] = {}
        leaves = Signature.parse(ir.StringAttr(text).value).argument_leaves()
        for argument, leaf in zip(arguments, leaves, strict=True):
            if leaf.get("kind") != "tensor" or not leaf.get("dims"):
                continue
            sizes = self.builder.sizes.of(argument)
            for d, dim in enumerate(leaf["dims"]):
                if isinstance(dim, str) and polynomial.as_constant(sizes[d]) is None:
                    sizes[d] = names.setdefault(dim, sizes[d])

    def _return(self, results: list[Any]) -> None:
        """The flat results; None takes no slot."""
        types = [o.type for o in _terminator(self.source).operands]
        values: list[ir.Value] = []
        for result, type in zip(results, types, strict=True):
            values += self._flat_results(result, type)
        self.emitter.op("func.return", values)

    def _flat_results(self, value: Any, type: ir.Type) -> list[ir.Value]:
        if value is None:
            return []
        if isinstance(value, tuple):
            kinds = type.contained_types if isinstance(type, td.TupleType) else [type] * len(value)
            return [v for item, kind in zip(value, kinds, strict=True) for v in self._flat_results(item, kind)]
        if isinstance(value, list):
            return [v for item in value for v in self._flat_results(item, type.contained)]
        if isinstance(value, dict):
            return [v for item in value.values() for v in self._flat_results(item, type.value)]
        if isinstance(value, T):
            return [value.value]
        dtype = number_dtype(type)
        if dtype is None and (is_number(value) or isinstance(value, Scalar)):
            return [self.builder.const(value, _number_of(value)).value]
        if dtype is not None and value is not UNINITIALIZED:
            return [self.builder.const(value, dtype).value]
        return [self.boundary.to_torch(value, type)]

    # -- ops

    def block(self, block: ir.Block) -> list[Any]:
        """Lowers the ops of a block at the current place; returns what its terminator hands on."""
        for op in block.operations:
            op = op.operation
            if op.name in TERMINATORS:
                return [self.env[o] for o in op.operands]
            self.visit(op)
        return []

    def visit(self, op: ir.Operation) -> None:
        self.emitter.loc = op.location
        name = op.name
        handler = HANDLERS.get(name)
        if handler is not None:
            self.bind(op, handler(self, op))
        elif name == "torch.prim.If":
            lower_if(self, op)
        elif name == "torch.prim.Loop":
            lower_loop(self, op)
        elif name == "func.call":
            self.call(op)
        elif texts.only_raised(op):
            self.bind(op, texts.make(self, op))
        elif name == "torch.operator":
            self.keep(op, ir.StringAttr(op.attributes["name"]).value)
        elif name.startswith("torch.") and registry.find_schema(name[6:]) is not None:
            self.aten(op, name[6:])
        else:
            raise UnsupportedError(f"{name} is not an op of the torch contract", op.location)

    def bind(self, op: ir.Operation, results: Any) -> None:
        """Names the results of an op."""
        values = results if isinstance(results, tuple) and len(op.results) != 1 else (results,)
        for result, value in zip(op.results, values, strict=True):
            self.env[result] = self._settle(value, result.type)

    def _settle(self, value: Any, type: ir.Type) -> Any:
        """The value with what the torch type knows more: static sizes, and the kind of a number."""
        if isinstance(value, T) and isinstance(type, td.ValueTensorType):
            return self.refine(value, type)
        dtype = number_dtype(type)
        if dtype is not None and isinstance(value, Scalar):
            if value.dtype is dtype and value.weak:
                return value
            return self.builder.arithmetic.wrap(self.builder.cast(value, dtype).value, dtype, weak=True)
        if dtype is not None and is_number(value):
            return self.builder.cast(value, dtype)
        self._note_depth(value)
        return value

    def _note_depth(self, value: Any) -> None:
        """Remembers the region in which a list or dict is made: only there may it change."""
        if isinstance(value, (list, dict)) and id(value) not in self.list_depth:
            self.list_depth[id(value)] = len(self.emitter.scopes)
            self._containers.append(value)
        if isinstance(value, (list, tuple, dict)):
            for item in value.values() if isinstance(value, dict) else value:
                self._note_depth(item)

    def refine(self, value: T, type: Any) -> T:
        """The tensor with the static sizes that inference found and its construction does not show."""
        if type.sizes is None:
            return value
        shown = static_sizes(value.type)
        if len(shown) != len(type.sizes):
            raise InferenceError(f"a tensor of rank {len(shown)} was inferred to be {type}", self.emitter.loc)
        if all(s < 0 or s == have for s, have in zip(type.sizes, shown, strict=True)):
            return value
        merged = [s if s >= 0 and have is None else have for s, have in zip(type.sizes, shown, strict=True)]
        if merged == shown:
            return value
        made = self.emitter.value("tensor.cast", [value.value], tensor_type(merged, element_type(value.dtype)))
        before = self.builder.sizes.of(value.value)
        sizes = [p if s is None else polynomial.constant(s) for p, s in zip(before, merged, strict=True)]
        return self.builder.tensor(self.builder.sizes.define(made, sizes), value.dtype)

    def aten(self, op: ir.Operation, name: str) -> None:
        """Lowers an aten op by its block, or keeps it as a kernel call."""
        block = registry.find(name)
        values = [self.env[o] for o in op.operands]
        if containers.handles(name, values):
            self._refuse_distant_lists(registry.find_schema(name), values)
            self.bind(op, containers.evaluate(name, values, op.location))
            return
        left = block is None or block.kind() != "native" or kernel_types.is_left_to_torch(op)
        if left or not self._can_lower(block, values):
            self.keep(op, name)
            return
        self._refuse_distant_lists(block.schema, values)
        arguments = [_argument(a.type, v) for a, v in zip(block.schema.arguments, values, strict=True)]
        self.builder.op_name = name
        try:
            results = block.lower(self.builder, *arguments)
        except NotStatic:
            self.keep(op, name)
            return
        except InferError as error:
            raise InferenceError.like(error.kind, f"{name}: {error}", op.location) from None
        finally:
            self.builder.op_name = ""
        self.bind(op, results)

    def _can_lower(self, block: Any, values: list[Any]) -> bool:
        if any(isinstance(leaf, Opaque) for leaf in leaves(values)):
            return False
        fixed = set(block.static_arguments())
        return not any(
            isinstance(leaf, Scalar)
            for a, v in zip(block.schema.arguments, values, strict=True)
            if a.name in fixed
            for leaf in leaves(v)
        )

    def _refuse_distant_lists(self, schema: Any, values: list[Any]) -> None:
        """A list that a branch or loop changes, but that lives outside, would need to be a run-time list."""
        for argument, value in zip(schema.arguments, values):  # more values than arguments where they vary
            if argument.type.writes and self.list_depth.get(id(value), 0) != len(self.emitter.scopes):
                raise StructureMismatch("a list is changed inside a branch or loop that run time decides")

    def keep(self, op: ir.Operation, name: str) -> None:
        results = fallback.keep(self.boundary, op, name, [self.env[o] for o in op.operands])
        for result, value in zip(op.results, results, strict=True):
            self.env[result] = value

    def call(self, op: ir.Operation) -> None:
        """Lowers the callee's body in place of the call."""
        name = ir.FlatSymbolRefAttr(op.attributes["callee"]).value
        if name in self._calls:
            raise UnsupportedError(f"{name} calls itself; recursion is not supported", op.location)
        body = self.functions[name].regions[0].blocks[0]
        for argument, operand in zip(body.arguments, op.operands, strict=True):
            self.env[argument] = self.env[operand]
        self._calls.append(name)
        results = self.block(body)
        self._calls.pop()
        for result, value in zip(op.results, results, strict=True):
            self.env[result] = value


def _argument(type: Any, value: Any) -> Any:
    """An argument as op blocks take it: dtypes as DType, `int[2]` given one int as a list."""
    if type.leaf == "ScalarType" and not type.inner.is_list:
        return as_dtype(value)
    inner = type.inner
    if inner.is_list and inner.length and value is not None and not isinstance(value, list):
        return [value] * inner.length
    return value


def _number_of(value: Any) -> Any:
    return value.dtype if isinstance(value, Scalar) else python_dtype(value)


def _terminator(function: ir.Operation) -> ir.Operation:
    operations = function.regions[0].blocks[0].operations
    return operations[len(operations) - 1].operation


def _kept_attributes(function: ir.Operation) -> dict[str, ir.Attribute]:
    replaced = ("function_type", "arg_attrs", "res_attrs")
    return {name: value for name, value in function.attributes.items() if name not in replaced}
