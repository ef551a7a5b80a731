"""Work on many ops, each in a process of its own: a crash or a hang costs the op, not the run.

torch itself dies of some illegal calls. Work that tries such a call says so first (`trying`); if the process ends
there, a new one does the work without that call.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

PATIENCE = 300.0
"""Seconds for one op."""
MOST_DEATHS = 10

_pipe: Any = None
_deadly: frozenset[str] = frozenset()


class Died(Exception):
    """The process of an op ended or hung; says how."""


class Deadly(Exception):
    """torch died of this call before."""


@contextlib.contextmanager
def trying(call: str) -> Iterator[None]:
    """Around a call of torch's that may end the process. Raises `Deadly` where it has done so."""
    if call in _deadly:
        raise Deadly(call)
    if _pipe is None:
        yield
        return
    _pipe.send(("trying", call))
    try:
        yield
    finally:
        _pipe.send(("tried", call))


def _serve(pipe: Any, work: Callable[..., Any], arguments: tuple[Any, ...], deadly: frozenset[str]) -> None:
    global _pipe, _deadly
    import torch

    torch.set_num_threads(1)
    _pipe, _deadly = pipe, deadly
    pipe.send(("result", work(*arguments)))


def run(work: Callable[..., Any], *arguments: Any) -> Any:
    """What `work` returns in another process, or the `Died` that ended it."""
    deadly: frozenset[str] = frozenset()
    while True:
        kind, told = _attempt(work, arguments, deadly)
        if kind != "trying" or len(deadly) >= MOST_DEATHS:
            return told if kind == "result" else Died(told)
        deadly |= {told}


def _attempt(work: Callable[..., Any], arguments: tuple[Any, ...], deadly: frozenset[str]) -> tuple[str, Any]:
    """The last thing that a process said: its result, or the call that it died of."""
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(theirs, work, arguments, deadly))
    process.start()
    theirs.close()
    kind, told = "tried", ""
    try:
        while kind != "result":
            if not ours.poll(PATIENCE):
                return "died", f"nothing for {PATIENCE:.0f} s after {told}"
            kind, told = ours.recv()
        return kind, told
    except EOFError:
        process.join()
        return ("trying", told) if kind == "trying" else ("died", f"exit code {process.exitcode} after {told}")
    finally:
        process.kill()
        process.join()


def results(
    work: Callable[..., Any], names: Sequence[str], *arguments: Any, workers: int, preload: str
) -> Iterator[tuple[str, Any]]:
    """Each name with the result of `work(name, …)` or a `Died`, in order. Processes start with `preload` imported."""
    multiprocessing.get_context("forkserver").set_forkserver_preload([preload])
    with ThreadPoolExecutor(workers) as pool:
        yield from zip(names, pool.map(lambda name: run(work, name, *arguments), names), strict=True)
