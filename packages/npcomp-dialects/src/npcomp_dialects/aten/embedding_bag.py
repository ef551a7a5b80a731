"""embedding_bag: rows of a table, summed, averaged or maximised bag by bag.

Only the first result is an answer. The others are what torch's backward pass reads: the bag of each index, the sizes of
bags, and where the maxima came from; they have torch's shapes.
"""

from __future__ import annotations

from .block import Block
from .cases import case, f16, f32, f64, i32, i64
from .dtypes import DType
from .errors import NotStatic
from .promotion import opmath
from .registry import op

SUM, MEAN, MAX = range(3)


class Bags:
    """Which index lies in which bag. The last bag reaches to the end, whatever a last offset says; on the short way,
    which sums rows of at most 32 bits without padding, torch adds nothing from there on."""

    def __init__(self, b, indices, offsets, has_last, padding, short):
        self.total, self.count = indices.sizes[0], offsets.sizes[0] - (1 if has_last else 0)
        self.indices = b.cast(indices, DType.i64)
        offsets = b.cast(offsets, DType.i64)
        check_offsets(b, offsets, self.total)
        end = b.slice(offsets, 0, self.count, self.count + 1, 1) if has_last and short else None
        offsets = b.slice(offsets, 0, 0, self.count, 1)
        places = b.iota(self.total, DType.i64)
        found = b.search(offsets, places, True)
        self.of_index = b.map(lambda b, n: n - 1, found, dtype=DType.i64)
        self.kept = b.map(lambda b, i: i != padding, self.indices, dtype=DType.bool)
        self.added = self.kept
        if end is not None:
            within = lambda b, keep, place, last: keep & (place < last)  # noqa: E731
            self.added = b.map(within, self.kept, places, end, dtype=DType.bool)

    def add(self, b, values):
        """The sum of the rows of each bag."""
        return self._scatter(b, "add", values, 0)

    def extreme(self, b, kind, values):
        """The largest or smallest of each bag, or the bound where the bag is empty."""
        return self._scatter(b, kind, values, values.dtype.lowest if kind == "max" else values.dtype.highest)

    def _scatter(self, b, kind, values, start):
        shape = [1] * (values.rank - 1)
        index = b.broadcast(b.reshape(self.of_index, [self.total, *shape]), values.sizes)
        return b.scatter(kind, b.full([self.count, *values.sizes[1:]], start, values.dtype), 0, index, values)

    def spread(self, b, per_bag):
        """A row for each index: that of its bag."""
        return b.index_select(per_bag, 0, self.of_index)


def check_offsets(b, offsets, total):
    first = b.map(lambda b, n, o: b.select(n == 0, o, 0), b.iota(offsets.sizes[0], DType.i64), offsets, dtype=DType.i64)
    start = b.item(b.reduce("sum", first, [0]))
    why = (
        "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got"
    )
    b.guard(start == 0, why + " {0}", start)
    most = b.item(b.reduce("max", offsets, [0]))
    b.guard(
        most <= total, "offsets[-1] can not be greater than input's length {0} but got offsets[-1] of {1}", total, most
    )


def rows_of(b, weight, bags, per_sample):
    """The row of each index, weighted."""
    compute = opmath(weight.dtype)
    rows = b.cast(b.index_select(weight, 0, bags.indices, "RuntimeError"), compute)
    if per_sample is None:
        return rows
    scale = b.reshape(b.cast(per_sample, compute), [bags.total, 1])
    return b.map(lambda b, row, s: row * s, rows, scale, dtype=compute)


def column(b, x):
    return b.reshape(x, [*x.sizes, 1])


def summed(b, rows, bags):
    zero = lambda b, row, keep: b.select(keep, row, b.const(0.0, rows.dtype))  # noqa: E731
    return bags.add(b, b.map(zero, rows, column(b, bags.added), dtype=rows.dtype))


def averaged(b, rows, bags, sizes):
    def divide(b, total, size):
        return total / b.cast(b.maximum(size, 1), rows.dtype)

    return b.map(divide, summed(b, rows, bags), column(b, sizes), dtype=rows.dtype)


