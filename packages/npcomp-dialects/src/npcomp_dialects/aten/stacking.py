"""Tensors joined after they have got the dims that the join needs, and all ways to pick one element of each."""

from __future__ import annotations

from .cases import case, f32, i64
from .errors import InferError
from .families.view import View
from .registry import op
from .view_join import Join, common_dtype, concatenate


@op("aten::column_stack(Tensor[] tensors) -> Tensor", out="aten::column_stack.out")
class ColumnStack(Join):
    """Tensors side by side along dim 1, vectors as columns."""

    def lower(b, tensors):
        shaped = [t if t.rank > 1 else b.reshape(t, [b.numel(t), 1]) for t in common_dtype(b, tensors)]
        return concatenate(b, shaped, 1)

    cases = [case([f32(3), f32(3, 2)]), case([f32("n"), i64("n")], at=[3, 0]), case([f32(), f32()])]


def with_three_dims(b, t):
    """The tensor with leading and trailing dims of size 1: a vector lies in the middle."""
    sizes = {0: [1, 1, 1], 1: [1, *t.sizes, 1], 2: [*t.sizes, 1]}
    return b.reshape(t, sizes[t.rank]) if t.rank in sizes else t


@op("aten::dstack(Tensor[] tensors) -> Tensor", out="aten::dstack.out")
class DStack(Join):
    """Tensors behind each other, along dim 2."""

    def lower(b, tensors):
        return concatenate(b, [with_three_dims(b, t) for t in common_dtype(b, tensors)], 2)

    cases = [case([f32(3, 4), f32(3, 4)]), case([f32("n"), f32("n")], at=[3, 0]), case([f32(2, 3, 1), f32(2, 3)])]


@op("aten::cartesian_prod(Tensor[] tensors) -> Tensor")
class CartesianProd(Join):
    """Every way to pick one element of each vector, one a row; the last vector changes first."""

    def lower(b, tensors):
        if not tensors:
            raise InferError("cartesian_prod expects a non-empty list of tensors")
        for t in tensors:
            if t.rank != 1:
                raise InferError(f"Expect a 1D vector, but got shape {t.sizes}")
            if t.dtype is not tensors[0].dtype:
                raise InferError(f"meshgrid expects all tensors to have the same dtype, got {t.dtype} too")
        if len(tensors) == 1:
            return tensors[0]
        sizes = [t.sizes[0] for t in tensors]
        count = len(sizes)
        grids = [
            b.reshape(t, [n if d == i else 1 for d in range(count)]) for i, (t, n) in enumerate(zip(tensors, sizes))
        ]
        columns = [b.reshape(b.broadcast(g, sizes), [b.numel(b.broadcast(g, sizes)), 1]) for g in grids]
        return b.concat(columns, 1)

    cases = [case([f32(3), f32(4)]), case([i64("?"), i64(2), i64("?")], at=[(3, 2), (0, 1)]), case([f32(4)])]


@op("aten::atleast_2d(Tensor self) -> Tensor")
class AtLeast2d(View):
    """The tensor with dims of size 1 in front, if it has fewer than two."""

    def lower(b, x):
        return x if x.rank > 1 else b.reshape(x, [1, b.numel(x)])

    cases = [f32(), f32("?"), f32(3, "?"), f32(2, 3)]
