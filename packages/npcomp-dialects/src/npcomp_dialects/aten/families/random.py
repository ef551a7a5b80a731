"""Random: values drawn by the runtime's counter-based generator."""

from __future__ import annotations

from typing import Any

from ..abstract import TensorInfo
from ..block import Block
from ..dtypes import DType, as_dtype
from ..errors import NotStatic
from .factory import sizes_of


class Random(Block):
    """Never merged or removed; sizes from `size` or the first tensor, the dtype asked for or that of the tensor.

    A generator of the caller's own, and a dtype that the distribution does not have, are left to torch.
    """

    family = "random"
    effects = ("random",)
    compare = "type"
    runtime = ("size", "low", "high", "num_samples", "n", "pin_memory")
    default: DType | None = DType.f32

    @classmethod
    def static_arguments(cls) -> list[str]:
        ignored = ("Layout", "Device", "MemoryFormat")
        return [a for a in super().static_arguments() if cls.schema.argument(a).type.leaf not in ignored]

    @classmethod
    def infer(cls, *args: Any) -> Any:
        named = cls.named(args)
        like = args[0] if isinstance(args[0], TensorInfo) else TensorInfo(None, cls.default)
        sizes = sizes_of(named["size"]) if "size" in named else like.sizes
        return TensorInfo(sizes, as_dtype(named.get("dtype")) or like.dtype)

    @classmethod
    def place(cls, args: Any) -> tuple[dict[str, Any], list[Any], DType]:
        """The arguments by name, the sizes and the dtype of the result."""
        named = cls.named(args)
        if named.get("generator") is not None:
            raise NotStatic("a generator of the program's own is torch's")
        like = args[0] if hasattr(args[0], "rank") else None
        dtype = named.get("dtype") or (cls.default if like is None else like.dtype)
        return named, named.get("size") if like is None else named.get("size", like.sizes), dtype


def floats_only(dtype: DType) -> None:
    """Other dtypes are refused by torch in its own words."""
    if not dtype.is_float:
        raise NotStatic(f"this distribution has no numbers of {dtype}")


def guard_all(b: Any, fine: Any, text: str) -> None:
    """RuntimeError unless every element of a bool tensor is true."""
    b.guard(b.item(b.reduce("all", fine, list(range(fine.rank)))), text)
