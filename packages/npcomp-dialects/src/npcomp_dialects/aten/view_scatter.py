"""A part of a tensor replaced, and the gradients of views."""

from __future__ import annotations

from .cases import case, f32, i64
from .dims import wrap_dim
from .dtypes import DType
from .families.view import View
from .registry import op
from .view_slice import checked_index, slice_bounds


def replace_slice(b, x, src, dim, start, stop, step):
    """x with src in the place of x[start:stop:step] along a dim; bounds are inside x."""
    n, src = x.sizes[dim], b.cast(src, x.dtype)
    count = (stop - start + (step - 1)) // step
    guard_same_shape(b, x, src, dim, count)
    if step == 1:
        if (count == 0) is True or (count == n) is True:
            return src if (count == n) is True else x
        return b.update(x, dim, start, src)
    offset = b.map(lambda b, i: i - start, b.iota(n, DType.i64), dtype=DType.i64)
    inside = b.map(lambda b, i: (i >= 0) & (i < stop - start) & (i % step == 0), offset, dtype=DType.bool)
    source = b.map(lambda b, i, ok: b.select(ok, i // step, b.const(0, i.dtype)), offset, inside, dtype=DType.i64)
    spread = b.index_select(with_one_more(b, src, dim), dim, source)
    mask = b.reshape(inside, [n] + [1] * (x.rank - dim - 1))
    return b.map(lambda b, ok, new, old: b.select(ok, new, old), mask, spread, x, dtype=x.dtype)


def with_one_more(b, x, dim):
    """One more element along a dim, so that index 0 always exists."""
    return b.pad(x, [0] * x.rank, [int(d == dim) for d in range(x.rank)], 0)


def guard_same_shape(b, x, src, dim, count):
    """src has the shape of the part that it replaces."""
    if src.rank != x.rank:
        b.error(f"expected src of rank {x.rank}, the rank of the tensor it goes into, got rank {src.rank}")
    for d in range(x.rank):
        want = count if d == dim else x.sizes[d]
        b.guard(
            src.sizes[d] == want,
            f"expected src to have a size equal to the slice of self: dim {d} is {{0}}, the slice has {{1}}",
            src.sizes[d],
            want,
        )


@op(
    "aten::slice_scatter(Tensor self, Tensor src, int dim=0, SymInt? start=None, SymInt? end=None, "
    "SymInt step=1) -> Tensor",
    out="aten::slice_scatter.out",
)
class SliceScatter(View):
    """self with src in the place of a slice."""

    runtime = ("start", "end")

    def lower(b, x, src, dim, start, end, step):
        dim = wrap_dim(dim, x.rank)
        return replace_slice(b, x, src, dim, *slice_bounds(b, x, dim, start, end), step)

    cases = [
        case(f32(5, 4), f32(2, 4), 0, 1, 3),
        case(f32("n", 4), f32("n", 2), 1, 2, None, at=[3, 0]),
        case(f32("?", 4), i64("?", 4), 0, 1, -1, at=[(5, 3), (1, 0)]),
        case(f32("?"), f32("?"), 0, 1, None, 3, at=[(8, 3), (1, 0)]),
        case(f32(5), f32(5)),
    ]


@op("aten::select_scatter(Tensor self, Tensor src, int dim, SymInt index) -> Tensor", out="aten::select_scatter.out")
class SelectScatter(View):
    """self with src in the place of one index of a dim."""

    runtime = ("index",)

    def lower(b, x, src, dim, index):
        dim = wrap_dim(dim, x.rank)
        at = checked_index(b, x, dim, index)
        row = b.reshape(src, [*src.sizes[:dim], 1, *src.sizes[dim:]])
        return replace_slice(b, x, row, dim, at, at + 1, 1)

    cases = [case(f32(5, 4), f32(4), 0, 1), case(f32("n", 4), f32("n"), 1, -1, at=[3, 0]), case(f32("?"), f32(), 0, 0)]


class ViewBackward(View):
    """The gradient of a view: zeros with the incoming gradient where the view was."""

    runtime = ("input_sizes", "start", "end", "index")


@op(
    "aten::slice_backward(Tensor grad_output, SymInt[] input_sizes, int dim, SymInt start, SymInt end, "
    "SymInt step) -> Tensor",
    out="aten::slice_backward.out",
)
class SliceBackward(ViewBackward):
    """The gradient of slice."""

    def lower(b, grad, sizes, dim, start, end, step):
        zeros = b.full(sizes, 0, grad.dtype)
        dim = wrap_dim(dim, len(sizes))
        first, last = slice_bounds(b, zeros, dim, start, end)
        if step != 1:
            return replace_slice(b, zeros, grad, dim, first, last, step)
        guard_same_shape(b, zeros, grad, dim, last - first)
        low, high = ([v if d == dim else 0 for d in range(len(sizes))] for v in (first, sizes[dim] - last))
        return b.pad(grad, low, high, 0)

    cases = [
        case(f32(2, 4), [5, 4], 0, 1, 3, 1),
        case(f32("?", 4), [5, 4], 0, 1, 4, 1, at=[3]),
        case(f32(2), [5], 0, 0, 9223372036854775807, 3),
    ]


@op(
    "aten::select_backward(Tensor grad_output, SymInt[] input_sizes, int dim, SymInt index) -> Tensor",
    out="aten::select_backward.out",
)
class SelectBackward(ViewBackward):
    """The gradient of select."""

    def lower(b, grad, sizes, dim, index):
        zeros = b.full(sizes, 0, grad.dtype)
        dim = wrap_dim(dim, len(sizes))
        at = checked_index(b, zeros, dim, index)
        row = b.reshape(grad, [*grad.sizes[:dim], 1, *grad.sizes[dim:]])
        guard_same_shape(b, zeros, row, dim, 1)
        low, high = ([v if d == dim else 0 for d in range(len(sizes))] for v in (at, sizes[dim] - at - 1))
        return b.pad(row, low, high, 0)

    cases = [case(f32(4), [5, 4], 0, 1), case(f32("?"), [3, 4], 1, -1, at=[3])]
