"""Differences of neighbours, and sums of their means."""

from __future__ import annotations

from .cases import case, f32, i1, i64
from .dims import wrap_dim
from .dtypes import DType
from .families.decomposed import Decomposed
from .registry import op


def neighbours(b, x, dim):
    """The elements along a dim without the first, and without the last."""
    return b.aten.slice.Tensor(x, dim, 1, None, 1), b.aten.slice.Tensor(x, dim, 0, -1, 1)


@op(
    "aten::diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor",
    out="aten::diff.out",
)
class Diff(Decomposed):
    """Each element less the one before it along a dim, n times; of bools, whether they differ."""

    def decompose(b, x, n, dim, prepend, append):
        if n < 0:
            b.error(f"order must be non-negative but got {n}")
        if x.rank == 0:
            b.error("diff expects input to be at least one-dimensional")
        dim = wrap_dim(dim, x.rank)
        if n == 0:
            return x
        parts = [t for t in (prepend, x, append) if t is not None]
        x = b.aten.cat(parts, dim) if len(parts) > 1 else x
        for _ in range(n):
            after, before = neighbours(b, x, dim)
            x = b.aten.logical_xor(after, before) if x.dtype is DType.bool else b.aten.sub.Tensor(after, before)
        return x

    cases = [
        f32(3, 4),
        case(f32("?", 5), 2, 0, at=[4, 2, 0]),
        case(i64(3, 4), 1, 1, i64(3, 1), i64(3, 2)),
        i1(5),
    ]


@op("aten::cumulative_trapezoid.dx(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor")
class CumulativeTrapezoidDx(Decomposed):
    """Running sums of the means of neighbours, which are dx apart."""

    def decompose(b, y, dx, dim):
        if y.dtype is DType.bool:
            b.error("cumulative_trapezoid: received a bool input for `y`, but bool is not supported")
        after, before = neighbours(b, y, dim)
        areas = b.aten.mul.Scalar(b.aten.mul.Scalar(b.aten.add.Tensor(after, before), dx), 0.5)
        return b.aten.cumsum(areas, dim)

    cases = [f32(3, 4), case(f32("?", 5), dx=2, dim=0, at=[4, 1]), case(i64(2, 3), dx=0.5)]
