"""Loops over elements against torch in one process, one thread: `python benchmarks/loops.py [NAME…]`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from npcomp_acap import trace

COUNT = 1_000_000


def cases() -> dict[str, tuple[Callable[..., Any], tuple[Any, ...]]]:
    x, numbers = torch.randn(COUNT), torch.randint(-1000, 1000, (COUNT,))
    index, rows = torch.randint(0, COUNT, (COUNT,)), torch.randn(1000, 1000)
    return {
        "scatter_add": (lambda x, i, s: x.scatter_add(0, i, s), (x, index, x.clone())),
        "index_add of rows": (lambda x, i, s: x.index_add(0, i, s), (rows, index[:1000] % 1000, rows.clone())),
        "index_put, accumulating": (lambda x, i, s: x.index_put((i,), s, accumulate=True), (x, index, x.clone())),
        "cumsum": (lambda x: x.cumsum(0), (x,)),
        "cumsum of columns": (lambda x: x.cumsum(0), (rows,)),
        "cummax": (lambda x: x.cummax(0), (x,)),
        "sort": (lambda x: x.sort(), (x,)),
        "sort of i64": (lambda x: x.sort(), (numbers,)),
        "sort of rows": (lambda x: x.sort(1), (rows,)),
        "topk of rows": (lambda x: x.topk(10, 1), (rows,)),
        "searchsorted": (lambda s, x: torch.searchsorted(s, x), (rows[0].sort().values, x)),
        "bincount": (lambda x: torch.bincount(x), (numbers.abs(),)),
        "nonzero": (lambda x: (x > 0).nonzero(), (x,)),
    }


def milliseconds(function: Callable[..., Any], arguments: tuple[Any, ...], repeats: int = 9) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function(*arguments)
        times.append(time.perf_counter() - start)
    return min(times) * 1e3


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for name, (function, arguments) in cases().items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        ours = milliseconds(trace(function, *arguments), arguments)
        theirs = milliseconds(function, arguments)
        print(f"{name:24} {ours:9.2f} ms, torch {theirs:9.2f} ms: {theirs / ours:5.2f}", flush=True)


if __name__ == "__main__":
    main()
