"""Inference against torch: exact where sizes are known, never wrong where they are hidden."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from aten.case_inputs import call_torch, make_arguments
from aten.eager_builder import DTYPES
from aten.test_lowerings import PYTHON_TYPES, flatten
from hypothesis import given, settings
from hypothesis import strategies as st
from npcomp_dialects.aten import registry
from npcomp_dialects.aten.abstract import TensorInfo, Unknown
from npcomp_dialects.aten.cases import Case, TensorSpec, as_case
from npcomp_dialects.aten.errors import InferError

DATA_DEPENDENT = {
    "aten._ctc_loss.Tensor",
    "aten.nonzero",
    "aten.argwhere",
    "aten.masked_select",
    "aten.index.Tensor",
    "aten.one_hot",
    "aten.bincount",
    "aten.repeat_interleave.Tensor",
    "aten._unique",
    "aten._unique2",
    "aten.unique_consecutive",
    "aten.unique_dim",
    "aten.unique_dim_consecutive",
}
"""Ops whose result sizes depend on values."""

COMPUTED = [torch_dtype for torch_dtype, dtype in DTYPES.items() if not dtype.is_opaque]

UNDEFINED = "backward"
"""Gradients that are not asked for are undefined in torch and empty here."""


def every_run() -> list[Any]:
    """One entry for each block, case and choice of sizes."""
    return [
        pytest.param(block, as_case(c), binding, id=f"{block.schema.name}-{i}-{j}")
        for block in registry.all_ops()
        for i, c in enumerate(block.cases)
        for j, binding in enumerate(as_case(c).bindings())
    ]


def abstract(value: Any) -> Any:
    """What the compiler knows when it knows all sizes and constants."""
    if isinstance(value, torch.Tensor):
        return TensorInfo(tuple(value.shape), DTYPES[value.dtype])
    return [abstract(v) for v in value] if isinstance(value, list) else value


def hide(value: Any, rng: random.Random, level: str) -> Any:
    """Some of the knowledge taken away."""
    if isinstance(value, list) and value and isinstance(value[0], TensorInfo):
        return [hide(v, rng, level) for v in value]
    if not isinstance(value, TensorInfo):
        return value
    sizes = value.sizes
    assert sizes is not None
    if level == "rank" and rng.random() < 0.4:
        sizes = None
    elif level in ("sizes", "rank"):
        sizes = tuple(None if rng.random() < 0.5 else s for s in sizes)
    dtype = None if level == "dtype" and rng.random() < 0.5 else value.dtype
    return TensorInfo(sizes, dtype)


def assert_covers(known: Any, real: Any, type_name: str) -> None:
    """The inferred value admits the real one."""
    if isinstance(real, torch.Tensor):
        assert isinstance(known, TensorInfo), known
        assert known.covers(abstract(real)), f"inferred {known}, torch gives {abstract(real)}"
    elif isinstance(real, (list, tuple)):
        if not isinstance(known, Unknown):
            assert len(known) == len(real), (known, real)
            for k, r in zip(known, real, strict=True):
                assert_covers(k, r, type_name)
    elif not isinstance(known, Unknown) and real is not None:
        assert known == PYTHON_TYPES.get(type_name, type(real))(real) or known == pytest.approx(real, nan_ok=True)


def results(block: Any, value: Any) -> list[Any]:
    return [value] if len(block.schema.returns) == 1 else list(value or ())


@pytest.mark.parametrize(("block", "case", "binding"), every_run())
def test_inference_is_exact_when_everything_is_static(block: Any, case: Case, binding: dict[str, int]):
    args = make_arguments(case, block.schema, binding, seed=1)
    real = results(block, call_torch(block.schema, args))
    known = results(block, block.infer(*map(abstract, args)))
    assert len(known) == len(real)
    for k, r, t in zip(known, real, block.schema.returns, strict=True):
        if r is None:
            continue
        assert_covers(k, r, t.type.leaf)
        for info, value in zip(flatten([k]), flatten([r]), strict=True):
            if isinstance(value, torch.Tensor) and block.schema.name not in DATA_DEPENDENT:
                assert info == abstract(value)


@pytest.mark.parametrize("level", ["sizes", "rank", "dtype"])
@pytest.mark.parametrize("block", [b for b in registry.all_ops() if b.cases], ids=lambda b: b.schema.name)
def test_inference_is_sound_when_knowledge_is_hidden(block: Any, level: str):
    for i, written in enumerate(block.cases):
        case = as_case(written)
        for binding in case.bindings():
            args = make_arguments(case, block.schema, binding, seed=1)
            real = results(block, call_torch(block.schema, args))
            for seed in range(3):
                rng = random.Random(f"{block.schema.name} {i} {level} {seed}")
                known = results(block, block.infer(*(hide(abstract(a), rng, level) for a in args)))
                for k, r, t in zip(known, real, block.schema.returns, strict=True):
                    assert_covers(k, r, t.type.leaf)


SIZES = st.integers(0, 4)


@st.composite
def broadcast_shapes(draw: Any) -> tuple[list[int], list[int]]:
    """Two shapes, often ones that broadcast."""
    full = draw(st.lists(SIZES, max_size=4))
    pick = [[draw(st.sampled_from([s, s, 1, draw(SIZES)])) for s in full] for _ in range(2)]
    return pick[0][draw(st.integers(0, len(full))) :], pick[1]


@settings(max_examples=200, deadline=None)
@given(broadcast_shapes(), st.sampled_from(COMPUTED), st.sampled_from(COMPUTED), st.randoms())
def test_broadcasting_and_promotion_agree_with_meta_tensors(shapes: Any, left: Any, right: Any, rng: random.Random):
    """Exact on known sizes, sound on hidden ones, and refused exactly when torch refuses."""
    x, y = (torch.empty(s, dtype=d, device="meta") for s, d in zip(shapes, (left, right), strict=True))
    block = registry.lookup("aten.add.Tensor")
    try:
        real = torch.ops.aten.add.Tensor(x, y)
    except RuntimeError:
        with pytest.raises(InferError):
            block.infer(abstract(x), abstract(y), 1)
        return
    assert block.infer(abstract(x), abstract(y), 1) == abstract(real)
    for level in ("sizes", "rank", "dtype"):
        assert block.infer(hide(abstract(x), rng, level), hide(abstract(y), rng, level), 1).covers(abstract(real))


META_SHAPES = {
    "aten.mm": (2, 2),
    "aten.bmm": (3, 3),
    "aten.matmul": (3, 4),
    "aten.mv": (2, 1),
    "aten.linear": (3, 2),
}


@pytest.mark.parametrize("name", META_SHAPES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_contractions_agree_with_meta_tensors(name: str, data: Any):
    block, ranks = registry.lookup(name), META_SHAPES[name]
    size = st.integers(1, 3)
    x, y = (torch.empty([data.draw(size) for _ in range(r)], device="meta") for r in ranks)
    bound = block.schema.bind([abstract(x), abstract(y)])
    try:
        real = getattr(torch.ops.aten, block.schema.base).default(x, y)
    except (RuntimeError, IndexError):
        with pytest.raises(InferError):
            block.infer(*bound)
        return
    assert block.infer(*bound) == abstract(real)


@settings(max_examples=150, deadline=None)
@given(st.lists(SIZES, min_size=1, max_size=3), st.data())
def test_slices_agree_with_meta_tensors(shape: list[int], data: Any):
    x = torch.empty(shape, device="meta")
    bound = st.one_of(st.none(), st.integers(-6, 6), st.just(2**63 - 1))
    dim, start, end = data.draw(st.integers(-len(shape), len(shape) - 1)), data.draw(bound), data.draw(bound)
    args = [dim, start, end, data.draw(st.integers(1, 3))]
    real = torch.ops.aten.slice.Tensor(x, *args)
    block = registry.lookup("aten.slice.Tensor")
    assert block.infer(abstract(x), *args) == abstract(real)
    hidden = TensorInfo(tuple(None for _ in shape), abstract(x).dtype)
    assert block.infer(hidden, *args).covers(abstract(real))
    unknown = [dim, Unknown("int"), end, args[3]]
    assert block.infer(abstract(x), *unknown).covers(abstract(real))


def test_unknown_numbers_keep_results_sound():
    x = TensorInfo((3, 4), DTYPES[torch.int64])
    add = registry.lookup("aten.add.Scalar")
    assert add.infer(x, Unknown("int"), 1) == x
    assert add.infer(x, Unknown("float"), 1) == TensorInfo((3, 4), DTYPES[torch.float32])
    assert add.infer(x, Unknown("number"), 1) == TensorInfo((3, 4), None)
    view = registry.lookup("aten.view")
    assert view.infer(x, [Unknown("int"), 2]) == TensorInfo((None, 2), x.dtype)
    assert view.infer(x, Unknown("int[]")) == TensorInfo(None, x.dtype)


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("aten.mm", [TensorInfo((2, 3), DTYPES[torch.float32]), TensorInfo((4, 5), DTYPES[torch.float32])], "3 and 4"),
        ("aten.view", [TensorInfo((2, 3), DTYPES[torch.float32]), [4, 2]], "invalid for input of size 6"),
        (
            "aten.cat",
            [[TensorInfo((2, 3), DTYPES[torch.float32]), TensorInfo((2, 4), DTYPES[torch.float32])], 0],
            "dim 1",
        ),
        ("aten.sum.dim_IntList", [TensorInfo((2,), DTYPES[torch.float32]), [1], False, None], "out of range"),
        ("aten.neg", [TensorInfo((2,), DTYPES[torch.bool])], "bool"),
    ],
)
def test_invalid_calls_are_refused_with_the_reason(name: str, args: list[Any], message: str):
    with pytest.raises(InferError, match=message):
        registry.lookup(name).infer(*args)


def test_specs_know_their_sizes():
    spec = as_case(registry.lookup("aten.mm").cases[1])
    assert [v.info().sizes for v in spec.args if isinstance(v, TensorSpec)] == [(None, None), (None, None)]
