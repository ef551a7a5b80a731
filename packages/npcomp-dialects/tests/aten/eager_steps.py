"""Steps of the reference builder that are functions of torch tensors alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.aten.trial_builder import LowerTrial, TrialTensor


class GuardFailed(Exception):
    """A guard did not hold."""


def reduce_one(kind: str, v: torch.Tensor, dim: int, dtype: DType) -> torch.Tensor:
    """max, min or prod over one dim; an empty dim gives the neutral element."""
    if v.shape[dim] == 0:
        neutral = {"prod": 1, "max": dtype.lowest, "min": dtype.highest}[kind]
        return torch.full([1 if d == dim else s for d, s in enumerate(v.shape)], neutral, dtype=v.dtype)
    return {"max": torch.amax, "min": torch.amin, "prod": torch.prod}[kind](v, dim, True)


def squeeze(v: torch.Tensor, dims: Sequence[int]) -> torch.Tensor:
    return v.reshape([s for d, s in enumerate(v.shape) if d not in dims])


def check_letters(spec: str, lhs: torch.Tensor, rhs: torch.Tensor) -> None:
    """einsum would broadcast a size of 1; a contraction wants equal sizes."""
    seen: dict[str, int] = {}
    for letters, v in zip(spec.split("->")[0].split(","), (lhs, rhs), strict=True):
        for letter, size in zip(letters, v.shape, strict=True):
            if seen.setdefault(letter, size) != size:
                raise GuardFailed(f"RuntimeError: sizes {seen[letter]} and {size} of {letter} differ in {spec}")


def guard_bounds(index: torch.Tensor, size: int, error: str | None) -> None:
    if index.numel() and (int(index.min()) < 0 or int(index.max()) >= size):
        assert error, "an index that was promised to lie inside does not"
        raise GuardFailed(f"{error}: index out of range for size {size}")


def max_pool_indices(v: torch.Tensor, *window: Any) -> tuple[torch.Tensor, torch.Tensor]:
    rank = len(window[0])
    fn = {1: torch.nn.functional.max_pool1d, 2: torch.nn.functional.max_pool2d, 3: torch.nn.functional.max_pool3d}[rank]
    lead = v.shape[: v.dim() - rank]
    flat = v.reshape(math.prod(lead), 1, *v.shape[v.dim() - rank :])
    values, indices = fn(flat, *window, return_indices=True)
    return values.reshape(*lead, *values.shape[2:]), indices.reshape(*lead, *indices.shape[2:])


def pooled(
    kind: str, v: torch.Tensor, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool
) -> torch.Tensor:
    if kind == "max":
        return max_pool_indices(v, kernel, stride, padding, dilation, ceil)[0]
    assert all(d == 1 for d in dilation)
    rank = len(kernel)
    lead = v.dim() - rank
    spatial = list(v.shape[lead:])
    sizes = LowerTrial().pool("sum", TrialTensor(spatial, DType.f32), kernel, stride, padding, dilation, ceil).sizes
    reach = [(n - 1) * t + k for n, t, k in zip(sizes, stride, kernel, strict=True)]
    pads = [(p, max(0, r - s - p)) for p, r, s in zip(padding, reach, spatial, strict=True)]
    v = torch.constant_pad_nd(v, [p for pair in reversed(pads) for p in pair])
    for axis, (k, t, n) in enumerate(zip(kernel, stride, sizes, strict=True), lead):
        v = v.unfold(axis, k, t).sum(-1).narrow(axis, 0, n)
    return v
