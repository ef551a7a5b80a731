"""x[i, :, mask]: dims picked by tensors of indices and masks, read and written."""

from __future__ import annotations

from .cases import case, f32, i1, i64
from .dtypes import DType
from .errors import InferError, NotStatic
from .families.indexing import Indexing
from .families.ordering import OUTSIDE, flat, positions, wrapped
from .families.reduction import count_of
from .registry import op

MASKS = (DType.bool, DType.u8)


def parts_of(b, x, indices, error="IndexError"):
    """For each index that is there: the dims that it picks from, and where in these dims merged.

    Indices are checked unless `error` is None."""
    parts, dim = [], 0
    for index in indices:
        if index is None:
            dim += 1
            continue
        width = index.rank if index.dtype in MASKS else 1
        if dim + width > x.rank:
            raise InferError(f"too many indices for tensor of dimension {x.rank}", "IndexError")
        dims = list(range(dim, dim + width))
        parts.append((dims, _places(b, x, index, dims, error)))
        dim += width
    if dim > x.rank:
        raise InferError(f"too many indices for tensor of dimension {x.rank}", "IndexError")
    return parts


def _places(b, x, index, dims, error):
    if index.dtype not in MASKS:
        if index.dtype not in (DType.i64, DType.i32):
            raise InferError("tensors used as indices must be long, int, byte or bool tensors", "IndexError")
        return wrapped(b, index, x.sizes[dims[0]], dims[0], error, OUTSIDE)
    if not dims:
        raise NotStatic("an index by a 0-d mask has no lowering")
    check_mask(b, x, index, dims[0])
    return positions(b, flat(b, b.cast(index, DType.bool)))[0]


def check_mask(b, x, mask, first):
    """A mask has the sizes of the dims that it picks from."""
    for d, n in enumerate(mask.sizes):
        message = f"The shape of the mask {{0}} at index {d} does not match the shape of the indexed tensor {{1}}"
        b.guard(n == x.sizes[first + d], message, n, x.sizes[first + d], error="IndexError")


def merged(b, x, parts):
    """One index into the picked dims merged, and these dims."""
    dims, total = list(parts[0][0]), parts[0][1]
    for more, index in parts[1:]:
        count = count_of(x, more)
        total = b.map(lambda b, t, i, count=count: t * count + i, total, index, dtype=DType.i64)
        dims += more
    return dims, total


def leading(b, x, dims):
    """x with the picked dims merged into the first."""
    rest = [d for d in range(x.rank) if d not in dims]
    moved = b.permute(x, [*dims, *rest])
    return b.reshape(moved, [count_of(x, dims), *(x.sizes[d] for d in rest)]), rest


def front_of(dims, rank, width):
    """Where the dims of a result that begins with the index go: to the place of adjacent picked dims, else they stay.

    The order of dims that makes torch's result, for an index of `width` dims."""
    first = dims[0]
    if dims != list(range(first, first + len(dims))) or first == 0:
        return list(range(rank))
    return [*range(width, width + first), *range(width), *range(width + first, rank)]


def picked(b, x, parts):
    """The elements that indices pick."""
    if not parts:
        return x
    if len(parts) == 1:
        dims, index = parts[0]
        sizes = [*x.sizes[: dims[0]], count_of(x, dims), *x.sizes[dims[-1] + 1 :]]
        return b.index_select(b.reshape(x, sizes), dims[0], index, error=None)
    dims, index = merged(b, x, parts)
    result = b.index_select(leading(b, x, dims)[0], 0, index, error=None)
    return b.permute(result, front_of(dims, result.rank, index.rank))


@op(
    "aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor",
    out="aten::index.Tensor_out",
)
@op(
    "aten::index.Tensor_hacked_twin(Tensor self, Tensor[] indices) -> Tensor",
    cases=[case(f32(5, 4), [i64(3, low=-5, high=5)]), case(f32("?", 4), [i64("?", low=-3, high=3)], at=[(3, 2)])],
)
class Index(Indexing):
    """x[i, :, j]: dims picked by tensors that broadcast; a mask stands for the places where it holds."""

    def lower(b, x, indices):
        return picked(b, x, parts_of(b, x, indices))

    cases = [
        case(f32(5, 4), [i64(3, 2, low=-5, high=5)]),
        case(f32("?", 4, 3), [None, i64("?", low=-4, high=4)], at=[(3, 2), (1, 0)]),
        case(f32(5, 4, 3), [i64(2, 1, low=0, high=5), None, i64(3, low=-3, high=3)]),
        case(f32(5, 4, "?"), [None, i64(2, low=0, high=4), i64(2, low=-2, high=2)], at=[3, 2]),
        case(f32(5, 4), [i1(5, 4)]),
        case(f32("n", 4), [i1("n")], at=[3, 0]),
        case(f32(2, "n", 4), [None, i1("n")], at=[3, 0]),
        case(f32(2, 5, 3), [i64(low=0, high=2), None, i1(3)]),
    ]


