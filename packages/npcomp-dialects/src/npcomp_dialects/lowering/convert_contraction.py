"""tcf.contract and conv → linalg.generic that multiplies and adds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from npcomp_dialects.mlir import ir

from . import polynomial, shape_rules
from .convert_reduction import narrow
from .identities import accumulator_type, combine, start, widen
from .layout import pad_dims, regroup
from .linalg_ops import Expr
from .op_reading import element, integer, integers, op_name, ranked, text
from .polynomial import Poly
from .types import dtype_of

if TYPE_CHECKING:
    from .tcf_to_linalg import Conversion


def convert_contract(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    lhs, rhs = op.operands
    spec = text(op, "spec")
    sizes, requirements = shape_rules.contract(spec, c.builder.sizes.of(lhs), c.builder.sizes.of(rhs))
    c.access.require(requirements, op_name(op))
    left, right, out = shape_rules.letters(spec)
    loops = list(out) + sorted({*left, *right} - set(out), key=(left + right).index)
    where = {letter: number for number, letter in enumerate(loops)}
    summed = range(len(out), len(loops))
    operands = [
        c.access.read(x, [where[letter] for letter in letters], summed) for x, letters in ((lhs, left), (rhs, right))
    ]
    return [_multiply_add(c, operands, sizes, range(len(out)), len(loops), element(lhs))]


def _multiply_add(
    c: Conversion,
    operands: Sequence[tuple[ir.Value, Sequence[Expr]]],
    sizes: Sequence[Poly],
    out: Sequence[int],
    loops: int,
    type: ir.Type,
) -> ir.Value:
    """Sum over the loops that `out` lacks of the product of two operands."""
    inner = accumulator_type("sum", type)
    init = c.linalg.filled(sizes, c.builder.sizes.type_of(sizes, inner), start(c.builder, "sum", inner))
    multiply = "arith.mulf" if dtype_of(inner).is_float else "arith.muli"

    def body(x: ir.Value, y: ir.Value, acc: ir.Value) -> list[ir.Value]:
        factors = [widen(c.builder, x, inner), widen(c.builder, y, inner)]
        return [combine(c.builder, "sum", c.emitter.value(multiply, factors, inner), acc)]

    maps = [*(exprs for _, exprs in operands), out]
    summed = [d for d in range(loops) if d not in out]
    made = c.linalg.generic([value for value, _ in operands], [init], maps, loops, summed, body=body)[0]
    return narrow(c, c.builder.sizes.define(made, sizes), type)


def convert_conv(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    x, w = op.operands
    stride, padding, dilation = (integers(op, name) for name in ("stride", "padding", "dilation"))
    groups = integer(op, "groups")
    table = c.builder.sizes
    sizes, requirements = shape_rules.conv(
        c.builder.symbols, table.of(x), table.of(w), stride, padding, dilation, groups
    )
    c.access.require(requirements, op_name(op))
    zero = start(c.builder, "sum", element(x))
    x = pad_dims(c, x, [0, 0, *padding], [polynomial.constant(p) for p in (0, 0, *padding)], zero)
    if groups == 1:
        operands, out, loops = _plain(c, x, w, stride, dilation)
        return [_multiply_add(c, operands, sizes, out, loops, element(x))]
    x, w, grouped = _split_groups(c, x, w, sizes, groups)
    operands, out, loops = _grouped(c, x, w, stride, dilation)
    made = _multiply_add(c, operands, grouped, out, loops, element(x))
    return [regroup(c, made, sizes, ranked(op.results[0]))]


Plan = tuple[Sequence[tuple[ir.Value, Sequence[Expr]]], Sequence[int], int]


def _plain(c: Conversion, x: ir.Value, w: ir.Value, stride: Sequence[int], dilation: Sequence[int]) -> Plan:
    """Loops n, f, o…, c, k…"""
    n = len(stride)
    channel = 2 + n
    window = sliding(2, channel + 1, stride, dilation)
    kernel = range(channel + 1, channel + 1 + n)
    summed = [channel, *kernel]
    operands = [c.access.read(x, [0, channel, *window]), c.access.read(w, [1, *summed], summed)]
    return operands, range(2 + n), 3 + 2 * n


def _grouped(c: Conversion, x: ir.Value, w: ir.Value, stride: Sequence[int], dilation: Sequence[int]) -> Plan:
    """Loops n, g, f, o…, c, k…"""
    n = len(stride)
    channel = 3 + n
    window = sliding(3, channel + 1, stride, dilation)
    kernel = range(channel + 1, channel + 1 + n)
    summed = [channel, *kernel]
    operands = [c.access.read(x, [0, 1, channel, *window]), c.access.read(w, [1, 2, *summed], summed)]
    return operands, range(3 + n), 4 + 2 * n


def sliding(out: int, kernel: int, stride: Sequence[int], dilation: Sequence[int]) -> list[Expr]:
    """`o * stride + k * dilation` for each spatial dim."""
    return [((out + d, s), (kernel + d, t)) for d, (s, t) in enumerate(zip(stride, dilation, strict=True))]


def _split_groups(
    c: Conversion, x: ir.Value, w: ir.Value, sizes: Sequence[Poly], groups: int
) -> tuple[ir.Value, ir.Value, list[Poly]]:
    """Channels as (groups, channels of a group) in input, weight and result."""
    table = c.builder.sizes
    g = polynomial.constant(groups)
    xs, ws = table.of(x), table.of(w)
    filters = c.builder.symbols.floordiv(ws[0], g)
    x = regroup(c, x, [xs[0], g, ws[1], *xs[2:]])
    w = regroup(c, w, [g, filters, *ws[1:]])
    return x, w, [sizes[0], g, filters, *sizes[2:]]
