"""Programs are deterministic, named once, and run at every size they declare."""

from __future__ import annotations

import pytest
import torch
from npcomp_curriculum.registry import LEVELS, Program, f32, matching, program, programs


@pytest.mark.parametrize("entry", programs(), ids=lambda p: p.name)
def test_eager_runs_and_repeats(entry: Program) -> None:
    one, other = entry.module(), entry.module()
    for sizes in entry.sizes:
        assert torch.equal(one(*entry.inputs(sizes)), other(*entry.inputs(sizes)))


def test_every_level_has_programs() -> None:
    assert {p.level for p in programs()} == set(LEVELS)


def test_every_program_is_run_at_two_sizes() -> None:
    assert [p.name for p in programs() if len(p.sizes) < 2] == []


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="two programs are named 'softmax'"):
        program("softmax", f32("n"), level=1, sizes=[{"n": 1}])(torch.nn.Identity)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(LookupError, match="no program matches 'nosuch'"):
        matching("nosuch")
