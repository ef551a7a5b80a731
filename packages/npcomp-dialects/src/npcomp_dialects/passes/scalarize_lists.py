"""scalarize-lists: lists that a program builds step by step become lists made at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from npcomp_dialects.mlir import ir
from npcomp_dialects.passes import constants, effects, register, walk
from npcomp_dialects.passes.coerce import coerce
from npcomp_dialects.passes.list_changes import CHANGES, CannotFollow, change_of
from npcomp_dialects.passes.list_loops import unroll, wants_unrolling

_CONSTRUCT = "torch.prim.ListConstruct"
_KEEPS = {
    "torch.prim.If.yield", "torch.prim.Loop.condition", "torch.prim.Loop", "torch.prim.TupleConstruct",
    "torch.prim.ListConstruct", "torch.prim.DictConstruct", "torch.derefine", "torch.prim.unchecked_cast",
    "torch.global_slot.set", "func.call",
}  # fmt: skip
"""Ops after which another object holds the list itself."""


@register("scalarize-lists")
def scalarize_lists(module: ir.Module) -> None:
    """Replace appending to a list, and other changes of one, by a new list of the items that it then has.

    Goal: `outs.append(h)` and `torch.stack(outs)` need no list at run time, and inference sees the items.

    A list is followed from where it is made through its block, op after op. A loop that changes a list, takes its
    items by the number of the turn, or starts with a variable that is None, is unrolled first if it runs a known
    number of times.

    Restrictions: a list that is changed inside a branch, or in a loop of unknown length, stays as it is; so does
    one that is changed while another object holds it, and one changed at an index that only run time knows.
    """
    with module.context:
        for function in walk.functions(module):
            if _has_work(function):
                _fold_lengths(walk.blocks(function)[0])
                unroll(walk.blocks(function)[0])
                _scalarize(walk.blocks(function)[0])


def _fold_lengths(block: ir.Block) -> None:
    """Make the length of a list that nothing changes a constant: it tells how often a loop over the list runs."""
    for op in list(walk.nested(block)):
        made = walk.owner(op.operands[0]) if effects.kernel(op) == "aten.len.t" else None
        if made is None or made.name != _CONSTRUCT or effects.container_writer_of(made.results[0]) is not None:
            continue
        count = constants.create(len(made.operands), op.location, ir.InsertionPoint(op))
        op.results[0].replace_all_uses_with(count)
        op.erase()


def has_work(module: ir.Module) -> bool:
    """True if some function of the module changes a list, or has a loop that wants unrolling."""
    return any(map(_has_work, walk.functions(module)))


def _has_work(function: ir.Operation) -> bool:
    for op in walk.nested(walk.blocks(function)[0]):
        if change_of(op) is not None or (op.name == "torch.prim.Loop" and wants_unrolling(op)):
            return True
    return False


@dataclass
class _List:
    """A list that the program changes, as followed so far. `actions` rewrite the program if nothing goes wrong."""

    made: ir.Value
    items: list[ir.Value]
    current: ir.Value | None
    held: bool = False
    failed: bool = False
    changes: int = 0
    actions: list[Callable[[], None]] = field(default_factory=list)
    replaced: list[ir.Operation] = field(default_factory=list)

    def apply(self) -> None:
        for action in self.actions:
            action()
        for op in reversed(self.replaced):
            op.erase()


def _scalarize(block: ir.Block) -> None:
    for op in walk.ops(block):
        for inner in walk.blocks(op):
            _scalarize(inner)
    follower = _Follower()
    for op in walk.ops(block):
        follower.visit(op)
    for found in follower.lists:
        if not found.failed and found.changes == _count_changes(found.made):
            found.apply()


def _count_changes(made: ir.Value) -> int:
    """How many ops change a list, also those that reach it through another object."""
    return sum(change_of(op) is not None and op.operands[0].type == made.type for op in effects.writers_of(made))


class _Follower:
    """Goes through a block in order, keeping the items of each list that something changes."""

    def __init__(self) -> None:
        self.lists: list[_List] = []
        self.names: dict[ir.Value, _List] = {}

    def visit(self, op: ir.Operation) -> None:
        change = change_of(op)
        if change is not None and op.operands[0] in self.names:
            self._change(op, change)
        else:
            self._use(op, op)
        if op.name == _CONSTRUCT and _count_changes(op.results[0]):
            found = _List(op.results[0], list(op.operands), op.results[0])
            self.lists.append(found)
            self.names[op.results[0]] = found

    def _change(self, op: ir.Operation, change: str) -> None:
        target = self.names[op.operands[0]]
        target.changes += 1
        if target.held or change not in CHANGES or any(map(_is_taken, op.operands)):
            target.failed = True
            return
        try:
            item = CHANGES[change](target.items, op, self._items_of)
        except (CannotFollow, constants.NotConstant):
            target.failed = True
            return
        target.current = None
        for result in op.results:
            if item is None:
                self.names[result] = target
            else:
                target.actions.append(partial(_replace, result, item, op))
        target.replaced.append(op)

    def _items_of(self, value: ir.Value) -> list[ir.Value]:
        if value in self.names:
            return list(self.names[value].items)
        made = walk.owner(value)
        if made is None or made.name != _CONSTRUCT:
            raise CannotFollow
        return list(made.operands)

    def _use(self, op: ir.Operation, outer: ir.Operation) -> None:
        """Let an op, which stands in `outer` or is it, take the list as it is now."""
        for position, operand in enumerate(op.operands):
            if operand in self.names:
                self._take(self.names[operand], op, position, outer)
        for block in walk.blocks(op):
            for inner in walk.ops(block):
                self._use(inner, outer)

    def _take(self, target: _List, op: ir.Operation, position: int, outer: ir.Operation) -> None:
        if change_of(op) is not None and position == 0:
            target.failed = True
            return
        target.held = target.held or op.name in _KEEPS
        if target.current is None:
            made = _Later(target.made, list(target.items), outer)
            target.actions.append(made.build)
            target.current = made
        current = target.current
        target.actions.append(lambda: _set_operand(op, position, current))


class _Later:
    """A list that is made before an op once all of its block has been followed."""

    def __init__(self, made: ir.Value, items: list[ir.Value], before: ir.Operation) -> None:
        self.made = made
        self.items = items
        self.before = before
        self.value: ir.Value | None = None

    def build(self) -> None:
        ip, loc = ir.InsertionPoint(self.before), self.before.location
        kind = self.made.type
        items = [coerce(item, kind.contained, loc, ip) for item in self.items]
        self.value = ir.Operation.create(_CONSTRUCT, [kind], items, loc=loc, ip=ip).results[0]


def _is_taken(value: ir.Value) -> bool:
    """True for what a change of a list gave, such as a popped item: following that list may replace it."""
    op = walk.owner(value)
    return op is not None and change_of(op) == "pop"


def _set_operand(op: ir.Operation, position: int, current: ir.Value | _Later) -> None:
    op.operands[position] = current.value if isinstance(current, _Later) else current


def _replace(result: ir.Value, item: ir.Value, op: ir.Operation) -> None:
    result.replace_all_uses_with(coerce(item, result.type, op.location, ir.InsertionPoint(op)))
