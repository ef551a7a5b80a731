"""Abstract values: what inference knows about an argument or a result.

A tensor is a `TensorInfo`, a number that only run time knows an `Unknown`, anything else is the Python constant itself
(None, bool, int, float, str, DType) or a list of abstract values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .dtypes import DType
from .errors import InferError

Sizes: TypeAlias = "tuple[int | None, ...]"


@dataclass(frozen=True)
class TensorInfo:
    """What is known of a tensor: `sizes` None is an unknown rank, a None inside an unknown size."""

    sizes: Sizes | None = None
    dtype: DType | None = None

    def __post_init__(self) -> None:
        if self.sizes is not None and not isinstance(self.sizes, tuple):
            object.__setattr__(self, "sizes", tuple(self.sizes))

    @property
    def rank(self) -> int | None:
        return None if self.sizes is None else len(self.sizes)

    def covers(self, other: TensorInfo) -> bool:
        """True when every tensor that `other` describes is one that this describes."""
        if self.dtype is not None and self.dtype is not other.dtype:
            return False
        if self.sizes is None:
            return True
        if other.sizes is None or len(self.sizes) != len(other.sizes):
            return False
        return all(a is None or a == b for a, b in zip(self.sizes, other.sizes, strict=True))

    def join(self, other: TensorInfo) -> TensorInfo:
        """What both sides know."""
        dtype = self.dtype if self.dtype is other.dtype else None
        if self.sizes is None or other.sizes is None or len(self.sizes) != len(other.sizes):
            return TensorInfo(None, dtype)
        return TensorInfo(tuple(a if a == b else None for a, b in zip(self.sizes, other.sizes, strict=True)), dtype)

    def __str__(self) -> str:
        dims = "*" if self.sizes is None else ",".join("?" if s is None else str(s) for s in self.sizes)
        return f"{self.dtype or 'unk'}[{dims}]"


@dataclass(frozen=True)
class Unknown:
    """A value that only run time knows, of a schema type: `Unknown("int")`, `Unknown("Tensor[]")`."""

    type: str


def broadcast_dim(a: int | None, b: int | None) -> int | None:
    """The size two broadcast dims have together; raises when no run-time value can make them agree."""
    if a == 1 or (a is None and b != 1):
        return b
    if b == 1 or b is None or a == b:
        return a
    raise InferError(f"sizes {a} and {b} do not broadcast")


def broadcast(shapes: Iterable[Sequence[int | None] | None]) -> Sizes | None:
    """numpy broadcasting over partly known shapes; an unknown rank makes the result's rank unknown."""
    result: list[int | None] = []
    shapes = list(shapes)
    if any(s is None for s in shapes):
        return None
    for shape in shapes:
        assert shape is not None
        if len(shape) > len(result):
            result = [*[1] * (len(shape) - len(result)), *result]
        offset = len(result) - len(shape)
        for i, size in enumerate(shape):
            try:
                result[offset + i] = broadcast_dim(result[offset + i], size)
            except InferError:
                texts = ", ".join("[" + ", ".join("?" if s is None else str(s) for s in t or ()) + "]" for t in shapes)
                raise InferError(f"shapes {texts} do not broadcast at dim {offset + i}") from None
    return tuple(result)
