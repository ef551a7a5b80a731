"""In-place writes inside branches and loops: what they change leaves the region as an extra result."""

from __future__ import annotations

from npcomp_dialects.errors import UnsupportedError
from npcomp_dialects.mlir import ir
from npcomp_dialects.passes import effects, walk
from npcomp_dialects.passes.coerce import CASTS, coerce
from npcomp_dialects.passes.memory import Content, Handle, Memory, State, bases
from npcomp_dialects.passes.mutation import Rewriter

_TERMINATORS = ("torch.prim.If.yield", "torch.prim.Loop.condition", "func.return")


class ControlFlowRewriter(Rewriter):
    """A rewriter that also goes into `torch.prim.If` and `torch.prim.Loop`."""

    def visit(self, op: ir.Operation) -> None:
        if op.name == "torch.prim.If":
            self._if(op)
        elif op.name == "torch.prim.Loop":
            self._loop(op)
        else:
            super().visit(op)

    def returned_handles(self, block: ir.Block) -> list[Handle | None]:
        """The tensor objects that a function returns, None for other values."""
        return [self.object_of(value) for value in self._original_operands(block)]

    # Branches

    def _if(self, op: ir.Operation) -> None:
        before = self.state
        ends: list[State] = []
        yields: list[list[Handle | None]] = []
        for block in walk.blocks(op):
            self.state = before.copy()
            self.block(block)
            operands = self._original_operands(block)
            yields.append([self.handles.get(v) for v in operands])
            ends.append(self.state)
        changed = [
            memory
            for memory, content in before.contents.items()
            if not memory.slot and any(end.contents.get(memory) != content for end in ends)
        ]
        new = self._rebuild_if(op, ends, changed)
        self._merge(before, ends, changed, list(new.results)[len(op.results) :])
        for old, result, handles in zip(op.results, new.results, zip(*yields, strict=True), strict=False):
            old.replace_all_uses_with(result)
            if old in self.references:
                self._join(result, handles, before)
        self.dead.append(op)

    def _original_operands(self, block: ir.Block) -> list[ir.Value]:
        """What a branch yields, as named before its terminator was rewritten."""
        return self._yielded.pop(block)

    def use(self, op: ir.Operation) -> None:
        if op.name in _TERMINATORS:
            self._yielded[op.block] = list(op.operands)
        super().use(op)

    def _rebuild_if(self, op: ir.Operation, ends: list[State], changed: list[Memory]) -> ir.Operation:
        unknown = self.types.unknown_tensor()
        kinds = [result.type for result in op.results] + [unknown] * len(changed)
        new = ir.Operation.create(
            "torch.prim.If", kinds, list(op.operands), regions=2, loc=op.location, ip=ir.InsertionPoint(op)
        )
        for region, block, end in zip(new.regions, walk.blocks(op), ends, strict=True):
            self._extend(walk.terminator(block), [end.contents[memory].value for memory in changed])
            block.append_to(region)
        return new

    def _extend(self, end: ir.Operation, values: list[ir.Value]) -> None:
        """Let a terminator pass on more values, as tensors of which nothing is known."""
        ip, unknown = ir.InsertionPoint(end), self.types.unknown_tensor()
        more = [coerce(value, unknown, end.location, ip) for value in values]
        ir.Operation.create(end.name, [], [*end.operands, *more], loc=end.location, ip=ip)
        end.erase()

    def _merge(self, before: State, ends: list[State], changed: list[Memory], results: list[ir.Value]) -> None:
        """The state after branches: what changed is in the new results, doubts of any branch stay doubts."""
        self.state = before
        for memory, result in zip(changed, results, strict=True):
            before.contents[memory] = Content(result, self.tick())
        for end in ends:
            before.lost.update(end.lost)
            for memory in before.contents:
                if memory.slot and end.contents[memory] != before.contents[memory]:
                    before.contents[memory] = Content(before.contents[memory].value, self.tick())
        for slot in {slot for end in ends for slot in (*end.bound, *end.slots)}:
            if any(end.bound.get(slot) is not before.bound.get(slot) for end in ends):
                self._unbind(slot, [before, *ends])
            if any(end.slots.get(slot) is not before.slots.get(slot) for end in ends):
                before.slots.pop(slot, None)

    def _unbind(self, slot: str, states: list[State]) -> None:
        """After a slot was assigned on some ways only, nobody knows whose tensor it is: no one may write to it."""
        for state in states:
            for memory in bases(state.bound[slot]) if slot in state.bound else ():
                memory.fixed = memory.fixed or f"a tensor that may or may not be attribute {slot!r}"
        states[0].bound.pop(slot, None)
        states[0].slots.pop(slot, None)

    def _join(self, result: ir.Value, handles: tuple[Handle | None, ...], before: State) -> None:
        """The handle of a result: the tensor itself if all ways agree, else one that may be any of them."""
        known = [handle for handle in handles if handle is not None]
        agreed = known[0] if len(known) == len(handles) and all(handle is known[0] for handle in known) else None
        if agreed is not None and all(memory in before.contents for memory in bases(agreed)):
            self.handles[result] = agreed
            return
        outside = frozenset(memory for handle in known for memory in bases(handle) if memory in before.contents)
        self.new_memory(result, aliases=outside)

    # Loops

    def _loop(self, op: ir.Operation) -> None:
        block = walk.blocks(op)[0]
        initial = [self.handles.get(v) for v in op.operands][2:]
        self.use(op)
        before, outer_reads, self.reads = self.state, self.reads, {}
        self.state = before.copy()
        arguments = self._name_arguments(block, initial)
        written = self._carry_written(block, op, before)
        self._refuse_doubtful(arguments, written, op)
        fixed = {memory: memory.fixed for memory in written}
        self.block(block)
        yielded = self._original_operands(block)
        self._check_next_turn(set(self.state.lost) - set(before.lost), before.contents, fixed, op)
        new = self._rebuild_loop(op, before, written)
        self._merge(before, [self.state], [], [])
        for memory, result in zip(written, list(new.results)[len(op.results) :], strict=True):
            before.contents[memory] = Content(result, self.tick())
        for n, (old, result) in enumerate(zip(op.results, new.results, strict=False)):
            old.replace_all_uses_with(result)
            if old in self.references:
                self._loop_result(result, initial[n], arguments[n], self.handles.get(yielded[n + 1]), before)
        self.reads = {**self.reads, **outer_reads}
        self.dead.append(op)

    def _name_arguments(self, block: ir.Block, initial: list[Handle | None]) -> list[ir.Value]:
        """Tell for each carried tensor whether it is the same one in every turn, or a new name each time."""
        arguments = list(block.arguments)[1:]
        yielded = list(walk.terminator(block).operands)[1:]
        for argument, first, last in zip(arguments, initial, yielded, strict=True):
            if argument not in self.references:
                continue
            if first is not None and _is_same_tensor(last, argument):
                self.handles[argument] = first
            else:
                aliases = bases(first) if first is not None else frozenset()
                self.new_memory(argument, aliases=aliases | self._roots(last, set()))
        return arguments

    def _carry_written(self, block: ir.Block, op: ir.Operation, before: State) -> list[Memory]:
        """Give the body an argument for each outer memory that it writes; slots are read anew in each turn."""
        written = [memory for memory in self._written_in(block) if memory in before.contents]
        for memory in written:
            value = before.contents[memory].value
            if not memory.slot:
                value = block.add_argument(self.types.unknown_tensor(), op.location)
            self.state.contents[memory] = Content(value, self.tick())
        for inner in walk.nested(block):
            if inner.name == "torch.global_slot.set":
                self._unbind(walk.string(inner, "slot"), [self.state])
        return [memory for memory in written if not memory.slot]

    def _refuse_doubtful(self, arguments: list[ir.Value], written: list[Memory], op: ir.Operation) -> None:
        """A carried tensor that may be one which the body writes has contents that nobody knows in the next turn."""
        for argument in arguments:
            for memory in bases(self.handles[argument]) if argument in self.handles else ():
                if not memory.aliases.isdisjoint(written) and any(True for _ in argument.uses):
                    raise UnsupportedError(
                        "the loop writes in place to a tensor that a variable of the loop may or may not be",
                        op.location,
                        do="`.clone()` the tensor before the loop, or where the variable is assigned",
                    )

    def _check_next_turn(
        self, lost: set[Memory], outer: dict[Memory, Content], fixed: dict[Memory, str], op: ir.Operation
    ) -> None:
        """What a turn makes doubtful or fixed must not have been read or written earlier in the turn."""
        for memory in lost:
            if memory in self.reads and memory in outer:
                raise UnsupportedError(
                    "this tensor may or may not have been changed in place by the turn of the loop before",
                    self.reads[memory].location,
                    do="`.clone()` the tensor before it is written",
                )
        for memory, reason in fixed.items():
            if memory.fixed != reason:
                raise UnsupportedError(
                    f"the loop writes in place to {memory.fixed}",
                    op.location,
                    do="`.clone()` the tensor where it is put there",
                )

    def _rebuild_loop(self, op: ir.Operation, before: State, written: list[Memory]) -> ir.Operation:
        unknown, ip = self.types.unknown_tensor(), ir.InsertionPoint(op)
        block = walk.blocks(op)[0]
        self._extend(walk.terminator(block), [self.state.contents[memory].value for memory in written])
        kinds = [result.type for result in op.results] + [unknown] * len(written)
        starts = [coerce(before.contents[memory].value, unknown, op.location, ip) for memory in written]
        new = ir.Operation.create("torch.prim.Loop", kinds, [*op.operands, *starts], regions=1, loc=op.location, ip=ip)
        block.append_to(new.regions[0])
        return new

    def _loop_result(
        self, result: ir.Value, first: Handle | None, argument: ir.Value, last: Handle | None, before: State
    ) -> None:
        if first is not None and self.handles.get(argument) is first:
            self.handles[result] = first
            return
        self._join(result, (None, *(handle for handle in (first, last) if handle is not None)), before)

    def _written_in(self, block: ir.Block) -> list[Memory]:
        """Memories from before a loop that its body may write, found without rewriting it."""
        found: dict[Memory, None] = {}
        for op in walk.nested(block):
            if op.name == "torch.overwrite.tensor.contents":
                for memory in self._roots(op.operands[1], set()):
                    found[memory] = None
        return list(found)

    def _roots(self, value: ir.Value, seen: set[ir.Value]) -> set[Memory]:
        """The memories known so far that a value inside a loop may name."""
        if value in self.handles:
            return set(bases(self.handles[value]))
        if value in seen:
            return set()
        seen.add(value)
        sources = _sources(value)
        return set().union(*(self._roots(source, seen) for source in sources))


