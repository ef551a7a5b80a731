"""Places in sorted sequences."""

from __future__ import annotations

from .cases import bf16, case, f32, i64
from .dtypes import DType
from .errors import InferError
from .families.ordering import Ordering, flat
from .promotion import Operand, result_type
from .registry import op


def side_of(right, side):
    """Whether equal elements count as smaller; the two ways to say so must agree."""
    if side not in (None, "left", "right"):
        raise InferError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        message = "side and right can't be set to opposites, got side of left while right was True"
        raise InferError(f"torch.searchsorted(): {message}")
    return right or side == "right"


def places(b, sequence, x, narrow, right):
    """Where each element goes; the sequence is one for all elements, or has a row for each row of them."""
    if sequence.rank not in (1, x.rank) or sequence.rank == 0:
        message = "boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input"
        raise InferError(f"torch.searchsorted(): {message} value tensor must match")
    found = b.search(sequence, b.cast(x, sequence.dtype), right)
    return b.cast(found, DType.i32) if narrow else found


def in_order(b, sequence, sorter):
    """The sequence in the order that a sorter gives."""
    if sorter is None:
        return sequence
    if sorter.rank != sequence.rank:
        raise InferError("torch.searchsorted(): boundary and sorter must have the same size")
    return b.gather(sequence, sequence.rank - 1, sorter, error="RuntimeError")


def number_beside(b, value, dtype):
    """A number as a 0-d tensor that can be compared with elements of a dtype, and the dtype to compare in."""
    whole = isinstance(value, int) or (not isinstance(value, float) and not value.dtype.is_float)
    together = result_type([Operand(dtype), Operand(DType.i64 if whole else DType.f64, True)])
    return b.from_scalar(value, together), together


@op(
    "aten::searchsorted.Tensor(Tensor sorted_sequence, Tensor self, *, bool out_int32=False, bool right=False, "
    "str? side=None, Tensor? sorter=None) -> Tensor",
    out="aten::searchsorted.Tensor_out",
)
class SearchSorted(Ordering):
    """Where each element goes in a sorted sequence."""

    def lower(b, sequence, x, narrow, right, side, sorter):
        if sequence.rank > 1 and x.rank == 0:
            message = "input value can be a scalar only when boundaries tensor dimension is 1"
            raise InferError(f"torch.searchsorted(): {message}")
        together = result_type([Operand(sequence.dtype), Operand(x.dtype)])
        sequence = b.cast(in_order(b, sequence, sorter), together)
        return places(b, sequence, x, narrow, side_of(right, side))

    cases = [
        case(f32(5), f32(3, 4)),
        case(f32("?"), f32("?"), out_int32=True, at=[(5, 3), (0, 2), (1, 0)]),
        case(i64(2, "?"), i64(2, 3), right=True, at=[5, 0]),
        case(bf16(5), bf16(7), side="right"),
        case(f32(2, 3), f32(2, 4), sorter=i64(2, 3, low=0, high=3)),
        case(f32(4), f32()),
    ]


@op(
    "aten::searchsorted.Scalar(Tensor sorted_sequence, Scalar self, *, bool out_int32=False, bool right=False, "
    "str? side=None, Tensor? sorter=None) -> Tensor",
    out="aten::searchsorted.Scalar_out",
)
class SearchSortedNumber(Ordering):
    """Where a number goes in a sorted sequence."""

    def lower(b, sequence, value, narrow, right, side, sorter):
        x, together = number_beside(b, value, sequence.dtype)
        return places(b, b.cast(in_order(b, sequence, sorter), together), x, narrow, side_of(right, side))

    cases = [case(f32(5), 0.5), case(i64("?"), 2, right=True, at=[5, 0]), case(i64(4), 1.5)]


@op(
    "aten::bucketize.Tensor(Tensor self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor",
    out="aten::bucketize.Tensor_out",
)
class Bucketize(Ordering):
    """The bucket of each element between sorted boundaries."""

    def lower(b, x, boundaries, narrow, right):
        if boundaries.rank != 1:
            raise InferError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.rank})")
        together = result_type([Operand(boundaries.dtype), Operand(x.dtype)])
        return places(b, b.cast(boundaries, together), x, narrow, right)

    cases = [case(f32(3, 4), f32(5)), case(f32("?"), f32("?"), out_int32=True), case(i64(3), f32(4), right=True)]


@op(
    "aten::bucketize.Scalar(Scalar self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor",
    out="aten::bucketize.Scalar_out",
)
class BucketizeNumber(Ordering):
    """The bucket of a number between sorted boundaries."""

    def lower(b, value, boundaries, narrow, right):
        x, together = number_beside(b, value, boundaries.dtype)
        return places(b, b.cast(boundaries, together), x, narrow, right)

    cases = [case(0.5, f32(5)), case(2, i64("?"), right=True, at=[5, 0])]


@op(
    "aten::isin.Tensor_Tensor(Tensor elements, Tensor test_elements, *, bool assume_unique=False, "
    "bool invert=False) -> Tensor",
    out="aten::isin.Tensor_Tensor_out",
)
class IsIn(Ordering):
    """Whether each element is among the test elements, found in their sorted order."""

    makes = (DType.bool,)

    def lower(b, x, among, _, invert):
        together = result_type([Operand(x.dtype), Operand(among.dtype)])
        if DType.bool in (x.dtype, among.dtype):
            raise InferError("Unsupported input type encountered for isin(): Bool")
        x, row = b.cast(x, together), flat(b, b.cast(among, together))
        row = b.sort(row, 0, False)[0]
        low, high = b.search(row, x, False), b.search(row, x, True)

        def body(b, e, first, last):
            found = (first < last) & ~b.isnan(e) if together.is_float else first < last
            return ~found if invert else found

        return b.map(body, x, low, high, dtype=DType.bool)

    cases = [
        case(i64(3, 4), i64(5)),
        case(f32("n", special=True), f32("m", special=True), invert=True, at=[(5, 3), (3, 0)]),
    ]
