"""What an artifact's header lists beside the code: guards, constants, slots, fallbacks; and the kernels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from npcomp_dialects.mlir import ir

from .constants import ConstantPool


@dataclass
class Tables:
    constants: ConstantPool = field(default_factory=ConstantPool)
    guards: list[dict[str, Any]] = field(default_factory=list)
    slots: list[dict[str, Any]] = field(default_factory=list)
    fallbacks: list[dict[str, Any]] = field(default_factory=list)
    slot_numbers: dict[str, int] = field(default_factory=dict)

    def guard(self, kind: str, message: str, location: ir.Location) -> int:
        return _index(self.guards, {"kind": kind, "message": message, **_loc(location)})

    def fallback(self, op: str, arguments: list[Any], results: list[Any], location: ir.Location) -> int:
        return _index(self.fallbacks, {"op": op, "args": arguments, "results": results, **_loc(location)})


def _index(rows: list[dict[str, Any]], row: dict[str, Any]) -> int:
    if row not in rows:
        rows.append(row)
    return rows.index(row)


def _loc(location: ir.Location) -> dict[str, str]:
    text = user_line(location)
    return {"loc": text} if text else {}


def user_line(location: ir.Location) -> str | None:
    """`model.py:12`, the innermost file position of a location."""
    if location.is_a_file():
        return f"{location.filename}:{location.start_line}"
    if location.is_a_name():
        return user_line(location.child_loc)
    if location.is_a_callsite():
        return user_line(location.callee)
    if location.is_a_fused():
        return next((line for l in location.locations if (line := user_line(l))), None)
    return None
