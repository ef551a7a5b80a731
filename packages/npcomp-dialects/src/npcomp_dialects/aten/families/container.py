"""Container: lists, dicts, strings and optionals, which stay containers to the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..block import Block
from ..registry import op


class Container(Block):
    """Known by schema; folds where its containers are constants, and has no lowering to tensors."""

    family = "container"


B = TypeVar("B", bound=type[Block])


def schemas(text: str) -> Callable[[B], B]:
    """One block for many schemas, one a line."""

    def register(block: B) -> B:
        for line in text.strip().splitlines():
            block = op(line.strip())(block)
        return block

    return register


KEYS = ("str", "int", "bool", "float", "Tensor")


def for_each_key(text: str) -> str:
    """The schemas of a dict op for every type of key; KEY stands for the type."""
    return "\n".join(line.replace("KEY", key) for line in text.strip().splitlines() for key in KEYS)
