"""The runner tells right from wrong, and the table of known failures works both ways."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from npcomp_curriculum import cli, runner
from npcomp_curriculum.frontends import FRONTENDS
from npcomp_curriculum.registry import matching

KEY = ("elementwise.unary", "fake", "none")


def outcomes(monkeypatch: pytest.MonkeyPatch, compiled: Any, expected: dict) -> list[runner.Outcome]:
    monkeypatch.setitem(FRONTENDS, "fake", lambda program, module, backend: compiled(module))
    entry = dataclasses.replace(matching("elementwise.unary")[0], frontends=("fake",))
    return list(runner.run([entry], ["fake"], ["none"], expected=expected))


class Right:
    def __init__(self, module: torch.nn.Module):
        self.module = module

    def __call__(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.module(*inputs)

    def report(self) -> Any:
        return SimpleNamespace(fallbacks=[])


class Wrong(Right):
    def __call__(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.module(*inputs) + 1


class WrongDtype(Right):
    def __call__(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.module(*inputs).double()


def test_right(monkeypatch: pytest.MonkeyPatch) -> None:
    (outcome,) = outcomes(monkeypatch, Right, {})
    assert (outcome.status, outcome.good) == ("passed", True)


@pytest.mark.parametrize(("compiled", "why"), [(Wrong, "values differ by up to 1"), (WrongDtype, "torch.float64")])
def test_wrong(monkeypatch: pytest.MonkeyPatch, compiled: Any, why: str) -> None:
    (outcome,) = outcomes(monkeypatch, compiled, {})
    assert not outcome.good
    assert why in outcome.why


def test_known_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    (outcome,) = outcomes(monkeypatch, Wrong, {KEY: "adds one"})
    assert (outcome.status, outcome.why, outcome.good) == ("failed as expected", "adds one", True)


def test_unexpected_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    (outcome,) = outcomes(monkeypatch, Right, {KEY: "adds one"})
    assert (outcome.status, outcome.good) == ("passed unexpectedly", False)


def test_table_rows_name_programs() -> None:
    names = {p.name for p in matching(None)}
    assert {program for program, _, _ in runner.expectations()} <= names


def test_unknown_program_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "--only", "nosuch"]) == 2
    assert "do: npcomp-curriculum list" in capsys.readouterr().err
