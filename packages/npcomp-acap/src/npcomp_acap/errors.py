"""What tracing can refuse."""

from __future__ import annotations

from npcomp_dialects.errors import CompileError


class CaptureError(CompileError):
    """A function cannot be captured as one program: says what it did, at which line, and what to do instead."""
