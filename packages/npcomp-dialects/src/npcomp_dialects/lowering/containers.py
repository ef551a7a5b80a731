"""Lists, dicts and strings of known contents: their ops happen while the program is compiled.

A list may hold tensors and run-time numbers; its length, and the keys of a dict, are always known here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from npcomp_dialects.errors import InferenceError
from npcomp_dialects.mlir import ir

from .structures import Opaque
from .texts import Text
from .values import Scalar, T

Op = Callable[..., Any]


def _appended(values: list[Any], item: Any) -> list[Any]:
    values.append(item)
    return values


def _set(values: list[Any], index: int, item: Any) -> list[Any]:
    values[index] = item
    return values


def _silent(method: str) -> Op:
    """A method whose result nobody sees."""

    def run(values: Any, *arguments: Any) -> tuple[()]:
        getattr(values, method)(*arguments)
        return ()

    return run


def _method(name: str) -> Op:
    return lambda values, *arguments: getattr(values, name)(*arguments)


def _slice(values: Any, start: int | None, end: int | None, step: int) -> Any:
    return values[slice(start, end, step)]


def _equal(one: list[Any], other: list[Any]) -> Any:
    """True when lengths and numbers agree, as a constant or a run-time bool."""
    result: Any = len(one) == len(other)
    for a, b in zip(one, other, strict=False):
        same = a == b
        if result is False or same is False:
            return False
        result = same if result is True else result if same is True else result & same
    return result


def _differ(one: list[Any], other: list[Any]) -> Any:
    same = _equal(one, other)
    return not same if isinstance(same, bool) else ~same


_LISTS: dict[str, Op] = {
    "eq": _equal,
    "ne": _differ,
    "len": len,
    "__getitem__": operator.getitem,
    "select": operator.getitem,
    "append": _appended,
    "extend": _silent("extend"),
    "insert": _silent("insert"),
    "reverse": _silent("reverse"),
    "clear": _silent("clear"),
    "pop": _method("pop"),
    "_set_item": _set,
    "Delete": _silent("__delitem__"),
    "copy": _method("copy"),
    "list": list,
    "add": operator.add,
    "add_": operator.iadd,
    "mul": operator.mul,
    "slice": _slice,
}
_DICTS: dict[str, Op] = {
    "len": len,
    "__getitem__": operator.getitem,
    "__contains__": operator.contains,
    "_set_item": _silent("__setitem__"),
    "Delete": _silent("__delitem__"),
    "keys": lambda values: list(values.keys()),
    "values": lambda values: list(values.values()),
    "items": lambda values: list(values.items()),
    "get": _method("get"),
    "pop": _method("pop"),
    "popitem": _method("popitem"),
    "setdefault": _method("setdefault"),
    "update": _silent("update"),
    "clear": _silent("clear"),
    "copy": _method("copy"),
    "dict": dict,
}
_METHODS_OF_STR = (
    "capitalize center count endswith find isalnum isalpha isdecimal isdigit islower isnumeric isspace isupper join"
    " ljust lower lstrip partition replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith"
    " strip swapcase title upper zfill format"
)
_STRINGS: dict[str, Op] = {
    "len": len,
    "__getitem__": operator.getitem,
    "__contains__": operator.contains,
    "add": operator.add,
    "slice": _slice,
    "Int": int,
    "Float": float,
    "ord": ord,
    "list": list,
    "percentFormat": lambda template, *arguments: template % arguments,
    **{name: _method(name) for name in _METHODS_OF_STR.split()},
}
_OPEN = {"append": 1, "extend": 1, "add": 1, "add_": 1, "insert": 2, "_set_item": 2, "setdefault": 2, "update": 1}
"""Where the items begin that may be anything; all other arguments must be known."""


def _table(name: str, values: Sequence[Any]) -> tuple[str, dict[str, Op]]:
    namespace, base, *_ = name.split(".")
    if namespace != "aten":
        return base, {}
    if base == "warn":
        return base, {"warn": lambda *_: ()}
    kinds: dict[type, dict[str, Op]] = {list: _LISTS, dict: _DICTS, str: _STRINGS}
    return base, kinds.get(type(values[0]) if values else type(None), {})


def handles(name: str, values: Sequence[Any]) -> bool:
    """True when the op works on a container or string that is known here."""
    base, table = _table(name, values)
    if base not in table:
        return False
    known = values[1 : _OPEN.get(base, len(values))]
    return not any(isinstance(v, (Scalar, T, Opaque, Text)) for v in known)


def evaluate(name: str, values: Sequence[Any], location: ir.Location) -> Any:
    """What the op gives; its own error is an error of the program."""
    base, table = _table(name, values)
    try:
        return table[base](*values)
    except (IndexError, KeyError, ValueError, TypeError) as error:
        raise InferenceError(f"{name}: {error!r}", location) from None
