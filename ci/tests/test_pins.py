"""Pins: the check finds each kind of disagreement, and bump repairs what follows from a version."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pins
import pytest


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A small repository with just the files that carry versions."""
    for name in pins.NAMES:
        module = name.replace("-", "_")
        (tmp_path / "packages" / name / "src" / module).mkdir(parents=True)
        shutil.copy(pins.pyproject(name), pins.pyproject(name, tmp_path))
        init = Path("packages", name, "src", module, "__init__.py")
        shutil.copy(pins.ROOT / init, tmp_path / init)
    shutil.copytree(pins.ROOT / "ci", tmp_path / "ci", ignore=shutil.ignore_patterns("*.py", "tests"))
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    entry = f"160000,{pins.gitlink(pins.ROOT)},llvm-project"
    subprocess.run(["git", "update-index", "--add", "--cacheinfo", entry], cwd=tmp_path, check=True)
    return tmp_path


def test_this_repository_agrees() -> None:
    assert pins.problems() == []


def test_a_stale_pin_is_named(copy: Path) -> None:
    path = pins.pyproject("npcomp-acap", copy)
    path.write_text(path.read_text().replace("npcomp-dialects==0.1.0", "npcomp-dialects==0.1.7"))
    assert pins.problems(copy) == [
        "packages/npcomp-acap/pyproject.toml: pins npcomp-dialects==0.1.7, which is "
        + pins.versions(copy)["npcomp-dialects"]
    ]


def test_another_llvm_is_named(copy: Path) -> None:
    toml = copy / "ci" / "llvm.toml"
    toml.write_text(toml.read_text().replace("ca7933e", "0000000"))
    assert any("llvm-project" in problem for problem in pins.problems(copy))


@pytest.mark.parametrize("target", ["npcomp-dialects", "epoch"])
def test_bump_leaves_nothing_behind(copy: Path, target: str) -> None:
    before = pins.versions(copy)
    pins.write(pins.next_versions(target, before), copy)
    after = pins.versions(copy)
    assert pins.problems(copy) == []
    changed = [name for name in pins.NAMES if after[name] != before[name]]
    assert changed == (pins.NAMES if target == "epoch" else [target])


def test_an_unknown_package_is_refused() -> None:
    with pytest.raises(SystemExit, match="no package 'npcomp'"):
        pins.next_versions("npcomp", pins.versions())
