"""What a captured function leaves in `.grad` of the parameters that it reaches.

Whether a gradient exists before the call decides what eager torch does: a backward pass adds to it, an optimizer skips
parameters without one. So the function runs first with a gradient in every parameter. If it uses none of them, as a
training step that clears them first, the program is right in either case. If it does, it runs again with the gradients
that exist by now, and the program demands the same of later calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass
class Gradients:
    """Numbers of state tensors: those that have a gradient before the call, those whose gradient the program reads,
    makes new or writes, and those that it takes it from. `demanded` says that later calls must be like this one."""

    before: list[int]
    read: list[int] = field(default_factory=list)
    made: list[int] = field(default_factory=list)
    written: list[int] = field(default_factory=list)
    cleared: list[int] = field(default_factory=list)
    demanded: bool = False


def candidates(tensors: Sequence[torch.Tensor]) -> list[int]:
    """The tensors that a backward pass leaves gradients in."""
    return [n for n, tensor in enumerate(tensors) if tensor.requires_grad and tensor.is_leaf]


def example(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach() if tensor.grad is None else tensor.grad.detach()


def begin(stand_ins: Sequence[torch.Tensor], numbers: Sequence[int], given: Sequence[torch.Tensor]) -> None:
    for number, gradient in zip(numbers, given, strict=True):
        stand_ins[number].grad = gradient.detach()


def settle(
    found: Gradients, final: Sequence[Any], placeholders: Sequence[torch.fx.Node], origin: Any
) -> tuple[list[Any], list[Any]]:
    """Sorts the final gradients, one node or None for each state tensor; returns the new and the written ones."""
    given = dict(zip(found.before, placeholders, strict=True))
    made: list[Any] = []
    written: list[Any] = []
    for number, node in enumerate(final):
        if node is None:
            found.cleared += [number] if number in given else []
        elif number not in given or not found.demanded:
            if origin(node) is not given.get(number):
                found.made.append(number)
                made.append(node)
        elif origin(node) is not given[number]:
            found.written.append(number)
            written.append(node)
    return made, written
