"""Where programs get the keys of their random numbers: from torch where it is loaded, else from the runtime."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from compiled import artifact, method
from npcomp_refbackend import _runtime as native

SOURCE = "ENTRY(npcomp_forward) { refrt_random_key(c, r); }"
RETURNS = {"kind": "tuple", "items": [{"kind": "int"}, {"kind": "int"}]}


def keys() -> Any:
    return artifact(SOURCE, method([], RETURNS)).load()


def test_keys_follow_torchs_seed() -> None:
    program = keys()
    torch.manual_seed(4)
    first, second = program(), program()
    torch.manual_seed(4)
    assert program() == first != second == program()
    assert all(0 <= n < 2**63 for n in first + second)


def test_keys_advance_torchs_generator() -> None:
    torch.manual_seed(4)
    wanted = tuple(torch.empty(2, dtype=torch.int64).random_().tolist())
    after = torch.rand(1)
    torch.manual_seed(4)
    assert keys()() == wanted and torch.equal(torch.rand(1), after)


def test_keys_without_torchs_c_functions_are_the_same() -> None:
    torch.manual_seed(4)
    wanted = keys()()
    torch.manual_seed(4)
    native.disable_torch(True)
    try:
        assert keys()() == wanted
    finally:
        native.disable_torch(False)


WITHOUT_TORCH = """
import sys, npcomp_refbackend as nrb
program = nrb.load(sys.argv[1])
nrb.manual_seed(7)
first, second = program(), program()
nrb.manual_seed(7)
assert program() == first != second
assert "torch" not in sys.modules
print(first)
"""


def test_without_torch_the_runtime_has_a_seed_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "keys.npc"
    artifact(SOURCE, method([], RETURNS)).save(path)
    runs = [subprocess.run([sys.executable, "-c", WITHOUT_TORCH, path], capture_output=True, text=True) for _ in "ab"]
    assert runs[0].returncode == 0, runs[0].stderr
    assert runs[0].stdout == runs[1].stdout != ""
