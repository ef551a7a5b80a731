"""Torch-dialect ops that reach the driver: kernel fallback, program state, and the casts and constants around them.

A torch scalar is its builtin scalar, a torch tensor a handle. Lists and constants do not exist at run time: they
become argument descriptions in the artifact's fallback table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npcomp_dialects.errors import UnsupportedError
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith

from .ownership import is_handle

SCALARS: dict[str, Callable[[], ir.Type]] = {
    "!torch.int": lambda: ir.IntegerType.get_signless(64),
    "!torch.float": lambda: ir.F64Type.get(),
    "!torch.bool": lambda: ir.IntegerType.get_signless(1),
}
_KINDS = {"!torch.int": "int", "!torch.float": "float", "!torch.bool": "bool"}
_ARTIFACT_NAMES = {"i1": "bool", "complex<f16>": "c32", "complex<f32>": "c64", "complex<f64>": "c128"}
_CONSTANTS = ("torch.constant.int", "torch.constant.float", "torch.constant.bool", "torch.constant.str")


def _owner(value: Any) -> Any:
    return None if isinstance(value.owner, ir.Block) else value.owner.operation


def _same(driver: Any, op: Any) -> None:
    """A cast that changes the type only."""
    source, result = op.operands[0], op.results[0]
    if is_handle(result.type):
        driver.set(result, driver.take(source, op))
    else:
        driver.values[result] = driver.get(source)


def _number(driver: Any, op: Any) -> None:
    kind = driver.type(op.results[0].type)
    value = op.attributes["value"]
    attribute = (
        ir.FloatAttr.get(kind, value.value)
        if isinstance(kind, ir.F64Type)
        else ir.IntegerAttr.get(kind, int(value.value))
    )
    driver.values[op.results[0]] = arith.ConstantOp(kind, attribute).result


def _nothing(driver: Any, op: Any) -> None:
    """Described where it is used."""


def _slot_number(driver: Any, op: Any) -> int:
    name = op.attributes["slot"].value
    return driver.tables.slot_numbers[name]


def _get_slot(driver: Any, op: Any) -> None:
    number, result = driver.calls.const(_slot_number(driver, op)), op.results[0]
    if is_handle(result.type):
        driver.set(result, driver.calls.call("refrt_slot_get", [number], [driver.calls.ptr]))
        return
    bits = driver.calls.call("refrt_slot_get_scalar", [number], [driver.calls.i64])
    driver.values[result] = _from_bits(driver, bits, driver.type(result.type))


def _set_slot(driver: Any, op: Any) -> None:
    number, value = driver.calls.const(_slot_number(driver, op)), op.operands[0]
    if is_handle(value.type):
        driver.calls.call("refrt_slot_set", [number, driver.get(value)])
    else:
        driver.calls.call("refrt_slot_set_scalar", [number, _to_bits(driver, driver.get(value))])


def _to_bits(driver: Any, value: ir.Value) -> ir.Value:
    cells = driver.calls.fill("bits", [value])
    return driver.calls.load_slot(cells, 0, driver.calls.i64)


def _from_bits(driver: Any, bits: ir.Value, kind: ir.Type) -> ir.Value:
    cells = driver.calls.fill("bits", [bits])
    return driver.calls.load_slot(cells, 0, kind)


def _operator(driver: Any, op: Any) -> None:
    """Kernel fallback: one call into torch through the runtime's table."""
    calls = driver.calls
    slots: list[ir.Value] = []
    arguments = [_argument(driver, v, slots) for v in op.operands]
    results = [_result(r) for r in op.results]
    index = driver.tables.fallback(op.attributes["name"].value, arguments, results, op.location)
    leaves = [leaf for r in op.results for leaf in _leaves(r)]
    outputs = calls.array("fallback_results", len(leaves))
    inputs = calls.fill("fallback_arguments", slots)
    counts = [calls.const(len(slots)), inputs, calls.const(len(leaves)), outputs]
    calls.call("refrt_fallback", [calls.const(index), *counts])
    for n, leaf in enumerate(leaves):
        driver.set(leaf, calls.load_slot(outputs, n, driver.type(leaf.type)))


