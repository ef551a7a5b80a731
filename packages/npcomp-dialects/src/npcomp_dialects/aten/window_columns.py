"""Windows laid out as columns and added up again: im2col, col2im and the gradient of unfold."""

from __future__ import annotations

from .cases import bf16, case, f32, f64
from .dims import wrap_dim
from .dtypes import DType
from .errors import InferError
from .families.backward import Backward
from .families.view import View
from .promotion import opmath
from .registry import op


def covering(b, size, count, kernel, stride, padding, dilation):
    """For each of `size` places of a dim the windows that contain it, as tensors [size, t].

    Gives the number of the window, the place's offset in it counted in elements of the window, and whether there is
    such a window; numbers stay inside their ranges even where there is none.
    """
    most = -(-kernel // stride) if dilation == 1 else kernel

    def body(b, y, t):
        if dilation == 1:
            window = (y + padding) // stride - t
            offset = y + padding - window * stride
            holds = (window >= 0) & (window < count) & (offset < kernel)
        else:
            offset, start = t, y + padding - t * dilation
            window = start // stride
            holds = (start >= 0) & (start % stride == 0) & (window < count)
        window = b.maximum(b.minimum(window, count - 1), 0)
        return window, b.minimum(offset, kernel - 1), holds

    places = b.reshape(b.iota(size, DType.i64), [size, 1])
    return b.map(body, places, b.iota(most, DType.i64), dtype=(DType.i64, DType.i64, DType.bool))


def along(b, table, dim, rank):
    """A tensor [size, t] shaped to broadcast over dims `dim` and `dim + 1` of a tensor of a rank."""
    return b.reshape(table, [*table.sizes, *[1] * (rank - dim - 2)])


def fold_dim(b, x, dim, size, stride, padding, dilation):
    """Dims `dim` (offset in a window) and `dim + 1` (which window) become one of `size` places, overlaps added up."""
    kernel, count = x.sizes[dim], x.sizes[dim + 1]
    window, offset, holds = covering(b, size, count, kernel, stride, padding, dilation)
    flat = b.reshape(x, [*x.sizes[:dim], kernel * count, *x.sizes[dim + 2 :]])
    index = b.map(lambda b, w, k: k * count + w, window, offset, dtype=DType.i64)
    picked = b.index_select(flat, dim, index)
    zero = False if x.dtype is DType.bool else 0
    kept = b.map(
        lambda b, e, ok: b.select(ok, e, b.const(zero, e.dtype)),
        picked,
        along(b, holds, dim, picked.rank),
        dtype=x.dtype,
    )
    return b.reduce("sum", kept, [dim + 1])


def windows_of(b, x, dim, kernel, count, stride, dilation):
    """A dim as two: offset in a window, and which window."""
    offsets, windows = b.reshape(b.iota(kernel, DType.i64), [kernel, 1]), b.iota(count, DType.i64)
    index = b.map(lambda b, k, w: w * stride + k * dilation, offsets, windows, dtype=DType.i64)
    return b.index_select(x, dim, index)


def weighted(b, x, dim, places, weights):
    """Sums of elements along a dim: `places` and `weights` are tensors [wanted, how many]."""
    picked = b.index_select(x, dim, places, error=None)
    shaped = b.reshape(weights, [*weights.sizes, *[1] * (x.rank - dim - 1)])
    return b.reduce("sum", b.map(lambda b, e, w: e * w, picked, shaped, dtype=x.dtype), [dim + 1])


def check_window(*lists, positive=True):
    """Kernel, stride and dilation are positive, padding is not negative."""
    for values in lists:
        if len(values) != 2 or any(v < (1 if positive else 0) for v in values):
            raise InferError(f"expected two {'positive' if positive else 'non-negative'} numbers, got {values}")


def window_count(b, size, kernel, stride, padding, dilation):
    """How many windows fit a dim."""
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    b.guard(room >= 0, "a window of {0} (dilation {1}) does not fit size {2}", kernel, dilation, size)
    return room // stride + 1


@op(
    "aten::im2col(Tensor self, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) -> Tensor",
    out="aten::im2col.out",
)
class Im2Col(View):
    """Each window of an image as a column."""

    def lower(b, x, kernel, dilation, padding, stride):
        check_window(kernel, dilation, stride)
        check_window(padding, positive=False)
        if x.rank not in (3, 4):
            raise InferError(f"im2col: expected an input of rank 3 or 4, got rank {x.rank}")
        for d in range(x.rank - 3, x.rank):
            b.guard(x.sizes[d] != 0, f"im2col: expected non-zero size, but dimension {d} has size {{0}}", x.sizes[d])
        images = x if x.rank == 4 else b.reshape(x, [1, *x.sizes])
        n, channels, *sizes = images.sizes
        counts = [window_count(b, *v) for v in zip(sizes, kernel, stride, padding, dilation, strict=True)]
        columns = b.pad(images, [0, 0, *padding], [0, 0, *padding], 0)
        for d in (1, 0):
            columns = windows_of(b, columns, 2 + d, kernel[d], counts[d], stride[d], dilation[d])
        columns = b.permute(columns, [0, 1, 2, 4, 3, 5])
        flat = [channels * (kernel[0] * kernel[1]), counts[0] * counts[1]]
        return b.reshape(columns, flat if x.rank == 3 else [n, *flat])

    cases = [
        case(f32(2, 3, 5, 6), [2, 3], [1, 1], [0, 0], [1, 1]),
        case(f32("?", 3, "?", 6), [3, 2], [1, 2], [1, 0], [2, 1], at=[(2, 5), (0, 3)]),
        case(f64(3, 5, 6), [2, 2], [2, 1], [0, 2], [1, 3]),
        case(bf16(1, 1, 3, 3), [3, 3], [1, 1], [0, 0], [1, 1]),
    ]


@op(
    "aten::col2im(Tensor self, SymInt[2] output_size, int[2] kernel_size, int[2] dilation, int[2] padding, "
    "int[2] stride) -> Tensor",
    out="aten::col2im.out",
)
class Col2Im(View):
    """Columns put back where their windows were, overlaps added up."""

    runtime = ("output_size",)

    def lower(b, x, sizes, kernel, dilation, padding, stride):
        check_window(kernel, dilation, stride)
        check_window(padding, positive=False)
        if x.rank not in (2, 3):
            raise InferError(f"col2im: expected an input of rank 2 or 3, got rank {x.rank}")
        columns = x if x.rank == 3 else b.reshape(x, [1, *x.sizes])
        n, rows, length = columns.sizes
        area = kernel[0] * kernel[1]
        b.guard(rows % area == 0, "col2im: {0} rows are not a multiple of the window's {1} elements", rows, area)
        counts = [window_count(b, *v) for v in zip(sizes, kernel, stride, padding, dilation, strict=True)]
        message = "col2im: expected {0} columns, one for each window, got {1}"
        b.guard(length == counts[0] * counts[1], message, counts[0] * counts[1], length)
        channels = rows // area
        split = b.reshape(b.cast(columns, opmath(x.dtype)), [n, channels, *kernel, *counts])
        folded = b.permute(split, [0, 1, 2, 4, 3, 5])
        for d in (0, 1):
            folded = fold_dim(b, folded, 2 + d, sizes[d], stride[d], padding[d], dilation[d])
        folded = b.cast(folded, x.dtype)
        return folded if x.rank == 3 else b.reshape(folded, folded.sizes[1:])

    cases = [
        case(f32(2, 18, 16), [5, 6], [2, 3], [1, 1], [0, 0], [1, 1]),
        case(f32("?", 6, 12), [5, 6], [3, 2], [1, 2], [1, 0], [2, 1], at=[2, 0]),
        case(f64(8, 4), [4, 5], [2, 2], [1, 1], [0, 0], [2, 2]),
    ]


@op(
    "aten::unfold_backward(Tensor grad_in, SymInt[] input_sizes, int dim, int size, int step) -> Tensor",
    out="aten::unfold_backward.out",
)
class UnfoldBackward(Backward):
    """The gradients of each window put back to their elements, overlaps added up."""

    runtime = ("input_sizes",)

    def lower(b, grad, sizes, dim, size, step):
        if not sizes:
            return b.reshape(grad, [])
        dim = wrap_dim(dim, len(sizes))
        last = grad.rank - 1
        moved = b.permute(b.cast(grad, opmath(grad.dtype)), [*range(dim), last, *range(dim, last)])
        return b.cast(fold_dim(b, moved, dim, sizes[dim], step, 0, 1), grad.dtype)

    cases = [
        case(f32(3, 3), [7], 0, 3, 2),
        case(f32(2, "?", 2), [2, 5], 1, 2, 1, at=[4]),
        case(f64(2, 2, 3), [2, 9], 1, 3, 4),
    ]
