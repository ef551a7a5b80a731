"""What an artifact's header lists beside the code: guards, constants, slots, fallbacks; and the kernels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from npcomp_dialects.errors import resolve
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
    place = resolve(location)
    return {"loc": str(place)} if place else {}
