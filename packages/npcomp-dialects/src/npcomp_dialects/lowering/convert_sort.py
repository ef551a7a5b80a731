"""tcf.sort → a nest of loops: each row is read as integer keys, sorted by merging runs bottom up, and written back.

Keys have the order of the elements: floats are their bits with those of negative numbers turned round, nan is the
largest key and both zeros are one, a descending order inverts every bit. So merging compares integers, whatever the
dtype, and the result is read from the row again, by the places that the keys came from.

The runs go to and fro between the two halves of a scratch tensor; `side` is the half that holds them. Two whole runs
are merged from both ends at once, which needs no look at where they end and gives two chains of decisions to overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    keys = _Keys(n, types[0].element_type, dtype(x).is_float, flag(op, "descending"))
    scratch = [c.linalg.empty(halves, c.builder.sizes.type_of(halves, t)) for t in (keys.type, c.emitter.i64)]
    merging = _Merging(n, count)
    zero = n.number(0)

    def row(indices: Values, values: ir.Value, order: ir.Value, *runs: ir.Value) -> Values:
        def element(k: ir.Value) -> ir.Value:
            return n.extract(source, places(n, exprs, [*indices[:dim], k, *indices[dim:]]))

        def read(k: ir.Value, made: ir.Value, origins: ir.Value) -> Values:
            origin = n.cast_index(k, c.emitter.i64)
            return [n.insert(keys.of(element(k)), made, [zero, k]), n.insert(origin, origins, [zero, k])]

        runs = tuple(n.loop(zero, count, runs, read))
        _, side, *merged = n.while_(
            [n.number(1), zero, *runs], lambda width, *_: n.compare("slt", width, count), merging.round
        )

        def write(k: ir.Value, values: ir.Value, order: ir.Value) -> Values:
            where = [*indices[:dim], k, *indices[dim:]]
            origin = n.extract(merged[1], [side, k])
            value = element(n.cast_index(origin, n.index))
            return [n.insert(value, values, where), n.insert(origin, order, where)]

        return [*n.loop(zero, count, [values, order], write), *merged]

    rest = extents(c, [s for d, s in enumerate(sizes) if d != dim])
    made = n.over(rest, [*outs, *scratch], row)[:2]
    return [c.builder.sizes.define(value, sizes) for value in made]


class _Keys:
    """Integers in the order of the elements."""

    def __init__(self, n: Nests, element: ir.Type, is_float: bool, descending: bool):
        self.n, self.element, self.is_float, self.descending = n, element, is_float, descending
        self.type = ir.IntegerType.get_signless(element.width)

    def of(self, x: ir.Value) -> ir.Value:
        key = self._of_float(x) if self.is_float else x
        return self.n.apply("arith.xori", key, self._number(-1)) if self.descending else key

    def _of_float(self, x: ir.Value) -> ir.Value:
        n, width = self.n, self.type.width
        bits = n.convert("arith.bitcast", x, self.type)
        sign = n.apply("arith.shrsi", bits, self._number(width - 1))
        turned = n.apply("arith.xori", bits, n.apply("arith.shrui", sign, self._number(1)))
        largest = n.select(n.compare("uno", x, x), self._number(2 ** (width - 1) - 1), turned)
        is_zero = n.compare("oeq", x, n.emitter.constant(0.0, self.element))
        return n.select(is_zero, self._number(0), largest)

    def _number(self, value: int) -> ir.Value:
        return self.n.emitter.constant(value, self.type)


class _Merging:
    """One round over the row: neighbouring runs of `width` elements become runs of twice as many."""

    def __init__(self, n: Nests, count: ir.Value):
        self.n, self.count = n, count

    def round(self, width: ir.Value, side: ir.Value, keys: ir.Value, origins: ir.Value) -> Values:
        n, one = self.n, self.n.number(1)
        twice, other = n.add(width, width), self._less(one, side)
        whole = n.apply("arith.divsi", self.count, twice)

        def pair(number: ir.Value, *runs: ir.Value) -> Values:
            return self._whole(n.apply("arith.muli", number, twice), width, (side, other), runs)

        runs = n.loop(n.number(0), whole, [keys, origins], pair)
        return [twice, other, *self._rest(n.apply("arith.muli", whole, twice), width, (side, other), runs)]

    def _whole(
        self, start: ir.Value, width: ir.Value, sides: tuple[ir.Value, ir.Value], runs: Sequence[ir.Value]
    ) -> Values:
        """Two runs of `width`: the first half of the result from their beginnings, the second from their ends."""
        n, one = self.n, self.n.number(1)
        middle = n.add(start, width)
        last = self._less(n.add(middle, width), one)
        ends = [self._less(middle, one), last]

        def step(
            k: ir.Value, left: ir.Value, right: ir.Value, low: ir.Value, high: ir.Value, *runs: ir.Value
        ) -> Values:
            heads, tails = (self._read(sides[0], at, runs) for at in ((left, right), (low, high)))
            take_right, take_low = self._precedes(*heads), self._precedes(*tails)
            made = self._write(sides[1], n.add(start, k), take_right, heads, runs)
            made = self._write(sides[1], self._less(last, k), take_low, tails[::-1], made)
            right_by, low_by = self._one_if(take_right), self._one_if(take_low)
            forward = [n.add(left, self._less(one, right_by)), n.add(right, right_by)]
            return [*forward, self._less(low, low_by), self._less(high, self._less(one, low_by)), *made]

        return n.loop(n.number(0), width, [start, middle, *ends, *runs], step)[4:]

    def _rest(
        self, start: ir.Value, width: ir.Value, sides: tuple[ir.Value, ir.Value], runs: Sequence[ir.Value]
    ) -> Values:
        """The last run, and what follows it, if anything."""
        n, one = self.n, self.n.number(1)
        middle, last = n.apply("arith.minsi", n.add(start, width), self.count), self._less(self.count, one)

        def step(k: ir.Value, left: ir.Value, right: ir.Value, *runs: ir.Value) -> Values:
            heads = self._read(sides[0], [n.apply("arith.minsi", at, last) for at in (left, right)], runs)
            open_right = n.both(n.compare("slt", right, self.count), self._precedes(*heads))
            take_right = n.either(n.compare("sge", left, middle), open_right)
            made = self._write(sides[1], k, take_right, heads, runs)
            right_by = self._one_if(take_right)
            return [n.add(left, self._less(one, right_by)), n.add(right, right_by), *made]

        return n.loop(start, self.count, [start, middle, *runs], step)[2:]

    def _read(self, side: ir.Value, where: Sequence[ir.Value], runs: Sequence[ir.Value]) -> list[Values]:
        """Key and origin at each of two places."""
        return [[self.n.extract(r, [side, at]) for r in runs] for at in where]

    def _write(
        self, side: ir.Value, at: ir.Value, second: ir.Value, of: list[Values], runs: Sequence[ir.Value]
    ) -> Values:
        chosen = [self.n.select(second, b, a) for a, b in zip(*of, strict=True)]
        return [self.n.insert(v, r, [side, at]) for v, r in zip(chosen, runs, strict=True)]

    def _precedes(self, a: Values, b: Values) -> ir.Value:
        """Whether the second key comes strictly before the first."""
        return self.n.compare("slt", b[0], a[0])

    def _one_if(self, condition: ir.Value) -> ir.Value:
        """1 or 0: places advance by arithmetic, since selects of places would become branches that guess wrong."""
        return self.n.convert("arith.index_castui", condition, self.n.index)

    def _less(self, x: ir.Value, y: ir.Value) -> ir.Value:
        return self.n.apply("arith.subi", x, y)
