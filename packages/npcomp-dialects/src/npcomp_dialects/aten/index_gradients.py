"""Gradients of ops that pick elements: they are put back, and added up, where they came from."""

from __future__ import annotations

from .cases import case, f32, i64
from .dims import wrap_dim
from .dtypes import DType
from .errors import InferError
from .families.backward import Backward
from .families.ordering import along, flat
from .promotion import opmath
from .registry import op


@op(
    "aten::embedding_dense_backward(Tensor grad_output, Tensor indices, SymInt num_weights, SymInt padding_idx, "
    "bool scale_grad_by_freq) -> Tensor",
    out="aten::embedding_dense_backward.out",
)
class EmbeddingDenseBackward(Backward):
    """Rows of the gradient added up by index; those of the padding, and of no row at all, are left out."""

    runtime = ("num_weights",)

    def lower(b, grad, indices, rows, padding, by_frequency):
        if indices.dtype not in (DType.i64, DType.i32):
            raise InferError(f"embedding_backward: expected indices of dtype i64 or i32, got {indices.dtype}")
        wide, width = opmath(grad.dtype), grad.sizes[-1]
        n = b.numel(indices)

        def place(b, i):
            inside = (i >= 0) & (i < rows) & (i != padding)
            return b.select(inside, i, rows)

        index = b.map(place, b.reshape(b.cast(indices, DType.i64), [n]), dtype=DType.i64)
        grad_rows = b.reshape(b.cast(grad, wide), [n, width])
        if by_frequency:
            ones = b.broadcast(b.full([1], 1, wide), [n])
            counts = b.scatter("add", b.full([rows + 1], 0, wide), 0, index, ones)
            counts = b.reshape(b.index_select(counts, 0, index, error=None), [n, 1])
            grad_rows = b.map(lambda b, g, c: g / c, grad_rows, counts, dtype=wide)
        places = b.broadcast(b.reshape(index, [n, 1]), [n, width])
        made = b.scatter("add", b.full([rows + 1, width], 0, wide), 0, places, grad_rows)
        return b.cast(b.slice(made, 0, 0, rows, 1), grad.dtype)

    cases = [
        case(f32(5, 4), i64(5, low=0, high=3), 3, -1, False),
        case(f32("n", 2, 4), i64("n", 2, low=0, high=3), 3, 1, False, at=[3, 0]),
        case(f32(9, 4), i64(9, low=0, high=3), 5, 1, True),
    ]


@op(
    "aten::value_selecting_reduction_backward(Tensor grad, int dim, Tensor indices, SymInt[] sizes, bool keepdim) -> "
    "Tensor"
)
class SelectingReductionBackward(Backward):
    """The gradient of an extremum: all of it where the extremum was found."""

    runtime = ("sizes",)

    def lower(b, grad, dim, indices, sizes, keepdim):
        rank = len(sizes)
        if not rank:
            return grad
        dim = wrap_dim(dim, rank)
        if not keepdim:
            kept = [1 if d == dim else s for d, s in enumerate(sizes)]
            grad, indices = b.reshape(grad, kept), b.reshape(indices, kept)
        return b.scatter("add", b.full(sizes, 0, grad.dtype), dim, b.cast(indices, DType.i64), grad)

    cases = [
        case(f32(3), 1, i64(3, low=0, high=4), [3, 4], False),
        case(f32(1, "n"), 0, i64(1, "n", low=0, high=2), [2, 3], True, at=[3]),
    ]


@op("aten::index_select_backward(Tensor grad, SymInt[] self_sizes, int dim, Tensor index) -> Tensor")
class IndexSelectBackward(Backward):
    """Slices of the gradient added up where they were taken."""

    runtime = ("self_sizes",)

    def lower(b, grad, sizes, dim, index):
        if not sizes:
            return b.reshape(b.reduce("sum", grad, list(range(grad.rank))), [])
        dim = wrap_dim(dim, len(sizes))
        places = b.broadcast(along(b, flat(b, index), dim, grad.rank), grad.sizes)
        return b.scatter("add", b.full(sizes, 0, grad.dtype), dim, b.cast(places, DType.i64), grad)

    cases = [
        case(f32(3, 4), [5, 4], 0, i64(3, low=0, high=5)),
        case(f32(3, "n"), [3, 5], 1, i64("n", low=0, high=5), at=[7, 0]),
    ]


@op("aten::gather_backward(Tensor grad, Tensor self, int dim, Tensor index, bool sparse_grad) -> Tensor")
class GatherBackward(Backward):
    """Elements of the gradient added up where they were gathered."""

    def lower(b, grad, x, dim, index, _):
        if not x.rank or not index.rank:
            total = b.scatter("add", b.full([b.numel(x)], 0, grad.dtype), 0, flat(b, index), flat(b, grad))
            return b.reshape(total, x.sizes)
        return b.scatter("add", b.full(x.sizes, 0, grad.dtype), wrap_dim(dim, x.rank), index, grad)

    cases = [
        case(f32(3, 2), f32(5, 2), 0, i64(3, 2, low=0, high=5), False),
        case(f32("n", 3), f32("n", 2), 1, i64("n", 3, low=0, high=2), False, at=[3, 0]),
    ]
