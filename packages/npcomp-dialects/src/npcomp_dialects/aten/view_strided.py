"""Views by strides: the elements of a dense tensor read at places that sizes and strides give."""

from __future__ import annotations

from .cases import case, f32, i64
from .dtypes import DType
from .errors import InferError
from .families.reduction import count_of
from .families.view import View
from .registry import op


def storage_places(b, total, sizes, strides, offset):
    """For each element of the result its place among `total` elements, guarded to lie inside."""
    if len(sizes) != len(strides):
        raise InferError(f"mismatch in length of strides and shape: {len(strides)} and {len(sizes)}")
    last, empty = offset, False
    for size, stride in zip(sizes, strides, strict=True):
        b.guard(size >= 0, "as_strided: expected a non-negative size, got {0}", size)
        b.guard(stride >= 0, "as_strided: negative strides are not supported, got {0}", stride)
        last = last + b.maximum(size - 1, 0) * stride
        empty = empty | (size == 0)
    fits = (last < total) | empty
    b.guard(fits, "as_strided: an element at place {0} is out of bounds for storage of {1} elements", last, total)
    b.guard(offset >= 0, "as_strided: expected a non-negative storage offset, got {0}", offset)
    places = b.full([], offset, DType.i64)
    for d, (size, stride) in enumerate(zip(sizes, strides, strict=True)):
        steps = b.reshape(b.iota(size, DType.i64), [size] + [1] * (len(sizes) - d - 1))
        places = b.map(lambda b, p, i, stride=stride: p + i * stride, places, steps, dtype=DType.i64)
    return places


def is_dense(sizes, strides):
    """Do the strides say row-major order? Only where they are known."""
    want = 1
    for size, stride in zip(reversed(sizes), reversed(strides), strict=True):
        if not isinstance(size, int) or not isinstance(stride, int):
            return False
        if size != 1 and stride != want:
            return False
        want *= size
    return True


def strided(b, x, sizes, strides, offset):
    """The elements of x, which is dense, at the places that strides give."""
    offset = 0 if offset is None else offset
    total = b.numel(x)
    flat = b.reshape(x, [total])
    if len(sizes) == len(strides) and is_dense(sizes, strides):
        count = 1
        for size in sizes:
            count *= size
        message = "as_strided: {0} elements from place {1} are out of bounds for storage of {2} elements"
        b.guard((offset + count <= total) if count else offset >= 0, message, count, offset, total)
        if count:
            return b.reshape(b.slice(flat, 0, offset, offset + count, 1), sizes)
    return b.index_select(flat, 0, storage_places(b, total, sizes, strides, offset), error=None)


@op("aten::as_strided(Tensor(a) self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor(a)")
@op(
    "aten::as_strided_copy(Tensor self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor",
    out="aten::as_strided_copy.out",
)
class AsStrided(View):
    """The elements at the places that sizes and strides give; tensors are dense here."""

    runtime = ("size", "stride", "storage_offset")

    def lower(b, x, sizes, strides, offset):
        return strided(b, x, sizes, strides, offset)

    cases = [
        case(f32(3, 4), [2, 2], [4, 1]),
        case(f32(3, 4), [2, 3], [1, 2], 3),
        case(f32(3, 4), [3, 2], [2, 1], 4),
        case(f32("?", 4), [2, 2], [0, 3], 1, at=[3, 2]),
        case(i64(6), [0, 3], [5, 1]),
        case(f32(3), [], []),
    ]


@op(
    "aten::as_strided_scatter(Tensor self, Tensor src, SymInt[] size, SymInt[] stride, "
    "SymInt? storage_offset=None) -> Tensor",
    out="aten::as_strided_scatter.out",
)
class AsStridedScatter(View):
    """self with src in the place of a view by strides."""

    runtime = ("size", "stride", "storage_offset")

    def lower(b, x, src, sizes, strides, offset):
        if src.rank != len(sizes):
            raise InferError(f"as_strided_scatter: expected src of rank {len(sizes)}, got rank {src.rank}")
        for d, (have, want) in enumerate(zip(src.sizes, sizes, strict=True)):
            message = f"as_strided_scatter: expected src to have size {{1}} at dimension {d}, but got {{0}}"
            b.guard(have == want, message, have, want)
        places = storage_places(b, b.numel(x), sizes, strides, 0 if offset is None else offset)
        count = count_of(src, range(src.rank))
        flat = b.reshape(x, [b.numel(x)])
        values = b.reshape(b.cast(src, x.dtype), [count])
        return b.reshape(b.scatter("set", flat, 0, b.reshape(places, [count]), values), x.sizes)

    cases = [
        case(f32(3, 4), f32(2, 2), [2, 2], [4, 1]),
        case(f32("?", 4), f32(2, 3), [2, 3], [1, 2], 1, at=[3, 2]),
        case(i64(6), i64(0, 3), [0, 3], [5, 1]),
    ]
