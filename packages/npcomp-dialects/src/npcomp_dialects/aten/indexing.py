"""Elements picked by indices."""

from __future__ import annotations

from .cases import case, f32, i1, i32, i64
from .dims import wrap_dim
from .dtypes import DType
from .errors import InferError, NotStatic
from .families.indexing import Indexing
from .families.reduction import count_of
from .registry import op


def check_index(index, name):
    """Indices are integers."""
    if index.dtype not in (DType.i64, DType.i32):
        raise InferError(f"{name}: expected indices of dtype i64 or i32, got {index.dtype}")


@op(
    "aten::embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, bool scale_grad_by_freq=False, "
    "bool sparse=False) -> Tensor",
    out="aten::embedding.out",
)
class Embedding(Indexing):
    """Rows of a table."""

    def lower(b, weight, indices, *_):
        check_index(indices, "embedding")
        if weight.rank != 2:
            raise InferError(f"'weight' must be 2-D, got rank {weight.rank}")
        return b.index_select(weight, 0, indices)

    cases = [
        case(f32(5, 4), i64(3, low=0, high=5)),
        case(f32(5, 4), i64("?", 2, low=0, high=5), at=[3, 0]),
        case(f32(5, 4), i32(low=0, high=5)),
    ]


@op("aten::index_select(Tensor self, int dim, Tensor index) -> Tensor", out="aten::index_select.out")
class IndexSelect(Indexing):
    """The slices of a dim that a vector of indices names."""

    def lower(b, x, dim, index):
        check_index(index, "index_select")
        if index.rank > 1:
            raise InferError(f"index_select(): Index is supposed to be a vector, but has {index.rank} dimensions")
        if x.rank == 0:
            return b.reshape(b.index_select(b.reshape(x, [1]), 0, index), [])
        index = index if index.rank else b.reshape(index, [1])
        return b.index_select(x, wrap_dim(dim, x.rank), index)

    cases = [
        case(f32(5, 4), 1, i64(3, low=0, high=4)),
        case(f32(5, "?"), 0, i64("?", low=0, high=5), at=[(3, 2), (0, 0)]),
    ]


@op(
    "aten::gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor",
    out="aten::gather.out",
)
class Gather(Indexing):
    """The element of a dim that each index names, at the index's own place in the other dims."""

    def lower(b, x, dim, index, _):
        check_index(index, "gather")
        if x.rank == 0 or index.rank == 0:
            x, index, sizes = b.reshape(x, [b.numel(x)]), b.reshape(index, [b.numel(index)]), index.sizes
            return b.reshape(b.gather(x, 0, index), sizes)
        dim = wrap_dim(dim, x.rank)
        if x.rank != index.rank:
            raise InferError("Index tensor must have the same number of dimensions as input tensor")
        return b.gather(x, dim, index)

    cases = [
        case(f32(5, 4), 1, i64(5, 2, low=0, high=4)),
        case(f32("?", 4), 0, i64("?", 3, low=0, high=3), at=[(3, 2), (3, 0)]),
    ]


@op("aten::take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor", out="aten::take_along_dim.out")
class TakeAlongDim(Indexing):
    """gather whose operands broadcast first; without dim, over the flattened tensor."""

    def lower(b, x, index, dim):
        check_index(index, "take_along_dim")
        if dim is None:
            return b.gather(b.reshape(x, [b.numel(x)]), 0, b.reshape(index, [b.numel(index)]))
        if x.rank != index.rank:
            raise InferError("take_along_dim(): input and indices should have the same number of dimensions")
        dim = wrap_dim(dim, x.rank)
        if not all(d == dim or (p == q) is True for d, (p, q) in enumerate(zip(x.sizes, index.sizes, strict=True))):
            raise NotStatic("take_along_dim that broadcasts has no lowering")
        return b.gather(x, dim, index)

    cases = [case(f32(5, 4), i64(5, 2, low=0, high=4), 1), case(f32("?"), i64("?", low=0, high=3), at=[(3, 2)])]


def guard_inside(b, index, n):
    """Every index lies in [-n, n)."""
    inside = b.map(lambda b, i: (i >= -n) & (i < n), index, dtype=DType.bool)
    holds = b.item(b.reduce("all", inside, list(range(inside.rank))))
    b.guard(holds, "index is out of bounds for dimension with size {0}", n, error="IndexError")


def counted_from_front(b, index, n):
    """Negative indices counted from the end."""
    index = b.cast(index, DType.i64)
    return b.map(lambda b, i: b.select(i < 0, i + n, i), index, dtype=DType.i64)


