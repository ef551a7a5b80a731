"""torch functions that read values to decide about them, in torch's own terms.

Eager torch looks into a tensor and raises, warns or returns a Python number; a capture has no values. These forms
compute the same and keep the checks as operations of the program."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def _truth(condition: Tensor) -> Any:
    """A bool tensor of one element as a Python truth value, which only run time knows."""
    return condition.to(torch.int64).item() == 1


def equal(x: Tensor, other: Tensor) -> Any:
    if x.dtype != other.dtype:
        raise RuntimeError(f"Expected object of data type {x.dtype} but got data type {other.dtype}")
    return _truth((x == other).all()) if x.shape == other.shape else False


def allclose(x: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    return _truth(torch.isclose(x, other, rtol=rtol, atol=atol, equal_nan=equal_nan).all())


def tolist(x: Tensor) -> Any:
    return [tolist(part) for part in x.unbind(0)] if x.dim() else x.item()


def cov(x: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None) -> Tensor:
    """torch's covariance: rows are variables, columns observations."""
    if x.dim() > 2 or x.dtype is torch.bool:
        raise RuntimeError(f"cov(): expected input of at most two dimensions, not bool, but got {x.dim()}, {x.dtype}")
    x = x if x.dim() == 2 else x.reshape(1, -1)
    weights = _weights(x.size(1), fweights, aweights)
    weighted = x if weights is None else x * weights
    total = x.size(1) if weights is None else weights.sum()
    if weights is not None:
        torch._assert_async(weights.sum() != 0, "cov(): weights sum to zero, can't be normalized")
    x = x - (weighted.sum(1) / total).unsqueeze(1)
    norm = total - correction
    if weights is not None and aweights is not None and correction != 0:
        norm = total - correction * (weights * aweights).sum() / total
    norm = norm.clamp(min=0) if isinstance(norm, Tensor) else torch.sym_max(norm, 0)
    columns = x if weights is None else x * weights
    return (torch.mm(x, columns.t().conj()) / norm).squeeze()


def _weights(observations: int, fweights: Tensor | None, aweights: Tensor | None) -> Tensor | None:
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is None:
            continue
        if given.dim() > 1 or given.numel() != observations:
            raise RuntimeError(f"cov(): expected {name} to have one element an observation, got {list(given.shape)}")
        torch._assert_async((given >= 0).all(), f"cov(): {name} cannot be negative")
    return aweights if fweights is None else fweights if aweights is None else fweights * aweights


def corrcoef(x: Tensor) -> Tensor:
    if x.dim() > 2:
        raise RuntimeError(f"corrcoef(): expected input to have two or fewer dimensions but got {x.dim()}")
    covariance = cov(x)
    if covariance.dim() == 0:
        return covariance / covariance
    diagonal = covariance.diag()
    deviation = (diagonal.real if x.is_complex() else diagonal).sqrt()
    quotient = covariance / deviation.unsqueeze(1) / deviation.unsqueeze(0)
    if not x.is_complex():
        return quotient.clamp(-1, 1)
    return torch.complex(quotient.real.clamp(-1, 1), quotient.imag.clamp(-1, 1))


def one_hot(x: Tensor, num_classes: int = -1) -> Tensor:
    if x.dtype is not torch.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    classes: Any = x.max().item() + 1 if num_classes == -1 else num_classes
    if num_classes == -1:
        torch._check_is_size(classes)
    return x.new_zeros([*x.shape, classes]).scatter(-1, x.unsqueeze(-1), 1)


def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """As torch.nn.functional has it; negative variances are found when the program runs."""
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = var * torch.ones_like(input)
    elif var.size() != input.size():
        if input.size()[:-1] == var.size():
            var = var.unsqueeze(-1)
        elif input.size()[:-1] != var.size()[:-1] or var.size(-1) != 1:
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    torch._assert_async((var >= 0).all(), "var has negative entry/entries")
    with torch.no_grad():
        var = var.clone().clamp(min=eps)
    loss = 0.5 * (torch.log(var) + (input - target) ** 2 / var)
    loss = loss + 0.5 * math.log(2 * math.pi) if full else loss
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


def tensor_split(x: Tensor, *args: Any, **keywords: Any) -> Any:
    """With a list of bounds in a tensor, each bound is a number; how many parts there are has to be known."""
    names = ("tensor_indices_or_sections", "indices_or_sections", "indices")
    given = [name for name in names if name in keywords]
    bounds = args[0] if args else keywords[given[0]] if given else None
    if not isinstance(bounds, Tensor) or bounds.dim() != 1:
        return torch.tensor_split(x, *args, **keywords)
    dim = args[1] if len(args) > 1 else keywords.get("dim", 0)
    return torch.tensor_split(x, tolist(bounds), dim)


def ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any, blank: int = 0,
    reduction: int | str = 1, zero_infinity: bool = False,
) -> Tensor:  # fmt: skip
    """torch writes lengths that are Python numbers into a tensor's memory, to average by them."""
    losses = torch._ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, zero_infinity)[0]
    if zero_infinity:
        losses = torch.where(losses == math.inf, torch.zeros_like(losses), losses)
    if reduction not in (1, "mean"):
        return losses.sum() if reduction in (2, "sum") else losses
    lengths = target_lengths if isinstance(target_lengths, Tensor) else torch.tensor(target_lengths)
    return (losses / lengths.to(losses.dtype).clamp(min=1)).mean()


def random_(x: Tensor, *bounds: Any, **keywords: Any) -> Tensor:
    """Between two bounds, ATen calls this `random.from`, which is no name in the Python that torch.fx writes."""
    if len(bounds) != 2 or bounds[1] is None or keywords:
        return x.random_(*bounds, **keywords)
    return x.copy_(torch.randint(bounds[0], bounds[1], x.shape, dtype=x.dtype, device=x.device))


READERS: dict[Any, Callable[..., Any]] = {
    torch.ctc_loss: ctc_loss,
    torch.equal: equal,
    Tensor.equal: equal,
    torch.allclose: allclose,
    Tensor.allclose: allclose,
    Tensor.random_: random_,
    Tensor.tolist: tolist,
    torch.cov: cov,
    Tensor.cov: cov,
    torch.corrcoef: corrcoef,
    Tensor.corrcoef: corrcoef,
    torch.tensor_split: tensor_split,
    Tensor.tensor_split: tensor_split,
    torch.nn.functional.ctc_loss: ctc_loss,
    torch.nn.functional.one_hot: one_hot,
    torch.nn.functional.gaussian_nll_loss: gaussian_nll_loss,
}
