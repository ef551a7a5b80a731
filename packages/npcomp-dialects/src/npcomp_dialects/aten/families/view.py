"""View: the same elements in another shape; in torch often sharing storage, here values."""

from __future__ import annotations

from typing import Any

from ..abstract import TensorInfo
from ..block import Block


class View(Block):
    """`lower` moves elements only; the dtype is that of the first argument."""

    family = "view"

    @classmethod
    def give_up(cls, args: Any) -> Any:
        if len(cls.schema.returns) == 1 and isinstance(args[0], TensorInfo) and not cls.schema.returns[0].type.is_list:
            return TensorInfo(None, args[0].dtype)
        return cls.unknown_results()
