"""Result shapes that torch's fake tensors do not know, for the time of a capture."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._subclasses import fake_impls
from torch._subclasses.fake_tensor import DynamicOutputShapeException, FakeTensorMode

aten = torch.ops.aten


def _ctc_loss(
    mode: FakeTensorMode, func: Any, log_probs: Tensor, targets: Tensor, input_lengths: Any,
    target_lengths: Tensor | Sequence[int], *rest: Any,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The loss of each sequence, and its forward variables, as many as the longest target needs."""
    batch = log_probs.shape[1]
    if isinstance(target_lengths, Tensor):
        states = _unknown_size(mode)
    else:
        states = 2 * max(target_lengths, default=0) + 1
    return log_probs.new_empty(batch), log_probs.new_empty(batch, log_probs.shape[0], states)


def _embedding_bag(
    mode: FakeTensorMode, func: Any, weight: Tensor, indices: Tensor, offsets: Tensor, scale: bool = False,
    kind: int = 0, sparse: bool = False, per_sample: Tensor | None = None, include_last_offset: bool = False,
    padding_idx: int = -1,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    """The bags, and the bag of each index, unless they are summed on the short way, bag sizes, origins of maxima."""
    bags = offsets.shape[0] - (1 if include_last_offset else 0)
    short = kind == 0 and padding_idx < 0 and weight.dtype is not torch.float64
    of_index = indices.new_empty([0 if short else indices.shape[0]])
    origins = indices.new_empty([bags, weight.shape[1]] if kind == 2 else [bags])
    return weight.new_empty([bags, weight.shape[1]]), of_index, indices.new_empty([bags]), origins


def _lstsq(
    mode: FakeTensorMode, func: Any, a: Tensor, b: Tensor, rcond: float | None = None, *, driver: str | None = None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Residuals exist by the rank that the values have; only drivers that leave them out are known beforehand."""
    rows, columns = a.shape[-2:]
    driver = driver or "gelsy"
    if rows > columns and driver != "gelsy":
        raise DynamicOutputShapeException(func)
    batch = a.shape[:-2]
    vector = b.dim() == 1 or (a.dim() - 1 == b.dim() and b.shape == a.shape[:-1])
    solution = b.new_empty([*batch, columns] if vector else [*batch, columns, b.shape[-1]])
    real = torch.empty([], dtype=a.dtype).abs().dtype
    rank = a.new_empty([0] if driver == "gels" else batch, dtype=torch.int64)
    values = a.new_empty([*batch, min(rows, columns)] if driver in ("gelsd", "gelss") else [0], dtype=real)
    return solution, a.new_empty([0], dtype=real), rank, values


def _unknown_size(mode: FakeTensorMode) -> Any:
    size = mode.shape_env.create_unbacked_symint()  # type: ignore[union-attr]
    torch._check_is_size(size)
    return size


KERNELS: dict[Any, Callable[..., Any]] = {
    aten._ctc_loss.default: _ctc_loss,
    aten._ctc_loss.Tensor: _ctc_loss,
    aten._embedding_bag.default: _embedding_bag,
    aten._embedding_bag_forward_only.default: _embedding_bag,
    aten.linalg_lstsq.default: _lstsq,
}


@contextlib.contextmanager
def known() -> Iterator[None]:
    """While active, fake tensors know the shapes of `KERNELS`."""
    table = fake_impls.op_implementations_dict
    before = {op: table[op] for op in KERNELS if op in table}
    table.update(KERNELS)
    try:
        yield
    finally:
        for op in KERNELS:
            table.pop(op, None)
        table.update(before)
