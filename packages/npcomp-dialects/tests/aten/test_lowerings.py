"""Every case of every block: the lowering or decomposition, run over torch tensors, gives torch's own answer."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from aten.case_inputs import call_torch, make_arguments
from aten.eager_builder import EagerBuilder, S, T, plain, run
from npcomp_dialects.aten import registry
from npcomp_dialects.aten.cases import Case, as_case
from npcomp_dialects.aten.dtypes import DType

TOLERANCE = {torch.float32: 2e-6, torch.float64: 1e-12, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}


STATIC_ONLY = {"aten.squeeze", "aten.squeeze_copy", "aten.IntImplicit", "aten.FloatImplicit", "aten.ScalarImplicit"}
"""Ops on one element, and two whose result has no rank when sizes are unknown."""

NOT_CALLABLE = {"aten.__is__", "aten.__isnot__"}
"""Ops of TorchScript that Python cannot call."""

PYTHON_TYPES = {"int": int, "SymInt": int, "float": float, "bool": bool}


def runs() -> list[Any]:
    """One entry for each block, case and choice of sizes."""
    found = []
    for block in registry.all_ops():
        if block.kind() == "fallback":
            continue
        for i, written in enumerate(block.cases):
            case = as_case(written)
            for j, binding in enumerate(case.bindings()):
                found.append(pytest.param(block, case, binding, id=f"{block.schema.name}-{i}-{j}"))
    return found


def as_builder_value(value: Any, spec: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return T(value, [None if isinstance(d, str) else d for d in spec.dims])
    if isinstance(value, list):
        return [as_builder_value(v, s) for v, s in zip(value, spec, strict=True)]
    return value


def flatten(value: Any) -> list[Any]:
    return [leaf for v in value for leaf in flatten(v)] if isinstance(value, (list, tuple)) else [value]


def assert_same(got: Any, want: Any, rtol: float | None, values: bool, type_name: str) -> None:
    if not isinstance(want, torch.Tensor):
        got = plain(got)
        assert type(got) is PYTHON_TYPES.get(type_name, type(want)), (got, want)
        assert got == pytest.approx(want, nan_ok=True)
        return
    got = plain(got)
    assert got.dtype == want.dtype, (got.dtype, want.dtype)
    assert got.shape == want.shape, (got.shape, want.shape)
    if not values:
        return
    bound = rtol or TOLERANCE.get(want.dtype, 0)
    torch.testing.assert_close(got, want, rtol=bound, atol=bound, equal_nan=True)


@pytest.mark.parametrize(("block", "case", "binding"), runs())
def test_lowering_gives_torchs_answer(block: Any, case: Case, binding: dict[str, int]):
    args = make_arguments(case, block.schema, binding, seed=len(case.symbols()) + sum(binding.values()))
    want = call_torch(block.schema, args)
    specs = case.arguments(block.schema)
    got = run(block, [as_builder_value(v, s) for v, s in zip(args, specs, strict=True)])
    got, want = flatten(got), flatten(want) if block.schema.returns else []
    assert len(got) == len(want)
    for g, w in zip(got, want, strict=True):
        if w is None and isinstance(g, T):
            continue
        assert_same(g, w, case.rtol, block.compare == "values", block.schema.returns[0].type.leaf)


@pytest.mark.parametrize(
    "block",
    [b for b in registry.all_ops() if b.kind() != "fallback" and b.schema.name not in NOT_CALLABLE],
    ids=lambda b: b.schema.name,
)
def test_every_lowered_op_has_a_static_and_a_dynamic_case(block: Any):
    cases = [as_case(c) for c in block.cases]
    takes_dims = any(spec.dims for c in cases for spec in c.tensors()) and block.schema.name not in STATIC_ONLY
    assert len(cases) >= (2 if takes_dims else 1)
    if takes_dims:
        assert any(c.symbols() for c in cases)
        assert any(not c.symbols() for c in cases)


def test_the_builder_of_these_tests_refuses_mixed_dtypes():
    b = EagerBuilder()
    x = b.const(1.0, DType.f32)
    with pytest.raises(AssertionError, match="arithmetic on"):
        _ = x + S(torch.tensor(1.0, dtype=torch.float64))
