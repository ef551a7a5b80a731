"""A project that depends on npcomp-dialects alone installs its own pass, and `npcomp-opt` runs it on our IR."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).with_name("count-relus")
PROGRAM = """
func.func @forward(%x: !torch.vtensor<[?],f32>) -> !torch.vtensor<[?],f32> {
  %0 = torch.operator "aten.relu"(%x) : (!torch.vtensor<[?],f32>) -> !torch.vtensor<[?],f32>
  %1 = torch.operator "aten.relu"(%0) : (!torch.vtensor<[?],f32>) -> !torch.vtensor<[?],f32>
  return %1 : !torch.vtensor<[?],f32>
}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project installed by pip into a folder of its own."""
    source = shutil.copytree(PROJECT, tmp_path_factory.mktemp("source") / "count-relus")
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--disable-pip-version-check", "--target", str(target), str(source)], check=True)
    return target


def npcomp_opt(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-m", "npcomp_dialects.opt", *arguments, "-"]
    return subprocess.run(command, input=PROGRAM, text=True, capture_output=True, env=environment)


def test_the_pass_runs_between_ours(installed: Path) -> None:
    done = npcomp_opt(installed, "--passes", "aten-recognize-kernels,count-relus,canonicalize")
    assert done.returncode == 0, done.stderr
    assert "count_relus.relus = 2 : i64" in done.stdout
    assert "torch.aten.relu" in done.stdout


def test_without_the_project_the_pass_is_unknown(tmp_path: Path) -> None:
    done = npcomp_opt(tmp_path, "--passes", "count-relus")
    assert done.returncode != 0
    assert "count-relus" in done.stderr


def test_the_project_needs_nothing_else(installed: Path) -> None:
    program = "import sys, count_relus; assert not {'torch', 'npcomp_refbackend', 'npcomp_acap'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "PYTHONPATH": str(installed)})
