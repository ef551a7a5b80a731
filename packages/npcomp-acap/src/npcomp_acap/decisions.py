"""Which relations between sizes were decided on in Python, and at which line.

While it runs a function, torch notes every relation between symbolic sizes that it relied on. Those that a kernel's
checks and its choice among equal algorithms rely on say nothing about the program: the lowering makes its own checks.
Those that a Python `if` relied on chose what was recorded."""

from __future__ import annotations

import itertools
import traceback
from typing import Any, NamedTuple

import torch

from npcomp_acap import user_lines

TORCH = torch.__path__[0]
PYTHON_DECIDES = {"__bool__", "__index__", "__int__"}


class Decision(NamedTuple):
    """One relation (`guard.expr`), the user's line, and whether Python code chose by it."""

    guard: Any
    line: Any
    in_python: bool


def _chosen_in_python(frames: traceback.StackSummary) -> bool:
    """Did user code, or Python code of torch.nn, turn a symbolic value into a bool or an int?"""
    for caller, frame in itertools.pairwise(frames):
        if frame.filename == f"{TORCH}/__init__.py" and frame.name in PYTHON_DECIDES:
            return not caller.filename.startswith(TORCH) or caller.filename.startswith(f"{TORCH}/nn/")
    return False


class Recorder(list):
    """Takes the place of `ShapeEnv.guards`: keeps the guards and, beside them, the decisions."""

    def __init__(self) -> None:
        super().__init__()
        self.decisions: list[Decision] = []

    def append(self, guard: Any) -> None:
        super().append(guard)
        frames = traceback.extract_stack()
        line = user_lines.of_frames(frames)
        self.decisions.append(Decision(guard, line, _chosen_in_python(frames)))
