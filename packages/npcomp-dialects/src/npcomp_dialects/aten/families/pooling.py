"""Pooling: a sliding window collapses into one value."""

from __future__ import annotations

from ..block import Block
from ..promotion import promote


class Pooling(Block):
    """The dtype stays; 16-bit floats average in f32."""

    family = "pooling"
    dtype = promote
