"""Factory: new tensors from sizes and numbers."""

from __future__ import annotations

from typing import Any

from ..abstract import TensorInfo, Unknown
from ..block import Block
from ..dtypes import DType, as_dtype
from ..errors import InferError


class Factory(Block):
    """Sizes may be known at run time; layout, device and pinning mean nothing for values."""

    family = "factory"
    runtime = ("size", "n", "m", "steps", "diagonal", "fill_value", "start", "end", "step", "pin_memory")

    @classmethod
    def static_arguments(cls) -> list[str]:
        ignored = ("Layout", "Device", "MemoryFormat")
        return [a for a in super().static_arguments() if cls.schema.argument(a).type.leaf not in ignored]


def sizes_of(value: Any) -> Any:
    """A size list as the sizes of a TensorInfo."""
    if isinstance(value, Unknown):
        return None
    for s in value:
        if isinstance(s, int) and s < 0:
            raise InferError(f"Trying to create tensor with negative dimension {s}: {value}")
    return tuple(s if isinstance(s, int) else None for s in value)


class Filled(Factory):
    """A tensor of one value: `value(named)` gives it, the sizes come from `size` or the first tensor."""

    default: DType | None = DType.f32

    @classmethod
    def infer(cls, *args: Any) -> TensorInfo:
        named = cls.named(args)
        like = args[0] if isinstance(args[0], TensorInfo) else None
        sizes = sizes_of(named["size"]) if "size" in named else like.sizes if like else None
        return TensorInfo(sizes, cls.result_dtype(named, like))

    @classmethod
    def result_dtype(cls, named: Any, like: Any) -> DType | None:
        """The dtype asked for, else that of the tensor it is made like, else the default."""
        return as_dtype(named.get("dtype")) or (like.dtype if like is not None else cls.default)

    @classmethod
    def lower(cls, b: Any, *args: Any) -> Any:
        named = cls.named(args)
        like = args[0] if hasattr(args[0], "rank") else None
        sizes = like.sizes if like is not None and "size" not in named else named["size"]
        dtype = cls.result_dtype(named, like)
        return b.full(sizes, constant(b, cls.value(named), dtype), dtype)

    @classmethod
    def value(cls, named: Any) -> Any:
        return named["fill_value"]


def constant(b: Any, value: Any, dtype: DType) -> Any:
    """A number in a tensor's dtype; Python numbers stay Python numbers."""
    if not isinstance(value, (bool, int, float)):
        return b.cast(value, dtype)
    return float(value) if dtype.is_float else bool(value) if dtype is DType.bool else int(value)
