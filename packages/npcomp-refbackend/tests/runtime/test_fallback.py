"""Ops that a program leaves to torch."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from compiled import artifact, method, tensor
from npcomp_refbackend import ArtifactError, _runtime

TENSOR = {"kind": "tensor"}


def const(value: Any) -> dict[str, Any]:
    return {"kind": "const", "value": value}


def listed(*items: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "list", "items": list(items)}


def op_program(op: str, args: list[Any], results: list[Any], inputs: list[Any], leaves: list[Any]):
    """A program that calls one op with its own arguments and returns what it gives."""
    source = f"ENTRY(npcomp_forward) {{ refrt_fallback(c, 0, {len(inputs)}, a, {len(leaves)}, r); }}"
    table = [{"op": op, "args": args, "results": results, "loc": "model.py:7"}]
    named = [{**spec, "name": f"x{n}"} for n, spec in enumerate(inputs)]
    return artifact(source, method(named, {"kind": "tuple", "items": leaves}), fallbacks=table).load()


def floats(rank: int = 2, dtype: str = "f32") -> dict[str, Any]:
    return tensor(*[None] * rank, dtype=dtype)


def test_several_results():
    x = torch.randn(4, 3)
    results = [floats(2), floats(1), floats(2)]
    program = op_program("aten.linalg_svd", [TENSOR, const(False)], results, [floats()], results)
    u, s, vh = program(x)
    assert torch.allclose(u @ torch.diag(s) @ vh, x, atol=1e-5)
    assert program.stats()["fallbacks"] == {"aten.linalg_svd": 1}


def test_defaults_of_the_schema_and_integers_at_run_time():
    results = [floats(1), tensor(None, dtype="i64")]
    program = op_program("aten.topk", [TENSOR, {"kind": "int"}], results, [floats(1), {"kind": "int"}], results)
    x = torch.randn(10)
    for k in (0, 1, 4):
        values, indices = program(x, k)
        assert torch.equal(values, torch.topk(x, k).values) and torch.equal(indices, torch.topk(x, k).indices)


def test_a_list_of_results_that_are_views_of_the_argument():
    """The pieces share memory with the caller's tensor in eager; a program's results share it with nothing."""
    pieces = [floats(), floats()]
    program = op_program("aten.split.Tensor", [TENSOR, const(2), const(0)], [listed(*pieces)], [floats()], pieces)
    x = torch.randn(4, 3)
    first, second = program(x)
    assert torch.equal(first, x[:2]) and torch.equal(second, x[2:])
    first.zero_()
    assert x[:2].abs().sum() > 0
    with pytest.raises(RuntimeError, match="returned a list of 3 values and the program expects 2"):
        program(torch.randn(5, 3))


def test_none_lists_of_optional_tensors_strings_and_dtypes():
    x, index = torch.randn(3, 4), torch.tensor([2, 0])
    args = [TENSOR, listed(const(None), TENSOR)]
    program = op_program("aten.index.Tensor", args, [floats()], [floats(), tensor(None, dtype="i64")], [floats()])
    assert torch.equal(program(x, index)[0], x[:, index])

    program = op_program("aten.gelu", [TENSOR, const("tanh")], [floats()], [floats()], [floats()])
    assert torch.equal(program(x)[0], torch.nn.functional.gelu(x, approximate="tanh"))

    doubles = floats(1, "f64")
    args = [TENSOR, const([1]), const(False), const(7)]
    program = op_program("aten.sum.dim_IntList", args, [doubles], [floats()], [doubles])
    assert torch.equal(program(x)[0], x.sum(1, dtype=torch.float64))


def test_random_numbers_are_torch_s():
    spec = floats(1)
    args = [listed({"kind": "int"}), const(6), const(None), const("cpu")]
    program = op_program("aten.rand", args, [spec], [{"kind": "int"}], [spec])
    torch.manual_seed(3)
    expected = torch.rand(5)
    torch.manual_seed(3)
    assert torch.equal(program(5)[0], expected)


def test_numbers_of_any_kind():
    """A Scalar does not cross the C interface: such ops are called from Python."""
    x = torch.randn(3, 4)
    args = [TENSOR, TENSOR, {"kind": "float"}]
    program = op_program("aten.add.Tensor", args, [floats()], [floats(), floats(), {"kind": "float"}], [floats()])
    assert torch.equal(program(x, x, 0.5)[0], x + 0.5 * x)
    args = [listed(const(2), const(3)), const(7), const(4)]
    program = op_program("aten.full", args, [floats(2, "i64")], [], [floats(2, "i64")])
    assert torch.equal(program()[0], torch.full((2, 3), 7))


def test_results_that_are_numbers():
    program = op_program("aten.equal", [TENSOR, TENSOR], [{"kind": "bool"}], [floats(), floats()], [{"kind": "bool"}])
    assert program(torch.ones(2, 2), torch.ones(2, 2)) == (True,)
    assert program(torch.ones(2, 2), torch.zeros(2, 2)) == (False,)


@pytest.mark.parametrize("args", [[TENSOR, TENSOR], [TENSOR, TENSOR, const(1)]])
def test_torch_s_error_becomes_ours(args):
    op = "aten.mm" if len(args) == 2 else "aten.sub.Tensor"
    program = op_program(op, args, [floats()], [floats(), floats()], [floats()])
    before = _runtime.live_tensors()
    for _ in range(100):
        with pytest.raises(RuntimeError, match=r"^aten\..*(mat1 and mat2|size of tensor a)(.|\n)*at model.py:7"):
            program(torch.ones(2, 3), torch.ones(2, 5))
    assert _runtime.live_tensors() == before


def test_a_result_that_the_compiler_did_not_expect():
    program = op_program("aten.relu", [TENSOR], [floats(2, "f64")], [floats()], [floats(2, "f64")])
    with pytest.raises(RuntimeError, match=re.escape("returned f32[2, 2] and the compiler expected f64[?, ?]")):
        program(torch.ones(2, 2))
    program = op_program("aten.relu", [TENSOR], [tensor(3, None)], [floats()], [floats()])
    with pytest.raises(RuntimeError, match=re.escape("returned f32[2, 2] and the compiler expected f32[3, ?]")):
        program(torch.ones(2, 2))


def test_numpy_callers_and_arguments_without_elements():
    program = op_program("aten.relu", [TENSOR], [floats()], [floats()], [floats()])
    x = np.array([[-1, 2]], np.float32)
    (result,) = program(x)
    assert isinstance(result, np.ndarray)
    np.testing.assert_array_equal(result, [[0, 2]])
    assert program(np.zeros((0, 3), np.float32))[0].shape == (0, 3)


def test_bytes_keep_their_sign():
    u8 = tensor(None, dtype="u8")
    args = [{"kind": "tensor", "dtype": "u8"}]
    program = op_program("aten.flip", [*args, const([0])], [u8], [u8], [u8])
    assert program(torch.tensor([1, 255], dtype=torch.uint8))[0].tolist() == [255, 1]


def test_an_op_that_writes_a_result_that_a_later_op_reads():
    """Results of torch live on in the program and are handed over without a copy."""
    source = """
    ENTRY(npcomp_forward) {
      int64_t middle, last;
      refrt_fallback(c, 0, 1, a, 1, &middle);
      refrt_fallback(c, 0, 1, &middle, 1, &last);
      refrt_release(c, (T)middle);
      r[0] = last;
    }"""
    table = [{"op": "aten.exp", "args": [TENSOR], "results": [floats(1)]}]
    program = artifact(source, method([floats(1)], floats(1)), fallbacks=table).load()
    before = _runtime.live_tensors()
    x = torch.randn(1000)
    result = program(x)
    assert torch.equal(result, x.exp().exp())
    del result
    assert _runtime.live_tensors() == before


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"op": "aten.no_such_op", "args": [], "results": []}, "has no such op"),
        ({"op": "aten.topk", "args": [TENSOR], "results": [floats(1)] * 2}, "without its argument 'k'"),
        ({"op": "aten.relu", "args": [TENSOR] * 2, "results": [floats(1)]}, "passes 2 arguments to aten.relu"),
        ({"op": "aten.relu", "args": [TENSOR], "results": []}, "takes 0 results of aten.relu"),
        ({"op": "relu", "args": [TENSOR], "results": []}, "not of the form namespace.name.overload"),
    ],
)
def test_tables_that_do_not_fit_torch(row, text):
    with pytest.raises(ArtifactError, match=text):
        artifact("ENTRY(npcomp_forward) {}", method([], {"kind": "none"}), fallbacks=[row]).load()


def test_calls_that_do_not_fit_the_table():
    source = "ENTRY(npcomp_forward) { refrt_fallback(c, 0, 2, a, 1, r); }"
    table = [{"op": "aten.relu", "args": [TENSOR], "results": [floats(1)]}]
    program = artifact(source, method([floats(1), {**floats(1), "name": "y"}], floats(1)), fallbacks=table).load()
    with pytest.raises(RuntimeError, match="the program passes 2 values and takes 1, its tables say 1 and 1"):
        program(torch.ones(2), torch.ones(2))
    source = "ENTRY(npcomp_forward) { refrt_fallback(c, 5, 1, a, 1, r); }"
    program = artifact(source, method([floats(1)], floats(1)), fallbacks=table).load()
    with pytest.raises(RuntimeError, match="runs op 5, which it does not list"):
        program(torch.ones(2))
