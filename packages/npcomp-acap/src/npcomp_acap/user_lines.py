"""The user's file and line for what happens during a capture: the innermost frame outside torch and this package."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from npcomp_dialects.errors import SourceLocation
from torch.fx.proxy import TracerBase

LIBRARIES = (str(Path(torch.__file__).parent), str(Path(__file__).parent), "<")


def innermost(frames: Iterable[traceback.FrameSummary]) -> traceback.FrameSummary | None:
    """The last of `frames` (outermost first) that is the user's own, or None."""
    own = [frame for frame in frames if not frame.filename.startswith(LIBRARIES)]
    return own[-1] if own else None


def of_exception(error: BaseException) -> SourceLocation | None:
    return of_frames(traceback.extract_tb(error.__traceback__))


def of_frames(frames: Iterable[traceback.FrameSummary]) -> SourceLocation | None:
    frame = innermost(frames)
    return SourceLocation(frame.filename, frame.lineno or 0) if frame else None


def _keep_user_frame(_tracer: TracerBase, frames: traceback.StackSummary) -> traceback.StackSummary:
    frame = innermost(frames)
    return traceback.StackSummary.from_list([frame] if frame else [])


@contextlib.contextmanager
def recorded() -> Iterator[None]:
    """While active, an FX tracer that records stack traces keeps only the user's innermost frame."""
    original = TracerBase._filter_traceback_frames
    TracerBase._filter_traceback_frames = _keep_user_frame  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        TracerBase._filter_traceback_frames = original  # type: ignore[method-assign]


def of_node(node: torch.fx.Node) -> SourceLocation | None:
    """The line that `recorded` left on a node. A backward node has its own: the one that called backward."""
    text = node.stack_trace
    if not text or not text.startswith('File "'):
        return None
    file, _, rest = text[len('File "') :].partition('", line ')
    return SourceLocation(file, int(rest.split(",", 1)[0]))
