"""Slices of a dim written where a vector of indices names them; elements written by position."""

from __future__ import annotations

from .cases import case, f32, i1, i64
from .dims import wrap_dim
from .dtypes import DType
from .errors import InferError
from .families.indexing import Indexing
from .families.ordering import along, flat, guarded, wrapped
from .registry import op
from .scatter import reduced


def sliced_operands(b, name, x, dim, index, source, error="RuntimeError"):
    """x and source of at least one dim, and the index spread over the source; their sizes agree."""
    if index.rank > 1:
        raise InferError(f"{name}(): Index is supposed to be a vector, but got dim: {index.rank}", error)
    if index.dtype not in (DType.i64, DType.i32):
        raise InferError(f"{name}(): Expected dtype int32/int64 for index but got: {index.dtype}")
    if source.dtype is not x.dtype:
        raise InferError(f"{name}(): self ({x.dtype}) and source ({source.dtype}) must have the same scalar type")
    index = index if index.rank else b.reshape(index, [1])
    if x.rank != source.rank and (name != "index_copy_" or (x.rank and source.rank)):
        raise InferError(f"{name}(): source and self must have the same number of dimensions", error)
    x, source = (t if t.rank else b.reshape(t, [1]) for t in (x, source))
    for d, (have, given) in enumerate(zip(x.sizes, source.sizes, strict=True)):
        if d != dim:
            text = f"{name}(): source and self must match but in the dimension given; in {d} they have {{0}} and {{1}}"
            b.guard(have == given, text, given, have)
    count = index.sizes[0]
    text = f"{name}(): Number of indices ({{0}}) should be equal to source.size(dim): ({{1}}), for dim: {dim}"
    b.guard(count == source.sizes[dim], text, count, source.sizes[dim], error=error)
    return x, index, source


def spread_index(b, index, dim, like):
    """The index of each element's slice."""
    return b.broadcast(along(b, index, dim, like.rank), like.sizes)


@op(
    "aten::index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor",
    inplace="aten::index_add_",
    out="aten::index_add.out",
)
class IndexAdd(Indexing):
    """self with slices of the source, times alpha, added to where the indices say."""

    def lower(b, x, dim, index, source, alpha):
        dim, sizes = wrap_dim(dim, x.rank), x.sizes
        kind = "RuntimeError" if x.rank > 1 else "IndexError"
        x, index, source = sliced_operands(b, "index_add_", x, dim, index, source)
        index = guarded(b, index, x.sizes[dim], dim, kind)
        if not isinstance(alpha, int) or alpha != 1:
            factor = b.cast(alpha, x.dtype)
            source = b.map(lambda b, s: s * factor, source, dtype=x.dtype)
        return b.reshape(b.scatter("add", x, dim, spread_index(b, index, dim, source), source), sizes)

    cases = [
        case(f32(5, 4), 0, i64(7, low=0, high=5), f32(7, 4)),
        case(f32("n", 4), 1, i64(3, low=0, high=4), f32("n", 3), alpha=2.5, at=[3, 0, 1]),
        case(i64("?"), 0, i64("k", low=0, high=2), i64("k"), alpha=3, at=[(2, 5), (2, 0)]),
        case(f32(), 0, i64(low=0, high=1), f32()),
    ]


@op(
    "aten::index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor",
    inplace="aten::index_copy_",
    out="aten::index_copy.out",
)
class IndexCopy(Indexing):
    """self with slices replaced by those of the source where the indices say."""

    def lower(b, x, dim, index, source):
        dim, sizes = wrap_dim(dim, x.rank), x.sizes
        x, index, source = sliced_operands(b, "index_copy_", x, dim, index, source, "IndexError")
        index = guarded(b, index, x.sizes[dim], dim, "IndexError")
        return b.reshape(b.scatter("set", x, dim, spread_index(b, index, dim, source), source), sizes)

    cases = [
        case(f32(5, 4), 0, i64(3, low=0, high=5), f32(3, 4)),
        case(i1("n", 4), 1, i64(3, low=0, high=4), i1("n", 3), at=[3, 0, 1]),
    ]


def filled(b, x, dim, index, value):
    """x with one number in the slices that the indices name; negative ones count from the end."""
    dim, sizes = wrap_dim(dim, x.rank), x.sizes
    if index.rank > 1:
        raise InferError("Index has to be a vector/scalar")
    index = index if index.rank else b.reshape(index, [1])
    x = x if x.rank else b.reshape(x, [1])
    index = wrapped(b, index, x.sizes[dim], dim, "IndexError")
    touched = [index.sizes[0] if d == dim else s for d, s in enumerate(x.sizes)]
    source = b.broadcast(b.reshape(value, [1] * x.rank), touched)
    return b.reshape(b.scatter("set", x, dim, spread_index(b, index, dim, source), source), sizes)


