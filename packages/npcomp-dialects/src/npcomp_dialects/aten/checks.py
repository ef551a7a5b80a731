"""Preconditions that several families share, in torch's words."""

from __future__ import annotations

from .errors import InferError


def same_dtype(what, *tensors):
    """The tensors that are given have one dtype."""
    dtypes = [t.dtype for t in tensors if t is not None]
    if len(set(dtypes)) > 1:
        raise InferError(f"{what}: expected operands of the same dtype, but got {', '.join(map(str, dtypes))}")


def has_sizes(b, what, x, sizes):
    """A tensor that is given has exactly these sizes: nothing broadcasts."""
    if x is None:
        return
    if x.rank != len(sizes):
        raise InferError(f"expected {what} to have {len(sizes)} dimensions, but got {x.rank}")
    for d, (have, want) in enumerate(zip(x.sizes, sizes, strict=True)):
        b.guard(have == want, f"expected {what} to have size {{1}} at dimension {d}, but got {{0}}", have, want)
