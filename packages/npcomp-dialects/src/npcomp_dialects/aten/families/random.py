"""Random: values drawn by torch's generator, through torch's kernels."""

from __future__ import annotations

from typing import Any

from ..abstract import TensorInfo
from ..block import Block
from ..dtypes import DType, as_dtype
from .factory import sizes_of


class Random(Block):
    """Never merged or removed; sizes from `size` or the first tensor, the dtype asked for or that of the tensor."""

    family = "random"
    effects = ("random",)
    compare = "type"
    default: DType | None = DType.f32

    @classmethod
    def infer(cls, *args: Any) -> Any:
        named = cls.named(args)
        like = args[0] if isinstance(args[0], TensorInfo) else TensorInfo(None, cls.default)
        sizes = sizes_of(named["size"]) if "size" in named else like.sizes
        return TensorInfo(sizes, as_dtype(named.get("dtype")) or like.dtype)
