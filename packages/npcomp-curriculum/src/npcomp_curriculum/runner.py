"""Takes programs through frontends and backends and compares every result with eager torch."""

from __future__ import annotations

import time
import tomllib
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from npcomp_curriculum.frontends import FRONTENDS
from npcomp_curriculum.registry import Program

EXPECTATIONS = Path(__file__).with_name("expectations.toml")
GOOD = ("passed", "failed as expected")


@dataclass
class Outcome:
    """What became of one program through one frontend and backend. `why` is one line; `detail` the whole story."""

    program: str
    level: int
    frontend: str
    backend: str
    status: str  # passed | failed | failed as expected | passed unexpectedly
    why: str = ""
    detail: str = ""
    compile_ms: float = 0.0
    fallbacks: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return self.status in GOOD

    def json(self) -> dict[str, Any]:
        return asdict(self)


def expectations(path: Path = EXPECTATIONS) -> dict[tuple[str, str, str], str]:
    """Known failures: (program, frontend, backend) → reason. A row that names no program is an error of the table."""
    rows = tomllib.loads(path.read_text()).get("failure", [])
    return {(row["program"], row["frontend"], row["backend"]): row["reason"] for row in rows}


class Mismatch(Exception):
    """A result differs from eager's."""


def compare(got: Any, wanted: Any, program: Program) -> None:
    """Raises `Mismatch` unless structure, dtypes, shapes and values agree within the program's tolerance."""
    if isinstance(wanted, torch.Tensor):
        _compare_tensor(got, wanted, program)
    elif isinstance(wanted, list | tuple):
        if not isinstance(got, type(wanted)) or len(got) != len(wanted):
            raise Mismatch(f"{type(got).__name__} of {len(got)} instead of {type(wanted).__name__} of {len(wanted)}")
        for one, other in zip(got, wanted, strict=True):
            compare(one, other, program)
    elif got != wanted:
        raise Mismatch(f"{got!r} instead of {wanted!r}")


def _compare_tensor(got: Any, wanted: torch.Tensor, program: Program) -> None:
    if not isinstance(got, torch.Tensor) or got.dtype != wanted.dtype or got.shape != wanted.shape:
        shape = (tuple(got.shape), got.dtype) if isinstance(got, torch.Tensor) else type(got).__name__
        raise Mismatch(f"{shape} instead of {(tuple(wanted.shape), wanted.dtype)}")
    if not torch.allclose(got, wanted, rtol=program.rtol, atol=program.atol, equal_nan=True):
        worst = (got.double() - wanted.double()).abs().max().item()
        raise Mismatch(f"values differ by up to {worst:.3g} (rtol {program.rtol}, atol {program.atol})")


def attempt(program: Program, frontend: str, backend: str) -> Outcome:
    """Compiles once and runs at every size. Never raises."""
    outcome = Outcome(program.name, program.level, frontend, backend, "passed")
    try:
        eager, module = program.module(), program.module()
        start = time.perf_counter()
        compiled = FRONTENDS[frontend](program, module, backend)
        outcome.compile_ms = (time.perf_counter() - start) * 1e3
        for sizes in program.sizes:
            inputs = program.inputs(sizes)
            wanted = eager(*(x.clone() for x in inputs))
            try:
                compare(compiled(*inputs), wanted, program)
            except Mismatch as mismatch:
                raise Mismatch(f"at {dict(sizes)}: {mismatch}") from None
        outcome.fallbacks = list(getattr(compiled.report(), "fallbacks", []))
    except Exception as error:
        outcome.status = "failed"
        outcome.why = f"{type(error).__name__}: {error}".splitlines()[0]
        outcome.detail = traceback.format_exc()
    return outcome


def judge(outcome: Outcome, expected: dict[tuple[str, str, str], str]) -> Outcome:
    """Applies the table of known failures: an expected failure is good, an unexpected pass is not."""
    reason = expected.get((outcome.program, outcome.frontend, outcome.backend))
    if reason is None:
        return outcome
    if outcome.status == "failed":
        outcome.status, outcome.why = "failed as expected", reason
    else:
        outcome.status = "passed unexpectedly"
        outcome.why = f"the table expects a failure: {reason}  do: remove its row from {EXPECTATIONS.name}"
    return outcome


def run(
    programs: Iterable[Program],
    frontends: Iterable[str],
    backends: Iterable[str],
    *,
    expected: dict[tuple[str, str, str], str] | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> Iterator[Outcome]:
    """Every program through every frontend that it is for and every backend."""
    table = expectations() if expected is None else expected
    work = [(p, f, b) for p in programs for f in frontends if f in p.frontends for b in backends]
    for number, (program, frontend, backend) in enumerate(work, 1):
        progress(f"[{number}/{len(work)}] {program.name} · {frontend} · {backend}")
        yield judge(attempt(program, frontend, backend), table)
