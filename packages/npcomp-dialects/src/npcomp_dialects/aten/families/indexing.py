"""Indexing: elements picked by tensors of indices."""

from __future__ import annotations

from typing import Any

from ..abstract import TensorInfo
from ..block import Block


class Indexing(Block):
    """The dtype is that of the first argument; indices are guarded to lie inside."""

    family = "indexing"
    dtypes_decide_sizes = True

    @classmethod
    def give_up(cls, args: Any) -> Any:
        if len(cls.schema.returns) == 1 and isinstance(args[0], TensorInfo):
            return TensorInfo(None, args[0].dtype)
        return cls.unknown_results()
