"""Every dtype through ops that compute element by element or reduce: torch's values, torch's result dtype."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from aten.case_inputs import call_torch, make_arguments
from aten.eager_builder import DTYPES
from aten.test_lowerings import TOLERANCE, as_builder_value, assert_same, flatten, run
from npcomp_dialects.aten import registry
from npcomp_dialects.aten.abstract import TensorInfo
from npcomp_dialects.aten.cases import Case, TensorSpec, as_case
from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.aten.families.elementwise import Elementwise
from npcomp_dialects.aten.families.reduction import Reduction

LOOSE = {torch.float16: 4e-3, torch.bfloat16: 3e-2}


def float_case(block: Any) -> Case | None:
    """The first static case on f32 tensors alone, without special values."""
    for case in map(as_case, block.cases):
        specs = list(case.tensors())
        if specs and not case.symbols() and all(s.dtype is DType.f32 for s in specs):
            return case
    return None


def of_dtype(value: Any, dtype: DType) -> Any:
    """A spec in another dtype, with a range that the dtype has; floats start low enough to stay finite."""
    if not isinstance(value, TensorSpec):
        return [of_dtype(v, dtype) for v in value] if isinstance(value, list) else value
    if dtype.is_float:
        return replace(value, dtype=dtype, special=False)
    if dtype is DType.bool:
        return replace(value, dtype=dtype, low=0, high=2, special=False)
    return replace(value, dtype=dtype, low=1 if value.low >= 0 or dtype is DType.u8 else -3, high=5, special=False)


def sweep() -> list[Any]:
    """One entry for each block and dtype."""
    found = []
    for block in registry.all_ops():
        case = float_case(block)
        if case is None or not issubclass(block, (Elementwise, Reduction)) or block.family == "backward":
            continue
        found += [pytest.param(block, case, d, id=f"{block.schema.name}-{d}") for d in DType if not d.is_opaque]
    return found


@pytest.mark.parametrize(("block", "case", "dtype"), sweep())
def test_every_dtype_that_torch_takes(block: Any, case: Case, dtype: DType):
    cast = Case(tuple(of_dtype(a, dtype) for a in case.args), {k: of_dtype(v, dtype) for k, v in case.kwargs.items()})
    args = make_arguments(cast, block.schema, {}, seed=3)
    try:
        want = call_torch(block.schema, args)
    except (RuntimeError, NotImplementedError, IndexError) as refused:
        pytest.skip(f"torch refuses: {refused}")
    specs = cast.arguments(block.schema)
    got = flatten(run(block, [as_builder_value(v, s) for v, s in zip(args, specs, strict=True)]))
    for g, w in zip(got, flatten(want), strict=True):
        assert_same(g, w, LOOSE.get(w.dtype, TOLERANCE.get(w.dtype, 0)), block.compare == "values", "Tensor")
    infos = [TensorInfo(tuple(a.shape), DTYPES[a.dtype]) if isinstance(a, torch.Tensor) else a for a in args]
    known = flatten([block.infer(*infos)])
    assert [(k.sizes, k.dtype) for k in known] == [(tuple(w.shape), DTYPES[w.dtype]) for w in flatten(want)]
