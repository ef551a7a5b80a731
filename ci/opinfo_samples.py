"""Samples of torch's operator database as programs: drawn, traced, run twice and compared with eager torch."""

from __future__ import annotations

import functools
import itertools
import math
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import npcomp_acap as acap
import torch
import torch.utils._pytree as pytree

HERE = Path(__file__).resolve().parent
DTYPES = {
    "f32": torch.float32, "f64": torch.float64, "bf16": torch.bfloat16, "i64": torch.int64, "bool": torch.bool,
}  # fmt: skip
TOLERANCE = {
    torch.float32: (1e-3, 1e-4), torch.float64: (1e-6, 1e-8), torch.bfloat16: (4e-2, 4e-2), torch.float16: (1e-2, 1e-2),
    torch.complex64: (1e-3, 1e-4), torch.complex128: (1e-6, 1e-8),
}  # fmt: skip
UNINITIALIZED = ("empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided")
"""Entries whose values torch leaves open: shape and dtype are compared."""

LOOSE = {"special.bessel_": 1e-5, "special.modified_bessel_": 1e-5, "special.airy_ai": 1e-5, "special.scaled_": 1e-5}
"""Beginnings of entries whose torch kernels are single precision approximations in f64 too, and their error."""

TIES = {"sort": 1, "topk": 1, "kthvalue": 1, "mode": 1, "median": 1, "nanmedian": 1, "argsort": None}
"""Entries that leave open which of equal elements comes first, and the result that tells it (None: the only one)."""


@dataclass
class Outcome:
    """One sample. `status`: right, refused (an error of ours when compiling), raised (an error of ours when running),
    wrong (a result that is not torch's), skipped (eager torch refuses the sample), crash, slow."""

    status: str
    why: str = ""
    fallbacks: tuple[str, ...] = ()


@functools.cache
def entries() -> dict[str, Any]:
    """The database by name, variants as `name.variant`."""
    warnings.simplefilter("ignore")
    from torch.testing._internal import common_methods_invocations as database

    # entries of random ops reset torch's generator in every call, which would hide that they draw from it
    database.wrapper_set_seed = lambda op, *args, **kwargs: op(*args, **kwargs)  # type: ignore[assignment]
    return {entry.full_name: entry for entry in database.op_db}


def dtypes_of(name: str, wanted: list[str]) -> list[str]:
    supported = entries()[name].supported_dtypes("cpu")
    return [dtype for dtype in wanted if DTYPES[dtype] in supported]


def draw(name: str, dtype: str, most: int) -> list[Any]:
    """Up to `most` samples spread evenly over all that torch generates, the same in every run."""
    torch.manual_seed(zlib.crc32(f"{name} {dtype}".encode()))
    every = list(itertools.islice(entries()[name].sample_inputs("cpu", DTYPES[dtype]), 6000))
    if len(every) <= most:
        return every
    return [every[round(i * (len(every) - 1) / max(most - 1, 1))] for i in range(most)]


def program_of(name: str, sample: Any) -> tuple[Callable[..., Any], list[torch.Tensor]]:
    """The call as a function of its tensors, and the tensors."""
    leaves, spec = pytree.tree_flatten((sample.input, sample.args, sample.kwargs))
    tensors = [leaf.detach() for leaf in leaves if isinstance(leaf, torch.Tensor)]
    op = entries()[name].op

    def call(*given: torch.Tensor) -> Any:
        pending = iter(given)
        filled = [next(pending) if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]
        first, args, kwargs = pytree.tree_unflatten(filled, spec)
        return op(first, *args, **kwargs)

    return call, tensors


def other_values(tensor: torch.Tensor) -> torch.Tensor:
    """Other values that keep what ops ask for: order, range of indices, definiteness, zeros; pivots stay."""
    if tensor.dtype is torch.int32:
        return tensor
    if tensor.dtype is torch.bool:
        return tensor.logical_not()
    if tensor.is_floating_point() or tensor.is_complex():
        return (tensor * 0.75).to(tensor.dtype)
    return tensor // 2


def check(name: str, sample: Any) -> Outcome:
    """Traces one sample and compares it with eager torch, on its own values and on others."""
    call, tensors = program_of(name, sample)
    generator = torch.get_rng_state()
    first = _ran(call, tensors)
    varies = name in UNINITIALIZED or not torch.equal(generator, torch.get_rng_state())
    if isinstance(first, Exception):
        return Outcome("skipped", _told(first))
    try:
        program = acap.trace(call, *copies(tensors))
        fallbacks = tuple(program.report().fallbacks)
    except Exception as error:
        return Outcome("refused", _told(error))
    tolerance = tolerance_of(name)
    for given in (tensors, [other_values(t) for t in tensors]):
        wanted = first if given is tensors else _ran(call, given)
        got = _ran(program, given)
        if isinstance(got, Exception) and isinstance(wanted, Exception):
            continue
        if isinstance(got, Exception):
            return Outcome("raised", _told(got), fallbacks)
        if isinstance(wanted, Exception):
            return Outcome("wrong", f"no error where torch says {_told(wanted)}", fallbacks)
        try:
            if name in TIES and has_ties(given):
                got, wanted = without_order(name, got), without_order(name, wanted)
            agree(got, wanted, values=not varies, tolerance=tolerance)
        except AssertionError as error:
            if varies or not nearer(got, wanted, _ran(call, [exactly(t) for t in given])):
                return Outcome("wrong", " ".join(str(error).split())[:300], fallbacks)
    return Outcome("right", "", fallbacks)


