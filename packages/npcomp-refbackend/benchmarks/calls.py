"""What a call costs: a one-element add through the runtime beside eager torch and numpy, in the same minute.

OMP_NUM_THREADS=1 python packages/npcomp-refbackend/benchmarks/calls.py
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from compiled import add_one, artifact, method, tensor


def nanoseconds(call: Callable[[], object], rounds: int = 1000, count: int = 200) -> tuple[float, float]:
    """Median and best of a call, the loop around it taken away."""
    empty = min(_per_call(lambda: None, count) for _ in range(100))
    times = [_per_call(call, count) - empty for _ in range(rounds)]
    return float(np.median(times)), min(times)


def _per_call(call: Callable[[], object], count: int) -> float:
    start = time.perf_counter_ns()
    for _ in range(count):
        call()
    return (time.perf_counter_ns() - start) / count


def main() -> None:
    program = add_one("n").load()
    forward = program.forward
    none = artifact("ENTRY(npcomp_forward) {}", method([], {"kind": "none"})).load().forward
    relu = {"op": "aten.relu", "args": [{"kind": "tensor"}], "results": [tensor(None)]}
    source = "ENTRY(npcomp_forward) { refrt_fallback(c, 0, 1, a, 1, r); }"
    fallback = artifact(source, method([tensor(None)], tensor(None)), fallbacks=[relu]).load().forward
    x, t = np.ones(1, np.float32), torch.ones(1)
    rows = {
        "call without arguments": none,
        "x + 1, torch tensor": lambda: forward(t),
        "x + 1, torch tensor, by keyword": lambda: forward(x=t),
        "x + 1, torch tensor, through the instance": lambda: program(t),
        "x + 1, numpy array": lambda: forward(x),
        "relu left to torch": lambda: fallback(t),
        "eager torch: t + 1": lambda: t + 1,
        "eager torch: relu": lambda: torch.relu(t),
        "numpy: x + 1": lambda: x + 1,
    }
    print(f"{'ns a call':45} median    best")
    for name, call in rows.items():
        median, best = nanoseconds(call)
        print(f"{name:45} {median:6.0f}  {best:6.0f}")


if __name__ == "__main__":
    main()