@op(
    "aten::index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor",
    inplace="aten::index_put_",
    out="aten::index_put.out",
)
@op(
    "aten::index_put.hacked_twin(Tensor self, Tensor[] indices, Tensor values, bool accumulate=False) -> Tensor",
    inplace="aten::index_put_.hacked_twin",
    cases=[case(f32(5, 4), [i64(7, low=-5, high=5)], f32(7, 4), True), case(f32("n", 4), [i1("n")], f32(), at=[3, 0])],
)
@op("aten::_unsafe_index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor")
@op(
    "aten::_unsafe_index_put.hacked_twin(Tensor self, Tensor[] indices, Tensor values, bool accumulate=False) -> "
    "Tensor",
    cases=[case(f32(5, 4), [i64(7, low=-5, high=5)], f32(7, 4), True), case(f32("n", 4), [i1("n")], f32(), at=[3, 0])],
)
class IndexPut(Indexing):
    """x with elements replaced, or added to, at x[i, :, j]; of several for one place, the last stays."""

    def give_up(args):
        return args[0]

    def lower(b, x, indices, values, accumulate):
        if values.dtype is not x.dtype:
            text = f"Index put requires the source and destination dtypes match, got {x.dtype} for the destination"
            raise InferError(f"{text} and {values.dtype} for the source.")
        mask = indices[0] if indices and all(i is None for i in indices[1:]) else None
        if mask is not None and mask.dtype is DType.bool and mask.rank and not values.rank and not accumulate:
            return replaced(b, x, mask, values)
        return put(b, x, parts_of(b, x, indices), values, "add" if accumulate else "set")

    cases = [
        case(f32(5, 4), [i1(5, 4)], f32()),
        case(f32("n", 4), [i1("n")], f32(), at=[3, 0]),
        case(f32(5, 4), [i64(7, low=-5, high=5)], f32(7, 4), True),
        case(f32(5, "n", 3), [i64(2, 1, low=0, high=5), None, i64(3, low=-3, high=3)], f32("n"), True, at=[3, 1]),
        case(f32(5, "n", 2), [None, i64(1, low=0, high=1), i64(2, low=0, high=2)], f32(5, 2), True, at=[3, 2]),
        case(i64("n", 4), [i1("n")], i64(1, 4), True, at=[3, 0]),
        case(f32(3), [i64(1, low=0, high=3)], f32(1)),
    ]


def replaced(b, x, mask, value):
    """One value where a mask over the first dims holds."""
    if mask.rank > x.rank:
        raise InferError(f"too many indices for tensor of dimension {x.rank}", "IndexError")
    check_mask(b, x, mask, 0)
    mask = b.reshape(mask, [*mask.sizes, *[1] * (x.rank - mask.rank)])
    return b.map(lambda b, e, m, v: b.select(m, v, e), x, mask, value, dtype=x.dtype)


def put(b, x, parts, values, kind):
    """Values that broadcast to the picked elements, combined with these in the order of the index."""
    if not parts:
        return b.broadcast(values, x.sizes) if kind == "set" else b.map(lambda b, e, v: e + v, x, values, dtype=x.dtype)
    dims, index = merged(b, x, parts)
    front, rest = leading(b, x, dims)
    shape = [*index.sizes, *front.sizes[1:]]
    order = front_of(dims, len(shape), index.rank)
    if values.rank > len(shape):
        raise InferError("shape mismatch: the value tensor has more dimensions than the indexing result")
    values = b.broadcast(values, [shape[d] for d in order])
    values = b.permute(values, [order.index(d) for d in range(len(shape))])
    count, width = b.numel(index), count_of(x, rest)
    places = b.broadcast(b.reshape(index, [count, 1]), [count, width])
    made = b.scatter(kind, b.reshape(front, [front.sizes[0], width]), 0, places, b.reshape(values, [count, width]))
    order = [*dims, *rest]
    made = b.reshape(made, [x.sizes[d] for d in order])
    return b.permute(made, [order.index(d) for d in range(x.rank)])
