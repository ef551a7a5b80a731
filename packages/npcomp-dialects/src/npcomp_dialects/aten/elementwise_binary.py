"""Arithmetic of two operands."""

from __future__ import annotations

from .cases import case, f32, i1, i64
from .dtypes import DType
from .families.elementwise import Elementwise
from .promotion import promote
from .registry import op


@op(
    "aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor",
    inplace="aten::add_.Tensor",
    out="aten::add.out",
)
@op(
    "aten::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor",
    inplace="aten::add_.Scalar",
    out="aten::add.Scalar_out",
    cases=[case(f32(3, 4), 2), case(i64("?"), 1.5, alpha=2), case(f32("?", 0), 1)],
)
class Add(Elementwise):
    """self + alpha * other; on bool, or."""

    dtype = promote

    def scalar(b, x, y, alpha):
        if x.dtype is DType.bool:
            return x | (y & alpha)
        return x + y * alpha

    cases = [
        case(f32(3, 4), f32(4)),
        case(f32("a", 4), f32("b", 4), alpha=2, at=[(3, 3), (1, 3), (3, 1)]),
        case(i64(2, 1), f32(3)),
        case(i1(4), i1(4)),
    ]


@op("aten::mul.Tensor(Tensor self, Tensor other) -> Tensor", inplace="aten::mul_.Tensor", out="aten::mul.out")
@op(
    "aten::mul.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::mul_.Scalar",
    out="aten::mul.Scalar_out",
    cases=[case(f32(3, 4), 2), case(i64("?"), 1.5), case(i1("?"), True)],
)
class Mul(Elementwise):
    """self * other; on bool, and."""

    dtype = promote

    def scalar(b, x, y):
        return x & y if x.dtype is DType.bool else x * y

    cases = [
        case(f32(3, 4), f32(4)),
        case(f32("a", 4), f32("b", 4), at=[(3, 3), (1, 3), (3, 1)]),
        case(i1(4), i1(4)),
    ]
