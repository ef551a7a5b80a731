"""tcf.map, permute, broadcast, full, iota → linalg.generic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from npcomp_dialects.mlir import ir

from . import shape_rules
from .layout import permute, regroup
from .linalg_ops import Expr
from .op_reading import integers, op_name, ranked
from .polynomial import ONE, Poly

if TYPE_CHECKING:
    from .tcf_to_linalg import Conversion


def convert_map(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    operands = list(op.operands)
    shapes = [c.builder.sizes.of(o) for o in operands]
    target, requirements = shape_rules.broadcast(c.builder.symbols, shapes)
    c.access.require(requirements, op_name(op))
    reads = [c.access.broadcast(o, target) for o in operands]
    loops = _loops(target, [exprs for _, exprs in reads])
    number = {d: position for position, d in enumerate(loops)}
    sizes = [target[d] for d in loops]
    types = [ranked(r) for r in op.results]
    if len(loops) < len(target):
        types = [c.builder.sizes.type_of(sizes, t.element_type) for t in types]
    outs = [c.linalg.empty(sizes, t) for t in types]
    block = _body(c, op)
    reads = [(v, [None if e is None else number[e] for e in exprs]) for v, exprs in reads]  # type: ignore[index]
    reads = _count_in_body(c, block, reads)
    maps = [*(exprs for _, exprs in reads), *[list(range(len(loops)))] * len(outs)]
    values = c.linalg.generic([value for value, _ in reads], outs, maps, len(loops), block=block)
    made = [c.builder.sizes.define(value, sizes) for value in values]
    if len(loops) == len(target):
        return made
    return [regroup(c, value, target, ranked(r)) for value, r in zip(made, op.results, strict=True)]


def _loops(target: Sequence[Poly], reads: Sequence[Sequence[Expr]]) -> list[int]:
    """The dims of the result that need a loop: a dim of size 1 that no operand has does not."""
    used = {expr for exprs in reads for expr in exprs}
    return [d for d, size in enumerate(target) if size != ONE or d in used]


def _body(c: Conversion, op: ir.Operation) -> ir.Block:
    """The body of a tcf op as the body of a linalg op."""
    block = op.regions[0].blocks[0]
    terminator = block.operations[len(block.operations) - 1].operation
    with c.emitter.at(ir.InsertionPoint(terminator)):
        c.emitter.op("linalg.yield", list(terminator.operands))
    terminator.erase()
    return block


def _count_in_body(c: Conversion, block: ir.Block, reads: list[Any]) -> list[Any]:
    """The reads that remain: elements of 0, 1, 2, … are the number of their loop."""
    kept = []
    for source, exprs in reads:
        if not c.access.is_iota(source):
            kept.append((source, exprs))
            continue
        element = block.arguments[len(kept)]
        with c.emitter.at(ir.InsertionPoint.at_block_begin(block)):
            if exprs[0] is None:
                count = c.emitter.constant(0, element.type)
            else:
                count = c.emitter.value("arith.index_cast", [c.linalg.loop_index(exprs[0])], element.type)
        element.replace_all_uses_with(count)
        block.erase_argument(len(kept))
    return kept


def convert_permute(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    x = op.operands[0]
    dims = integers(op, "dims")
    return [permute(c, x, [dims.index(d) for d in range(len(dims))], ranked(op.results[0]))]


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
    c.access.remember_iota(made)
    return [c.builder.sizes.define(made, sizes)]
