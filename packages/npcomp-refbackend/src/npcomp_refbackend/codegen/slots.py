"""Program state: the module's global slots → slot rows with their initial values."""

from __future__ import annotations

from typing import Any

from npcomp_dialects.mlir import ir

from .constants import array_key, to_array
from .tables import Tables

_NUMBERS = {"torch.constant.int": "int", "torch.constant.float": "float", "torch.constant.bool": "bool"}


def read_slots(module: ir.Module, tables: Tables) -> None:
    """Number the slots in module order and describe what they start from."""
    initial = _initial_values(module)
    for op in module.body.operations:
        if op.operation.name == "torch.global_slot":
            name = op.operation.attributes["sym_name"].value
            tables.slot_numbers[name] = len(tables.slots)
            tables.slots.append({"name": name, **_start(initial[name], tables)})


def _initial_values(module: ir.Module) -> dict[str, Any]:
    for op in module.body.operations:
        if op.operation.name == "torch.global_slot.module_initializer":
            last = list(op.operation.regions[0].blocks[0].operations)[-1].operation
            return {s.value: v for s, v in zip(last.attributes["slotSymNames"], last.operands)}
    return {}


def _start(value: Any, tables: Tables) -> dict[str, Any]:
    """The row of a slot: a constant's number, or a scalar."""
    op = value.owner.operation
    while op.name in ("torch.from_builtin_tensor", "torch.tensor_static_info_cast", "torch.derefine"):
        op = op.operands[0].owner.operation
    if op.name in _NUMBERS:
        return {"kind": _NUMBERS[op.name], "value": op.attributes["value"].value}
    if op.name in ("torch.vtensor.literal", "arith.constant"):
        attribute = op.attributes["value"]
        dtype = str(ir.ShapedType(attribute.type).element_type)
        key = array_key(attribute, None)
        index = tables.constants.find(key)
        if index is None:
            index = tables.constants.add(to_array(attribute), dtype, key)
        return {"kind": "tensor", "constant": index}
    raise ValueError(f"a slot starts from `{op.name}`, which is not a constant")
