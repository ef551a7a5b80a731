"""Kernel: ops that torch's own kernels run; what is known is their schema and types."""

from __future__ import annotations

from typing import Any

from ..abstract import TensorInfo
from ..block import Block
from ..dims import wrap_dim


class Kernel(Block):
    """No lowering: the call falls back to torch, and its results are typed by `infer`."""

    family = "kernel"
    dtypes_decide_sizes = True


def replaced(x: TensorInfo, dims: dict[int, int | None]) -> TensorInfo:
    """The tensor with some sizes replaced; dims count from either end."""
    if x.sizes is None:
        return x
    sizes = list(x.sizes)
    for d, size in dims.items():
        sizes[d] = size
    return TensorInfo(tuple(sizes), x.dtype)


def reduced(x: TensorInfo, dim: Any, keepdim: Any) -> TensorInfo:
    """The tensor with one dim reduced."""
    if x.sizes is None or not isinstance(dim, int) or not isinstance(keepdim, bool):
        return TensorInfo(None, x.dtype)
    at = wrap_dim(dim, len(x.sizes))
    if keepdim:
        return replaced(x, {at: 1}) if x.sizes else x
    return TensorInfo(tuple(s for d, s in enumerate(x.sizes) if d != at), x.dtype)


def smaller(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else min(a, b)
