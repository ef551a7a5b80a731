"""Illegal calls of a few ops, end to end; `nox -s guards` has all of them."""

from __future__ import annotations

import guards
import pytest

OPS = ("aten.add.Tensor", "aten.addmm", "aten.cat", "aten.embedding", "aten.gather", "aten.linear", "aten.select.int")


@pytest.mark.parametrize("name", OPS)
def test_illegal_calls_are_refused_as_eager_torch_does(name: str):
    findings = guards.check(name)
    assert not [f for f in findings if f.status in guards.BAD]
    assert {f.when for f in findings if f.status == "refused"} == {"run", "compile"}


def test_a_call_that_should_be_refused_and_is_not_is_found(monkeypatch: pytest.MonkeyPatch):
    """The checker notices a block that forgets its preconditions."""
    from npcomp_dialects.aten import contraction

    monkeypatch.setattr(contraction, "same_dtype", lambda *_: None)
    assert [f for f in guards.check("aten.linear") if f.status == "accepted"]
