"""The example that runs an artifact from C."""

from __future__ import annotations

import subprocess
from pathlib import Path

import npcomp_refbackend
import numpy as np
import pytest
from compiled import add_one, artifact, method, tensor

PACKAGE = Path(npcomp_refbackend.__file__).parent
SOURCE = Path(__file__).resolve().parents[2] / "examples" / "call_from_c.c"


@pytest.fixture(scope="module")
def caller(tmp_path_factory):
    program = tmp_path_factory.mktemp("caller") / "call_from_c"
    library = PACKAGE / "lib"
    command = ["gcc", "-Wall", "-Wextra", "-Werror", f"-I{PACKAGE / 'include'}", str(SOURCE), "-o", str(program)]
    subprocess.run([*command, f"-L{library}", "-lrefrt", f"-Wl,-rpath,{library}"], check=True)
    return program


def run(caller: Path, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([caller, path], capture_output=True, text=True)


def test_results(caller, tmp_path):
    path = tmp_path / "model.npc"
    add_one("batch", 3).save(path)
    done = run(caller, path)
    assert (done.returncode, done.stdout.split()) == (0, ["1", "2", "3", "4", "5", "6"])


def test_a_guard_that_fails(caller, tmp_path):
    path = tmp_path / "model.npc"
    source = "ENTRY(npcomp_forward) { refrt_alloc(c, 6, 1, &(int64_t){8}); refrt_guard_fail(c, 0, 1, &(int64_t){7}); }"
    guards = [{"kind": "IndexError", "message": "index {0}", "loc": "model.py:3"}]
    artifact(source, method([tensor(None, 3)], tensor()), guards=guards).save(path)
    done = run(caller, path)
    assert (done.returncode, done.stderr) == (1, "IndexError: index 7\n  at model.py:3\n")


def test_a_result_that_is_a_constant(caller, tmp_path):
    path = tmp_path / "model.npc"
    source = "ENTRY(npcomp_forward) { r[0] = (int64_t)refrt_constant(c, 0); }"
    artifact(source, method([tensor(None, 3)], tensor(2)), constants=(np.array([5, 6], np.float32),)).save(path)
    assert run(caller, path).stdout.split() == ["5", "6"]


def test_ops_that_need_torch_and_files_that_are_none(caller, tmp_path):
    path = tmp_path / "model.npc"
    row = {"op": "aten.relu", "args": [{"kind": "tensor"}], "results": [tensor(None, 3)]}
    source = "ENTRY(npcomp_forward) { refrt_fallback(c, 0, 1, a, 1, r); }"
    artifact(source, method([tensor(None, 3)], tensor(None, 3)), fallbacks=[row]).save(path)
    assert "RuntimeError: the program runs op 0 through PyTorch, which is not attached here" in run(caller, path).stderr
    path.write_bytes(b"text")
    assert "ArtifactError: " in run(caller, path).stderr
