"""What the ops that change a list do to its items."""

from __future__ import annotations

from collections.abc import Callable

from npcomp_dialects.mlir import ir
from npcomp_dialects.passes import constants, effects

Items = list[ir.Value]
ItemsOf = Callable[[ir.Value], Items]


class CannotFollow(Exception):
    """Only run time knows the items of the list after the change."""


def change_of(op: ir.Operation) -> str | None:
    """How an op changes the list that is its first operand, by torch's name (`append`, `pop`); None if it does not."""
    name = effects.kernel(op)
    if name is None:
        return None
    base, _, overload = name.partition(".")[2].partition(".")
    if base == "add_":
        return "extend" if overload == "t" else None
    return base if base in effects.LIST_WRITERS else None


def _append(items: Items, op: ir.Operation, items_of: ItemsOf) -> None:
    items.append(op.operands[1])


def _extend(items: Items, op: ir.Operation, items_of: ItemsOf) -> None:
    items.extend(items_of(op.operands[1]))


def _insert(items: Items, op: ir.Operation, items_of: ItemsOf) -> None:
    items.insert(constants.of_value(op.operands[1]), op.operands[2])


def _set_item(items: Items, op: ir.Operation, items_of: ItemsOf) -> None:
    items[_index(items, op)] = op.operands[2]


def _pop(items: Items, op: ir.Operation, items_of: ItemsOf) -> ir.Value:
    return items.pop(_index(items, op) if len(op.operands) > 1 else -1)


def _delete(items: Items, op: ir.Operation, items_of: ItemsOf) -> None:
    del items[_index(items, op)]


def _clear(items: Items, op: ir.Operation, items_of: ItemsOf) -> None:
    items.clear()


def _reverse(items: Items, op: ir.Operation, items_of: ItemsOf) -> None:
    items.reverse()


def _index(items: Items, op: ir.Operation) -> int:
    """The index that is the second operand; one that the list does not have is left to run time to refuse."""
    index = constants.of_value(op.operands[1])
    if not -len(items) <= index < len(items):
        raise CannotFollow
    return index


CHANGES: dict[str, Callable[[Items, ir.Operation, ItemsOf], ir.Value | None]] = {
    "append": _append,
    "extend": _extend,
    "insert": _insert,
    "_set_item": _set_item,
    "pop": _pop,
    "Delete": _delete,
    "clear": _clear,
    "reverse": _reverse,
}
