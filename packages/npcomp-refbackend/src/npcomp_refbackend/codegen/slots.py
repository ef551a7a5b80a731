"""Program state: the module's global slots → slot rows with their initial values."""

from __future__ import annotations

from typing import Any

from npcomp_dialects.mlir import ir

from .tables import Tables


def read_slots(module: ir.Module, tables: Tables) -> None:
    """Number the slots in module order."""
    for op in module.body.operations:
        if op.operation.name == "torch.global_slot":
            name = op.operation.attributes["sym_name"].value
            tables.slot_numbers[name] = len(tables.slots)
            tables.slots.append({"name": name})
