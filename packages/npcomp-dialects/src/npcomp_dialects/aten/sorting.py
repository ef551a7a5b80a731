"""Order: sort, top k. Few elements in the tensor language, many through torch's kernel."""

from __future__ import annotations

from .abstract import TensorInfo
from .block import Block
from .cases import case, f32, i1, i64
from .dims import wrap_dim
from .dtypes import DType
from .errors import NotStatic
from .registry import op

MOST_ROUNDS = 16
"""Top k by k rounds of arg max; beyond that, torch's kernel sorts faster."""


class Ordering(Block):
    """Values in order along a dim, and where each came from."""

    family = "indexing"
    dtypes_decide_sizes = True


def take_extreme(b, x, taken, dim, kind):
    """The index of the extreme among elements not taken yet, as a tensor that keeps the dim."""
    worst = x.dtype.lowest if kind == "max" else x.dtype.highest
    left = b.map(lambda b, e, t: b.select(t, b.const(worst, e.dtype), e), x, taken, dtype=x.dtype)
    best = b.reduce(kind, left, [dim], True)

    def candidate(b, e, t, m):
        equal = (e == m) | (b.isnan(e) & b.isnan(m)) if x.dtype.is_float else e == m
        return b.cast(equal & ~t, DType.i8)

    return b.arg_reduce("max", b.map(candidate, x, taken, best, dtype=DType.i8), dim, True)


@op(
    "aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> "
    "(Tensor values, Tensor indices)",
    out="aten::topk.values(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True, *, "
    "Tensor(a!) values, Tensor(b!) indices) -> (Tensor(a!) values, Tensor(b!) indices)",
)
class TopK(Ordering):
    """The k largest or smallest along a dim, in order."""

    def infer(x, k, dim, largest, in_order):
        if x.sizes is None or not isinstance(dim, int):
            return TensorInfo(None, x.dtype), TensorInfo(None, DType.i64)
        sizes = list(x.sizes)
        if sizes:
            sizes[wrap_dim(dim, len(sizes))] = k if isinstance(k, int) else None
        return TensorInfo(tuple(sizes), x.dtype), TensorInfo(tuple(sizes), DType.i64)

    def lower(b, x, k, dim, largest, in_order):
        if not 0 < k <= MOST_ROUNDS or x.rank == 0 or x.dtype is DType.bool:
            raise NotStatic(f"top {k} of a tensor of rank {x.rank} goes to torch's kernel")
        dim, kind = wrap_dim(dim, x.rank), "max" if largest else "min"
        b.guard(k <= x.sizes[dim], "selected index k out of range: k is {0}, the dim has {1}", k, x.sizes[dim])
        places = b.reshape(b.iota(x.sizes[dim], DType.i64), [x.sizes[dim]] + [1] * (x.rank - dim - 1))
        taken = b.map(lambda b, e: b.const(False, DType.bool), x, dtype=DType.bool)
        found = []
        for _ in range(k):
            at = take_extreme(b, x, taken, dim, kind)
            taken = b.map(lambda b, t, i, a: t | (i == a), taken, places, at, dtype=DType.bool)
            found.append(at)
        index = found[0] if k == 1 else b.concat(found, dim)
        return b.gather(x, dim, index), index

    cases = [
        case(f32(3, 5), 3),
        case(f32("?", 4), 2, 0, at=[5, 2]),
        case(f32(2, 6), 2, -1, False),
        case(f32("?", 4), 1, at=[3, 0]),
    ]


class Sorting(Ordering):
    """torch's kernel sorts; the sizes stay."""

    def infer(x, *_):
        return x, TensorInfo(x.sizes, DType.i64)


@op("aten::sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)")
@op(
    "aten::sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> "
    "(Tensor values, Tensor indices)",
    cases=[case(f32(3, 4), stable=True)],
)
class Sort(Sorting):
    """The elements along a dim in order, and where each came from."""

    cases = [f32(3, 4), case(f32("?", 4), 0)]


@op("aten::argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor")
@op("aten::argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> Tensor", cases=[])
class ArgSort(Sorting):
    """Where each element in order came from."""

    def infer(x, *_):
        return TensorInfo(x.sizes, DType.i64)

    cases = [f32(3, 4), case(f32("?", 4), 0)]


class DataDependent(Ordering):
    """The number of results depends on the values."""


@op("aten::nonzero(Tensor self) -> Tensor")
class Nonzero(DataDependent):
    """The indices of the nonzero elements, one a row."""

    def infer(x):
        return TensorInfo((None, x.rank) if x.rank is not None else (None, None), DType.i64)

    cases = [f32(3, 4), i64("?", low=0, high=2)]


@op("aten::masked_select(Tensor self, Tensor mask) -> Tensor", out="aten::masked_select.out")
class MaskedSelect(DataDependent):
    """The elements where a mask holds."""

    def infer(x, mask):
        return TensorInfo((None,), x.dtype)

    cases = [case(f32(3, 4), i1(3, 4)), case(f32("?", 4), i1(4))]
