"""Backward: gradients."""

from __future__ import annotations

from typing import Any, ClassVar

from ..block import Block
from .elementwise import Elementwise


class Backward(Block):
    """A gradient with a lowering of its own."""

    family = "backward"
    runtime: ClassVar[tuple[str, ...]] = ("eps", "scale", "ignore_index", "N", "C", "HxW", "normalized_shape")


class ElementwiseBackward(Elementwise):
    """The gradient of an elementwise function; tensors promote as in the function."""

    family = "backward"


def unasked(b: Any, like: Any) -> Any:
    """What stands for a gradient that the caller does not ask for: an empty tensor that nobody reads."""
    return b.full([0], 0, like.dtype)
