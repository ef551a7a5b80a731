"""Processes that check samples and may die: a crash or a hang costs the sample, and the work goes on in a new one."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from typing import Any

import opinfo_samples
import torch

Job = tuple[str, str, int]  # entry, dtype, most samples
PATIENCE = 180.0
"""Seconds for one sample, torch's own time included."""


def serve(pipe: Connection) -> None:
    """Answers jobs until told None: one outcome a sample, then None."""
    torch.set_num_threads(1)
    opinfo_samples.entries()
    pipe.send("ready")
    while (job := pipe.recv()) is not None:
        name, dtype, most, skip = job
        try:
            samples = opinfo_samples.draw(name, dtype, most)
        except Exception as error:
            pipe.send(opinfo_samples.Outcome("skipped", f"torch cannot draw samples: {error}"))
            samples = []
        for sample in samples[skip:]:
            pipe.send(opinfo_samples.check(name, sample))
        pipe.send(None)


class Worker:
    """One process and the job it works on."""

    def __init__(self) -> None:
        self.job: Job | None = None
        self.outcomes: list[opinfo_samples.Outcome] = []
        self.start()

    def start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        assert self.pipe.recv() == "ready"
        self.heard = time.monotonic()

    def give(self, job: Job) -> None:
        self.job, self.outcomes = job, []
        self._send(0)

    def _send(self, skip: int) -> None:
        assert self.job is not None
        self.pipe.send((*self.job, skip))
        self.heard = time.monotonic()

    def read(self) -> bool:
        """Takes one message; True when the job is done."""
        try:
            message = self.pipe.recv()
        except EOFError:
            return self.replace("crash", "the process died")
        self.heard = time.monotonic()
        if message is None:
            return True
        self.outcomes.append(message)
        return False

    def replace(self, status: str, why: str) -> bool:
        """A new process goes on after the sample that ended the old one."""
        self.process.kill()
        self.process.join()
        why = f"{why} (exit code {self.process.exitcode})" if status == "crash" else why
        self.outcomes.append(opinfo_samples.Outcome(status, why))
        self.start()
        self._send(len(self.outcomes))
        return False

    def stop(self) -> None:
        self.pipe.send(None)
        self.process.join(10)
        self.process.kill()


def run(jobs: list[Job], count: int) -> Iterator[tuple[Job, list[Any]]]:
    """The outcomes of every job, in the order they finish."""
    pending = list(reversed(jobs))
    workers = [Worker() for _ in range(min(count, len(jobs)))]
    for worker in workers:
        worker.give(pending.pop())
    while busy := {w.pipe: w for w in workers if w.job is not None}:
        for pipe in wait(list(busy), timeout=5):
            worker = busy[pipe]  # type: ignore[index]
            if not worker.read():
                continue
            assert worker.job is not None
            yield worker.job, worker.outcomes
            worker.job = None
            if pending:
                worker.give(pending.pop())
        for worker in workers:
            if worker.job is not None and time.monotonic() - worker.heard > PATIENCE:
                worker.replace("slow", f"no answer after {PATIENCE:.0f} s")
    for worker in workers:
        worker.stop()
