"""Quantized: values rounded to a grid of integers."""

from __future__ import annotations

from ..block import Block


class Quantized(Block):
    """Rounds as torch does: half to even after scaling by the inverse of the step."""

    family = "quantized"
