"""Turns in-place writes of one function into values, op after op: each tensor is followed to the memory it names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

from npcomp_dialects.errors import UnsupportedError, resolve
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import constants, effects, walk
from npcomp_dialects.passes.abstraction import Types
from npcomp_dialects.passes.coerce import CASTS
from npcomp_dialects.passes.container_items import UNPACKS, places_of
from npcomp_dialects.passes.effects import SAME_OBJECT
from npcomp_dialects.passes.memory import Content, Derived, Handle, Memory, Stamp, State, Whole, bases, current
from npcomp_dialects.passes.view_inverse import NO_INVERSE, inverse_of, is_certain, join_of

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
        self,
        value: ir.Value,
        fixed: str = "",
        aliases: frozenset[Memory] = frozenset(),
        slot: str = "",
        argument: str = "",
    ) -> Whole:
        """A handle for a value that is the whole contents of a memory not seen before."""
        aliases = aliases.union(*(alias.aliases for alias in aliases))
        memory = Memory(fixed, aliases, slot, argument)
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
        handle = current(handle)
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

    def object_of(self, value: ir.Value) -> Handle | None:
        """The tensor object that a value names, seen through casts."""
        handle = self.handles.get(value)
        while isinstance(handle, Derived) and handle.op.name in CASTS:
            handle = handle.parts[0]
        return handle

    def contents(self, handle: Whole) -> ir.Value:
        """What a memory holds now."""
        return self.state.contents[handle.memory].value

    # Writes

    def write(self, handle: Handle, value: ir.Value, at: ir.Operation) -> None:
        """Let a tensor have new contents from an op on."""
        handle = current(handle)
        if isinstance(handle, Whole):
            self._write_memory(handle.memory, value, at)
            return
        if handle.op.name in UNPACKS:
            self._write_piece(handle, value, at)
            return
        inverse = inverse_of(handle.op)
        if inverse is None or 0 not in handle.parts:
            _refuse_view(handle.op, at)
        below = handle.parts[0]
        try:
            new = inverse(handle.op, self.read(below, at), value, ir.InsertionPoint(at))
        except NO_INVERSE:
            _refuse_view(handle.op, at)
        self.write(below, new, at)

    def _write_piece(self, handle: Derived, value: ir.Value, at: ir.Operation) -> None:
        """Write to one of the pieces that an op such as `chunk` gives of a tensor: put the pieces together again."""
        pieces = handle.parts.get(0)
        if not isinstance(pieces, Derived) or handle.op.name != "torch.prim.ListUnpack":
            _refuse_view(handle.op, at)
        join = join_of(pieces.op)
        if join is None or 0 not in pieces.parts:
            _refuse_view(pieces.op, at)
        ip = ir.InsertionPoint(at)
        unpack = handle.op.clone(ip).operation
        unpack.operands[0] = self.read(pieces, at)
        parts = list(unpack.results)
        parts[ir.OpResult(handle.value).result_number] = value
        self.write(pieces.parts[0], join(pieces.op, parts, ip), at)

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
        if memory.fixed or memory.slot or memory.argument:
            what = memory.fixed or memory.argument or f"attribute {memory.slot!r}"
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
        if self._take_item(op):
            return
        shared = effects.aliased_operands(op)
        parts = {n: self.handles[v] for n, v in enumerate(op.operands) if v in self.handles and n in shared}
        if op.name in _CONTAINERS and effects.container_writer_of(op.results[0]) is not None:
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

    def _take_item(self, op: ir.Operation) -> bool:
        """Let the items of a tuple or list that is just made be the tensors that went into it."""
        made = self.object_of(op.operands[0]) if len(op.operands) else None
        if not isinstance(made, Derived):
            return False
        places = places_of(op, made.op)
        if places is None:
            return False
        self.use(op)
        for place, result in zip(places, op.results, strict=True):
            item = made.parts.get(place)
            if item is not None:
                self.handles[result] = item
            elif result in self.references:
                self.new_memory(result)
        return True

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
        if "torch.form" in op.attributes and walk.string(op, "torch.form") == "metadata":
            self._show_otherwise(op)
            return
        if value in self.handles:
            value = self.read(self.handles[value], op)
        handle = self.handles[tensor]
        self.write(handle, self._fitted(value, handle, op), op)
        self.dead.append(op)

    def _show_otherwise(self, op: ir.Operation) -> None:
        """Let a tensor object be a view of what it was: the views that were made of it before stay as they are."""
        handle = self.object_of(op.operands[1])
        assert handle is not None, "what is written is a tensor"
        self._require_local(handle, op)
        before = replace(handle)
        for other in self.handles.values():
            if isinstance(other, Derived) and other.op.name not in SAME_OBJECT:
                other.parts = {n: before if part is handle else part for n, part in other.parts.items()}
        for memory in bases(handle):
            self.state.contents[memory] = Content(self.state.contents[memory].value, self.tick())
        handle.now = Derived(op.operands[0], walk.maker(op.operands[0]), {0: before})
        handle.now.stamp = self.stamp(handle.now)
        for slot, bound in self.state.bound.items():
            if bound is handle:
                self._store(slot, self.read(bound, op), op)
        self.dead.append(op)

    def _require_local(self, handle: Handle, op: ir.Operation) -> None:
        """Only code next to where a tensor object is made may change how it shows its memory."""
        owner = walk.owner(handle.value)
        block = handle.value.owner if owner is None else owner.block
        memory = handle.memory if isinstance(handle, Whole) else Memory()
        if memory.argument or memory.fixed or memory.slot:
            what = memory.argument or memory.fixed or f"attribute {memory.slot!r}"
        elif block != op.block:
            what = "a tensor from outside of the branch or loop"
        else:
            return
        name = _writer(op).removeprefix("aten.").partition(".")[0]
        raise UnsupportedError(
            f"{_writer(op)} changes the shape of {what} in place",
            op.location,
            do=f"assign a view: x = x.{name[:-1]}(...)",
        )

    def _fitted(self, value: ir.Value, handle: Handle, op: ir.Operation) -> ir.Value:
        """What is stored: the value in the dtype of the tensor, and in its sizes unless the write is an out form."""
        source = walk.owner(value)
        if "torch.form" not in op.attributes or (source is not None and source.name in _SHAPE_KEEPING):
            return value
        old = self.read(handle, op)
        ip, loc = ir.InsertionPoint(op), op.location
        if walk.string(op, "torch.form") == "out":
            if not self._may_resize(handle):
                _require_sizes(value, old, op)
            name, operands = "torch.aten.type_as", [value, old]
        else:
            name, operands = "torch.aten.copy", [old, value, constants.create(False, loc, ip)]
        attributes = {"torch.writer": op.attributes["torch.writer"]}
        fitted = ir.Operation.create(name, [self.types.unknown_tensor()], operands, attributes, loc=loc, ip=ip)
        return fitted.results[0]

    def _may_resize(self, handle: Handle) -> bool:
        """True for a tensor of the program that nothing else shares memory with: an `out=` may give it other sizes."""
        handle = current(handle)
        if not isinstance(handle, Whole) or handle.memory.argument or handle.memory.slot:
            return False
        return not any(handle.memory in bases(other) for other in self.handles.values() if other is not handle)

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


def _require_sizes(value: ir.Value, old: ir.Value, op: ir.Operation) -> None:
    """Raise at run time where torch would resize the tensor that an `out=` names."""
    ip, loc = ir.InsertionPoint(op), op.location
    ints, truth = td.ListType.get(td.IntType.get()), td.BoolType.get()
    sizes = [ir.Operation.create("torch.aten.size", [ints], [v], loc=loc, ip=ip).results[0] for v in (value, old)]
    same = ir.Operation.create("torch.aten.eq.int_list", [truth], sizes, loc=loc, ip=ip).results[0]
    branch = ir.Operation.create("torch.prim.If", [], [same], regions=2, loc=loc, ip=ip)
    kept, refused = (region.blocks.append() for region in branch.regions)
    ir.Operation.create("torch.prim.If.yield", [], [], loc=loc, ip=ir.InsertionPoint(kept))
    inside = ir.InsertionPoint(refused)
    text = constants.create(f"{_writer(op)} would resize its out argument, which shares memory", loc, inside)
    kind = constants.create("builtins.RuntimeError", loc, inside)
    ir.Operation.create("torch.prim.RaiseException", [], [text, kind], loc=loc, ip=inside)
    ir.Operation.create("torch.prim.If.yield", [], [], loc=loc, ip=inside)


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
