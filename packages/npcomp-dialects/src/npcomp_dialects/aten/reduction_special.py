"""Reductions that skip nan or give both extrema."""

from __future__ import annotations

from .block import Block
from .cases import bf16, case, f16, f32, i1, i64
from .dims import wrap_dim
from .families.reduction import Reduction, guard_nonempty
from .promotion import integers_to_i64, promote
from .reduction_index import with_dim
from .registry import op


@op(
    "aten::nansum(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
    out="aten::nansum.out",
)
class NanSum(Reduction):
    """Sum over dims, nan counting as 0."""

    dtype = integers_to_i64

    def reduce(b, x, dims, keepdim):
        if x.dtype.is_float:
            x = b.map(lambda b, e: b.select(b.isnan(e), b.const(0.0, e.dtype), e), x, dtype=x.dtype)
        return b.reduce("sum", x, dims, keepdim)

    cases = [
        f32(3, 4, special=True),
        case(f32("?", 4, special=True), [0], True, at=[3, 1, 0]),
        case(i64(2, 3), None),
        case(f16(3, 4), [-1], dtype=6),
        case(i1(4), [0]),
    ]


@op(
    "aten::aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)",
    out="aten::aminmax.out(Tensor self, *, int? dim=None, bool keepdim=False, Tensor(a!) min, Tensor(b!) max) -> "
    "(Tensor(a!) min, Tensor(b!) max)",
)
class AMinMax(Block):
    """The smallest and the largest element, of all or along a dim; nan wins."""

    family = "reduction"
    dtype = promote

    def lower(b, x, dim, keepdim):
        rank = x.rank
        dims = list(range(rank)) if dim is None else [wrap_dim(dim, rank)]
        x = with_dim(b, x)
        guard_nonempty(b, x, dims, "aminmax")
        return tuple(b.reduce(kind, x, dims or [0], keepdim and rank > 0) for kind in ("min", "max"))

    cases = [
        f32(3, 4, special=True),
        case(f32("?", 4, special=True), dim=0, keepdim=True, at=[3, 1]),
        case(i64(2, 9), dim=-1),
        case(bf16(3, 4), dim=1),
        case(f32("?", 3), keepdim=True, at=[2]),
        f32(),
    ]
