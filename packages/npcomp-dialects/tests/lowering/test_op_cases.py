"""Every case of every block, lowered to the backend contract and evaluated, gives torch's own answer."""

from __future__ import annotations

from typing import Any

import npcomp_dialects
import pytest
import torch
from aten.case_inputs import call_torch, make_arguments
from lowering.case_modules import CaseModule, evaluate, to_tensor
from npcomp_dialects.aten import registry
from npcomp_dialects.aten.cases import Case, as_case
from npcomp_dialects.lowering import lower_module

TOLERANCE = {torch.float32: 4e-6, torch.float64: 1e-12, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}


def programs() -> list[Any]:
    """One entry for each block with a lowering of its own and each case."""
    found = []
    for block in registry.all_ops():
        if block.kind() == "native":
            for i, written in enumerate(block.cases):
                found.append(pytest.param(block, as_case(written), id=f"{block.schema.name}-{i}"))
    return found


@pytest.fixture(scope="module")
def context() -> Any:
    return npcomp_dialects.context()


def flatten(value: Any) -> list[Any]:
    return [leaf for v in value for leaf in flatten(v)] if isinstance(value, (list, tuple)) else [value]


@pytest.mark.parametrize(("block", "case"), programs())
def test_lowered_op_gives_torchs_answer(context: Any, block: Any, case: Case):
    made = CaseModule(context, block, case)
    made.module.operation.verify()
    lower_module(made.module)
    assert "torch.operator" not in str(made.module)
    for binding in case.bindings():
        args = make_arguments(case, block.schema, binding, seed=len(binding) + sum(binding.values()))
        result = call_torch(block.schema, args)
        want = flatten(result) if block.schema.returns else []
        tensors = [a for a in flatten(args) if isinstance(a, torch.Tensor)]
        got = evaluate(made.module, *tensors)
        assert len(got) == len(want), str(made.module)
        for g, w in zip(got, want, strict=True):
            if w is not None:  # a gradient that was not asked for
                compare(g, w, case.rtol, block.compare == "values")


def compare(got: Any, want: Any, rtol: float | None, values: bool) -> None:
    if not isinstance(want, torch.Tensor):
        assert got == pytest.approx(want, nan_ok=True)
        return
    assert got.shape == tuple(want.shape)
    bound = rtol or TOLERANCE.get(want.dtype, 0)
    if values:
        torch.testing.assert_close(to_tensor(got, want.dtype), want, rtol=bound, atol=bound, equal_nan=True)