def exactly(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.double() if tensor.is_floating_point() else tensor


def nearer(got: Any, wanted: Any, exact: Any) -> bool:
    """Where torch rounds in every step: our error, against double precision, is at most twice torch's largest."""
    if isinstance(exact, Exception):
        return False
    leaves = [pytree.tree_leaves(value) for value in (got, wanted, exact)]
    if len({len(found) for found in leaves}) > 1:
        return False
    return all(_nearer(*triple) for triple in zip(*leaves) if isinstance(triple[1], torch.Tensor))


def _nearer(got: torch.Tensor, wanted: torch.Tensor, exact: torch.Tensor) -> bool:
    if got.dtype != wanted.dtype or got.shape != wanted.shape or not wanted.is_floating_point():
        return got.dtype == wanted.dtype and torch.equal(got, wanted)
    if exact.dtype is not torch.float64 or wanted.dtype is torch.float64:
        return torch.equal(got, wanted)
    ours, theirs = ((t.double() - exact).abs().nan_to_num(0) for t in (got, wanted))
    least = torch.finfo(wanted.dtype).eps * exact.abs().nan_to_num(0, 0, 0)
    same_nans = torch.equal(got.isnan(), exact.isnan()) or torch.equal(got.isnan(), wanted.isnan())
    return same_nans and bool((ours <= 2 * theirs.max() + least).all())


def copies(tensors: list[torch.Tensor]) -> list[torch.Tensor]:
    """Copies that keep strides: an op that writes into its input must not be seen by the next run."""
    keep = torch.preserve_format
    return [t.clone(memory_format=keep) if t.layout is torch.strided else t.clone() for t in tensors]


def _ran(call: Callable[..., Any], tensors: list[torch.Tensor]) -> Any:
    """What the call returns and what is in its arguments afterwards, or the exception it raises."""
    given = copies(tensors)
    try:
        return call(*given), given
    except Exception as error:
        return error


def _told(error: BaseException) -> str:
    text = " ".join(str(error).replace(f"{HERE}/", "ci/").split())
    return f"{type(error).__name__}: {text[:300]}"


def tolerance_of(name: str) -> dict[torch.dtype, tuple[float, float]]:
    """Relative and absolute differences allowed, by dtype of the result."""
    loose = next((error for start, error in LOOSE.items() if name.startswith(start)), None)
    if loose:
        return {**TOLERANCE, torch.float64: (loose, loose)}
    if type(entries()[name]).__name__ in ("UnaryUfuncInfo", "BinaryUfuncInfo"):
        return {**TOLERANCE, torch.float32: (1e-5, 1e-5)}
    return TOLERANCE


def has_ties(tensors: list[torch.Tensor]) -> bool:
    return any(t.unique().numel() < t.numel() for t in tensors)


def without_order(name: str, ran: Any) -> Any:
    """The results without the one that tells the order of equal elements."""
    result, after = ran
    place = TIES[name]
    return (result.shape if place is None or isinstance(result, torch.Tensor) else result[:place]), after


def agree(got: Any, wanted: Any, *, values: bool, tolerance: dict[torch.dtype, tuple[float, float]]) -> None:
    """Raises AssertionError unless structure, dtypes and shapes are equal and, with `values`, numbers close: to a
    relative difference, or to an absolute one that grows with the largest number."""
    if isinstance(wanted, torch.Tensor):
        assert isinstance(got, torch.Tensor), f"{type(got).__name__} instead of a tensor"
        assert got.dtype == wanted.dtype, f"{got.dtype} instead of {wanted.dtype}"
        assert got.shape == wanted.shape, f"{tuple(got.shape)} instead of {tuple(wanted.shape)}"
        if values:
            rtol, atol = tolerance.get(wanted.dtype, (0, 0))
            atol = max(atol, atol * 1e-2 * largest(wanted)) if atol else atol
            torch.testing.assert_close(got, wanted, rtol=rtol, atol=atol, equal_nan=True)
    elif isinstance(wanted, (list, tuple)):
        assert isinstance(got, (list, tuple)) and len(got) == len(wanted), f"{got!r:.80} instead of {len(wanted)} items"
        for one, other in zip(got, wanted):
            agree(one, other, values=values, tolerance=tolerance)
    elif isinstance(wanted, float) and isinstance(got, float):
        close = math.isclose(got, wanted, rel_tol=1e-5) or (got != got and wanted != wanted)
        assert close, f"{got} instead of {wanted}"
    else:
        assert not values or (type(got) is type(wanted) and got == wanted), f"{got!r:.80} instead of {wanted!r:.80}"


def largest(tensor: torch.Tensor) -> float:
    """The largest finite magnitude."""
    finite = tensor.detach().abs().double().nan_to_num(0, 0, 0)
    return float(finite.max()) if finite.numel() else 0.0
