"""What a torch value is while a function is lowered.

A leaf is a tensor (`T`), a run-time number (`Scalar`), a Python constant, a value that stays in the torch dialect
(`Opaque`), or nothing that anybody reads (`UNINITIALIZED`). Lists, tuples and dicts are Python's: they vanish.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from npcomp_dialects.mlir import ir


@dataclass(frozen=True)
class Opaque:
    """A value that keeps its torch type: a list of unknown length, a string made at run time."""

    value: ir.Value


class _Uninitialized:
    """The value of a path that raises."""

    def __repr__(self) -> str:
        return "UNINITIALIZED"


UNINITIALIZED = _Uninitialized()


class StructureMismatch(Exception):
    """Two values that control flow should join have different containers; the text says how they differ."""


def leaves(value: Any) -> Iterator[Any]:
    """The leaves, depth first."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    else:
        yield value


def rebuild(shape: Any, fresh: Iterator[Any]) -> Any:
    """A value of the same containers with new leaves."""
    if isinstance(shape, list):
        return [rebuild(item, fresh) for item in shape]
    if isinstance(shape, tuple):
        return tuple(rebuild(item, fresh) for item in shape)
    if isinstance(shape, dict):
        return {key: rebuild(item, fresh) for key, item in shape.items()}
    return next(fresh)


def align(a: Any, b: Any) -> tuple[Any, list[Any], list[Any]]:
    """One shape and the leaves of both; an uninitialized side takes the other's containers."""
    a, b = _fill(a, b), _fill(b, a)
    _check(a, b)
    return a, list(leaves(a)), list(leaves(b))


def _is_container(value: Any) -> bool:
    return isinstance(value, (list, tuple, dict))


def _fill(value: Any, other: Any) -> Any:
    """`value` with the containers of `other` wherever it is uninitialized."""
    if value is UNINITIALIZED and _is_container(other):
        return rebuild(other, iter(lambda: UNINITIALIZED, None))
    if type(value) is not type(other) or not _is_container(value) or len(value) != len(other):
        return value
    if isinstance(value, dict):
        return {key: _fill(item, other[key]) if key in other else item for key, item in value.items()}
    return type(value)(_fill(x, y) for x, y in zip(value, other, strict=True))


def _check(a: Any, b: Any) -> None:
    if not _is_container(a) and not _is_container(b):
        return
    if type(a) is not type(b):
        raise StructureMismatch(f"a {_describe(a)} on one side is a {_describe(b)} on the other")
    if len(a) != len(b):
        raise StructureMismatch(f"a {_describe(a)} has {len(a)} items on one side and {len(b)} on the other")
    if isinstance(a, dict):
        if list(a) != list(b):
            raise StructureMismatch(f"a dict has the keys {list(a)} on one side and {list(b)} on the other")
        a, b = list(a.values()), list(b.values())
    for x, y in zip(a, b, strict=True):
        _check(x, y)


def _describe(value: Any) -> str:
    return type(value).__name__ if _is_container(value) else "single value"