def linear_index(b, indices, sizes):
    """Indices into several dims as one index into the dims merged."""
    total = None
    for index, n in zip(indices, sizes, strict=True):
        guard_inside(b, b.cast(index, DType.i64), n)
        part = counted_from_front(b, index, n)
        total = part if total is None else b.map(lambda b, t, p, n=n: t * n + p, total, part, dtype=DType.i64)
    return total


@op("aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor")
@op(
    "aten::index.Tensor_hacked_twin(Tensor self, Tensor[] indices) -> Tensor",
    cases=[case(f32(5, 4), [i64(3, low=-5, high=5)]), case(f32("?", 4), [i64("?", low=-3, high=3)], at=[(3, 2)])],
)
class Index(Indexing):
    """x[i, :, j]: dims picked by integer tensors that broadcast; masks keep a number known only at run time."""

    def lower(b, x, indices):
        places = [d for d, i in enumerate(indices) if i is not None]
        picked = [indices[d] for d in places]
        if any(i.dtype in (DType.bool, DType.u8) for i in picked):
            raise NotStatic("an index by mask has a number of results that only run time knows")
        if len(indices) > x.rank:
            raise InferError(f"too many indices for tensor of dimension {x.rank}")
        if not picked:
            return x
        if len(picked) == 1:
            dim, n = places[0], x.sizes[places[0]]
            return b.index_select(x, dim, counted_from_front(b, picked[0], n))
        rest = [d for d in range(x.rank) if d not in places]
        moved = b.permute(x, [*places, *rest])
        flat = b.reshape(moved, [count_of(x, places), *(x.sizes[d] for d in rest)])
        index = linear_index(b, picked, [x.sizes[d] for d in places])
        result = b.index_select(flat, 0, index, error=None)  # guard_inside has looked
        adjacent = places == list(range(places[0], places[-1] + 1))
        if not adjacent or places[0] == 0:
            return result
        front = list(range(index.rank, index.rank + places[0]))
        return b.permute(result, [*front, *range(index.rank), *range(index.rank + places[0], result.rank)])

    cases = [
        case(f32(5, 4), [i64(3, 2, low=-5, high=5)]),
        case(f32("?", 4, 3), [None, i64("?", low=-4, high=4)], at=[(3, 2), (1, 0)]),
        case(f32(5, 4, 3), [i64(2, 1, low=0, high=5), None, i64(3, low=-3, high=3)]),
        case(f32(5, 4, "?"), [None, i64(2, low=0, high=4), i64(2, low=-2, high=2)], at=[3, 2]),
    ]


@op(
    "aten::index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor",
    inplace="aten::index_put_",
    out="aten::index_put.out",
)
@op(
    "aten::index_put.hacked_twin(Tensor self, Tensor[] indices, Tensor values, bool accumulate=False) -> Tensor",
    inplace="aten::index_put_.hacked_twin",
)
class IndexPut(Indexing):
    """x with x[mask] = one value; other indices go to torch's kernel."""

    def lower(b, x, indices, values, accumulate):
        mask = indices[0] if len(indices) == 1 else None
        if mask is None or mask.dtype is not DType.bool or values.rank or accumulate:
            raise NotStatic("index_put has a lowering for one mask and one value alone")
        for d, n in enumerate(mask.sizes):
            message = f"The shape of the mask does not match that of the tensor at index {d}: {{0}} vs {{1}}"
            b.guard(n == x.sizes[d], message, n, x.sizes[d], error="IndexError")
        mask = b.reshape(mask, [*mask.sizes, *[1] * (x.rank - mask.rank)])
        value = b.cast(values, x.dtype)
        return b.map(lambda b, e, m, v: b.select(m, v, e), x, mask, value, dtype=x.dtype)

    def infer(x, *_):
        return x

    cases = [
        case(f32(5, 4), [i1(5, 4)], f32()),
        case(f32("n", 4), [i1("n")], f32(), at=[3, 0]),
    ]


def keep_first(x, *_):
    """The result has the sizes and dtype of the first argument."""
    return x


class ScatterLike(Indexing):
    """The first argument with some elements replaced or added to; torch's kernel does it."""

    infer = keep_first


@op("aten::scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor", inplace="aten::scatter_.src")
@op("aten::scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor", inplace="aten::scatter_.value")
class Scatter(ScatterLike):
    """self with elements replaced where the indices say."""


@op("aten::scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor", inplace="aten::scatter_add_")
@op(
    "aten::index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor",
    inplace="aten::index_add_",
)
class ScatterAdd(ScatterLike):
    """self with elements added to where the indices say."""


@op("aten::index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor", inplace="aten::index_copy_")
@op("aten::masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor", inplace="aten::masked_scatter_")
class IndexCopy(ScatterLike):
    """self with slices or elements replaced."""
