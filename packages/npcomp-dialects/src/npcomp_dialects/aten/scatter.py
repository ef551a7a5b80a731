"""The scatter family: elements combined with those at the places that an index names."""

from __future__ import annotations

from .cases import bf16, case, f32, i1, i64, u8
from .dims import wrap_dim
from .dtypes import DType
from .errors import InferError
from .families.indexing import Indexing
from .families.ordering import flat, guarded
from .registry import op

REDUCTIONS = {"sum": "add", "add": "add", "prod": "mul", "multiply": "mul", "mean": "add", "amax": "max", "amin": "min"}


def neutral(dtype, reduce):
    """What changes nothing."""
    return {"amax": dtype.lowest, "amin": dtype.highest, "prod": 1}.get(reduce, 0)


def check_operands(x, index, src, name):
    """Indices are integers, and the source holds what x holds."""
    if index.dtype not in (DType.i64, DType.i32):
        raise InferError(f"{name}(): Expected dtype int32/int64 for index")
    if src.dtype is not x.dtype:
        raise InferError(f"{name}(): Expected self.dtype to be equal to src.dtype")


def scattered(b, name, kind, x, dim, index, src):
    """torch's scatter: 0-d tensors count as one element."""
    check_operands(x, index, src, name)
    sizes = x.sizes
    if is_empty(index):
        return x
    dim = wrap_dim(dim, x.rank)
    if not (x.rank and index.rank and src.rank):
        if max(x.rank, index.rank, src.rank) > 1:
            raise InferError("Index tensor must have the same number of dimensions as self tensor")
        x, index, src = flat(b, x), flat(b, index), flat(b, src)
    if not x.rank == index.rank == src.rank:
        raise InferError("Index tensor must have the same number of dimensions as self tensor")
    index = guarded(b, index, x.sizes[dim], dim, "RuntimeError")
    return b.reshape(b.scatter(kind, x, dim, index, src), sizes)


def is_empty(x):
    """True when the compiler knows that there are no elements."""
    return any(isinstance(s, int) and s == 0 for s in x.sizes)


def spread(b, value, like, dtype):
    """A number as a tensor of the sizes of another."""
    return b.broadcast(b.reshape(b.from_scalar(value, dtype), [1] * like.rank), like.sizes)


def reduced(b, x, dim, index, src, reduce, include_self):
    """x of at least one dim with elements of src reduced into it; indices are guarded already."""
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise InferError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}.")
    start = x
    if not include_self:
        start = b.scatter("set", x, dim, index, spread(b, neutral(x.dtype, reduce), index, x.dtype))
    made = b.scatter(REDUCTIONS[reduce], start, dim, index, src)
    if reduce != "mean":
        return made
    first = b.full(x.sizes, 1 if include_self else 0, DType.i64)
    counts = b.scatter("add", first, dim, index, spread(b, 1, index, DType.i64))

    def divide(b, total, count):
        count = b.cast(b.maximum(count, 1), x.dtype)
        return total / count if x.dtype.is_float else total // count

    return b.map(divide, made, counts, dtype=x.dtype)


@op(
    "aten::scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor",
    inplace="aten::scatter_.src",
    out="aten::scatter.src_out",
)
class ScatterSrc(Indexing):
    """self with elements replaced where the indices say; of several, the last stays."""

    def lower(b, x, dim, index, src):
        return scattered(b, "scatter", "set", x, dim, index, src)

    cases = [
        case(f32(5, 4), 0, i64(3, 2, low=0, high=5), f32(3, 4)),
        case(f32("n", 4), 1, i64("n", 3, low=0, high=4), f32("n", 3), at=[3, 0, 1]),
        case(i1(7), -1, i64("?", low=0, high=7), i1(5), at=[5, 0]),
        case(f32(), 0, i64(low=0, high=1), f32()),
    ]


@op(
    "aten::scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor",
    inplace="aten::scatter_.value",
    out="aten::scatter.value_out",
)
class ScatterValue(Indexing):
    """self with one number where the indices say."""

    def lower(b, x, dim, index, value):
        return scattered(b, "scatter", "set", x, dim, index, spread(b, value, index, x.dtype))

    cases = [
        case(f32(5, 4), 0, i64(3, 2, low=0, high=5), 2.5),
        case(i64("n", 4), 1, i64("n", 3, low=0, high=4), 7, at=[3, 0]),
    ]


