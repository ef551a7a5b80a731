"""Convolution: sliding sums of products."""

from __future__ import annotations

from ..block import Block
from ..promotion import promote


class Convolution(Block):
    """Operands share one dtype, which is the result's; 16-bit floats accumulate in f32."""

    family = "convolution"
    dtype = promote
