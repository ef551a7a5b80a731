"""tcf.sort → a nest of loops: each row is copied, sorted by merging runs bottom up, and written back.

The runs go to and fro between the two halves of a scratch tensor; `side` is the half that holds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from npcomp_dialects.mlir import ir

from . import polynomial
from .convert_order import extents, places
from .nests import Nests, Values
from .op_reading import dtype, flag, integer, ranked

if TYPE_CHECKING:
    from .tcf_to_linalg import Conversion


def convert_sort(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    x, dim = op.operands[0], integer(op, "dim")
    sizes = c.builder.sizes.of(x)
    source, exprs = c.access.read(x, range(len(sizes)))
    n = Nests(c.emitter)
    count = c.builder.integers.index(sizes[dim])
    types = [ranked(r) for r in op.results]
    outs = [c.linalg.empty(sizes, t) for t in types]
    halves = [polynomial.constant(2), sizes[dim]]
    scratch = [c.linalg.empty(halves, c.builder.sizes.type_of(halves, t.element_type)) for t in types]
    merging = _Merging(n, count, flag(op, "descending"), dtype(x).is_float)
    zero = n.number(0)

    def row(indices: Values, values: ir.Value, order: ir.Value, *runs: ir.Value) -> Values:
        def read(k: ir.Value, elements: ir.Value, origins: ir.Value) -> Values:
            e = n.extract(source, places(n, exprs, [*indices[:dim], k, *indices[dim:]]))
            origin = n.cast_index(k, c.emitter.i64)
            return [n.insert(e, elements, [zero, k]), n.insert(origin, origins, [zero, k])]

        runs = tuple(n.loop(zero, count, runs, read))
        _, side, *sorted_runs = n.while_(
            [n.number(1), zero, *runs], lambda width, *_: n.compare("slt", width, count), merging.round
        )

        def write(k: ir.Value, *made: ir.Value) -> Values:
            where = [*indices[:dim], k, *indices[dim:]]
            return [n.insert(n.extract(r, [side, k]), m, where) for r, m in zip(sorted_runs, made, strict=True)]

        return [*n.loop(zero, count, [values, order], write), *sorted_runs]

    rest = extents(c, [s for d, s in enumerate(sizes) if d != dim])
    made = n.over(rest, [*outs, *scratch], row)[:2]
    return [c.builder.sizes.define(value, sizes) for value in made]


class _Merging:
    """One round over the row: neighbouring runs of `width` elements become runs of twice as many."""

    def __init__(self, n: Nests, count: ir.Value, descending: bool, is_float: bool):
        self.n, self.count = n, count
        self.descending, self.is_float = descending, is_float

    def round(self, width: ir.Value, side: ir.Value, elements: ir.Value, origins: ir.Value) -> Values:
        n, one = self.n, self.n.number(1)
        twice, other = n.add(width, width), n.apply("arith.subi", one, side)
        pairs = n.apply("arith.divsi", n.apply("arith.subi", n.add(self.count, twice), one), twice)
        last = n.apply("arith.subi", self.count, one)

        def pair(number: ir.Value, *runs: ir.Value) -> Values:
            start = n.apply("arith.muli", number, twice)
            middle = n.apply("arith.minsi", n.add(start, width), self.count)
            stop = n.apply("arith.minsi", n.add(start, twice), self.count)

            def step(k: ir.Value, left: ir.Value, right: ir.Value, *runs: ir.Value) -> Values:
                heads = [n.apply("arith.minsi", at, last) for at in (left, right)]
                (a, b), (i, j) = ([n.extract(r, [side, h]) for h in heads] for r in runs)
                more = n.either(n.compare("sge", right, stop), n.invert(self._precedes(b, a)))
                take_left = n.both(n.compare("slt", left, middle), more)
                made = [n.select(take_left, a, b), n.select(take_left, i, j)]
                written = [n.insert(v, r, [other, k]) for v, r in zip(made, runs, strict=True)]
                ahead = [n.add(left, one), n.add(right, one)]
                return [n.select(take_left, ahead[0], left), n.select(take_left, right, ahead[1]), *written]

            return n.loop(start, stop, [start, middle, *runs], step)[2:]

        return [twice, other, *n.loop(n.number(0), pairs, [elements, origins], pair)]

    def _precedes(self, b: ir.Value, a: ir.Value) -> ir.Value:
        """True when `b` comes strictly before `a`; nan is larger than any number."""
        n = self.n
        if not self.is_float:
            return n.compare("sgt" if self.descending else "slt", b, a)
        unlike = n.compare("ugt" if self.descending else "ult", b, a)
        number = a if self.descending else b
        return n.both(unlike, n.compare("ord", number, number))
