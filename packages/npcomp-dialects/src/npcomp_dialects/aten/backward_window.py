"""Gradients of convolution and pooling."""

from __future__ import annotations

from .cases import case, f32, i64
from .convolution import convolve, repeated, spread, transpose_convolve
from .dtypes import DType
from .errors import NotStatic
from .families.backward import Backward, unasked
from .pooling import covered, window_of
from .pooling_adaptive import part_weights
from .promotion import opmath
from .registry import op


def fit(b, x, dim, size):
    """The dim cut or padded with zeros at its end to a size."""
    n = x.sizes[dim]
    if (n == size) is True:
        return x
    if not isinstance(n, int) or not isinstance(size, int):
        raise NotStatic("a gradient of a window op needs known spatial sizes where the window does not fit exactly")
    if n > size:
        return b.slice(x, dim, 0, size, 1)
    return b.pad(x, [0] * x.rank, [size - n if d == dim else 0 for d in range(x.rank)], 0.0)


def conv_input_gradient(b, grad, x, weight, stride, padding, dilation, groups):
    """The transposed convolution of the gradient, fitted to the input's sizes."""
    spatial = x.rank - 2
    y = transpose_convolve(b, grad, weight, None, stride, [0] * spatial, dilation, [0] * spatial, groups)
    for d, p in enumerate(padding, 2):
        y = fit(b, y, d, x.sizes[d] + 2 * p if p else x.sizes[d])
        if p:
            y = b.slice(y, d, p, p + x.sizes[d], 1)
    return y


def conv_weight_gradient(b, grad, x, weight, stride, padding, dilation, groups):
    """The input convolved with the gradient: batch and channels change places, stride and dilation too."""
    if groups != 1:
        raise NotStatic("the weight gradient of a grouped convolution has no lowering")
    swap = [1, 0, *range(2, x.rank)]
    y = convolve(b, b.permute(x, swap), b.permute(grad, swap), None, dilation, padding, stride, 1)
    for d in range(2, x.rank):
        y = fit(b, y, d, weight.sizes[d])
    return b.permute(y, swap)


@op(
    "aten::convolution_backward(Tensor grad_output, Tensor input, Tensor weight, SymInt[]? bias_sizes, "
    "SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups, "
    "bool[3] output_mask) -> (Tensor, Tensor, Tensor)"
)
class ConvolutionBackward(Backward):
    """The gradients of a convolution's input, weight and bias."""

    runtime = ("bias_sizes",)

    def lower(b, grad, x, weight, bias_sizes, stride, padding, dilation, transposed, output_padding, groups, mask):
        if transposed or x.rank != weight.rank:
            raise NotStatic("the gradient of a transposed convolution has no lowering")
        spatial = x.rank - 2
        window = [repeated(v, spatial) for v in (stride, padding, dilation)]
        dims = [0, *range(2, grad.rank)]
        wide = b.cast(grad, opmath(grad.dtype))
        return (
            conv_input_gradient(b, grad, x, weight, *window, groups) if mask[0] else unasked(b, x),
            conv_weight_gradient(b, grad, x, weight, *window, groups) if mask[1] else unasked(b, weight),
            b.cast(b.reduce("sum", wide, dims), grad.dtype) if mask[2] else unasked(b, weight),
        )

    cases = [
        case(
            f32(2, 4, 5, 6),
            f32(2, 3, 5, 6),
            f32(4, 3, 3, 3),
            [4],
            [1, 1],
            [1, 1],
            [1, 1],
            False,
            [0, 0],
            1,
            [True, True, True],
        ),
        case(
            f32("n", 4, 3, 2),
            f32("n", 3, 6, 5),
            f32(4, 3, 3, 2),
            [4],
            [2, 2],
            [1, 0],
            [1, 1],
            False,
            [0, 0],
            1,
            [True, True, False],
        ),
        case(
            f32("n", 4, 3),
            f32("n", 3, 7),
            f32(4, 3, 3),
            None,
            [1],
            [0],
            [2],
            False,
            [0],
            1,
            [True, True, False],
        ),
        case(
            f32(2, 4, 5),
            f32(2, 4, 5),
            f32(4, 2, 3),
            None,
            [1],
            [1],
            [1],
            False,
            [0],
            2,
            [True, False, False],
        ),
    ]


def place(b, x, dim, offset, step, size):
    """Element i of a dim put at offset + i * step of a dim of the given size; what falls outside is lost."""
    spaced = spread(b, x, dim, step)
    n = spaced.sizes[dim]
    low, high = max(offset, 0), size - offset - n
    start = max(-offset, 0)
    if not isinstance(high, int):
        raise NotStatic("a pooling gradient needs known spatial sizes")
    stop = n + min(high, 0)
    if stop <= start:
        return None
    cut = b.slice(spaced, dim, start, stop, 1)
    return b.pad(
        cut,
        [low if d == dim else 0 for d in range(x.rank)],
        [max(high, 0) if d == dim else 0 for d in range(x.rank)],
        0,
    )


