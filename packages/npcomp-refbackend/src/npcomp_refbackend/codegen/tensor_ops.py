"""Tensor ops that the driver runs itself: shapes, views, single elements, guards. None of them computes on elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npcomp_dialects.errors import UnsupportedError
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith, llvm, scf

from .constants import TORCH_CODE
from .int_math import Int, add, mul
from .layouts import Layout, dropped_dims, layout_of, reassociation, shape_of, sliced_layout
from .reuse import is_deferred

_DYNAMIC = -(2**63)


def dtype_code(kind: ir.Type) -> int:
    return TORCH_CODE[str(kind)]


def size_of(driver: Any, value: Any, dim: int) -> Int:
    """Size of a dimension: static, or read from the handle."""
    known = shape_of(value)[dim]
    return known if known is not None else driver.calls.size(driver.get(value), dim)


def strides_of(driver: Any, value: Any, layout: Layout | None = None) -> list[Int]:
    """Strides of a value: static, computed from sizes where it is dense, else read from the handle."""
    layout = layout or layout_of(value)
    rank = len(layout.strides)
    found: list[Int] = []
    step: Int = 1
    for dim in reversed(range(rank)):
        known = layout.strides[dim]
        if known is not None:
            found.append(known)
        elif layout.dense:
            found.append(step)
        else:
            found.append(driver.calls.stride(driver.get(value), rank, dim))
        step = mul(driver.calls, found[-1], size_of(driver, value, dim)) if layout.dense else step
    return found[::-1]


def _empty(driver: Any, op: Any) -> None:
    if not is_deferred(op):
        allocate(driver, op)


def allocate(driver: Any, op: Any) -> None:
    """A fresh tensor for a `tensor.empty`."""
    kind = ir.RankedTensorType(op.results[0].type)
    dynamic = iter(op.operands)
    sizes = [s if s >= 0 else driver.get(next(dynamic)) for s in kind.shape]
    driver.set(op.results[0], driver.calls.alloc(dtype_code(kind.element_type), sizes))


def _dim(driver: Any, op: Any) -> None:
    value, position = op.operands
    rank = ir.RankedTensorType(value.type).rank
    dim: Int = _constant(position)
    if dim is None:
        dim = driver.calls.i64_of(driver.get(position))
    if rank == 0 or (isinstance(dim, int) and not 0 <= dim < rank):
        size: Int = 0
    else:
        size = size_of(driver, value, dim) if isinstance(dim, int) else driver.calls.size(driver.get(value), dim)
    driver.values[op.results[0]] = driver.calls.index_of(driver.calls.i64_of(size))


def _constant(value: Any) -> int | None:
    owner = None if isinstance(value.owner, ir.Block) else value.owner.operation
    if owner is None or owner.name != "arith.constant":
        return None
    return owner.attributes["value"].value


def _extract(driver: Any, op: Any) -> None:
    """One element as a scalar."""
    source, indices = op.operands[0], list(op.operands)[1:]
    offset: Int = 0
    for index, stride in zip(indices, strides_of(driver, source)):
        offset = add(driver.calls, offset, mul(driver.calls, driver.calls.i64_of(driver.get(index)), stride))
    kind = op.results[0].type
    stored = ir.IntegerType.get_signless(8) if str(kind) == "i1" else kind
    place = _element(driver, driver.calls.data(driver.get(source)), offset, stored)
    value = llvm.LoadOp(stored, place).result
    driver.values[op.results[0]] = arith.TruncIOp(kind, value).result if str(kind) == "i1" else value


def _insert(driver: Any, op: Any) -> None:
    """One element set, in a tensor that must be ours alone."""
    calls = driver.calls
    scalar, target, *indices = op.operands
    base = calls.call("refrt_unique", [driver.take(target, op)], [calls.ptr])
    driver.set(op.results[0], base)
    offset: Int = 0
    for index, stride in zip(indices, strides_of(driver, op.results[0])):
        offset = add(calls, offset, mul(calls, calls.i64_of(driver.get(index)), stride))
    value = driver.get(scalar)
    if str(value.type) == "i1":
        value = arith.ExtUIOp(ir.IntegerType.get_signless(8), value).result
    llvm.StoreOp(value, _element(driver, calls.data(base), offset, value.type))


def _from_elements(driver: Any, op: Any) -> None:
    kind = ir.RankedTensorType(op.results[0].type)
    if isinstance(kind.element_type, ir.IndexType):
        return  # the sizes of a reshape, which reads them from here
    handle = driver.calls.alloc(dtype_code(kind.element_type), list(kind.shape))
    data = driver.calls.data(handle)
    for n, element in enumerate(op.operands):
        value = driver.get(element)
        if str(value.type) == "i1":
            value = arith.ExtUIOp(ir.IntegerType.get_signless(8), value).result
        llvm.StoreOp(value, _element(driver, data, n, value.type))
    driver.set(op.results[0], handle)


def _element(driver: Any, data: ir.Value, offset: Int, kind: ir.Type) -> ir.Value:
    calls = driver.calls
    return llvm.GEPOp(calls.ptr, data, [calls.i64_of(offset)], [-(2**31)], kind, llvm.GEPNoWrapFlags.none).result


def _alias(driver: Any, op: Any) -> None:
    """The same handle under a new type."""
    driver.set(op.results[0], driver.take(op.operands[0], op))


def _expand(driver: Any, op: Any) -> None:
    source, result = op.operands[0], op.results[0]
    sizes = _mixed(driver, op.attributes["static_output_shape"], list(op.operands)[1:])
    strides: list[Int] = []
    for step, group in zip(strides_of(driver, source), reassociation(op)):
        steps: list[Int] = []
        for d in reversed(group):
            steps.append(step)
            step = mul(driver.calls, step, sizes[d])
        strides += reversed(steps)
    if not reassociation(op):
        strides = [1] * len(sizes)
    driver.set(result, driver.calls.view(driver.get(source), sizes, strides, 0))


def _collapse(driver: Any, op: Any) -> None:
    calls, source = driver.calls, op.operands[0]
    sizes: list[Int] = []
    for group in reassociation(op):
        total: Int = 1
        for d in group:
            total = mul(calls, total, size_of(driver, source, d))
        sizes.append(total)
    _view_dense(driver, source, sizes, op.results[0])


def _reshape(driver: Any, op: Any) -> None:
    """`tensor.reshape` to sizes held in a 1-d tensor."""
    source, shape = op.operands
    known = shape_of(op.results[0])
    owner = shape.owner.operation
    if owner.name != "tensor.from_elements":
        raise UnsupportedError(f"the sizes of a reshape come from `{owner.name}`", op.location)
    sizes: list[Int] = []
    for size, value in zip(known, owner.operands):
        sizes.append(size if size is not None else driver.calls.i64_of(driver.get(value)))
    _view_dense(driver, source, sizes, op.results[0])


def _view_dense(driver: Any, source: Any, sizes: list[Int], result: Any) -> None:
    """A row-major view of `source`, which is made dense first if it is not."""
    calls = driver.calls
    base, owned = driver.get(source), False
    if not layout_of(source).dense:
        base, owned = calls.contiguous(base), True
    strides: list[Int] = []
    step: Int = 1
    for size in reversed(sizes):
        strides.insert(0, step)
        step = mul(calls, step, size)
    driver.set(result, calls.view(base, sizes, strides, 0))
    if owned:
        calls.release(base)


def _mixed(driver: Any, static: Any, dynamic: list[Any]) -> list[Int]:
    """Static entries with the dynamic ones filled in, in order."""
    rest = iter(dynamic)
    return [s if s > _DYNAMIC else driver.calls.i64_of(driver.get(next(rest))) for s in static]


def _slice_view(driver: Any, op: Any, base: ir.Value) -> ir.Value:
    """The view of handle `base` that the offsets, sizes and strides of an extract_slice select."""
    segments = list(op.attributes["operandSegmentSizes"])
    rest = list(op.operands)[1:]
    offsets = _mixed(driver, op.attributes["static_offsets"], rest[: segments[-3]])
    sizes = _mixed(driver, op.attributes["static_sizes"], rest[segments[-3] : segments[-3] + segments[-2]])
    steps = _mixed(driver, op.attributes["static_strides"], rest[segments[-3] + segments[-2] :])
    strides = strides_of(driver, op.operands[0], sliced_layout(op))
    start: Int = 0
    for offset, stride in zip(offsets, strides):
        start = add(driver.calls, start, mul(driver.calls, offset, stride))
    keep = [d for d in range(len(sizes)) if d not in dropped_dims(op)]
    scaled = [mul(driver.calls, strides[d], steps[d]) for d in keep]
    return driver.calls.view(base, [sizes[d] for d in keep], scaled, start)


def _extract_slice(driver: Any, op: Any) -> None:
    """A view. A `unique` one is written to: its base must be ours alone, and is what the insert then yields."""
    if "unique" not in op.attributes:
        driver.set(op.results[0], _slice_view(driver, op, driver.get(op.operands[0])))
        return
    base = driver.calls.call("refrt_unique", [driver.take(op.operands[0], op)], [driver.calls.ptr])
    driver.set(op.results[0], _slice_view(driver, op, base))
    driver.bases[op.results[0]] = base


def _insert_slice(driver: Any, op: Any) -> None:
    """The source already lies in a view of the destination (destinations.py): only the name changes."""
    source, target = op.operands[0], op.operands[1]
    if "unique" not in op.attributes:
        driver.set(op.results[0], driver.take(target, op))
        return
    producer = source.owner.operation
    view = producer.operands[len(producer.operands) - len(producer.results) + list(producer.results).index(source)]
    driver.set(op.results[0], driver.bases[view])


def _guard(driver: Any, op: Any) -> None:
    calls = driver.calls
    index = driver.tables.guard(op.attributes["kind"].value, op.attributes["message"].value, op.location)
    condition, values = op.operands[0], list(op.operands)[1:]
    ok = driver.get(condition)
    failed = arith.XOrIOp(ok, calls.const(1, 1)).result
    branch = scf.IfOp(failed)
    with ir.InsertionPoint(branch.then_block):
        cells = calls.fill("guard", [calls.i64_of(driver.get(v)) for v in values])
        calls.call("refrt_guard_fail", [calls.const(index), calls.const(len(values)), cells])
        scf.YieldOp([])


def _random_key(driver: Any, op: Any) -> None:
    calls = driver.calls
    cells = calls.array("key", 2)
    calls.call("refrt_random_key", [cells])
    for n, result in enumerate(op.results):
        driver.set(result, calls.load_slot(cells, n, calls.i64))


HANDLERS: dict[str, Callable[[Any, Any], None]] = {
    "tensor.empty": _empty,
    "tensor.dim": _dim,
    "tensor.extract": _extract,
    "tensor.insert": _insert,
    "tensor.from_elements": _from_elements,
    "tensor.cast": _alias,
    "tensor.expand_shape": _expand,
    "tensor.collapse_shape": _collapse,
    "tensor.reshape": _reshape,
    "tensor.extract_slice": _extract_slice,
    "tensor.insert_slice": _insert_slice,
    "tcf.guard": _guard,
    "tcf.random_key": _random_key,
}
