"""Contraction: sums of products over shared dims."""

from __future__ import annotations

from ..block import Block
from ..promotion import promote


class Contraction(Block):
    """Operands share one dtype, which is the result's."""

    family = "contraction"
    dtype = promote
