"""The part of `b` that puts elements in order and in their places, on types alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .dtypes import DType
from .errors import InferError

if TYPE_CHECKING:
    from .trial_builder import TrialTensor


class OrderTrial:
    """Loops with a memory: each element depends on those before it."""

    def scatter(self, kind: str, x: TrialTensor, dim: int, index: TrialTensor, src: TrialTensor) -> TrialTensor:
        """`x` where `src` was set (the last one stays), added, multiplied, or kept if larger (max) or smaller (min)."""
        for d, (have, wanted, given) in enumerate(zip(x.sizes, index.sizes, src.sizes, strict=True)):
            _check_within(d, wanted, have if d != dim else wanted, "self")
            _check_within(d, wanted, given, "src")
        return _like(x, x.dtype)

    def sort(self, x: TrialTensor, dim: int, descending: bool) -> tuple[TrialTensor, TrialTensor]:
        """The elements along a dim in stable order, nan the largest, and the index that each had."""
        return _like(x, x.dtype), _like(x, DType.i64)

    def scan(self, kind: str, x: TrialTensor, dim: int) -> TrialTensor:
        """Running sum, prod, max, min or logsumexp along a dim."""
        return _like(x, x.dtype)

    def scan_indices(self, kind: str, x: TrialTensor, dim: int) -> tuple[TrialTensor, TrialTensor]:
        """Running max or min along a dim and the last index that had it; nan wins."""
        return _like(x, x.dtype), _like(x, DType.i64)

    def search(self, sequence: TrialTensor, values: TrialTensor, right: bool) -> TrialTensor:
        """How many elements of a sorted sequence are smaller than each value, or not larger."""
        return _like(values, DType.i64)


def _like(x: TrialTensor, dtype: DType) -> TrialTensor:
    return type(x)(x.sizes, dtype)


def _check_within(d: int, wanted: object, have: object, name: str) -> None:
    if isinstance(wanted, int) and isinstance(have, int) and wanted > have:
        raise InferError(f"Expected index size {wanted} at dimension {d} to be no larger than {name} size {have}")
