"""Dimension arguments: wrapping negatives and reading lists of dims."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import InferError, NotStatic


def wrap_dim(dim: object, rank: int) -> int:
    """`dim` counted from the front; a 0-d tensor counts as having one dim, as in torch."""
    if not isinstance(dim, int):
        raise NotStatic(f"dimension {dim!r} is known only at run time")
    span = max(rank, 1)
    if not -span <= dim < span:
        message = f"Dimension out of range (expected to be in range of [{-span}, {span - 1}], but got {dim})"
        raise InferError(message, "IndexError")
    return dim % span


def wrap_dims(dims: Sequence[object] | int | None, rank: int) -> list[int]:
    """The dims, each once, in increasing order; None and [] mean all of them."""
    if dims is None or dims == []:
        return list(range(rank))
    if isinstance(dims, int):
        dims = [dims]
    if not isinstance(dims, (list, tuple)):
        raise NotStatic(f"dimensions {dims!r} are known only at run time")
    wrapped = [wrap_dim(d, rank) for d in dims]
    for d in wrapped:
        if wrapped.count(d) > 1:
            raise InferError(f"dim {d} appears multiple times in the list of dims")
    return sorted(wrapped) if rank else []
