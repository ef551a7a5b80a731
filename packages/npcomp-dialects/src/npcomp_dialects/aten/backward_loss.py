"""Gradients of losses and of softmax."""

from __future__ import annotations

from .cases import case, f16, f32
from .dims import wrap_dims
from .families.backward import Backward
from .families.reduction import count_of
from .loss import MEAN, number
from .promotion import opmath, promote
from .registry import op


class LossBackward(Backward):
    """`slope(b, x, y, **rest)` times the gradient, divided by the number of elements for a mean."""

    dtype = promote
    slope = None
    runtime = ("beta", "delta")

    @classmethod
    def lower(cls, b, grad, x, y, reduction, **rest):
        wide = opmath(x.dtype)
        count = count_of(x, range(x.rank)) if reduction == MEAN else 1
        count = float(count) if isinstance(count, int) else b.cast(count, wide)

        def body(b, g, p, q):
            g, p, q = (b.cast(v, wide) for v in (g, p, q))
            return b.cast(cls.slope(b, p, q, **rest) * (g / count), x.dtype)

        return b.map(body, grad, x, y, dtype=x.dtype)

    cases = [
        case(f32(), f32(3, 4), f32(3, 4), 1),
        case(f32("n", 4), f32("n", 4), f32("n", 4), 0, at=[3, 0]),
        case(f32(), f32("n", 4), f32("n", 4), 2),
    ]


@op("aten::mse_loss_backward(Tensor grad_output, Tensor self, Tensor target, int reduction) -> Tensor")
class MseLossBackward(LossBackward):
    """2 (x - y)."""

    def slope(b, x, y):
        return (x - y) * 2.0


HUBER_CASES = [
    case(f32(), f32(3, 4), f32(3, 4), 1, 0.7),
    case(f32("n", 4), f32("n", 4), f32("n", 4), 0, 1.0, at=[3, 0]),
]


@op(
    "aten::smooth_l1_loss_backward(Tensor grad_output, Tensor self, Tensor target, int reduction, float beta) -> Tensor"
)
class SmoothL1LossBackward(LossBackward):
    """(x - y) / beta, clamped to [-1, 1]."""

    @classmethod
    def lower(cls, b, grad, x, y, reduction, beta):
        return super().lower(b, grad, x, y, reduction, beta=number(b, beta, x))

    def slope(b, x, y, beta):
        return b.minimum(b.maximum((x - y) / beta, -1.0), 1.0)

    cases = HUBER_CASES


@op("aten::huber_loss_backward(Tensor grad_output, Tensor self, Tensor target, int reduction, float delta) -> Tensor")
class HuberLossBackward(LossBackward):
    """x - y, clamped to [-delta, delta]."""

    @classmethod
    def lower(cls, b, grad, x, y, reduction, delta):
        return super().lower(b, grad, x, y, reduction, delta=number(b, delta, x))

    def slope(b, x, y, delta):
        return b.minimum(b.maximum(x - y, -delta), delta)

    cases = HUBER_CASES


@op(
    "aten::binary_cross_entropy_backward(Tensor grad_output, Tensor self, Tensor target, Tensor? weight=None, "
    "int reduction=1) -> Tensor"
)
class BinaryCrossEntropyBackward(Backward):
    """(x - y) / (x (1 - x))."""

    dtype = promote

    def lower(b, grad, x, y, weight, reduction):
        wide = opmath(x.dtype)
        count = count_of(x, range(x.rank)) if reduction == MEAN else 1
        count = float(count) if isinstance(count, int) else b.cast(count, wide)

        def body(b, g, p, q, *w):
            slope = g * (p - q) / b.maximum((1.0 - p) * p, 1e-12)
            return b.cast((slope * w[0] if w else slope) / count, x.dtype)

        operands = [b.cast(t, wide) for t in (grad, x, y, weight) if t is not None]
        return b.map(body, *operands, dtype=x.dtype)

    cases = [
        case(f32(), f32(3, 4, low=0.05, high=0.95), f32(3, 4, low=0, high=1)),
        case(f32("n", 4), f32("n", 4, low=0.05, high=0.95), f32("n", 4, low=0, high=1), f32(4), 0),
    ]


class SoftmaxLikeBackward(Backward):
    """The gradient of a softmax from its output; `input_dtype` is that of the softmax's input."""

    body = None

    @classmethod
    def lower(cls, b, grad, y, dim, input_dtype):
        wide = opmath(grad.dtype)
        grad, y = b.cast(grad, wide), b.cast(y, wide)
        return b.cast(cls.body(b, grad, y, wrap_dims(dim, y.rank)), input_dtype)

    cases = [
        case(f32(3, 4), f32(3, 4), 1, 6),
        case(f32("n", 4), f32("n", 4), 0, 6, at=[3, 1, 0]),
        case(f16(3, 4), f16(3, 4), 1, 5),
    ]


@op("aten::_softmax_backward_data(Tensor grad_output, Tensor output, int dim, ScalarType input_dtype) -> Tensor")
class SoftmaxBackward(SoftmaxLikeBackward):
    """(grad - sum(grad * output)) * output."""

    def body(b, grad, y, dims):
        products = b.map(lambda b, g, e: g * e, grad, y, dtype=y.dtype)
        total = b.reduce("sum", products, dims, True)
        return b.map(lambda b, g, e, s: (g - s) * e, grad, y, total, dtype=y.dtype)


@op("aten::_log_softmax_backward_data(Tensor grad_output, Tensor output, int dim, ScalarType input_dtype) -> Tensor")
class LogSoftmaxBackward(SoftmaxLikeBackward):
    """grad - exp(output) * sum(grad)."""

    def body(b, grad, y, dims):
        total = b.reduce("sum", grad, dims, True)
        return b.map(lambda b, g, e, s: g - b.math.exp(e) * s, grad, y, total, dtype=y.dtype)
