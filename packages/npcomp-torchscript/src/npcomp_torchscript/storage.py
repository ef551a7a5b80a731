"""Attributes that share memory without being the same tensor: a row of a weight beside the weight.

Each becomes a tensor of its own, which is right as long as nobody writes into one and reads the other. A program that
writes into such an attribute is refused, since the write would be seen through one name only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from npcomp_torchscript.errors import Refusal
from npcomp_torchscript.functions import Functions
from npcomp_torchscript.instances import Instances
from npcomp_torchscript.locations import parse

Attribute = tuple[str, str]  # class symbol and name


def refuse_shared_writes(instances: Instances, functions: Functions) -> Iterator[tuple[Refusal, Any]]:
    """One refusal, with its place, for each write into an attribute that shares memory with another."""
    shared = _shared(instances, functions)
    if not shared:
        return
    for unit in functions:
        for node in _written(unit.graph):
            source = _source(node)
            if source is None:
                continue
            owner = functions.class_symbol(source.input().type())
            other = shared.get((str(owner), source.s("name")))
            if other is not None:
                yield (
                    Refusal(
                        f"attribute {source.s('name')!r} is written and shares memory with attribute {other!r}",
                        "give each attribute its own memory (`.clone()`)",
                    ),
                    parse(node.sourceRange()),
                )


def _shared(instances: Instances, functions: Functions) -> dict[Attribute, str]:
    """The attributes whose memory overlaps with that of another one, each with the path of that one."""
    views: dict[Any, tuple[Attribute, str]] = {}
    for instance in instances:
        for name in instance.attributes:
            value = None if name in instance.children else instance.object.getattr(name)
            if isinstance(value, torch.Tensor) and value.layout is torch.strided and value.numel():
                start, span = value.data_ptr(), sum((n - 1) * s for n, s in zip(value.shape, value.stride())) + 1
                key = (start, start + span * value.element_size(), value.shape, value.stride(), value.dtype)
                path = f"{instance.path}.{name}" if instance.path else name
                views[key] = ((str(functions.class_symbol(instance.type)), name), path)
    found: dict[Attribute, str] = {}
    end, last = 0, None
    for key in sorted(views, key=lambda key: key[:2]):
        if last is not None and key[0] < end:
            found[views[key][0]] = views[last][1]
            found[views[last][0]] = views[key][1]
        if key[1] > end:
            end, last = key[1], key
    return found


def _written(block: Any) -> Iterator[Any]:
    """The nodes that write into their first argument."""
    for node in block.nodes():
        if "Tensor(a!)" in node.schema():
            yield node
        for inner in node.blocks():
            yield from _written(inner)


def _source(node: Any) -> Any:
    """The attribute access that a written tensor comes from, through views; None when it comes from elsewhere."""
    while node.inputsSize() and node.kind() != "prim::GetAttr":
        node = node.inputsAt(0).node()
    return node if node.kind() == "prim::GetAttr" else None
