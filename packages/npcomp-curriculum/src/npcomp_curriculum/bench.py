"""Compile time, time per call and the ratio to eager torch, measured in the same run, in turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch

from npcomp_curriculum.frontends import FRONTENDS
from npcomp_curriculum.registry import Program

ROUNDS = 7
SLICE = 0.02  # seconds that one measurement of one candidate lasts


@dataclass
class Row:
    program: str
    frontend: str
    backend: str
    sizes: dict[str, int]
    compile_ms: float
    eager_us: float
    ours_us: float

    @property
    def ratio(self) -> float:
        """How many times faster than eager."""
        return self.eager_us / self.ours_us

    def json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio}


def _repeats(call: Callable[[], Any]) -> int:
    start = time.perf_counter()
    call()
    return max(1, int(SLICE / max(time.perf_counter() - start, 1e-7)))


def measure(candidates: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
    """Median microseconds a call of each candidate; the candidates take turns, so that noise meets all of them."""
    for call in candidates.values():
        for _ in range(3):
            call()
    repeats = {name: _repeats(call) for name, call in candidates.items()}
    samples: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(ROUNDS):
        for name, call in candidates.items():
            start = time.perf_counter()
            for _ in range(repeats[name]):
                call()
            samples[name].append((time.perf_counter() - start) / repeats[name] * 1e6)
    return {name: statistics.median(values) for name, values in samples.items()}


def bench(program: Program, frontend: str, backend: str) -> list[Row]:
    """One row for each assignment of sizes that is not empty."""
    eager, module = program.module(), program.module()
    start = time.perf_counter()
    compiled = FRONTENDS[frontend](program, module, backend)
    compile_ms = (time.perf_counter() - start) * 1e3
    rows = []
    for sizes in {tuple(s.items()): s for s in program.sizes if all(s.values())}.values():
        inputs = program.inputs(sizes)
        context = torch.enable_grad() if program.level == 7 else torch.inference_mode()
        with context:
            times = measure({"eager": partial(eager, *inputs), "ours": partial(compiled, *inputs)})
        rows.append(Row(program.name, frontend, backend, dict(sizes), compile_ms, times["eager"], times["ours"]))
    return rows
