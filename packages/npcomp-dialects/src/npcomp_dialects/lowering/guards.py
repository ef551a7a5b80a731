"""tcf.guard: a check that the compiled program makes."""

from __future__ import annotations

from collections.abc import Sequence

from npcomp_dialects.mlir import ir

from .emitter import Emitter


def guard(emitter: Emitter, condition: ir.Value, kind: str, message: str, values: Sequence[ir.Value]) -> None:
    """Raises `kind(message)` unless the condition holds; {0}, {1}, … in the message stand for the values."""
    attributes = {"kind": ir.StringAttr.get(kind), "message": ir.StringAttr.get(message)}
    emitter.op("tcf.guard", [condition, *values], [], attributes)
