"""tcf.scatter, scan and search → nests of loops over elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.mlir import ir

from . import shape_rules
from .identities import combine, start
from .linalg_ops import Expr
from .nests import Nests, Values
from .op_reading import dtype, element, flag, integer, op_name, ranked, text
from .polynomial import Poly
from .types import element_type

if TYPE_CHECKING:
    from .tcf_to_linalg import Conversion

_KINDS = {"add": "sum", "mul": "prod", "max": "max", "min": "min"}


def extents(c: Conversion, sizes: Sequence[Poly]) -> Values:
    """The trips of a nest, before it."""
    return [c.builder.integers.index(p) for p in sizes]


def places(n: Nests, exprs: Sequence[Expr], indices: Sequence[ir.Value]) -> Values:
    """Where a view's source is read for the indices of the view."""
    return [indices[e] if isinstance(e, int) else n.number(0) for e in exprs]


def convert_scatter(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    x, index, src = op.operands
    kind, dim = text(op, "kind"), integer(op, "dim")
    shapes = [c.builder.sizes.of(t) for t in (x, index, src)]
    sizes, requirements = shape_rules.scatter(*shapes, dim)
    c.access.require(requirements, op_name(op))
    n = Nests(c.emitter)
    rank = len(sizes)
    chosen, chosen_at = c.access.read(index, range(rank))
    given, given_at = c.access.read(src, range(rank))

    def body(indices: Values, made: ir.Value) -> Values:
        where = list(indices)
        where[dim] = n.cast_index(n.extract(chosen, places(n, chosen_at, indices)), n.index)
        value = n.extract(given, places(n, given_at, indices))
        if kind != "set":
            value = combine(c.builder, _KINDS[kind], value, n.extract(made, where))
        return [n.insert(value, made, where)]

    made = n.over(extents(c, shapes[1]), [x], body)[0]
    return [c.builder.sizes.define(made, sizes)]


def convert_scan(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    x, kind, dim = op.operands[0], text(op, "kind"), integer(op, "dim")
    sizes = c.builder.sizes.of(x)
    outs = [c.linalg.empty(sizes, ranked(r)) for r in op.results]
    source, exprs = c.access.read(x, range(len(sizes)))
    n = Nests(c.emitter)
    inner = element_type(DType.f64) if dtype(x).is_float and kind in ("sum", "prod", "logsumexp") else element(x)
    count = c.builder.integers.index(sizes[dim])
    first = start(c.builder, "max" if kind == "logsumexp" else kind, inner)
    with_indices = len(outs) == 2

    def row(indices: Values, *tensors: ir.Value) -> Values:
        def trip(k: ir.Value, *state: ir.Value) -> Values:
            where = [*indices[:dim], k, *indices[dim:]]
            e = n.convert("arith.extf", n.extract(source, places(n, exprs, where)), inner)
            acc, made = _step(c, n, kind, e, state[0]), list(state[1:])
            if not with_indices:
                narrow = n.convert("arith.truncf", acc, element(x))
                return [acc, n.insert(narrow, made[0], where)]
            better = _replaces(n, kind, e, state[0])
            acc = n.select(better, e, state[0])
            place = n.select(better, n.cast_index(k, c.emitter.i64), state[1])
            return [acc, place, n.insert(acc, made[1], where), n.insert(place, made[2], where)]

        start_state = [first, c.emitter.constant(0, c.emitter.i64)] if with_indices else [first]
        return n.loop(n.number(0), count, [*start_state, *tensors], trip)[len(start_state) :]

    rest = extents(c, [s for d, s in enumerate(sizes) if d != dim])
    return [c.builder.sizes.define(made, sizes) for made in n.over(rest, outs, row, parallel=True)]


def _step(c: Conversion, n: Nests, kind: str, e: ir.Value, acc: ir.Value) -> ir.Value:
    return _log_add_exp(c, n, e, acc) if kind == "logsumexp" else combine(c.builder, kind, e, acc)


def _log_add_exp(c: Conversion, n: Nests, x: ir.Value, y: ir.Value) -> ir.Value:
    """log(exp(x) + exp(y)); equal infinities stay, nan wins."""
    low, high = n.apply("arith.minimumf", x, y), n.apply("arith.maximumf", x, y)
    distance = c.emitter.value("math.exp", [n.apply("arith.subf", low, high)], x.type)
    total = n.apply("arith.addf", high, c.emitter.value("math.log1p", [distance], x.type))
    infinite = n.compare("oeq", c.emitter.value("math.absf", [low], x.type), start(c.builder, "min", x.type))
    return n.select(n.both(infinite, n.compare("oeq", low, high)), high, total)


def _replaces(n: Nests, kind: str, e: ir.Value, acc: ir.Value) -> ir.Value:
    """True when `e` is the extremum from here on: not worse, or nan."""
    if not isinstance(e.type, (ir.F32Type, ir.F64Type)):
        return n.compare("sge" if kind == "max" else "sle", e, acc)
    return n.either(n.compare("uno", e, e), n.compare("oge" if kind == "max" else "ole", e, acc))


def convert_search(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    sequence, values = op.operands
    right = flag(op, "right")
    shapes = c.builder.sizes.of(sequence), c.builder.sizes.of(values)
    sizes, requirements = shape_rules.search(*shapes)
    c.access.require(requirements, op_name(op))
    n = Nests(c.emitter)
    row, row_at = c.access.read(sequence, range(len(shapes[0])))
    source, exprs = c.access.read(values, range(len(sizes)))
    count = c.builder.integers.index(shapes[0][-1])

    def smaller(e: ir.Value, v: ir.Value) -> ir.Value:
        """True when the place of `v` is behind `e`."""
        if dtype(values).is_float:
            return n.invert(n.compare("ogt" if right else "oge", e, v))
        return n.compare("sle" if right else "slt", e, v)

    def body(indices: Values, made: ir.Value) -> Values:
        v = n.extract(source, places(n, exprs, indices))

        def halve(low: ir.Value, high: ir.Value) -> Values:
            middle = n.apply("arith.shrui", n.add(low, high), n.number(1))
            behind = smaller(n.extract(row, places(n, row_at, [*indices[: len(shapes[0]) - 1], middle])), v)
            return [n.select(behind, n.add(middle, n.number(1)), low), n.select(behind, high, middle)]

        low, _ = n.while_([n.number(0), count], lambda low, high: n.compare("slt", low, high), halve)
        return [n.insert(n.cast_index(low, c.emitter.i64), made, indices)]

    out = c.linalg.empty(sizes, ranked(op.results[0]))
    return [c.builder.sizes.define(n.over(extents(c, sizes), [out], body, parallel=True)[0], sizes)]