def maximised(b, rows, bags):
    """The maxima, 0 for an empty bag, and the index that each came from, the first of equal ones."""
    kept = column(b, bags.kept)
    lowest = b.map(
        lambda b, row, keep: b.select(keep, row, b.const(rows.dtype.lowest, rows.dtype)), rows, kept, dtype=rows.dtype
    )
    most = bags.extreme(b, "max", lowest)
    places = b.reshape(b.iota(bags.total, DType.i64), [bags.total, 1])

    def first(b, row, top, keep, place):
        return b.select(keep & (row == top), place, b.const(DType.i64.highest, DType.i64))

    found = b.map(first, rows, bags.spread(b, most), kept, places, dtype=DType.i64)
    at = bags.extreme(b, "min", found)
    some = b.map(lambda b, p: p != DType.i64.highest, at, dtype=DType.bool)
    values = b.map(lambda b, m, s: b.select(s, m, b.const(0.0, m.dtype)), most, some, dtype=rows.dtype)
    padded = b.concat([bags.indices, b.full([1], 0, DType.i64)], 0)
    where = b.map(lambda b, p, s: b.select(s, p, b.cast(bags.total, DType.i64)), at, some, dtype=DType.i64)
    return values, b.index_select(padded, 0, where)


BAG = "Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, bool sparse=False, "
REST = "Tensor? per_sample_weights=None, bool include_last_offset=False"
RESULTS = "(Tensor, Tensor, Tensor, Tensor)"


def bag_cases():
    table, indices = f32(7, 3), i64("n", low=0, high=7)
    return [
        case(f32(7, 3), i64(6, low=0, high=7), i64(4, low=0, high=1), False, SUM),
        case(table, indices, i64("b", low=0, high=1), False, MEAN, at=[(5, 3), (0, 1)]),
        case(table, indices, i64("b", low=0, high=1), False, MAX, at=[(5, 3), (0, 1)]),
        case(f16(7, 3), i32(4, low=0, high=7), i32(2, low=0, high=1), False, MAX, False, None, True),
        case(f64(7, 3), i64(4, low=0, high=7), i64(1, low=0, high=1), False, SUM, False, f64(4)),
    ]


@op(f"aten::_embedding_bag({BAG}{REST}, int padding_idx=-1) -> {RESULTS}")
@op(f"aten::_embedding_bag_forward_only({BAG}{REST}, int padding_idx=-1) -> {RESULTS}")
@op(f"aten::embedding_bag({BAG}{REST}) -> {RESULTS}")
class EmbeddingBag(Block):
    """Rows of a table joined bag by bag."""

    family = "indexing"
    dtypes_decide_sizes = True

    @classmethod
    def lower(cls, b, *args):
        weight, indices, offsets, _, mode, _, per_sample, last = args[:8]
        padding = cls.padding(args, weight)
        if indices.rank != 1 or offsets.rank != 1 or weight.rank != 2:
            raise NotStatic("bags are made of one row of indices")
        short = mode != MAX and weight.dtype is not DType.f64 and isinstance(padding, int) and padding < 0
        bags = Bags(b, indices, offsets, last, padding, short)
        sizes = bags.add(b, b.cast(bags.kept, DType.i64))
        rows = rows_of(b, weight, bags, per_sample)
        origin = counted = sizes
        if mode == SUM:
            joined = summed(b, rows, bags)
            origin = counted = b.full([bags.count], 0, DType.i64)
        elif mode == MEAN:
            joined = averaged(b, rows, bags, sizes)
        else:
            joined, origin = maximised(b, rows, bags)
        of_index = b.full([0], 0, DType.i64) if short and mode == SUM else bags.of_index
        return b.cast(joined, weight.dtype), *(b.cast(t, indices.dtype) for t in (of_index, counted, origin))

    @classmethod
    def padding(cls, args, weight):
        return args[8] if len(args) > 8 else -1

    cases = bag_cases()


@op(
    "aten::embedding_bag.padding_idx(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq, int mode, "
    "bool sparse, Tensor? per_sample_weights, bool include_last_offset, int? padding_idx) -> "
    "(Tensor, Tensor, Tensor, Tensor)"
)
class EmbeddingBagPadding(EmbeddingBag):
    """The same, leaving out one row of the table, which may be counted from its end."""

    @classmethod
    def padding(cls, args, weight):
        padding = args[8]
        return -1 if padding is None else padding if padding >= 0 else padding + weight.sizes[0]

    cases = [
        case(f32(5, 3), i64(8, low=0, high=5), i64(1, low=0, high=1), False, SUM, False, None, False, None),
        *(
            case(
                f32(5, 3), i64(8, low=0, high=5), i64("b", low=0, high=1), False, mode, False, None, False, row, at=[2]
            )
            for mode, row in ((SUM, 2), (MEAN, -1), (MAX, 1))
        ),
    ]
