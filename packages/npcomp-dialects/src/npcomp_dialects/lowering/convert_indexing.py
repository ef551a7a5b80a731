"""tcf.gather and index_select → linalg.generic that reads by index, behind a check of every index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from npcomp_dialects.mlir import ir

from . import polynomial, shape_rules
from .guards import guard
from .op_reading import element, integer, op_name, ranked, text
from .polynomial import Poly

if TYPE_CHECKING:
    from .tcf_to_linalg import Conversion


def convert_gather(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    x, index = op.operands
    dim = integer(op, "dim")
    sizes = c.builder.sizes.of(x)
    target, requirements = shape_rules.gather(sizes, dim, c.builder.sizes.of(index))
    c.access.require(requirements, op_name(op))
    check_indices(c, index, sizes[dim], dim, op)
    rank = len(target)
    type = ranked(op.results[0])

    def body(i: ir.Value, _: ir.Value) -> list[ir.Value]:
        where = [_as_index(c, i) if d == dim else c.linalg.loop_index(d) for d in range(rank)]
        return [c.emitter.value("tensor.extract", [x, *where], type.element_type)]

    source, exprs = c.access.read(index, range(rank))
    made = c.linalg.generic([source], [c.linalg.empty(target, type)], [exprs, range(rank)], rank, body=body)[0]
    return [c.builder.sizes.define(made, target)]


def convert_index_select(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    x, index = op.operands
    dim = integer(op, "dim")
    sizes, chosen = c.builder.sizes.of(x), c.builder.sizes.of(index)
    target = shape_rules.index_select(sizes, dim, chosen)
    check_indices(c, index, sizes[dim], dim, op)
    rank, width = len(target), len(chosen)
    type = ranked(op.results[0])

    def body(i: ir.Value, _: ir.Value) -> list[ir.Value]:
        before = [c.linalg.loop_index(d) for d in range(dim)]
        after = [c.linalg.loop_index(d) for d in range(dim + width, rank)]
        where = [*before, _as_index(c, i), *after]
        return [c.emitter.value("tensor.extract", [x, *where], type.element_type)]

    source, exprs = c.access.read(index, range(dim, dim + width))
    made = c.linalg.generic([source], [c.linalg.empty(target, type)], [exprs, range(rank)], rank, body=body)[0]
    return [c.builder.sizes.define(made, target)]


def _as_index(c: Conversion, value: ir.Value) -> ir.Value:
    return c.emitter.value("arith.index_cast", [value], c.emitter.index)


def check_indices(c: Conversion, index: ir.Value, size: Poly, dim: int, op: ir.Operation) -> None:
    """The error that the op names, unless every index is in [0, size). An op that names none knows that they are."""
    emitter, i1 = c.emitter, c.emitter.i1
    kind = text(op, "torch.error") if "torch.error" in op.attributes else "IndexError"
    if not kind:
        return
    limit = c.builder.integers.value(size, emitter.i64) if element(index) == emitter.i64 else _narrow(c, size, index)
    zero = emitter.constant(0, element(index))
    init = c.linalg.filled([], ir.RankedTensorType.get([], i1), emitter.constant(True, i1))

    def body(i: ir.Value, acc: ir.Value) -> list[ir.Value]:
        low, high = c.builder.integers.compare(5, i, zero), c.builder.integers.compare(2, i, limit)
        return [emitter.value("arith.andi", [acc, emitter.value("arith.andi", [low, high], i1)], i1)]

    rank = len(c.builder.sizes.of(index))
    source, exprs = c.access.read(index, range(rank), range(rank))
    made = c.linalg.generic([source], [init], [exprs, []], rank, range(rank), body=body)[0]
    fits = emitter.value("tensor.extract", [made], i1)
    known = polynomial.as_constant(c.builder.symbols.canonical(size))
    shown, values = (str(known), []) if known is not None else ("{0}", [c.builder.integers.index(size)])
    prefix = f"{op_name(op)}: " if op_name(op) else ""
    guard(emitter, fits, kind, f"{prefix}index out of range in self: dimension {dim} has size {shown}", values)


def _narrow(c: Conversion, size: Poly, index: ir.Value) -> ir.Value:
    return c.emitter.value("arith.index_cast", [c.builder.integers.index(size)], element(index))