@op(
    "aten::index_fill.int_Scalar(Tensor self, int dim, Tensor index, Scalar value) -> Tensor",
    inplace="aten::index_fill_.int_Scalar",
    out="aten::index_fill.int_Scalar_out",
)
class IndexFill(Indexing):
    """self with one number in the slices that the indices name."""

    def lower(b, x, dim, index, value):
        return filled(b, x, dim, index, b.from_scalar(value, x.dtype))

    cases = [
        case(f32(5, 4), 0, i64(3, low=-5, high=5), 1.5),
        case(i64("n", 4), 1, i64("?", low=0, high=4), 7, at=[(3, 2), (0, 1), (2, 0)]),
        case(f32(), 0, i64(low=0, high=1), 1),
    ]


@op(
    "aten::index_fill.int_Tensor(Tensor self, int dim, Tensor index, Tensor value) -> Tensor",
    inplace="aten::index_fill_.int_Tensor",
    out="aten::index_fill.int_Tensor_out",
)
class IndexFillTensor(Indexing):
    """self with the one element of a tensor in the slices that the indices name."""

    def lower(b, x, dim, index, value):
        if value.rank:
            message = f"index_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.rank}"
            raise InferError(f"{message} dimension(s).")
        return filled(b, x, dim, index, b.cast(value, x.dtype))

    cases = [case(f32(5, 4), 0, i64(3, low=-5, high=5), f32()), case(f32("n", 4), 1, i64(2, low=0, high=4), f32())]


@op(
    "aten::index_reduce(Tensor self, int dim, Tensor index, Tensor source, str reduce, *, "
    "bool include_self=True) -> Tensor",
    inplace="aten::index_reduce_",
    out="aten::index_reduce.out",
)
class IndexReduce(Indexing):
    """self with slices of the source reduced into where the indices say."""

    def lower(b, x, dim, index, source, reduce, include_self):
        dim, sizes = wrap_dim(dim, x.rank), x.sizes
        x, index, source = sliced_operands(b, "index_reduce_", x, dim, index, source)
        text = "index out of range in self: {0} in a dimension of size {1}"
        index = guarded(b, index, x.sizes[dim], dim, "IndexError", text)
        index = spread_index(b, index, dim, source)
        return b.reshape(reduced(b, x, dim, index, source, reduce, include_self), sizes)

    cases = [
        case(f32(5, 4), 0, i64(7, low=0, high=5), f32(7, 4), "prod"),
        case(f32("n", 4), 1, i64(3, low=0, high=4), f32("n", 3), "mean", include_self=False, at=[3, 0]),
        case(f32(5), 0, i64(7, low=0, high=5), f32(7), "amax"),
    ]


def check_long(index, name):
    """Places in the flattened tensor are i64."""
    if index.dtype is not DType.i64:
        raise InferError(f"{name}(): Expected a long tensor for index, but got {index.dtype}")


FLAT = "out of range: tried to access index {0} on a tensor of {1} elements."


@op("aten::take(Tensor self, Tensor index) -> Tensor", out="aten::take.out")
class Take(Indexing):
    """Elements of the flattened tensor."""

    def lower(b, x, index):
        check_long(index, "take")
        index = wrapped(b, index, b.numel(x), 0, "IndexError", FLAT)
        return b.index_select(flat(b, x), 0, index, error=None)

    cases = [case(f32(5, 4), i64(3, 2, low=-20, high=20)), case(f32("n", 4), i64("?", low=0, high=8), at=[(3, 2)])]


@op(
    "aten::put(Tensor self, Tensor index, Tensor source, bool accumulate=False) -> Tensor",
    inplace="aten::put_",
    out="aten::put.out",
)
class Put(Indexing):
    """self with elements of the flattened tensor replaced or added to."""

    def lower(b, x, index, source, accumulate):
        if source.dtype is not x.dtype:
            raise InferError(f"put_(): self and source expected to have the same dtype, got {x.dtype}, {source.dtype}")
        count, given = b.numel(index), b.numel(source)
        text = "put_(): Expected source and index to have the same number of elements, but got {1} and {0}"
        b.guard(count == given, text, count, given, error="IndexError")
        check_long(index, "put_")
        index = wrapped(b, flat(b, index), b.numel(x), 0, "IndexError", FLAT)
        kind = "add" if accumulate else "set"
        return b.reshape(b.scatter(kind, flat(b, x), 0, index, flat(b, source)), x.sizes)

    cases = [
        case(f32(5, 4), i64(3, 2, low=-20, high=20), f32(6), True),
        case(f32("n", 4), i64("k", low=0, high=4), f32("k"), at=[(3, 2), (1, 0)]),
    ]
