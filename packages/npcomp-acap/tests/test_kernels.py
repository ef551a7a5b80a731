"""What the compiler leaves to torch's own kernels: complex numbers, Fourier and matrix functions, lists, results whose
sizes values decide."""

from __future__ import annotations

from typing import Any

import npcomp_acap as acap
import npcomp_refbackend as nrb
import numpy as np
import pytest
import torch
from npcomp_acap import CaptureError
from npcomp_dialects.errors import CompileError
from npcomp_dialects.program import CompileOptions
from torch.testing._internal.common_methods_invocations import op_db

ENTRIES = [
    e for e in op_db
    if e.name.startswith("fft.") or e.name in (
        "stft", "istft", "complex", "polar", "view_as_real", "view_as_complex", "real", "imag", "conj", "angle",
        "linalg.eig", "linalg.eigvals", "linalg.svd", "linalg.qr", "linalg.lstsq", "linalg.lu", "hash_tensor",
    )
]  # fmt: skip


def same(got: Any, want: Any) -> None:
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4, equal_nan=True)


def dtypes_of(entry: Any) -> list[torch.dtype]:
    return [d for d in (torch.float32, torch.complex64) if d in entry.supported_dtypes("cpu")]


@pytest.mark.parametrize(
    ("entry", "dtype"),
    [pytest.param(e, d, id=f"{e.formatted_name}-{d}".replace("torch.", "")) for e in ENTRIES for d in dtypes_of(e)],
)
def test_entries_of_torchs_database(entry: Any, dtype: torch.dtype) -> None:
    sample = next(iter(entry.sample_inputs("cpu", dtype)))
    program = acap.trace(entry.op, sample.input, *sample.args, **sample.kwargs)
    want = entry.op(sample.input, *sample.args, **sample.kwargs)
    got = program(sample.input, *sample.args, **sample.kwargs)
    leaves = [t.resolve_conj().resolve_neg() for t in torch.utils._pytree.tree_leaves(want)]
    same(torch.utils._pytree.tree_leaves(got), leaves)


def test_complex_state_numbers_and_constants() -> None:
    phase = torch.randn(4, dtype=torch.complex64)

    def rotate(x: torch.Tensor, scale: torch.Tensor) -> Any:
        y = x * phase * (0.5 - 2j) + scale
        return y, y.conj(), y.imag, y.dtype, y.is_complex()

    program = acap.trace(rotate, torch.randn(3, 4), torch.ones(4, dtype=torch.complex128), dynamic={0: {0: "n"}})
    for n in (0, 1, 5):
        x, scale = torch.randn(n, 4), torch.randn(4, dtype=torch.complex128)
        want = rotate(x, scale)
        got = program(x, scale)
        same(got[:3], tuple(t.resolve_conj().resolve_neg() for t in want[:3]))
        assert got[3:] == want[3:]


def test_complex_arrays_and_lazy_conjugates_cross() -> None:
    program = acap.trace(lambda x: x.t() + x, torch.randn(3, 3, dtype=torch.complex64))
    x = torch.randn(3, 3, dtype=torch.complex64)
    same(program(x.conj()), x.conj().t() + x.conj())
    found = program(x.numpy())
    assert isinstance(found, np.ndarray) and found.dtype == np.complex64
    np.testing.assert_allclose(found, (x.t() + x).numpy(), rtol=1e-6)


def test_a_list_of_what_the_program_made() -> None:
    """The tensors of the list live until the kernel has run."""

    def function(x: torch.Tensor) -> torch.Tensor:
        parts = [(x * k).to(torch.complex64) * 1j for k in range(1, 5)]
        return torch.cat([*parts, torch.ones_like(parts[0]), parts[1] * 2], dim=0)

    program = acap.trace(function, torch.randn(2, 3))
    for _ in range(3):
        x = torch.randn(2, 3)
        same(program(x), function(x))


