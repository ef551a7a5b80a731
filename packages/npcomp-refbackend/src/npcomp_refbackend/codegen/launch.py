"""Dispatches as launches: the operand array, the scalar slots, the extent; constants, packed where the kernel asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npcomp_dialects.mlir import ir

from .constants import array_key, to_array
from .int_math import Int, ceildiv, mul, product
from .kernels import Kernel
from .layouts import layout_of
from .loop_dispatch import is_loops
from .loop_launch import launch_loops
from .reuse import dying_input, is_deferred
from .tensor_ops import allocate


def is_dense(value: Any) -> bool:
    return not isinstance(value.type, ir.RankedTensorType) or layout_of(value).dense


def constant_handle(driver: Any, attribute: Any, packing: Any = None) -> ir.Value:
    """The handle of a constant (packed by `packing`), fetched once at the top of the function."""
    key = array_key(attribute, packing.key if packing else None)
    pool = driver.tables.constants
    dtype = str(ir.ShapedType(attribute.type).element_type)
    index = pool.find(key)
    if index is None:
        array = to_array(attribute)
        index = pool.add(packing.pack(array) if packing else array, dtype, key)
    fetched = driver.calls.fetched
    if index not in fetched:
        with ir.InsertionPoint.at_block_begin(driver.calls.entry):
            fetched[index] = driver.calls.call("refrt_constant", [driver.calls.const(index)], [driver.calls.ptr])
    return fetched[index]


def _dispatch(driver: Any, op: Any) -> None:
    if is_loops(op):
        launch_loops(driver, op)
        return
    kernel: Kernel = driver.kernels.get(op)
    calls = driver.calls
    inputs = list(op.operands)[: len(op.operands) - len(op.results)]
    outs = list(op.operands)[len(inputs) :]
    tensors = [v for v in inputs if isinstance(v.type, ir.RankedTensorType)]
    scalars = [driver.get(v) for v in inputs if not isinstance(v.type, ir.RankedTensorType)]
    handles = [_operand(driver, kernel, n, v) for n, v in enumerate(tensors)]
    results = [_result(driver, o, op) for o in outs]
    extent = _extent(driver, kernel, tensors + outs)
    calls.launch(kernel.symbol, handles + results, scalars, extent, kernel.schedule.grain)
    for result, handle in zip(op.results, results):
        driver.set(result, handle)


def _result(driver: Any, out: Any, op: Any) -> ir.Value:
    """Where a result goes: a dying input, a fresh tensor, or what stands in `outs`."""
    empty = None if isinstance(out.owner, ir.Block) else out.owner.operation
    if empty is None or empty.name != "tensor.empty" or not is_deferred(empty):
        return driver.take(out, op)
    dying = dying_input(op, driver.frames[-1])
    if dying is not None:
        driver.values[out] = driver.calls.call("refrt_reuse", [driver.get(dying)], [driver.calls.ptr])
        return driver.values[out]
    allocate(driver, empty)
    return driver.take(out, op)


def _operand(driver: Any, kernel: Kernel, n: int, value: Any) -> ir.Value:
    packing = kernel.schedule.packs.get(n)
    if packing is None:
        return driver.get(value)
    return constant_handle(driver, layout_of(value).constant, packing)


def _extent(driver: Any, kernel: Kernel, tensors: list[Any]) -> Int:
    """The number of units of a kernel for the operands at hand."""
    calls = driver.calls
    total: Int = 1
    for loops, tile in kernel.schedule.units:
        sizes: list[Int] = []
        for loop in loops:
            source = kernel.loops[loop]
            if source.size is not None:
                sizes.append(source.size)
            else:
                sizes.append(calls.size(driver.get(tensors[source.operand]), source.dim))
        total = mul(calls, total, ceildiv(calls, product(calls, sizes), tile))
    return total


HANDLERS: dict[str, Callable[[Any, Any], None]] = {"refrt.dispatch": _dispatch}
