"""Sums, means, products and extrema over dims."""

from __future__ import annotations

from .cases import case, f16, f32, i1, i64
from .families.reduction import Reduction
from .promotion import integers_to_i64
from .registry import op


@op(
    "aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
    out="aten::sum.IntList_out",
)
@op(
    "aten::sum(Tensor self, *, ScalarType? dtype=None) -> Tensor",
    out="aten::sum.out",
    cases=[f32(3, 4), f32("?", 4), i1(5), f32(0)],
)
class Sum(Reduction):
    """Sum over dims; integers and bool add up in i64."""

    dtype = integers_to_i64

    def reduce(b, x, dims, keepdim):
        return b.reduce("sum", x, dims, keepdim)

    cases = [
        case(f32(3, 4), [1]),
        case(f32("?", 4), [0], True, at=[3, 1, 0]),
        case(i64(2, 3), None),
        case(f16(3, 4), [-1], dtype=6),
    ]
