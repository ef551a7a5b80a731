"""The database's runner: what a sample's end means, and that a dying process costs one sample."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import opinfo
import opinfo_samples
import opinfo_workers
from opinfo_samples import Outcome


def entry(monkeypatch, op):
    monkeypatch.setattr(opinfo_samples, "entries", lambda: {"it": SimpleNamespace(op=op)})
    return SimpleNamespace(input=torch.rand(3), args=(torch.rand(3),), kwargs={})


def test_right_and_native(monkeypatch):
    outcome = opinfo_samples.check("it", entry(monkeypatch, torch.add))
    assert (outcome.status, outcome.fallbacks) == ("right", ())


def test_fallback_is_named(monkeypatch):
    outcome = opinfo_samples.check("it", entry(monkeypatch, lambda x, y: torch.linalg.pinv(x[None]) @ y[None]))
    assert outcome.status == "right" and outcome.fallbacks


def test_baked_value_is_wrong(monkeypatch):
    seen = []

    def counts_its_calls(x, y):
        seen.append(x)
        return x * len(seen)

    assert opinfo_samples.check("it", entry(monkeypatch, counts_its_calls)).status == "wrong"


def test_decision_is_refused(monkeypatch):
    outcome = opinfo_samples.check("it", entry(monkeypatch, lambda x, y: x if bool(x[0] > y[0]) else y))
    assert outcome.status == "refused" and "value of a tensor" in outcome.why


def test_illegal_sample_is_skipped(monkeypatch):
    assert opinfo_samples.check("it", entry(monkeypatch, lambda x, y: x.reshape(7))).status == "skipped"


def test_random_results_are_compared_by_type(monkeypatch):
    assert opinfo_samples.check("it", entry(monkeypatch, lambda x, y: torch.rand_like(x))).status == "right"


def dies_at_the_second(pipe):
    pipe.send("ready")
    while (job := pipe.recv()) is not None:
        for number in range(job[3], 3):
            if number == 1:
                os._exit(7)
            pipe.send(Outcome("right"))
        pipe.send(None)


def test_a_crash_costs_one_sample(monkeypatch):
    monkeypatch.setattr(opinfo_workers, "serve", dies_at_the_second)
    ((job, outcomes),) = opinfo_workers.run([("add", "f32", 3)], 1)
    assert job == ("add", "f32", 3)
    assert [o.status for o in outcomes] == ["right", "crash", "right"]
    assert "exit code 7" in outcomes[1].why


def test_summary_counts():
    board: opinfo.Board = {}
    opinfo.add(board, ("add", "f32", 2), [Outcome("right"), Outcome("right")])
    opinfo.add(
        board, ("svd", "f32", 3), [Outcome("right", "", ("aten.svd",)), Outcome("wrong", "x"), Outcome("skipped")]
    )
    total = opinfo.summary(board)
    assert (total["entries"], total["native_share"], total["samples"], total["right_share"]) == (2, 0.5, 4, 0.75)
    assert total["wrong"] == 1 and "skipped" not in total
    assert list(opinfo.not_right(board)) == ["svd: 1 of 2 wrong (f32): x"]


def test_unknown_entry_is_refused():
    with pytest.raises(SystemExit, match="no entry matches nonsense"):
        opinfo.selected(["nonsense"])


def test_entries_that_are_not_native_want_a_reason(monkeypatch):
    monkeypatch.setattr(opinfo, "reasons", lambda: [(["fft.*"], "complex"), (["gone"], "old")])
    board: opinfo.Board = {}
    opinfo.add(board, ("fft.fft", "f32", 1), [Outcome("right", "", ("aten._fft_r2c",))])
    opinfo.add(board, ("svd", "f32", 1), [Outcome("refused", "x")])
    opinfo.add(board, ("add", "f32", 1), [Outcome("right")])
    assert opinfo.unexplained(board, whole=False) == ["svd: refused, without a reason in ci/opinfo.toml"]
    assert opinfo.unexplained(board, whole=True)[1].startswith("gone: nothing needs this reason any more")
