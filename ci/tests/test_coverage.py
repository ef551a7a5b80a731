"""The list of core overloads is the installed torch's, and the page tells of each."""

from __future__ import annotations

import json

import coverage
import pytest


def test_the_core_overloads_are_those_that_torch_tags(tmp_path, monkeypatch: pytest.MonkeyPatch):
    committed = coverage.core_ops()
    monkeypatch.setattr(coverage, "CORE", tmp_path / "core_ops.txt")
    coverage.write_core()
    assert coverage.core_ops() == committed


def test_every_core_overload_has_a_status():
    found = json.loads(coverage.text())
    assert set(found["core"]) == set(coverage.core_ops())
    assert set(found["core"].values()) <= set(coverage.KINDS)
    assert "refused" not in found["core"].values()


def test_dtypes_are_those_that_the_lowering_takes():
    ops = coverage.facts()
    assert ops["aten.add.Tensor"]["dtypes"] == list(coverage.DTYPES)
    assert "bool" not in ops["aten.neg"]["dtypes"]
    assert ops["aten.mm"]["dynamic"]
