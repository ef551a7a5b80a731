"""Dispatches of loops as launches: tensors that are ours alone, scalars in and out, what guards need."""

from __future__ import annotations

from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith

from .int_math import Int
from .layouts import CONTENTS, first_out
from .loop_dispatch import LoopDispatch


def launch_loops(driver: Any, op: Any) -> None:
    calls = driver.calls
    dispatch = LoopDispatch.of(op)
    if dispatch.guards:
        calls.guard_fail()
    kernel = driver.kernels.get(op)
    operands, split = list(op.operands), first_out(op)
    tensors = [driver.get(v) for v in operands[:split] if _is_tensor(v)]
    owned = [_take(driver, op, split + n) for n, v in enumerate(operands[split:]) if _is_tensor(v)]
    scalars = [driver.get(v) for v in operands[:split] if not _is_tensor(v)]
    scalars += [calls.const(0)] * len(dispatch.results)
    if dispatch.guards:
        scalars += [calls.context, *(calls.const(_number(driver, guard)) for guard in dispatch.guards)]
    extent = _trips(driver, op, dispatch) if dispatch.is_parallel else 1
    slots = calls.launch(kernel.symbol, tensors + owned, scalars, extent, kernel.schedule.grain)
    handles, slot = iter(owned), dispatch.result_slot
    for result in op.results:
        if _is_tensor(result):
            driver.set(result, next(handles))
        else:
            driver.values[result] = calls.load_slot(slots, slot, driver.type(result.type))
            slot += 1


def _take(driver: Any, op: Any, n: int) -> ir.Value:
    """The handle of an out: a fresh tensor, or one whose elements the kernel may change."""
    value = op.operands[n]
    handle = driver.take(value, op, list(op.operands).count(value))
    if not op.attributes[CONTENTS][n - first_out(op)]:
        return handle
    return driver.calls.call("refrt_unique", [handle], [driver.calls.ptr])


def _number(driver: Any, guard: Any) -> int:
    return driver.tables.guard(guard.attributes["kind"].value, guard.attributes["message"].value, guard.location)


def _trips(driver: Any, op: Any, dispatch: LoopDispatch) -> Int:
    """How often the outermost loop runs."""
    calls = driver.calls
    arguments = list(op.regions[0].blocks[0].arguments)

    def value(bound: Any) -> ir.Value:
        if isinstance(bound.owner, ir.Block):
            found = driver.get(op.operands[arguments.index(bound)])
        else:
            found = arith.ConstantOp(bound.type, bound.owner.operation.attributes["value"]).result
        return found if found.type == calls.i64 else _widened(calls, found)

    low, high, step = (value(bound) for bound in list(dispatch.nest.operands)[:3])
    span = arith.MaxSIOp(arith.SubIOp(high, low).result, calls.const(0)).result
    return arith.DivUIOp(arith.AddIOp(span, arith.SubIOp(step, calls.const(1)).result).result, step).result


def _widened(calls: Any, value: ir.Value) -> ir.Value:
    if isinstance(value.type, ir.IndexType):
        return calls.i64_of(value)
    return arith.ExtSIOp(calls.i64, value).result


def _is_tensor(value: Any) -> bool:
    return isinstance(value.type, ir.RankedTensorType)
