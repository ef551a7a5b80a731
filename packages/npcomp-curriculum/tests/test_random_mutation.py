"""Random sequences of views and in-place ops: both frontends leave results and arguments as eager torch does."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import npcomp_acap as acap
import npcomp_torchscript as nts
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from npcomp_dialects.errors import UnsupportedError
from random_mutation import Writer

SPECS = [nts.TensorSpec([None, 3], torch.float32), nts.TensorSpec([None, 4], torch.float32)]


def load(seed: int, folder: Path) -> Any:
    """The function of a seed; TorchScript reads its source from the file."""
    path = folder / f"random_{seed}.py"
    path.write_text("import torch\n\n\n" + Writer(seed).source())
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.f


def agree(program: Any, function: Any, seed: int, strided: bool) -> None:
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.randn(4, 3, generator=generator), torch.randn(3, 4, generator=generator)
    ours, theirs = ([t.t().contiguous().t() if strided else t.clone() for t in (x, y)] for _ in range(2))
    torch.testing.assert_close(program(*ours), function(*theirs), equal_nan=True)
    torch.testing.assert_close(ours, theirs, equal_nan=True)


@pytest.mark.parametrize("frontend", ["torchscript", "acap"])
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000), strided=st.booleans())
def test_as_eager(frontend: str, tmp_path: Path, seed: int, strided: bool) -> None:
    function = load(seed, tmp_path)
    try:
        function(torch.zeros(4, 3), torch.zeros(3, 4))
    except RuntimeError:
        return  # not a program: eager torch refuses it
    if frontend == "acap":
        program = acap.trace(function, torch.randn(4, 3), torch.randn(3, 4))
    else:
        try:
            program = nts.compile(torch.jit.script(function), SPECS)
        except UnsupportedError:
            return
    agree(program, function, seed, strided)
