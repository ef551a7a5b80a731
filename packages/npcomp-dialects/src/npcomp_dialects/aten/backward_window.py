"""Gradients of convolution."""

from __future__ import annotations

from .cases import case, f32
from .convolution import convolve, repeated, spread, transpose_convolve
from .errors import NotStatic
from .families.backward import Backward, unasked
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
