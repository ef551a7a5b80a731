"""Random programs at random sizes: the same values as eager torch, or an error where torch has one."""

from __future__ import annotations

from typing import Any

import npcomp_dialects
import pytest
import torch
from lowering.case_modules import evaluate
from lowering.random_programs import Program
from lowering.torch_text import expand
from npcomp_dialects.errors import CompileError
from npcomp_dialects.lowering import lower_module
from npcomp_dialects.mlir import ir
from reference_evaluator import GuardError

RUNS = 3


@pytest.fixture(scope="module")
def context() -> Any:
    return npcomp_dialects.context()


@pytest.mark.parametrize("seed", range(80))
def test_program_computes_what_eager_does(context: Any, seed: int):
    torch.manual_seed(seed)
    program = Program(seed)
    module = ir.Module.parse(expand(program.text()), context)
    try:
        lower_module(module)
    except CompileError:
        with pytest.raises((RuntimeError, IndexError)):
            program.eager(program.inputs(first=True))
        return
    for run in range(RUNS):
        inputs = program.inputs(first=run == 0)
        try:
            want = program.eager(inputs)
        except (RuntimeError, IndexError) as error:
            if "ambiguous" not in str(error):  # -1 beside a size 0: symbols know the size that torch cannot tell
                with pytest.raises(GuardError):
                    evaluate(module, *inputs)
            continue
        got = torch.from_numpy(evaluate(module, *inputs)[0].copy())
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4, equal_nan=True)
