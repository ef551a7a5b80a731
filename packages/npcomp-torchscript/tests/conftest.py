"""How tests look into imported IR."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

torch.set_num_threads(1)
Find = Callable[[Any, str], list[Any]]


def _walk(op: Any) -> Iterator[Any]:
    for region in op.regions:
        for block in region.blocks:
            for inner in block.operations:
                yield inner.operation
                yield from _walk(inner.operation)


@pytest.fixture
def find() -> Find:
    """`find(module, "torch.prim.If")`: all ops of a name, in program order; the module must verify.

    Ops do not keep their module alive, so the fixture does."""
    alive = []

    def look(module: Any, name: str) -> list[Any]:
        alive.append(module)
        assert module.operation.verify()
        return [op for op in _walk(module.operation) if op.name == name]

    return look


@pytest.fixture
def operators(find: Find) -> Callable[[Any], list[str]]:
    """The names of all `torch.operator`s."""
    return lambda module: [op.attributes["name"].value for op in find(module, "torch.operator")]
