"""Decomposed: other ops say it all."""

from __future__ import annotations

from ..block import Block


class Decomposed(Block):
    """`decompose(b, …)` builds the op from others; inference runs it on types."""

    family = "decomposed"
