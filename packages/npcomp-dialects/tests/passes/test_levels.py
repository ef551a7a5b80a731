"""The whole pipeline to the torch contract computes the same with and without simplification."""

from __future__ import annotations

import npcomp_dialects
import pytest
import torch
from npcomp_dialects.diagnostics import parse_module
from npcomp_dialects.errors import UnsupportedError
from npcomp_dialects.pipelines import lower_to_torch_contract
from npcomp_dialects.program import CompileOptions
from passes.mutating_programs import Generator
from passes.torch_evaluator import run

CASES = [(True, 2), (False, 0), (False, 3)]


def lowered(text: str, level: int):
    module = parse_module(text, npcomp_dialects.context())
    lower_to_torch_contract(module, CompileOptions(opt_level=level))
    return module


@pytest.mark.parametrize("block", range(5))
def test_levels_agree_with_torch(block: int) -> None:
    kept = 0
    for seed in range(10 * block + 5000, 10 * block + 5010):
        text = Generator(seed).program()
        text = text.replace("%x: !torch.tensor)", "%x: !torch.tensor {torch.type_bound = !torch.vtensor<[4,3],f32>})")
        original = parse_module(text, npcomp_dialects.context())
        try:
            modules = [lowered(text, level) for level in (0, 2)]
        except UnsupportedError:
            continue
        kept += 1
        for condition, trips in CASES:
            x = torch.randn(4, 3)
            mine = x.clone()
            wanted = [tensor.clone() for tensor in run(original, "f", condition, trips, mine)]
            for module in modules:
                found = run(module, "f", condition, trips, x.clone())
                written = [mine][: len(found) - len(wanted)]
                assert written or torch.equal(mine, x)
                for one, other in zip(found, [*wanted, *written], strict=True):
                    torch.testing.assert_close(one, other, equal_nan=True)
    assert kept > 0
