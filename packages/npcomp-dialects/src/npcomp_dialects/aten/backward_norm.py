"""Gradients of normalizations."""

from __future__ import annotations

from .cases import case, f32
from .families.backward import Backward, unasked
from .families.reduction import count_of
from .normalization import inverse_deviation, last_dims, per_channel
from .promotion import opmath
from .registry import op


def input_gradient(b, grad, normal, rstd, dims):
    """rstd * (grad - mean(grad) - normal * mean(grad * normal)) over dims."""
    count = count_of(normal, dims)
    count = float(count) if isinstance(count, int) else b.cast(count, normal.dtype)
    products = b.map(lambda b, g, n: g * n, grad, normal, dtype=normal.dtype)
    total, slope = b.reduce("sum", grad, dims, True), b.reduce("sum", products, dims, True)

    def body(b, g, n, r, t, s):
        return r * (g - t / count - n * (s / count))

    return b.map(body, grad, normal, rstd, total, slope, dtype=normal.dtype)


def normalized(b, x, mean, rstd):
    """(x - mean) * rstd."""
    return b.map(lambda b, e, m, r: (e - m) * r, x, mean, rstd, dtype=x.dtype)


def scaled(b, grad, weight):
    """The gradient before the scale."""
    return grad if weight is None else b.map(lambda b, g, w: g * w, grad, weight, dtype=grad.dtype)


def parameter_gradients(b, grad, normal, dims, mask, like):
    """The gradients of scale and shift, or what stands for those nobody asks for."""
    products = b.map(lambda b, g, n: g * n, grad, normal, dtype=normal.dtype) if mask[1] else None
    weight = b.cast(b.reduce("sum", products, dims), like.dtype) if mask[1] else unasked(b, like)
    bias = b.cast(b.reduce("sum", grad, dims), like.dtype) if mask[2] else unasked(b, like)
    return weight, bias


@op(
    "aten::native_layer_norm_backward(Tensor grad_out, Tensor input, SymInt[] normalized_shape, Tensor mean, "
    "Tensor rstd, Tensor? weight, Tensor? bias, bool[3] output_mask) -> (Tensor, Tensor, Tensor)"
)
class LayerNormBackward(Backward):
    """The gradients of layer normalization's input, scale and shift."""

    def lower(b, grad, x, normalized_shape, mean, rstd, weight, bias, mask):
        wide = opmath(x.dtype)
        dims = last_dims(x, normalized_shape)
        grad, like, mean, rstd = b.cast(grad, wide), x, b.cast(mean, wide), b.cast(rstd, wide)
        normal = normalized(b, b.cast(x, wide), mean, rstd)
        lead = list(range(dims[0]))
        weight_grad, bias_grad = parameter_gradients(b, grad, normal, lead, mask, like)
        if not mask[0]:
            return unasked(b, like), weight_grad, bias_grad
        before = scaled(b, grad, None if weight is None else b.cast(weight, wide))
        return b.cast(input_gradient(b, before, normal, rstd, dims), like.dtype), weight_grad, bias_grad

    cases = [
        case(f32(3, 4), f32(3, 4), [4], f32(3, 1), f32(3, 1), f32(4), f32(4), [True, True, True]),
        case(f32("n", 4), f32("n", 4), [4], f32("n", 1), f32("n", 1), None, None, [True, False, False]),
    ]


@op(
    "aten::native_batch_norm_backward(Tensor grad_out, Tensor input, Tensor? weight, Tensor? running_mean, "
    "Tensor? running_var, Tensor? save_mean, Tensor? save_invstd, bool train, float eps, bool[3] output_mask) -> "
    "(Tensor, Tensor, Tensor)"
)
class BatchNormBackward(Backward):
    """The gradients of batch normalization's input, scale and shift."""

    def lower(b, grad, x, weight, running_mean, running_var, save_mean, save_rstd, train, eps, mask):
        wide = opmath(x.dtype)
        dims = [0, *range(2, x.rank)]
        mean = b.cast(save_mean if train else running_mean, wide)
        rstd = b.cast(save_rstd, wide) if train else inverse_deviation(b, b.cast(running_var, wide), eps)
        mean, rstd = per_channel(b, mean, x), per_channel(b, rstd, x)
        grad, like = b.cast(grad, wide), x
        normal = normalized(b, b.cast(x, wide), mean, rstd)
        weight_grad, bias_grad = parameter_gradients(b, grad, normal, dims, mask, like if weight is None else weight)
        if not mask[0]:
            return unasked(b, like), weight_grad, bias_grad
        before = scaled(b, grad, None if weight is None else per_channel(b, b.cast(weight, wide), x))
        inner = input_gradient(b, before, normal, rstd, dims) if train else scaled(b, before, rstd)
        return b.cast(inner, like.dtype), weight_grad, bias_grad

    cases = [
        case(f32(5, 3), f32(5, 3), f32(3), None, None, f32(3), f32(3, low=0.5), True, 1e-5, [True, True, True]),
        case(
            f32("n", 3, 4), f32("n", 3, 4), None, None, None, f32(3), f32(3, low=0.5), True, 1e-5, [True, False, False]
        ),
        case(f32("n", 3), f32("n", 3), f32(3), f32(3), f32(3, low=0.5), None, None, False, 1e-5, [True, True, True]),
    ]


@op(
    "aten::native_group_norm_backward(Tensor grad_out, Tensor input, Tensor mean, Tensor rstd, Tensor? weight, "
    "SymInt N, SymInt C, SymInt HxW, int group, bool[3] output_mask) -> (Tensor, Tensor, Tensor)"
)
class GroupNormBackward(Backward):
    """The gradients of group normalization's input, scale and shift."""

    def lower(b, grad, x, mean, rstd, weight, n, c, hw, groups, mask):
        wide, like = opmath(x.dtype), x
        batch, channels = x.sizes[0], x.sizes[1]
        rest = count_of(x, range(2, x.rank))
        split = [batch, groups, channels // groups, rest]
        grad, x = (b.reshape(b.cast(t, wide), split) for t in (grad, x))
        mean, rstd = (b.reshape(b.cast(t, wide), [batch, groups, 1, 1]) for t in (mean, rstd))
        normal = normalized(b, x, mean, rstd)
        flat = [b.reshape(t, [batch, channels, rest]) for t in (grad, normal)]
        weight_grad, bias_grad = parameter_gradients(b, *flat, [0, 2], mask, like)
        if not mask[0]:
            return unasked(b, like), weight_grad, bias_grad
        factor = None if weight is None else b.reshape(b.cast(weight, wide), [groups, channels // groups, 1])
        inner = input_gradient(b, scaled(b, grad, factor), normal, rstd, [2, 3])
        return b.cast(b.reshape(inner, like.sizes), like.dtype), weight_grad, bias_grad

    cases = [
        case(f32(2, 4, 5), f32(2, 4, 5), f32(2, 2), f32(2, 2), f32(4), 2, 4, 5, 2, [True, True, True]),
        case(f32("n", 4, 5), f32("n", 4, 5), f32("n", 2), f32("n", 2), None, 3, 4, 5, 2, [True, False, False], at=[3]),
    ]
