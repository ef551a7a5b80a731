"""A model of which tensors share memory, for turning in-place writes into values."""

from __future__ import annotations

from dataclasses import dataclass, field

from npcomp_dialects.mlir import ir

Stamp = frozenset[tuple["Memory", int]]


@dataclass(eq=False)
class Memory:
    """The memory behind a tensor, or the contents of a container.

    `fixed` says why it may not be written, if so. `aliases` are memories that this one may or may not be: those
    that the sides of an `if` or the turns of a loop bring together, or the one that `reshape` may have copied.
    `slot` is the slot whose tensor this is. `argument` says which argument of the program it is: the caller sees what
    it holds at the end.
    """

    fixed: str = ""
    aliases: frozenset[Memory] = frozenset()
    slot: str = ""
    argument: str = ""


@dataclass(eq=False)
class Whole:
    """All of a memory. `value` held its contents when the memory had the version in `stamp`."""

    value: ir.Value
    memory: Memory
    stamp: Stamp = frozenset()
    now: Handle | None = None


@dataclass(eq=False)
class Derived:
    """What an op gives that shares the memory of its operands: a view, a list, a tuple, an item of one.

    `parts` are those operands by position; `value` held the contents when their memories had the versions in `stamp`.
    """

    value: ir.Value
    op: ir.Operation
    parts: dict[int, Handle]
    stamp: Stamp = frozenset()
    now: Handle | None = None


Handle = Whole | Derived
"""A tensor or container as the program names it. One handle is one object: `now` is the view that an op such as
`unsqueeze_` has made of it."""


def current(handle: Handle) -> Handle:
    """What an object is a view of by now."""
    while handle.now is not None:
        handle = handle.now
    return handle


def bases(handle: Handle) -> frozenset[Memory]:
    """The memories that a handle's contents come from."""
    handle = current(handle)
    if isinstance(handle, Whole):
        return frozenset({handle.memory})
    return frozenset[Memory]().union(*map(bases, handle.parts.values()))


@dataclass(frozen=True)
class Content:
    """What a memory holds: a value, and a number that is new for each write."""

    value: ir.Value
    version: int


@dataclass
class State:
    """What all memories hold at one point of the program.

    `lost` are memories that may have been written through a name which may or may not be theirs, with that write:
    nobody knows what they hold. `slots` are the memories of slots that have been read, `bound` the tensors of the
    program that were stored into a slot, which a later write to them changes.
    """

    contents: dict[Memory, Content] = field(default_factory=dict)
    lost: dict[Memory, ir.Operation] = field(default_factory=dict)
    slots: dict[str, Memory] = field(default_factory=dict)
    bound: dict[str, Handle] = field(default_factory=dict)

    def copy(self) -> State:
        return State(dict(self.contents), dict(self.lost), dict(self.slots), dict(self.bound))
