"""The top level of a program: functions on tensors → functions on tensor handles.

Scalars stay what they are, tensors become `!llvm.ptr` handles, structured control flow stays structured, dispatches
become kernel launches. Public functions get the entry `npcomp_<name>(ctx, args, results)` with 8-byte slots.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from npcomp_dialects.errors import UnsupportedError
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import func

from . import launch, tensor_ops, torch_ops
from .graph import values_used
from .ownership import Frame, is_handle
from .runtime_calls import RuntimeCalls
from .tables import Tables


class Driver:
    """Writes all functions of a module into `module`."""

    def __init__(self, module: ir.Module, tables: Tables, kernels: Any):
        self.module, self.tables, self.kernels = module, tables, kernels
        self.calls = RuntimeCalls(module)
        self.values: dict[Any, ir.Value] = {}
        self.frames: list[Frame] = []
        self.bases: dict[Any, ir.Value] = {}  # handle behind a view that is written to, by view

    # -- functions ---------------------------------------------------------------------------------------------

    def entry(self, function: Any) -> str:
        """The entry of a public function; returns its symbol."""
        name = entry_symbol(function.attributes["sym_name"].value)
        ptr = self.calls.ptr
        with ir.InsertionPoint(self.module.body), function.operation.location:
            op = func.FuncOp(name, ([ptr, ptr, ptr], []))
        source = function.regions[0].blocks[0]
        block = op.add_entry_block()
        context, arguments, results = block.arguments
        self.calls.begin(context, block)
        with ir.InsertionPoint(block), function.operation.location:
            for n, argument in enumerate(source.arguments):
                self.values[argument] = self.calls.load_slot(arguments, n, self.type(argument.type))

            def finish(values: list[ir.Value]) -> None:
                for n, value in enumerate(values):
                    self.calls.store_slot(results, n, value)
                func.ReturnOp([])

            self._block(source, Frame(source), finish)
        return name

    def private(self, function: Any) -> None:
        """A function that only the program calls: (ctx, arguments…) → results; arguments are borrowed."""
        types = [self.type(a.type) for a in function.regions[0].blocks[0].arguments]
        results = [self.type(t) for t in function.attributes["function_type"].value.results]
        with ir.InsertionPoint(self.module.body), function.operation.location:
            op = func.FuncOp(private_symbol(function.attributes["sym_name"].value), ([self.calls.ptr, *types], results))
        op.attributes["llvm.linkage"] = ir.Attribute.parse("#llvm.linkage<internal>")
        source = function.regions[0].blocks[0]
        block = op.add_entry_block()
        self.calls.begin(block.arguments[0], block)
        self.values.update(zip(source.arguments, list(block.arguments)[1:]))
        with ir.InsertionPoint(block), function.operation.location:
            self._block(source, Frame(source), lambda values: func.ReturnOp(values))

    # -- values ------------------------------------------------------------------------------------------------

    def type(self, kind: ir.Type) -> ir.Type:
        if is_handle(kind):
            return self.calls.ptr
        return torch_ops.SCALARS[str(kind)]() if str(kind) in torch_ops.SCALARS else kind

    def get(self, value: Any) -> ir.Value:
        """The emitted value; a tensor constant is fetched at the top of the function."""
        if value not in self.values:
            owner = None if isinstance(value.owner, ir.Block) else value.owner.operation
            if owner is None or owner.name != "arith.constant":
                raise KeyError(f"{value} is used before it is written")
            return self.constant(owner.attributes["value"])
        return self.values[value]

    def constant(self, attribute: Any) -> ir.Value:
        return launch.constant_handle(self, attribute)

    def set(self, value: Any, emitted: ir.Value, owned: bool = True) -> None:
        self.values[value] = emitted
        if owned and is_handle(value.type):
            self.frames[-1].own(value)

    def take(self, value: Any, op: Any, uses: int = 1) -> ir.Value:
        """The emitted value with a reference of its own: moved out of this block if `op` is the last to use it."""
        emitted = self.get(value)
        if is_handle(value.type) and not self.frames[-1].takes(value, op.operation, uses):
            self.calls.retain(emitted)
        return emitted

    def take_all(self, values: list[Any], op: Any) -> list[ir.Value]:
        """The initial values of a loop; one that its body reads too is not moved into it."""
        used = values_used(op)
        return [self.take(v, op, used.count(v)) for v in values]

    # -- blocks ------------------------------------------------------------------------------------------------

    def _block(self, source: Any, frame: Frame, finish: Callable[[list[ir.Value]], Any]) -> None:
        """Write the ops of `source` at the insertion point; `finish` writes the terminator from owned values."""
        self.frames.append(frame)
        for value in frame.unused_arguments(source):
            self.calls.release(self.values[value])
        ops = list(source.operations)
        for op in ops[:-1]:
            with op.operation.location:
                self._visit(op)
                for value in frame.finished(op):
                    self.calls.release(self.values[value])
        terminator = ops[-1]
        with terminator.operation.location:
            values = [self._yielded(v) for v in terminator.operation.operands]
            count = {v: list(terminator.operation.operands).count(v) for v in terminator.operation.operands}
            moved = self._move_out(list(terminator.operation.operands), values, count, terminator)
            for value in frame.finished(terminator):
                self.calls.release(self.values[value])
            finish(moved)
        self.frames.pop()

    def _yielded(self, value: Any) -> ir.Value | None:
        """Views that are not dense are made dense before they leave their block."""
        if is_handle(value.type) and not launch.is_dense(value):
            return self.calls.contiguous(self.get(value))
        return None

    def _move_out(self, sources: list[Any], dense: list[Any], count: dict[Any, int], op: Any) -> list[ir.Value]:
        moved = []
        for value, copy in zip(sources, dense):
            moved.append(copy if copy is not None else self.take(value, op, count[value]))
        return moved

    def _visit(self, op: Any) -> None:
        name = op.operation.name
        if name in _CONTROL:
            _CONTROL[name](self, op.operation)
            return
        for handlers in (tensor_ops.HANDLERS, torch_ops.HANDLERS, launch.HANDLERS):
            if name in handlers:
                handlers[name](self, op.operation)
                return
        if name.startswith(("arith.", "math.", "index.")):
            self._scalar(op.operation)
            return
        do = "lower the module to the backend contract"
        raise UnsupportedError(f"refbackend cannot run `{name}`", op.operation.location, do=do)

    def _scalar(self, op: Any) -> None:
        if op.name == "arith.constant" and is_handle(op.results[0].type):
            return
        clone = op.clone()
        for n, operand in enumerate(op.operands):
            clone.operands[n] = self.get(operand)
        for result, value in zip(op.results, clone.results):
            self.values[result] = value

    # -- control flow ------------------------------------------------------------------------------------------

    def region(self, source: Any, block: Any, name: str, argument_offset: int = 0) -> None:
        """Write `source` into `block`; its arguments past `argument_offset` arrive owned."""
        frame = Frame(source)
        arguments = list(source.arguments)
        self.values.update(zip(arguments, block.arguments))
        for argument in arguments[argument_offset:]:
            if is_handle(argument.type):
                frame.own(argument)
        with ir.InsertionPoint(block):
            self._block(source, frame, lambda values: ir.Operation.create(name, operands=values))

    def _if(self, op: Any) -> None:
        clone = ir.Operation.create(
            "scf.if", results=[self.type(r.type) for r in op.results], operands=[self.get(op.operands[0])], regions=2
        )
        for source, target in zip(op.regions, clone.regions):
            if len(source.blocks):
                self.region(source.blocks[0], target.blocks.append(), "scf.yield")
        self._results(op, clone)

    def _for(self, op: Any) -> None:
        bounds, inits = list(op.operands)[:3], list(op.operands)[3:]
        operands = [self.get(b) for b in bounds] + self.take_all(inits, op)
        source = op.regions[0].blocks[0]
        clone = ir.Operation.create(
            "scf.for", results=[self.type(r.type) for r in op.results], operands=operands, regions=1
        )
        types = [self.type(a.type) for a in source.arguments]
        block = clone.regions[0].blocks.append(*types, arg_locs=[op.location] * len(types))
        self.region(source, block, "scf.yield", argument_offset=1)
        self._results(op, clone)

    def _while(self, op: Any) -> None:
        operands = self.take_all(list(op.operands), op)
        clone = ir.Operation.create(
            "scf.while", results=[self.type(r.type) for r in op.results], operands=operands, regions=2
        )
        for source, target, end in zip(op.regions, clone.regions, ("scf.condition", "scf.yield")):
            types = [self.type(a.type) for a in source.blocks[0].arguments]
            block = target.blocks.append(*types, arg_locs=[op.location] * len(types))
            self.region(source.blocks[0], block, end)
        self._results(op, clone)

    def _call(self, op: Any) -> None:
        arguments = [self.get(o) for o in op.operands]
        name = private_symbol(op.attributes["callee"].value)
        call = func.CallOp([self.type(r.type) for r in op.results], name, [self.calls.context, *arguments])
        self._results(op, call)

    def _results(self, op: Any, clone: Any) -> None:
        for result, value in zip(op.results, clone.results):
            self.set(result, value)


def entry_symbol(name: str) -> str:
    return "npcomp_" + re.sub(r"\W", "_", name)


def private_symbol(name: str) -> str:
    return "local_" + re.sub(r"\W", "_", name)


_CONTROL: dict[str, Callable[[Driver, Any], None]] = {
    "scf.if": Driver._if,
    "scf.for": Driver._for,
    "scf.while": Driver._while,
    "func.call": Driver._call,
}
