"""Where a TorchScript node comes from in the user's Python, read off `node.sourceRange()`.

Scripted code says `File "model.py", line 7` and marks the columns below the source text. Traced code gives a Python
stack, innermost frame first; the user's line is the first frame outside torch. An archive repeats the original range
before the place in its own serialized code, so the first match is the user's in every form.
"""

from __future__ import annotations

import os
import re
from typing import Any

import torch
from npcomp_dialects.errors import SourceLocation

TORCH_FOLDER = os.path.dirname(torch.__file__) + os.sep
SCRIPTED = re.compile(r'File "([^"]*)", line (\d+)\n')
TRACED = re.compile(r"^(.*)\((\d+)\): ", re.MULTILINE)
MARK = re.compile(r"^( *)~", re.MULTILINE)


def is_library(file: str) -> bool:
    """True for code that ships with torch, and for functions that torch compiles from strings."""
    return file.startswith((TORCH_FOLDER, "<"))


def parse(text: str) -> SourceLocation | None:
    """The place that a source range names; None for an empty range and for torch's built-in snippets."""
    scripted = SCRIPTED.search(text)
    if scripted:
        file, line = scripted.group(1), int(scripted.group(2))
        if file.startswith("<") and not file.startswith("<ipython"):
            return None
        mark = MARK.search(text, scripted.end())
        return SourceLocation(file, line, len(mark.group(1)) + 1 if mark else 0)
    frames = [(m.group(1), int(m.group(2))) for m in TRACED.finditer(text)]
    if not frames:
        return None
    file, line = next((frame for frame in frames if not is_library(frame[0])), frames[0])
    return SourceLocation(file, line)


class Locations:
    """Places of nodes. A node without a range of its own takes that of the node before it."""

    def __init__(self) -> None:
        self._known: dict[str, SourceLocation | None] = {}
        self.current: SourceLocation | None = None

    def visit(self, node: Any) -> SourceLocation | None:
        text = node.sourceRange()
        if text not in self._known:
            self._known[text] = parse(text)
        self.current = self._known[text] or self.current
        return self.current
