"""Matrix products."""

from __future__ import annotations

from .cases import case, f32, i64
from .families.contraction import Contraction
from .registry import op


@op("aten::mm(Tensor self, Tensor mat2) -> Tensor", out="aten::mm.out")
class Mm(Contraction):
    """Matrix product of two matrices."""

    def lower(b, x, y):
        return b.contract("mk,kn->mn", x, y)

    cases = [
        case(f32(3, 4), f32(4, 5)),
        case(f32("m", "k"), f32("k", "n"), at=[(3, 4, 5), (1, 0, 2), (0, 3, 2)]),
        case(i64(2, 3), i64(3, 1)),
    ]
