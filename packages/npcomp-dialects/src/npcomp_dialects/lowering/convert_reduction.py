"""tcf.reduce and arg_reduce → linalg.generic with reduction loops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from npcomp_dialects.mlir import ir

from . import shape_rules
from .identities import accumulator_type, combine, start
from .layout import regroup
from .op_reading import element, flag, integer, integers, text
from .polynomial import Poly
from .types import dtype_of

if TYPE_CHECKING:
    from .tcf_to_linalg import Conversion


def convert_reduce(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    x, kind, dims = op.operands[0], text(op, "kind"), integers(op, "dims")
    sizes = c.builder.sizes.of(x)
    kept = [d for d in range(len(sizes)) if d not in dims]
    inner = accumulator_type(kind, element(x))
    out_sizes = [sizes[d] for d in kept]
    type = c.builder.sizes.type_of(out_sizes, inner)
    init = c.linalg.filled(out_sizes, type, start(c.builder, kind, inner))
    source, exprs = c.access.read(x, range(len(sizes)), dims)
    made = c.linalg.generic(
        [source],
        [init],
        [exprs, kept],
        len(sizes),
        dims,
        body=lambda e, acc: [combine(c.builder, kind, e, acc)],
    )[0]
    made = narrow(c, c.builder.sizes.define(made, out_sizes), element(x))
    return [_restore(c, made, sizes, dims, flag(op, "keepdim"))]


def narrow(c: Conversion, x: ir.Value, type: ir.Type) -> ir.Value:
    """An f32 accumulator as the 16-bit result."""
    if element(x) == type:
        return x
    sizes = c.builder.sizes.of(x)
    rank = len(sizes)
    out = c.linalg.empty(sizes, c.builder.sizes.type_of(sizes, type))
    made = c.linalg.generic(
        [x],
        [out],
        [range(rank), range(rank)],
        rank,
        body=lambda e, _: [c.emitter.value("arith.truncf", [e], type)],
    )[0]
    return c.builder.sizes.define(made, sizes)


def _restore(c: Conversion, x: ir.Value, sizes: Sequence[Poly], dims: Sequence[int], keepdim: bool) -> ir.Value:
    return regroup(c, x, shape_rules.reduced(sizes, dims, True)) if keepdim else x


def convert_arg_reduce(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    x, kind, dim = op.operands[0], text(op, "kind"), integer(op, "dim")
    sizes = c.builder.sizes.of(x)
    kept = [d for d in range(len(sizes)) if d != dim]
    out_sizes = [sizes[d] for d in kept]
    emitter, type, i64 = c.emitter, element(x), c.emitter.i64
    best = c.linalg.filled(out_sizes, c.builder.sizes.type_of(out_sizes, type), start(c.builder, kind, type))
    zero = emitter.constant(0, i64)
    where = c.linalg.filled(out_sizes, c.builder.sizes.type_of(out_sizes, i64), zero)

    def body(e: ir.Value, acc: ir.Value, position: ir.Value) -> list[ir.Value]:
        better = is_better(c, kind, e, acc)
        here = emitter.value("arith.index_cast", [c.linalg.loop_index(dim)], i64)
        return [
            emitter.value("arith.select", [better, e, acc], type),
            emitter.value("arith.select", [better, here, position], i64),
        ]

    source, exprs = c.access.read(x, range(len(sizes)), [dim])
    made = c.linalg.generic([source], [best, where], [exprs, kept, kept], len(sizes), [dim], body=body)[1]
    c.builder.sizes.define(made, out_sizes)
    return [_restore(c, made, sizes, [dim], flag(op, "keepdim"))]


def is_better(c: Conversion, kind: str, e: ir.Value, acc: ir.Value) -> ir.Value:
    """True when `e` replaces `acc`: strictly better, or the first NaN."""
    if not dtype_of(e.type).is_float:
        return c.builder.integers.compare(4 if kind == "max" else 2, e, acc)
    better = compare_floats(c, 2 if kind == "max" else 4, e, acc)
    first = c.emitter.value("arith.andi", [compare_floats(c, 14, e, e), compare_floats(c, 7, acc, acc)], c.emitter.i1)
    return c.emitter.value("arith.ori", [better, first], c.emitter.i1)


def compare_floats(c: Conversion, predicate: int, left: ir.Value, right: ir.Value) -> ir.Value:
    """`arith.cmpf` with MLIR's number of the predicate (2 ogt, 4 olt, 7 ord, 14 uno)."""
    attribute = ir.IntegerAttr.get(c.emitter.i64, predicate)
    return c.emitter.value("arith.cmpf", [left, right], c.emitter.i1, {"predicate": attribute})
