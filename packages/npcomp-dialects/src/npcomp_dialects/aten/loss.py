"""Losses."""

from __future__ import annotations

from .block import Block
from .cases import case, f32
from .families.reduction import count_of, divide_by
from .promotion import opmath, promote_floats
from .registry import op

NONE, MEAN, SUM = 0, 1, 2


class Loss(Block):
    """A float result; 16-bit floats compute in f32."""

    family = "reduction"
    dtype = promote_floats
    runtime = ("ignore_index", "label_smoothing", "beta", "delta")

    @classmethod
    def give_up(cls, args):
        return cls.unknown_results()


def reduced(b, loss, reduction):
    """All losses, their mean or their sum."""
    if reduction == NONE:
        return loss
    dims = list(range(loss.rank))
    total = b.reduce("sum", loss, dims)
    return total if reduction == SUM else divide_by(b, total, count_of(loss, dims))


class ElementLoss(Loss):
    """`element(b, x, y, **rest)` of input and target, then reduced."""

    element = None

    @classmethod
    def lower(cls, b, x, y, reduction, **rest):
        wide = opmath(cls.dtype.result_of(x.dtype))
        loss = b.map(lambda b, p, q: cls.element(b, p, q, **rest), b.cast(x, wide), b.cast(y, wide), dtype=wide)
        return b.cast(reduced(b, loss, reduction), x.dtype)

    cases = [
        case(f32(3, 4), f32(3, 4)),
        case(f32("n", 4), f32("n", 4), 0, at=[3, 0]),
        case(f32("n", 4), f32("n", 4), 2),
    ]


@op("aten::mse_loss(Tensor self, Tensor target, int reduction=1) -> Tensor", out="aten::mse_loss.out")
class MseLoss(ElementLoss):
    """Squared differences."""

    def element(b, x, y):
        return (x - y) * (x - y)


@op("aten::l1_loss(Tensor self, Tensor target, int reduction=1) -> Tensor")
class L1Loss(ElementLoss):
    """Absolute differences."""

    def element(b, x, y):
        return b.math.abs(x - y)


@op(
    "aten::smooth_l1_loss(Tensor self, Tensor target, int reduction=1, float beta=1.) -> Tensor",
    out="aten::smooth_l1_loss.out",
)
class SmoothL1Loss(ElementLoss):
    """Squared below beta, absolute above."""

    @classmethod
    def lower(cls, b, x, y, reduction, beta):
        return super().lower(b, x, y, reduction, beta=number(b, beta, x))

    def element(b, x, y, beta):
        size = b.math.abs(x - y)
        return b.select(size < beta, size * size * 0.5 / beta, size - beta * 0.5)


@op(
    "aten::huber_loss(Tensor self, Tensor target, int reduction=1, float delta=1.) -> Tensor",
    out="aten::huber_loss.out",
)
class HuberLoss(ElementLoss):
    """Squared up to delta, straight beyond."""

    @classmethod
    def lower(cls, b, x, y, reduction, delta):
        return super().lower(b, x, y, reduction, delta=number(b, delta, x))

    def element(b, x, y, delta):
        size = b.math.abs(x - y)
        return b.select(size <= delta, size * size * 0.5, (size - delta * 0.5) * delta)


def number(b, v, x):
    """A float argument in the computing dtype of x."""
    return v if isinstance(v, (int, float)) else b.cast(v, opmath(x.dtype))


@op(
    "aten::binary_cross_entropy(Tensor self, Tensor target, Tensor? weight=None, int reduction=1) -> Tensor",
    out="aten::binary_cross_entropy.out",
)
class BinaryCrossEntropy(Loss):
    """-(y log x + (1 - y) log(1 - x)), logarithms not below -100."""

    def lower(b, x, y, weight, reduction):
        wide = opmath(x.dtype)

        def body(b, p, q, *w):
            near, far = (b.maximum(b.math.log(v), -100.0) for v in (p, 1.0 - p))
            loss = (q - 1.0) * far - q * near
            return loss * w[0] if w else loss

        operands = [b.cast(t, wide) for t in (x, y, weight) if t is not None]
        return b.cast(reduced(b, b.map(body, *operands, dtype=wide), reduction), x.dtype)

    cases = [
        case(f32(3, 4, low=0.05, high=0.95), f32(3, 4, low=0, high=1)),
        case(f32("n", 4, low=0.05, high=0.95), f32("n", 4, low=0, high=1), f32(4), 2),
    ]


@op(
    "aten::binary_cross_entropy_with_logits(Tensor self, Tensor target, Tensor? weight=None, "
    "Tensor? pos_weight=None, int reduction=1) -> Tensor"
)
class BinaryCrossEntropyWithLogits(Loss):
    """binary_cross_entropy of the sigmoid, without overflow."""

    def lower(b, x, y, weight, pos_weight, reduction):
        wide = opmath(x.dtype)

        def body(b, p, q, *more):
            rest = iter(more)
            scale = 1.0 if pos_weight is None else (next(rest) - 1.0) * q + 1.0
            soft = b.math.log1p(b.math.exp(-b.math.abs(p))) + b.maximum(-p, 0.0)
            loss = (1.0 - q) * p + soft * scale
            return loss if weight is None else loss * next(rest)

        operands = [b.cast(t, wide) for t in (x, y, pos_weight, weight) if t is not None]
        return b.cast(reduced(b, b.map(body, *operands, dtype=wide), reduction), x.dtype)

    cases = [
        case(f32(3, 4), f32(3, 4, low=0, high=1)),
        case(f32("n", 4), f32("n", 4, low=0, high=1), f32(4), f32(4, low=0.5), 0),
    ]


@op("aten::kl_div(Tensor self, Tensor target, int reduction=1, *, bool log_target=False) -> Tensor")
class KlDiv(Loss):
    """target * (log target - input)."""

    def lower(b, x, y, reduction, log_target):
        def body(b, p, q):
            if log_target:
                return b.math.exp(q) * (q - p)
            entropy = b.select(q == 0.0, b.const(0.0, q.dtype), q * b.math.log(q))
            return entropy - q * p

        wide = opmath(x.dtype)
        loss = b.map(body, b.cast(x, wide), b.cast(y, wide), dtype=wide)
        return b.cast(reduced(b, loss, reduction), x.dtype)

    cases = [case(f32(3, 4), f32(3, 4, low=0, high=1)), case(f32("n", 4), f32("n", 4), 2, log_target=True)]
