"""Gradients of convolution."""

from __future__ import annotations

from .cases import case, f32
from .convolution import convolve, repeated, transpose_convolve
from .errors import InferError
from .families.backward import Backward, unasked
from .promotion import opmath
from .registry import op


def cut(b, x, dim, size):
    """The dim cut at its end to a size that is not larger."""
    return x if (x.sizes[dim] == size) is True else b.slice(x, dim, 0, size, 1)


def conv_input_gradient(b, grad, x, weight, stride, padding, dilation, groups):
    """The transposed convolution of the gradient, with zeros for what no window reached, without the padding."""
    spatial = x.rank - 2
    y = transpose_convolve(b, grad, weight, None, stride, [0] * spatial, dilation, [0] * spatial, groups)
    missing = [x.sizes[d] + 2 * p - y.sizes[d] for d, p in enumerate(padding, 2)]
    y = b.pad(y, [0] * x.rank, [0, 0, *missing], 0.0)
    for d, p in enumerate(padding, 2):
        y = b.slice(y, d, p, p + x.sizes[d], 1) if p else y
    return y


def conv_weight_gradient(b, grad, x, weight, stride, padding, dilation, groups):
    """The input convolved with the gradient: batch and channels change places, stride and dilation too."""
    swap = [1, 0, *range(2, x.rank)]
    n, channels, *extents = x.sizes
    split = b.reshape(x, [n, groups, channels // groups, *extents])
    turned = b.permute(split, [2, 1, 0, *range(3, split.rank)])
    images = b.reshape(turned, [channels // groups, groups * n, *extents])
    y = convolve(b, images, b.permute(grad, swap), None, dilation, padding, stride, groups)
    for d in range(2, x.rank):
        y = cut(b, y, d, weight.sizes[d])
    return b.permute(y, swap)


def conv_gradients(b, grad, x, weight, window, groups, mask):
    """The gradients of a convolution's input and weight, where they are asked for."""
    return (
        conv_input_gradient(b, grad, x, weight, *window, groups) if mask[0] else unasked(b, x),
        conv_weight_gradient(b, grad, x, weight, *window, groups) if mask[1] else unasked(b, weight),
    )


def transposed_gradients(b, grad, x, weight, window, groups, mask):
    """The gradients of a transposed convolution: the gradient convolved; its weight takes the other's place."""
    stride, padding, dilation = window
    of_input, of_weight = unasked(b, x), unasked(b, weight)
    if mask[0]:
        of_input = convolve(b, grad, weight, None, stride, padding, dilation, groups)
        for d in range(2, x.rank):
            of_input = cut(b, of_input, d, x.sizes[d])
    if mask[1]:
        of_weight = conv_weight_gradient(b, x, grad, weight, *window, groups)
    return of_input, of_weight


@op(
    "aten::convolution_backward(Tensor grad_output, Tensor input, Tensor weight, SymInt[]? bias_sizes, "
    "SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups, "
    "bool[3] output_mask) -> (Tensor, Tensor, Tensor)"
)
class ConvolutionBackward(Backward):
    """The gradients of a convolution's input, weight and bias."""

    runtime = ("bias_sizes",)

    def lower(b, grad, x, weight, bias_sizes, stride, padding, dilation, transposed, output_padding, groups, mask):
        if x.rank != weight.rank or grad.rank != x.rank:
            raise InferError(
                f"convolution_backward takes tensors of one rank, got {grad.rank}, {x.rank}, {weight.rank}"
            )
        window = [repeated(v, x.rank - 2) for v in (stride, padding, dilation)]
        gradients = transposed_gradients if transposed else conv_gradients
        wide = b.cast(grad, opmath(grad.dtype))
        of_bias = (
            b.cast(b.reduce("sum", wide, [0, *range(2, grad.rank)]), grad.dtype) if mask[2] else unasked(b, weight)
        )
        return *gradients(b, grad, x, weight, window, groups, mask), of_bias

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
        *(
            case(*tensors, None, *numbers, [True, True, False])
            for tensors, numbers in [
                ([f32(2, 6, 5), f32(2, 4, 5), f32(6, 2, 3)], [[1], [1], [1], False, [0], 2]),
                ([f32("n", 4, "m"), f32("n", 4, "m"), f32(4, 1, 3)], [[1], [1], [1], False, [0], 4]),
                ([f32(2, 6, 2, 5), f32(2, 4, 2, 5), f32(4, 3, 3, 3)], [[1, 1], [1, 1], [1, 1], True, [0, 0], 2]),
                ([f32(2, 3, 10), f32(2, 4, 5), f32(4, 3, 3)], [[2], [1], [1], True, [1], 1]),
            ]
        ),
    ]
