"""Turns in-place writes of one function into values, op after op: each tensor is followed to the memory it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from npcomp_dialects.errors import UnsupportedError, resolve
from npcomp_dialects.mlir import ir
from npcomp_dialects.passes import constants, effects, walk
from npcomp_dialects.passes.abstraction import Types
from npcomp_dialects.passes.effects import SAME_OBJECT
from npcomp_dialects.passes.memory import Content, Derived, Handle, Memory, Stamp, State, Whole, bases
from npcomp_dialects.passes.view_inverse import inverse_of, is_certain

_CONTAINERS = ("torch.prim.ListConstruct", "torch.prim.DictConstruct")
_IN_CONTAINER = "a tensor that is in a list or dict which the program changes"
_SHAPE_KEEPING = ("torch.aten.copy", "torch.aten.fill.Scalar", "torch.aten.fill.Tensor", "torch.aten.zero")


class Rewriter:
    """State and steps shared by straight-line code and control flow.

    `references` are the values whose type held a mutable tensor before the function's types were made values.
    """

    def __init__(self, references: set[ir.Value], types: Types) -> None:
        self.references = references
        self.types = types
        self.state = State()
        self.handles: dict[ir.Value, Handle] = {}
        self.dead: list[ir.Operation] = []
        self.reads: dict[Memory, ir.Operation] = {}
        self._yielded: dict[ir.Block, list[ir.Value]] = {}
        self._doubtful: list[Memory] = []
        self._clock = 0
        self._recomputed: list[dict[Handle, tuple[Stamp, ir.Value]]] = [{}]

    # Values and memories

    def tick(self) -> int:
        self._clock += 1
        return self._clock

    def new_memory(
        self, value: ir.Value, fixed: str = "", aliases: frozenset[Memory] = frozenset(), slot: str = ""
    ) -> Whole:
        """A handle for a value that is the whole contents of a memory not seen before."""
        aliases = aliases.union(*(alias.aliases for alias in aliases))
        memory = Memory(fixed, aliases, slot)
        if aliases:
            self._doubtful.append(memory)
        self.state.contents[memory] = Content(value, self.tick())
        handle = Whole(value, memory)
        handle.stamp = self.stamp(handle)
        self.handles[value] = handle
        return handle

    def stamp(self, handle: Handle) -> Stamp:
        return frozenset((memory, self._version(memory)) for memory in bases(handle))

    def _version(self, memory: Memory) -> int:
        return self.state.contents[memory].version if memory in self.state.contents else 0

    def read(self, handle: Handle, at: ir.Operation) -> ir.Value:
        """The value that a tensor has right before an op."""
        for memory in bases(handle):
            self.reads.setdefault(memory, at)
            if memory in self.state.lost:
                _refuse_lost(self.state.lost[memory], at)
        stamp = self.stamp(handle)
        if stamp == handle.stamp:
            return handle.value
        if isinstance(handle, Whole):
            return self._read_memory(handle.memory, handle, at)
        return self._recompute(handle, stamp, at)

    def _read_memory(self, memory: Memory, handle: Handle, at: ir.Operation) -> ir.Value:
        if not memory.slot:
            return self.state.contents[memory].value
        if self.state.slots.get(memory.slot) is not memory:
            raise UnsupportedError(
                f"the tensor that attribute {memory.slot!r} held is used after it was written and replaced",
                at.location,
                do="finish with the old tensor before assigning the attribute, or `.clone()` it",
            )
        attributes = {"slot": ir.FlatSymbolRefAttr.get(memory.slot)}
        kind = handle.value.type
        got = ir.Operation.create(
            "torch.global_slot.get", [kind], [], attributes, loc=at.location, ip=ir.InsertionPoint(at)
        )
        return got.results[0]

    def _recompute(self, handle: Derived, stamp: Stamp, at: ir.Operation) -> ir.Value:
        """Apply the ops of a view again to what the tensor below it holds now."""
        for scope in reversed(self._recomputed):
            if handle in scope and scope[handle][0] == stamp:
                return scope[handle][1]
        operands = {n: self.read(part, at) for n, part in handle.parts.items()}
        copy = handle.op.clone(ir.InsertionPoint(at)).operation
        for position, operand in operands.items():
            copy.operands[position] = operand
        value = copy.results[ir.OpResult(handle.value).result_number]
        self._recomputed[-1][handle] = (stamp, value)
        return value

    # Writes

    def write(self, handle: Handle, value: ir.Value, at: ir.Operation) -> None:
        """Let a tensor have new contents from an op on."""
        if isinstance(handle, Whole):
            self._write_memory(handle.memory, value, at)
            return
        inverse = inverse_of(handle.op)
        if inverse is None or 0 not in handle.parts:
            _refuse_view(handle.op, at)
        below = handle.parts[0]
        try:
            new = inverse(handle.op, self.read(below, at), value, ir.InsertionPoint(at))
        except constants.NotConstant:
            _refuse_view(handle.op, at)
        self.write(below, new, at)

    def _write_memory(self, memory: Memory, value: ir.Value, at: ir.Operation) -> None:
        self._require_writable(memory, at)
        for alias in memory.aliases:
            self._lose(alias, at)
        for other in self._doubtful:
            if other is not memory and not {memory, *memory.aliases}.isdisjoint(other.aliases):
                self.state.lost[other] = at
        self.state.contents[memory] = Content(value, self.tick())
        self.state.lost.pop(memory, None)
        if memory.slot:
            self._store(memory.slot, value, at)
        for slot, bound in self.state.bound.items():
            if memory in bases(bound):
                self._store(slot, self.read(bound, at), at)

    def _require_writable(self, memory: Memory, at: ir.Operation) -> None:
        if memory.fixed:
            raise UnsupportedError(
                f"{_writer(at)} changes {memory.fixed} in place",
                at.location,
                do="write to a copy (`x = x.clone()`), or compute a new tensor and return it",
            )
        if memory.slot and self.state.slots.get(memory.slot) is not memory:
            raise UnsupportedError(
                f"{_writer(at)} changes the tensor that attribute {memory.slot!r} held before it was assigned anew",
                at.location,
                do="`.clone()` the tensor before writing to it",
            )

    def _lose(self, memory: Memory, at: ir.Operation) -> None:
        if memory.fixed or memory.slot:
            what = memory.fixed or f"attribute {memory.slot!r}"
            raise UnsupportedError(
                f"{_writer(at)} writes to a tensor that may or may not be {what}",
                at.location,
                do="`.clone()` the tensor before writing to it",
            )
        self.state.lost[memory] = at

    def _store(self, slot: str, value: ir.Value, at: ir.Operation) -> None:
        attributes = {"slot": ir.FlatSymbolRefAttr.get(slot)}
        ir.Operation.create("torch.global_slot.set", [], [value], attributes, loc=at.location, ip=ir.InsertionPoint(at))

    # Straight-line code

    def block(self, block: ir.Block) -> None:
        """Rewrite the ops of a block in order; the state afterwards is that at its end."""
        self._recomputed.append({})
        for op in walk.ops(block):
            self.visit(op)
        self._recomputed.pop()

    def visit(self, op: ir.Operation) -> None:
        _HANDLERS.get(op.name, Rewriter._plain)(self, op)

    def use(self, op: ir.Operation) -> None:
        """Let an op take the present values of the tensors it names."""
        for position, operand in enumerate(op.operands):
            if operand in self.handles:
                value = self.read(self.handles[operand], op)
                if value != operand:
                    op.operands[position] = value

    def _plain(self, op: ir.Operation) -> None:
        name = effects.kernel(op)
        if name is not None and effects.writes_to(name) != frozenset():
            self._write_container(op, name)
        if op.name in SAME_OBJECT or (name is not None and effects.may_alias(name)):
            self._derive(op)
            return
        self.use(op)
        for result in op.results:
            if result in self.references:
                self.new_memory(result)

    def _derive(self, op: ir.Operation) -> None:
        shared = effects.aliased_operands(op)
        parts = {n: self.handles[v] for n, v in enumerate(op.operands) if v in self.handles and n in shared}
        if op.name in _CONTAINERS and effects.writer_of(op.results[0]) is not None:
            for memory in frozenset().union(*map(bases, parts.values())) if parts else ():
                memory.fixed = memory.fixed or _IN_CONTAINER
            parts = {}
        self.use(op)
        for result in op.results:
            if result not in self.references:
                continue
            if not parts:
                self.new_memory(result)
                continue
            if not is_certain(op):
                self.new_memory(result, aliases=frozenset().union(*map(bases, parts.values())))
                continue
            handle = Derived(result, op, parts)
            handle.stamp = self.stamp(handle)
            self.handles[result] = handle

    def _write_container(self, op: ir.Operation, name: str) -> None:
        """List and dict ops write to the container alone; other writers that were not recognized are refused."""
        written = effects.writes_to(name)
        if written is None:
            raise UnsupportedError(
                f"{name} writes to its arguments, and its form without writing is not known",
                op.location,
                do="use the op that returns a new tensor",
            )
        for position, operand in enumerate(op.operands):
            for memory in bases(self.handles[operand]) if operand in self.handles else ():
                if position in written:
                    self._require_writable(memory, op)
                else:
                    memory.fixed = memory.fixed or _IN_CONTAINER

    def _overwrite(self, op: ir.Operation) -> None:
        value, tensor = op.operands[0], op.operands[1]
        if value in self.handles:
            value = self.read(self.handles[value], op)
        handle = self.handles[tensor]
        self.write(handle, self._fitted(value, handle, op), op)
        self.dead.append(op)

    def _fitted(self, value: ir.Value, handle: Handle, op: ir.Operation) -> ir.Value:
        """What is stored: the value in the dtype of the tensor, and in its sizes unless the write is an out form."""
        source = walk.owner(value)
        if "torch.form" not in op.attributes or (source is not None and source.name in _SHAPE_KEEPING):
            return value
        old = self.read(handle, op)
        ip, loc = ir.InsertionPoint(op), op.location
        if walk.string(op, "torch.form") == "out" and isinstance(handle, Whole):
            name, operands = "torch.aten.type_as", [value, old]
        else:
            name, operands = "torch.aten.copy", [old, value, constants.create(False, loc, ip)]
        attributes = {"torch.writer": op.attributes["torch.writer"]}
        fitted = ir.Operation.create(name, [self.types.unknown_tensor()], operands, attributes, loc=loc, ip=ip)
        return fitted.results[0]

    def _literal(self, op: ir.Operation) -> None:
        result = op.results[0]
        attributes = {"value": op.attributes["value"]}
        ip = ir.InsertionPoint(op)
        literal = ir.Operation.create("torch.vtensor.literal", [result.type], [], attributes, loc=op.location, ip=ip)
        new = literal.results[0]
        result.replace_all_uses_with(new)
        self.new_memory(new)
        self.dead.append(op)

    def _copy(self, op: ir.Operation) -> None:
        """Between tensor and value: a fresh memory with the value that the operand has now."""
        operand, result = op.operands[0], op.results[0]
        value = self.read(self.handles[operand], op) if operand in self.handles else operand
        if result in self.references:
            memory = self.new_memory(result).memory
            self.state.contents[memory] = Content(value, self.tick())
        else:
            result.replace_all_uses_with(value)
        self.dead.append(op)

    def _slot_get(self, op: ir.Operation) -> None:
        name, result = walk.string(op, "slot"), op.results[0]
        if result not in self.references:
            return
        if name in self.state.bound:
            self.handles[result] = self.state.bound[name]
        elif name in self.state.slots:
            handle = Whole(result, self.state.slots[name])
            handle.stamp = self.stamp(handle)
            self.handles[result] = handle
        else:
            self.state.slots[name] = self.new_memory(result, slot=name).memory

    def _slot_set(self, op: ir.Operation) -> None:
        name, value = walk.string(op, "slot"), op.operands[0]
        self.use(op)
        self.state.slots.pop(name, None)
        self.state.bound.pop(name, None)
        if value in self.handles:
            self.state.bound[name] = self.handles[value]


def _writer(op: ir.Operation) -> str:
    if "torch.writer" in op.attributes:
        return walk.string(op, "torch.writer")
    return effects.kernel(op) or op.name


def _refuse_lost(write: ir.Operation, at: ir.Operation) -> NoReturn:
    place = resolve(write.location)
    raise UnsupportedError(
        f"this tensor may or may not have been changed by {_writer(write)} at {place or 'another place'}, through"
        " another name",
        at.location,
        do="`.clone()` the tensor before it is written; write `.view(...)` for `.reshape(...)` where a view is meant",
    )


def _refuse_view(op: ir.Operation, at: ir.Operation) -> NoReturn:
    raise UnsupportedError(
        f"{_writer(at)} writes through {effects.kernel(op) or op.name}, which cannot be undone",
        at.location,
        do="write to the tensor itself, or to a slice of it",
    )


_HANDLERS: dict[str, Callable[[Rewriter, ir.Operation], None]] = {
    "torch.overwrite.tensor.contents": Rewriter._overwrite,
    "torch.tensor.literal": Rewriter._literal,
    "torch.copy.to_tensor": Rewriter._copy,
    "torch.copy.to_vtensor": Rewriter._copy,
    "torch.global_slot.get": Rewriter._slot_get,
    "torch.global_slot.set": Rewriter._slot_set,
}
