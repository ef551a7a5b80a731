"""Scalar: ops on Python numbers and on the sizes of tensors."""

from __future__ import annotations

from ..block import Block


class Scalar(Block):
    """`lower` gets and returns numbers: constants fold, the rest are run-time numbers."""

    family = "scalar"

    @classmethod
    def static_arguments(cls) -> list[str]:
        """Numbers may be known at run time only."""
        return []
