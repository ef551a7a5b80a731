"""Bad input of every kind gives one clear exception; the process lives and the next call works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import npcomp_acap as acap
import npcomp_dialects
import npcomp_refbackend
import npcomp_torchscript as nts
import pytest
import torch
from npcomp_dialects.errors import NpcompError
from npcomp_dialects.mlir import ir
from npcomp_dialects.program import CompileOptions, compile_module


def scale(x: torch.Tensor, by: torch.Tensor) -> torch.Tensor:
    return torch.relu(x) * by


@pytest.fixture(scope="module", params=["torchscript", "acap"])
def program(request: pytest.FixtureRequest) -> Any:
    """relu(x: f32[n, 4]) * by: f32[n, 4]"""
    if request.param == "torchscript":
        return nts.compile(scale, [nts.TensorSpec(["n", 4], torch.float32)] * 2)
    x = torch.zeros(3, 4)
    return acap.trace(scale, x, x, dynamic={"x": {0: "n"}, "by": {0: "n"}})


GOOD = torch.ones(2, 4)
CALLS = {
    "rank": (lambda p: p(torch.ones(4), GOOD), "'x' is f32\\[4\\] but f32\\[n, 4\\] is declared"),
    "size": (lambda p: p(torch.ones(2, 5), GOOD), "dimension 1 is 5, must be 4"),
    "named size": (lambda p: p(torch.ones(3, 4), GOOD), "n"),
    "dtype": (lambda p: p(GOOD.double(), GOOD), "f64"),
    "device": (lambda p: p(GOOD.to("meta"), GOOD), "meta"),
    "missing argument": (lambda p: p(GOOD), "'by' is missing"),
    "extra argument": (lambda p: p(GOOD, GOOD, GOOD), "3"),
    "unknown keyword": (lambda p: p(GOOD, GOOD, nosuch=1), "nosuch"),
    "argument given twice": (lambda p: p(GOOD, GOOD, x=GOOD), "'x' is given twice"),
    "not a tensor": (lambda p: p(GOOD, "four"), "str"),
    "sparse": (lambda p: p(GOOD.to_sparse(), GOOD), "sparse"),
}


@pytest.mark.parametrize("kind", CALLS)
def test_a_bad_call(program: Any, kind: str) -> None:
    call, message = CALLS[kind]
    with pytest.raises((TypeError, ValueError), match=message):
        call(program)
    assert torch.equal(program(GOOD, GOOD), GOOD)


def test_sizes_that_only_run_time_knows() -> None:
    def add(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x + y

    program = nts.compile(add, [nts.TensorSpec([None], torch.float32), nts.TensorSpec([None], torch.float32)])
    with pytest.raises(RuntimeError) as caught:
        program(torch.ones(3), torch.ones(4))
    message = str(caught.value)
    assert "(3)" in message and "(4)" in message and "test_bad_input.py" in message
    assert torch.equal(program(torch.ones(1), torch.ones(4)), torch.full((4,), 2.0))


def test_an_op_that_does_not_exist() -> None:
    text = """
    func.func @forward(%x: !torch.vtensor<[2],f32>) -> !torch.vtensor<[2],f32> {
      %0 = torch.operator "aten.nosuch"(%x) : (!torch.vtensor<[2],f32>) -> !torch.vtensor<[2],f32> loc("model.py":7:3)
      return %0 : !torch.vtensor<[2],f32>
    }"""
    with npcomp_dialects.context(), pytest.raises(npcomp_refbackend.ArtifactError, match=r"aten\.nosuch.*no such op"):
        compile_module(ir.Module.parse(text))


def test_an_unsupported_construct() -> None:
    class Sparse(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            with open("file") as file:
                return x + len(file.read())

    with pytest.raises(NpcompError, match=r"test_bad_input\.py"):
        nts.compile(Sparse(), [nts.TensorSpec([2], torch.float32)])


def test_a_missing_spec() -> None:
    with pytest.raises(NpcompError, match="x"):
        nts.compile(scale)


def test_an_unknown_backend() -> None:
    with pytest.raises(NpcompError, match="nosuch"):
        nts.compile(scale, [nts.TensorSpec([2], torch.float32)] * 2, backend="nosuch")


def test_fallback_forbidden_names_the_op_and_the_line() -> None:
    def singular_values(x: torch.Tensor) -> torch.Tensor:
        return torch.linalg.svdvals(x)

    specs = [nts.TensorSpec([3, 3], torch.float32)]
    with pytest.raises(NpcompError, match="svdvals") as caught:
        nts.compile(singular_values, specs, options=CompileOptions(fallback="forbid"))
    assert "test_bad_input.py" in str(caught.value)


@pytest.mark.parametrize("keep", [0, 3, 40, -1])
def test_a_truncated_artifact(program: Any, tmp_path: Path, keep: int) -> None:
    path = tmp_path / "program.npc"
    program.save(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises((ValueError, npcomp_refbackend.ArtifactError), match=r"program\.npc"):
        npcomp_refbackend.load(path)


def test_a_foreign_file(tmp_path: Path) -> None:
    path = tmp_path / "model.npc"
    torch.save({"a": 1}, path)
    with pytest.raises((ValueError, npcomp_refbackend.ArtifactError), match=r"model\.npc"):
        npcomp_refbackend.load(path)


def test_a_stale_native_build_says_what_to_run() -> None:
    with pytest.raises(ImportError, match="nox -s native"):
        npcomp_dialects.check_native(npcomp_dialects.NATIVE_NUMBER - 1)
