"""Advanced indexing whose indices the program vouches for, and indexing behind a mask."""

from __future__ import annotations

from .cases import case, f32, i1, i64
from .dtypes import DType
from .errors import InferError
from .families.indexing import Indexing
from .index_advanced import parts_of, picked, put
from .registry import op


@op("aten::_unsafe_index.Tensor(Tensor self, Tensor?[] indices) -> Tensor")
@op(
    "aten::_unsafe_index.Tensor_hacked_twin(Tensor self, Tensor[] indices) -> Tensor",
    cases=[case(f32(5, 4), [i64(3, low=-5, high=5)]), case(f32("?", 4), [i64("?", low=-3, high=3)], at=[(3, 2)])],
)
class UnsafeIndex(Indexing):
    """x[i, :, j] by indices that are known to lie inside."""

    def lower(b, x, indices):
        return picked(b, x, parts_of(b, x, indices, None))

    cases = [
        case(f32(5, 4, 3), [i64(2, 1, low=0, high=5), None, i64(3, low=-3, high=3)]),
        case(f32("?", 4), [i64("?", low=-3, high=3)], at=[(3, 2)]),
    ]


def clamped(b, x, indices):
    """Indices moved to the nearest inside."""

    def nearest(index, n):
        if index.dtype not in (DType.i64, DType.i32):
            raise InferError(f"_unsafe_masked_index found unexpected index type {index.dtype}")
        index = b.cast(index, DType.i64)
        return b.map(lambda b, i: b.maximum(b.minimum(i, n - 1), n * -1), index, dtype=DType.i64)

    return [None if i is None else nearest(i, x.sizes[d]) for d, i in enumerate(indices)]


@op("aten::_unsafe_masked_index(Tensor self, Tensor mask, Tensor?[] indices, Scalar fill) -> Tensor")
class UnsafeMaskedIndex(Indexing):
    """x[i, :, j] where a mask holds, else a number; indices behind the mask may lie outside."""

    def lower(b, x, mask, indices, fill):
        found = picked(b, x, parts_of(b, x, clamped(b, x, indices), None))
        number = b.cast(fill, x.dtype)
        return b.map(lambda b, e, m: b.select(m, e, number), found, mask, dtype=x.dtype)

    cases = [
        case(f32(5, 4), i1(5, 1), [None, i64(3, low=-9, high=9)], 1.5),
        case(f32("n", 4), i1("k"), [None, i64("k", low=-9, high=9)], 0, at=[(3, 2), (1, 1)]),
    ]


@op("aten::_unsafe_masked_index_put_accumulate(Tensor self, Tensor mask, Tensor?[] indices, Tensor values) -> Tensor")
class UnsafeMaskedIndexPut(Indexing):
    """x with values added at x[i, :, j] where a mask holds."""

    def lower(b, x, mask, indices, values):
        if values.dtype is not x.dtype:
            raise InferError("Index put requires the source and destination dtypes match")
        zero = b.const(0, values.dtype)
        values = b.map(lambda b, v, m: b.select(m, v, zero), values, mask, dtype=values.dtype)
        return put(b, x, parts_of(b, x, clamped(b, x, indices), None), values, "add")

    cases = [
        case(f32(5, 4), i1(5, 1), [None, i64(3, low=-9, high=9)], f32(5, 3)),
        case(f32("n", 4), i1("k"), [None, i64("k", low=-9, high=9)], f32("n", "k"), at=[(3, 2), (1, 1)]),
    ]
