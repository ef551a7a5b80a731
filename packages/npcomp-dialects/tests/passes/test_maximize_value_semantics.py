"""maximize-value-semantics keeps what programs compute, or refuses them; it never changes a result."""

from __future__ import annotations

import npcomp_dialects
import pytest
import torch
from npcomp_dialects import pass_list
from npcomp_dialects.diagnostics import parse_module
from npcomp_dialects.errors import UnsupportedError
from passes.mutating_programs import Generator
from passes.torch_evaluator import run

PIPELINE = "aten-recognize-kernels,maximize-value-semantics"
CASES = [(True, 2), (False, 1), (True, 0), (False, 3)]


def convert(text: str, passes: str = PIPELINE):
    module = parse_module(text, npcomp_dialects.context())
    with module.context:
        for step in pass_list.parse(passes):
            step.apply(module)
        assert module.operation.verify()
    return module


def results(module, condition: bool, trips: int, x: torch.Tensor) -> list[torch.Tensor]:
    return [tensor.clone() for tensor in run(module, "f", condition, trips, x)]


def check(text: str, passes: str = PIPELINE) -> bool:
    """True if the program was compiled and agrees with torch on fresh inputs, False if it was refused."""
    original = parse_module(text, npcomp_dialects.context())
    try:
        converted = convert(text, passes)
    except UnsupportedError:
        return False
    assert "!torch.tensor" not in str(converted)
    for condition, trips in CASES:
        x = torch.randn(4, 3)
        try:
            mine = x.clone()
            wanted = results(original, condition, trips, mine)
        except RuntimeError as error:
            assert "refer to a single memory location" in str(error)
            continue
        untouched = x.clone()
        found = results(converted, condition, trips, untouched)
        written = [mine][: len(found) - len(wanted)]
        assert written or torch.equal(mine, x)
        for one, other in zip(found, [*wanted, *written], strict=True):
            torch.testing.assert_close(one, other, equal_nan=True)
        assert torch.equal(untouched, x)
    return True


@pytest.mark.parametrize("block", range(20))
def test_random_programs(block: int) -> None:
    kept = sum(check(Generator(seed).program()) for seed in range(20 * block, 20 * block + 20))
    assert kept >= 5, "most programs were refused"
