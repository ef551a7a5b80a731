"""Elements picked by indices."""

from __future__ import annotations

from .cases import case, f32, i32, i64
from .dims import wrap_dim
from .dtypes import DType
from .errors import InferError
from .families.indexing import Indexing
from .families.ordering import flat, guarded
from .promotion import opmath
from .reduction import power_sum
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


@op(
    "aten::embedding_renorm(Tensor self, Tensor indices, float max_norm, float norm_type) -> Tensor",
    inplace="aten::embedding_renorm_",
    out="aten::embedding_renorm.out",
)
class EmbeddingRenorm(Indexing):
    """A table whose looked-up rows are made shorter where their norm is larger than one allows."""

    def lower(b, weight, indices, most, order):
        check_index(indices, "embedding_renorm")
        rows, index = weight.sizes[0], flat(b, indices)
        index = guarded(b, index, rows, 0, "IndexError", "index out of range in self: {0} of {1} rows")
        ones = b.broadcast(b.full([1], 1, DType.bool), index.sizes)
        looked_up = b.scatter("set", b.full([rows], 0, DType.bool), 0, index, ones)
        norms = power_sum(b, b.cast(weight, opmath(weight.dtype)), order, [1], True)

        def factor(b, norm, wanted):
            return b.select(wanted & (norm > most), most / (norm + 1e-7), b.const(1.0, norm.dtype))

        factors = b.map(factor, norms, b.reshape(looked_up, [rows, 1]), dtype=norms.dtype)
        return b.map(lambda b, w, f: b.cast(b.cast(w, f.dtype) * f, w.dtype), weight, factors, dtype=weight.dtype)

    cases = [
        case(f32(5, 4), i64(3, low=0, high=5), 1.0, 2.0),
        case(f32("n", 4), i64(2, "?", low=0, high=3), 0.5, 1.0, at=[(3, 2), (4, 0)]),
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
        if any(isinstance(s, int) and s == 0 for s in index.sizes):
            return b.full(index.sizes, 0, x.dtype)
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
        sizes = [
            p if d == dim else b.select(p == 1, q, p) for d, (p, q) in enumerate(zip(x.sizes, index.sizes, strict=True))
        ]
        x = b.broadcast(x, [x.sizes[d] if d == dim else s for d, s in enumerate(sizes)])
        return b.gather(x, dim, b.broadcast(index, [index.sizes[d] if d == dim else s for d, s in enumerate(sizes)]))

    cases = [case(f32(5, 4), i64(5, 2, low=0, high=4), 1), case(f32("?"), i64("?", low=0, high=3), at=[(3, 2)])]
