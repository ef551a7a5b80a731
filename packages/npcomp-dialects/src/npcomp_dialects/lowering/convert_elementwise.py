"""tcf.map, permute, broadcast, full, iota → linalg.generic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from npcomp_dialects.mlir import ir

from . import shape_rules
from .op_reading import integers, op_name, ranked

if TYPE_CHECKING:
    from .tcf_to_linalg import Conversion


def convert_map(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    operands = list(op.operands)
    shapes = [c.builder.sizes.of(o) for o in operands]
    target, requirements = shape_rules.broadcast(c.builder.symbols, shapes)
    c.access.require(requirements, op_name(op))
    reads = [c.access.broadcast(o, target) for o in operands]
    outs = [c.linalg.empty(target, ranked(r)) for r in op.results]
    rank = len(target)
    block = op.regions[0].blocks[0]
    terminator = block.operations[len(block.operations) - 1].operation
    with c.emitter.at(ir.InsertionPoint(terminator)):
        c.emitter.op("linalg.yield", list(terminator.operands))
    terminator.erase()
    maps = [*(exprs for _, exprs in reads), *([range(rank)] * len(outs))]
    values = c.linalg.generic([value for value, _ in reads], outs, maps, rank, block=block)
    return [c.builder.sizes.define(value, target) for value in values]


def convert_permute(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    x = op.operands[0]
    dims = integers(op, "dims")
    sizes = [c.builder.sizes.of(x)[d] for d in dims]
    positions = [dims.index(d) for d in range(len(dims))]
    source, exprs = c.access.read(x, positions)
    made = c.linalg.copy(source, exprs, sizes, ranked(op.results[0]))
    c.access.remember(made, x, positions)
    return [c.builder.sizes.define(made, sizes)]


def convert_broadcast(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    x, *numbers = op.operands
    target = [c.builder.integers.of_value(n) for n in numbers]
    target, requirements = shape_rules.broadcast_to(c.builder.sizes.of(x), target)
    c.access.require(requirements, op_name(op))
    source, exprs = c.access.broadcast(x, target)
    made = c.linalg.copy(source, exprs, target, ranked(op.results[0]))
    c.access.remember(made, source, exprs)  # type: ignore[arg-type]
    return [c.builder.sizes.define(made, target)]


def convert_full(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    value, *numbers = op.operands
    sizes = [c.builder.integers.of_value(n) for n in numbers]
    made = c.linalg.filled(sizes, ranked(op.results[0]), value)
    return [c.builder.sizes.define(made, sizes)]


def convert_iota(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    sizes = [c.builder.integers.of_value(op.operands[0])]
    type = ranked(op.results[0])
    emitter = c.emitter

    def body(_: ir.Value) -> list[ir.Value]:
        return [emitter.value("arith.index_cast", [c.linalg.loop_index(0)], type.element_type)]

    made = c.linalg.generic([], [c.linalg.empty(sizes, type)], [range(1)], 1, body=body)[0]
    return [c.builder.sizes.define(made, sizes)]
