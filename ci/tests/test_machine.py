"""What is missing on a machine is named together with the command that brings it."""

from __future__ import annotations

import sys
from pathlib import Path

import machine
import pytest


def test_this_machine_is_fit(tmp_path: Path) -> None:
    machine.check(tmp_path, fresh=False)


def test_no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(machine.Unfit, match=r"no C\+\+ compiler.*\n.*apt-get install g\+\+"):
        machine.check_compiler()


def test_a_compiler_that_does_not_compile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "fake-cxx"
    fake.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("CXX", str(fake))
    with pytest.raises(machine.Unfit, match=r"cannot compile C\+\+17"):
        machine.check_compiler()


def test_no_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "NEEDED_GIB", 10**6)
    with pytest.raises(machine.Unfit, match="GiB free"):
        machine.check_disk(tmp_path)


def test_another_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 0))
    with pytest.raises(machine.Unfit, match=r"builds with 3\.11"):
        machine.check_python()