def _sources(value: ir.Value) -> list[ir.Value]:
    """The values that a value may be, or share memory with."""
    op = walk.owner(value)
    if op is None:
        loop, position = value.owner.owner.operation, ir.BlockArgument(value).arg_number - 1
        if loop.name != "torch.prim.Loop" or position < 0:
            return []
        last = list(walk.terminator(walk.blocks(loop)[0]).operands)
        return [loop.operands[position + 2], last[position + 1]]
    number = ir.OpResult(value).result_number
    if op.name == "torch.prim.If":
        return [walk.terminator(block).operands[number] for block in walk.blocks(op)]
    if op.name == "torch.prim.Loop":
        return [op.operands[number + 2], walk.terminator(walk.blocks(op)[0]).operands[number + 1]]
    name = effects.kernel(op)
    if name is not None and not effects.may_alias(name):
        return []
    return list(op.operands)


def _is_same_tensor(value: ir.Value, argument: ir.Value) -> bool:
    """True if a value is the very tensor that a loop argument is, seen through casts and branches."""
    if value == argument:
        return True
    op = walk.owner(value)
    if op is None:
        return False
    if op.name in CASTS:
        return _is_same_tensor(op.operands[0], argument)
    number = ir.OpResult(value).result_number
    if op.name == "torch.prim.Loop":
        block = walk.blocks(op)[0]
        inner, last = block.arguments[number + 1], walk.terminator(block).operands[number + 1]
        return _is_same_tensor(op.operands[number + 2], argument) and _is_same_tensor(last, inner)
    if op.name == "torch.prim.If":
        return all(_is_same_tensor(walk.terminator(b).operands[number], argument) for b in walk.blocks(op))
    return False