def _leaves(result: Any) -> list[Any]:
    """The values that one result arrives as: the elements of a list are the results of its unpacking."""
    return list(_unpacking(result).results) if _is_list(result.type) else [result]


def _is_list(kind: ir.Type) -> bool:
    return str(kind).startswith(("!torch.list", "!torch.tuple"))


def _unpacking(result: Any) -> Any:
    users = [u.owner.operation for u in result.uses]
    if len(users) == 1 and users[0].name in ("torch.prim.ListUnpack", "torch.prim.TupleUnpack"):
        return users[0]
    op = result.owner.operation
    raise UnsupportedError(
        f"kernel fallback of {op.attributes['name'].value} gives a {result.type} that is not unpacked at once",
        op.location,
        do="unpack the result into a fixed number of tensors",
    )


def _argument(driver: Any, value: Any, slots: list[ir.Value]) -> dict[str, Any]:
    """Describe an argument; run-time parts are appended to `slots`."""
    op, kind = _owner(value), str(value.type)
    if op is not None and op.name == "torch.constant.none":
        return {"kind": "const", "value": None}
    if op is not None and op.name in _CONSTANTS:
        return {"kind": "const", "value": op.attributes["value"].value}
    if op is not None and op.name == "torch.constant.device":
        return {"kind": "const", "value": op.attributes["value"].value}
    if op is not None and op.name == "torch.prim.ListConstruct":
        return {"kind": "list", "items": [_argument(driver, item, slots) for item in op.operands]}
    if op is not None and op.name == "torch.derefine":
        return _argument(driver, op.operands[0], slots)
    slots.append(driver.get(value))
    if not is_handle(value.type):
        return {"kind": _KINDS[kind]}
    element = str(getattr(value.type, "dtype", ""))
    return {"kind": "tensor", "dtype": element[0] + element[2:]} if element.startswith("ui") else {"kind": "tensor"}


def _result(value: Any) -> dict[str, Any]:
    if _is_list(value.type):
        return {"kind": "list", "items": [_result(leaf) for leaf in _leaves(value)]}
    if str(value.type) in _KINDS:
        return {"kind": _KINDS[str(value.type)]}
    row: dict[str, Any] = {"kind": "tensor"}
    if value.type.dtype is not None:
        row["dtype"] = torch_dtype(str(value.type.dtype))
    if value.type.sizes is not None:
        row["dims"] = [None if s < 0 else s for s in value.type.sizes]
    return row


def _literal(driver: Any, op: Any) -> None:
    driver.set(op.results[0], driver.constant(op.attributes["value"]), owned=False)


def torch_dtype(element: str) -> str:
    """`si64` as the torch dialect prints it → `i64` as artifacts name it."""
    return _ARTIFACT_NAMES.get(element) or element.replace("ui", "u").removeprefix("s")


HANDLERS: dict[str, Callable[[Any, Any], None]] = {
    **{f"torch.{n}": _same for n in ("to_builtin_tensor", "from_builtin_tensor", "to_i64", "from_i64", "to_f64")},
    **{f"torch.{n}": _same for n in ("from_f64", "to_i1", "from_i1", "derefine")},
    **{f"torch.{n}": _same for n in ("tensor_static_info_cast", "prim.unchecked_cast")},
    **{f"torch.constant.{n}": _nothing for n in ("none", "str", "device")},
    **{f"torch.constant.{n}": _number for n in ("int", "float", "bool")},
    "torch.prim.ListConstruct": _nothing,
    "torch.prim.ListUnpack": _nothing,
    "torch.prim.TupleUnpack": _nothing,
    "torch.vtensor.literal": _literal,
    "torch.global_slot.get": _get_slot,
    "torch.global_slot.set": _set_slot,
    "torch.operator": _operator,
}