@op(
    "aten::scatter.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor",
    inplace="aten::scatter_.reduce",
    out="aten::scatter.reduce_out",
)
class ScatterWith(Indexing):
    """self with elements added to, or multiplied with, those where the indices say."""

    def lower(b, x, dim, index, src, reduce):
        return scattered(b, "scatter", combination(reduce), x, dim, index, src)

    cases = [
        case(f32(5, 4), 0, i64(7, 2, low=0, high=5), f32(7, 2), reduce="add"),
        case(f32("n", 4), 1, i64("n", 7, low=0, high=4), f32("n", 7), reduce="multiply", at=[3, 0]),
    ]


def combination(reduce):
    """The two ways that scatter itself takes."""
    if reduce not in ("add", "multiply"):
        raise InferError("reduce argument must be either add or multiply.")
    return REDUCTIONS[reduce]


@op(
    "aten::scatter.value_reduce(Tensor self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor",
    inplace="aten::scatter_.value_reduce",
    out="aten::scatter.value_reduce_out",
)
class ScatterValueWith(Indexing):
    """self with one number added to, or multiplied with, the elements where the indices say."""

    def lower(b, x, dim, index, value, reduce):
        return scattered(b, "scatter", combination(reduce), x, dim, index, spread(b, value, index, x.dtype))

    cases = [
        case(f32(5, 4), 0, i64(7, 2, low=0, high=5), 1.5, reduce="add"),
        case(f32("n", 4), 1, i64("n", 7, low=0, high=4), 2, reduce="multiply", at=[3, 0]),
    ]


@op(
    "aten::scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor",
    inplace="aten::scatter_add_",
    out="aten::scatter_add.out",
)
class ScatterAdd(Indexing):
    """self with elements added to where the indices say, one after the other."""

    def lower(b, x, dim, index, src):
        return scattered(b, "scatter_add", "add", x, dim, index, src)

    cases = [
        case(f32(5, 4), 0, i64(9, 2, low=0, high=5), f32(9, 2)),
        case(f32("n", 4), 1, i64("n", 3, low=0, high=4), f32("n", 3), at=[3, 0, 1]),
        case(i64(5), 0, i64("?", low=0, high=5), i64(9), at=[9, 1, 0]),
        case(i1(4), 0, i64(9, low=0, high=4), i1(9)),
    ]


@op(
    "aten::scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, "
    "bool include_self=True) -> Tensor",
    inplace="aten::scatter_reduce_.two",
    out="aten::scatter_reduce.two_out",
)
class ScatterReduce(Indexing):
    """self with elements reduced into where the indices say, with or without what stood there."""

    def lower(b, x, dim, index, src, reduce, include_self):
        check_operands(x, index, src, "scatter_reduce")
        sizes, dim = x.sizes, wrap_dim(dim, x.rank)
        if is_empty(index):
            return x
        if not (x.rank and index.rank and src.rank):
            x, index, src = flat(b, x), flat(b, index), flat(b, src)
        if not x.rank == index.rank == src.rank:
            raise InferError("Index tensor must have the same number of dimensions as self tensor")
        index = guarded(b, index, x.sizes[dim], dim, "RuntimeError")
        return b.reshape(reduced(b, x, dim, index, src, reduce, include_self), sizes)

    cases = [
        case(f32(5, 4), 0, i64(9, 2, low=0, high=5), f32(9, 2), "sum"),
        case(f32("n", 4), 1, i64("n", 3, low=0, high=4), f32("n", 3), "mean", include_self=False, at=[3, 0, 1]),
        case(i64(5), 0, i64(9, low=0, high=4), i64(9), "mean"),
        case(f32(5), 0, i64(9, low=0, high=5), f32(9, special=True), "amax", include_self=False),
        case(u8(5), 0, i64(9, low=0, high=5), u8(9), "amin"),
        case(bf16(5), 0, i64(7, low=0, high=5), bf16(7), "prod"),
    ]