def scatter_windows(b, pieces, x, kernel, stride, padding, dilation, dtype):
    """The sum of `pieces(i, j)`, one for each place in the window, put where that place reads the input."""
    rows, columns = x.rank - 2, x.rank - 1
    total = None
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            piece = place(b, pieces(i, j), rows, i * dilation[0] - padding[0], stride[0], x.sizes[rows])
            if piece is not None:
                piece = place(b, piece, columns, j * dilation[1] - padding[1], stride[1], x.sizes[columns])
            if piece is not None:
                total = piece if total is None else b.map(lambda b, s, p: s + p, total, piece, dtype=dtype)
    return total if total is not None else b.full(x.sizes, 0, dtype)


@op(
    "aten::max_pool2d_with_indices_backward(Tensor grad_output, Tensor self, int[2] kernel_size, int[2] stride, "
    "int[2] padding, int[2] dilation, bool ceil_mode, Tensor indices) -> Tensor"
)
class MaxPool2dBackward(Backward):
    """The gradient goes to the place of each window's maximum."""

    def lower(b, grad, x, kernel, stride, padding, dilation, ceil_mode, indices):
        kernel, stride, padding, dilation = window_of(x, kernel, stride, padding, dilation)
        height, width = grad.sizes[-2:]
        oh = b.reshape(b.iota(height, DType.i64), [height, 1])
        ow = b.iota(width, DType.i64)
        columns, wide = x.sizes[-1], opmath(x.dtype)

        def piece(i, j):
            top, left = i * dilation[0] - padding[0], j * dilation[1] - padding[1]

            def body(b, g, index, r, c):
                at = (r * stride[0] + top) * columns + (c * stride[1] + left)
                inside = (c * stride[1] + left >= 0) & (c * stride[1] + left < columns)
                return b.select((index == at) & inside, b.cast(g, wide), b.const(0.0, wide))

            return b.map(body, grad, indices, oh, ow, dtype=wide)

        return b.cast(scatter_windows(b, piece, x, kernel, stride, padding, dilation, wide), x.dtype)

    cases = [
        case(f32(1, 1, 1, 1), f32(1, 1, 2, 2), [2, 2], [2, 2], [0, 0], [1, 1], False, i64(1, 1, 1, 1, low=0, high=4)),
        case(
            f32("n", 3, 2, 2),
            f32("n", 3, 2, 2),
            [3, 3],
            [1, 1],
            [1, 1],
            [1, 1],
            False,
            i64("n", 3, 2, 2, low=0, high=4),
        ),
    ]


@op(
    "aten::avg_pool2d_backward(Tensor grad_output, Tensor self, int[2] kernel_size, int[2] stride, int[2] padding, "
    "bool ceil_mode, bool count_include_pad, int? divisor_override) -> Tensor"
)
class AvgPool2dBackward(Backward):
    """The gradient shared out over each window."""

    def lower(b, grad, x, kernel, stride, padding, ceil_mode, include_pad, divisor):
        kernel, stride, padding, ones = window_of(x, kernel, stride, padding)
        wide = opmath(x.dtype)
        share = b.cast(grad, wide)
        if divisor is not None:
            share = b.map(lambda b, g: g / float(divisor), share, dtype=wide)
        else:
            for d in range(2):
                lead = x.rank - 2 + d
                count = grad.sizes[lead]
                places = covered(b, x.sizes[lead], kernel[d], stride[d], padding[d], count, include_pad)
                shaped = b.reshape(places, [count] + [1] * (1 - d))
                share = b.map(lambda b, g, n: g / b.cast(n, wide), share, shaped, dtype=wide)
        y = scatter_windows(b, lambda i, j: share, x, kernel, stride, padding, ones, wide)
        return b.cast(y, x.dtype)

    cases = [
        case(f32(2, 3, 2, 3), f32(2, 3, 4, 6), [2, 2], [2, 2], [0, 0], False, True, None),
        case(f32("n", 3, 3, 3), f32("n", 3, 5, 6), [3, 2], [2, 2], [1, 0], False, False, None),
        case(f32("n", 3, 3, 3), f32("n", 3, 5, 6), [3, 2], [2, 2], [1, 0], False, True, 5),
    ]


@op("aten::_adaptive_avg_pool2d_backward(Tensor grad_output, Tensor self) -> Tensor")
class AdaptiveAvgPool2dBackward(Backward):
    """The gradient shared out over each part."""

    def lower(b, grad, x):
        wide = opmath(x.dtype)
        y = b.cast(grad, wide)
        for dim in (x.rank - 2, x.rank - 1):
            y = share_out(b, y, dim, x.sizes[dim])
        return b.cast(y, x.dtype)

    cases = [
        case(f32(2, 3, 1, 1), f32(2, 3, 4, 5)),
        case(f32("n", 3, 2, 3), f32("n", 3, 5, 7)),
    ]


def share_out(b, grad, dim, size):
    """Each part's gradient divided over its elements; parts may overlap."""
    letters = "abcdefgh"[: grad.rank]
    out = letters.replace(letters[dim], "z")
    weights = part_weights(b, grad.sizes[dim], size, grad.dtype)
    return b.contract(f"{letters},{letters[dim]}z->{out}", grad, weights)