@pytest.mark.parametrize("n", [0, 1, 2, 9])
def test_sizes_that_values_decide(n: int) -> None:
    def function(x: torch.Tensor, m: torch.Tensor) -> Any:
        y, z = x[m], torch.nonzero(x)
        values, counts = torch.unique(x, return_counts=True)
        repeated = torch.repeat_interleave(x, x.abs().long())
        return y * 2, z.sum(0), values, counts, y.numel() + 1, torch.cat([y, values]), repeated, torch.where(x), (
            torch.masked_select(x, m).reshape(-1, 1)
        )  # fmt: skip

    example = torch.tensor([1.0, 0.0, -2.0, 3.0, 1.0])
    program = acap.trace(function, example, example > 0, dynamic={0: {0: "n"}, 1: {0: "n"}})
    x = (torch.randn(n) * 2).round()
    same(program(x, x > 0), function(x, x > 0))


def test_numbers_that_values_decide() -> None:
    def function(x: torch.Tensor) -> Any:
        n, k = x.sum().item(), x.argmax().item()
        flat = torch.equal(x, x.sort().values), torch.allclose(x, x + 1e-9)
        return n * 2 + k, k // 2, k / 3, k == 2, torch.sym_max(k, 1), x * n, torch.full((3,), n), k**2, flat, x.tolist()

    program = acap.trace(function, torch.randn(5))
    for x in (torch.randn(5), torch.arange(5.0)):
        same(program(x), function(x))


def test_a_decision_on_a_value_stays_an_error_with_its_line() -> None:
    def on_size(x: torch.Tensor) -> torch.Tensor:
        if torch.nonzero(x).shape[0] > 2:  # this line
            return x
        return -x

    with pytest.raises(CaptureError, match=r"torch.nonzero\(x\).shape\[0\] > 2:  # this line"):
        acap.trace(on_size, torch.ones(3))


def test_results_and_constants_of_torch_cross() -> None:
    def function(x: torch.Tensor, dtype: torch.dtype, at: slice, scale: float) -> Any:
        return x.to(dtype).max(dim=0), x[at].shape, x.device, x.dtype, torch.linalg.slogdet(x), scale, 3j

    given = (torch.randn(3, 3), torch.float64, slice(0, 2), float("inf"))
    got, want = acap.trace(function, *given)(*given), function(*given)
    assert type(got[0]) is type(want[0]) and type(got[4]) is type(want[4])
    same((*got[0], *got[4]), (*want[0], *want[4]))
    assert (got[1], *got[2:4], *got[5:]) == (want[1], *want[2:4], *want[5:])
    with pytest.raises(ValueError, match=r"torch.float16 but the program was compiled for torch.float64"):
        acap.trace(function, *given)(given[0], torch.float16, *given[2:])


def test_a_kernel_raises_what_torch_raises() -> None:
    x = torch.randn(3, 3, dtype=torch.complex64)
    program = acap.trace(lambda x, at: x.index_select(0, at), x, torch.tensor([1]))
    with pytest.raises(IndexError, match=r"out of range[\s\S]*test_kernels.py:"):
        program(x, torch.tensor([7]))


def test_kernels_are_counted_forbidden_and_declared(tmp_path: Any) -> None:
    def spectrum(x: torch.Tensor) -> torch.Tensor:
        return torch.fft.rfft(x).abs()

    program = acap.trace(spectrum, torch.randn(8))
    assert program.report().fallbacks == {"aten._fft_r2c": 1, "aten.abs": 1}
    program.save(tmp_path / "spectrum.npc")
    loaded = nrb.Artifact.load_file(tmp_path / "spectrum.npc")
    assert loaded.header["requires"] == ["torch"]
    x = torch.randn(8)
    same(loaded.load()(x), spectrum(x))
    with pytest.raises(CompileError, match=r"test_kernels.py:\d+: aten._fft_r2c has no lowering.*forbidden"):
        acap.trace(spectrum, torch.randn(8), options=CompileOptions(fallback="forbid"))


def test_a_sparse_result_is_refused_with_its_line() -> None:
    with pytest.raises(CaptureError, match=r"test_kernels.py:\d+: a tensor of layout torch.sparse_coo"):
        acap.trace(lambda x: x.to_sparse().to_dense(), torch.eye(3))
