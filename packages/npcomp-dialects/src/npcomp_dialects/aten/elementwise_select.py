"""Choice by a mask."""

from __future__ import annotations

from .cases import case, f16, f32, i1, i64
from .dtypes import DType
from .families.elementwise import Elementwise
from .registry import op

BROADCAST = [(3, 3), (1, 3), (3, 1)]


@op("aten::where.self(Tensor condition, Tensor self, Tensor other) -> Tensor", out="aten::where.self_out")
@op(
    "aten::where.ScalarSelf(Tensor condition, Scalar self, Tensor other) -> Tensor",
    cases=[case(i1(3, 4), 2, f32(4)), case(i1("?", 4), 2.5, i64(4))],
)
@op(
    "aten::where.ScalarOther(Tensor condition, Tensor self, Scalar other) -> Tensor",
    cases=[case(i1(3, 4), f32(4), 2), case(i1("?", 4), i64(4), 2.5)],
)
@op(
    "aten::where.Scalar(Tensor condition, Scalar self, Scalar other) -> Tensor",
    cases=[case(i1(3, 4), 1, 2), case(i1("?"), 1.5, 2, at=[3, 0])],
)
class Where(Elementwise):
    """self where the condition holds, other elsewhere."""

    promoting = ("self", "other")
    exact = True

    def preconditions(b, condition, x, y):
        if condition.dtype not in (DType.bool, DType.u8):
            b.error(f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.dtype}")

    def scalar(b, condition, x, y):
        return b.select(b.cast(condition, DType.bool), x, y)

    cases = [
        case(i1(3, 4), f32(4), f32(3, 1)),
        case(i1("a", 4), f32("b", 4), i64(4), at=BROADCAST),
        case(i1(1), f16(3), f32()),
    ]


@op(
    "aten::masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor",
    inplace="aten::masked_fill_.Scalar",
    out="aten::masked_fill.Scalar_out",
)
@op(
    "aten::masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor",
    inplace="aten::masked_fill_.Tensor",
    out="aten::masked_fill.Tensor_out",
    cases=[case(f32(3, 4), i1(4), f32()), case(f32("a", 4), i1("b", 4), i64(), at=BROADCAST)],
)
class MaskedFill(Elementwise):
    """The value where the mask holds, self elsewhere; the dtype is self's."""

    promoting = ("self",)
    exact = True

    def preconditions(b, x, mask, value):
        if mask.dtype is not DType.bool:
            b.error(f"masked_fill_ only supports boolean masks, but got mask with dtype {mask.dtype}")

    def scalar(b, x, mask, value):
        return b.select(mask, b.cast(value, x.dtype), x)

    cases = [
        case(f32(3, 4), i1(4), 7),
        case(f32("a", 4), i1("b", 4), float("-inf"), at=BROADCAST),
        case(i64(3), i1(3), 2.5),
    ]
