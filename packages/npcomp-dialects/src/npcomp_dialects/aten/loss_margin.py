"""Losses that want a margin between classes, and their gradients."""

from __future__ import annotations

from .backward_loss import LossBackward
from .cases import case, f32, i64
from .dtypes import DType
from .errors import InferError
from .loss import MEAN, NONE, ElementLoss, Loss, number, reduced
from .promotion import opmath
from .registry import op


@op("aten::soft_margin_loss(Tensor self, Tensor target, int reduction=1) -> Tensor", out="aten::soft_margin_loss.out")
class SoftMarginLoss(ElementLoss):
    """log(1 + exp(-target * input))."""

    def element(b, x, y):
        return b.math.log1p(b.math.exp(-(x * y)))


@op("aten::soft_margin_loss_backward(Tensor grad_output, Tensor self, Tensor target, int reduction) -> Tensor")
class SoftMarginLossBackward(LossBackward):
    """-target * z / (1 + z), where z is exp(-target * input)."""

    def slope(b, x, y):
        z = b.math.exp(-(x * y))
        return -(y * z) / (z + 1.0)


def rows(b, x, target, name):
    """Input as [rows, classes] and target as [rows]; a vector is one row."""
    if x.rank not in (1, 2):
        raise InferError(f"{name}: expected a vector or a matrix, got a tensor of rank {x.rank}")
    count = x.sizes[0] if x.rank == 2 else 1
    return b.reshape(x, [count, x.sizes[-1]]), b.reshape(target, [count])


def margins(b, x, target, weight, margin, wide):
    """For each row and class: margin - x[target] + x[class], whether it counts, and the weight of the row."""
    count, classes = x.sizes
    index = b.cast(b.reshape(target, [count, 1]), DType.i64)
    chosen = b.gather(x, 1, index)
    places = b.iota(classes, DType.i64)
    weights = b.full([1, 1], 1.0, wide)
    if weight is not None:
        weights = b.reshape(b.index_select(b.cast(weight, wide), 0, b.reshape(index, [count])), [count, 1])
    gap = b.map(lambda b, c, e: margin - c + e, chosen, x, dtype=wide)
    counts = b.map(lambda b, t, c, g: (t != c) & (g > 0.0), index, places, gap, dtype=DType.bool)
    return gap, counts, weights, index, places


def size_of(b, size, dtype):
    return float(size) if isinstance(size, int) else b.cast(size, dtype)


class MultiMargin(Loss):
    """What forward and gradient share: p is 1 or 2."""

    constant = ("p",)
    runtime = ()

    @classmethod
    def check(cls, p):
        if p not in (1, 2):
            raise InferError("multi_margin_loss: only p == 1 and p == 2 supported")


@op(
    "aten::multi_margin_loss(Tensor self, Tensor target, Scalar p=1, Scalar margin=1, Tensor? weight=None, "
    "int reduction=1) -> Tensor",
    out="aten::multi_margin_loss.out",
)
class MultiMarginLoss(MultiMargin):
    """The mean over classes of max(0, margin - x[target] + x[class])^p, the target left out."""

    @classmethod
    def lower(cls, b, x, target, p, margin, weight, reduction):
        cls.check(p)
        wide, vector = opmath(x.dtype), x.rank == 1
        flat, target = rows(b, b.cast(x, wide), target, "multi_margin_loss")
        gap, counts, weights, _, _ = margins(b, flat, target, weight, number(b, margin, x), wide)
        classes = size_of(b, flat.sizes[1], wide)

        def body(b, g, ok, w):
            return b.select(ok, (g * g if p == 2 else g) * w / classes, b.const(0.0, wide))

        losses = b.reduce("sum", b.map(body, gap, counts, weights, dtype=wide), [1])
        if reduction == NONE and vector:
            losses = b.reshape(losses, [])
        return b.cast(reduced(b, losses, reduction), x.dtype)

    cases = [
        case(f32(3, 4), i64(3, low=0, high=4)),
        case(f32("n", 4), i64("n", low=0, high=4), 2, 0.5, f32(4, low=0.1), 0, at=[3, 0]),
        case(f32(4), i64(1, low=0, high=4)),
    ]


@op(
    "aten::multi_margin_loss_backward(Tensor grad_output, Tensor self, Tensor target, Scalar p, Scalar margin, "
    "Tensor? weight=None, int reduction=1) -> Tensor"
)
class MultiMarginLossBackward(MultiMargin):
    """The slope of each class that counts, taken off at the target."""

    def infer(grad, x, *_):
        return x

    @classmethod
    def lower(cls, b, grad, x, target, p, margin, weight, reduction):
        cls.check(p)
        wide = opmath(x.dtype)
        flat, target = rows(b, b.cast(x, wide), target, "multi_margin_loss_backward")
        gap, counts, weights, index, places = margins(b, flat, target, weight, number(b, margin, x), wide)
        scale = size_of(b, flat.sizes[1], wide)
        scale = scale * size_of(b, flat.sizes[0], wide) if reduction == MEAN else scale

        def slope(b, g, ok, w):
            return b.select(ok, (g * 2.0 if p == 2 else b.const(1.0, wide)) * w / scale, b.const(0.0, wide))

        slopes = b.map(slope, gap, counts, weights, dtype=wide)
        totals = b.reduce("sum", slopes, [1], True)
        grads = b.reshape(grad, [flat.sizes[0], 1] if reduction == NONE else [1, 1])

        def body(b, s, total, t, c, g):
            return b.select(t == c, -total, s) * b.cast(g, wide)

        return b.cast(b.reshape(b.map(body, slopes, totals, index, places, grads, dtype=wide), x.sizes), x.dtype)

    cases = [
        case(f32(), f32(3, 4), i64(3, low=0, high=4), 1, 1),
        case(f32("n"), f32("n", 4), i64("n", low=0, high=4), 2, 0.5, f32(4, low=0.1), 0, at=[3]),
    ]


def labels(b, target):
    """The labels of each row, those before the first -1: which are valid, and the labels with others made 0."""
    count, classes = target.sizes
    earlier = b.reshape(target, [count, 1, classes])
    number, place = b.reshape(b.iota(classes, DType.i64), [classes, 1]), b.iota(classes, DType.i64)
    ok = b.map(lambda b, t, j, k: (k > j) | (t >= 0), earlier, number, place, dtype=DType.bool)
    valid = b.reduce("all", ok, [2])
    safe = b.map(lambda b, t, ok: b.select(ok, t, b.const(0, t.dtype)), target, valid, dtype=target.dtype)
    return valid, safe


def label_mask(b, valid, safe):
    """Whether each class is a label of its row."""
    count, classes = safe.sizes
    label, ok = b.reshape(safe, [count, classes, 1]), b.reshape(valid, [count, classes, 1])
    hit = b.map(lambda b, t, ok, c: ok & (t == c), label, ok, b.iota(classes, DType.i64), dtype=DType.bool)
    return b.reduce("any", hit, [1])


def label_gaps(b, x, valid, safe, is_label, wide):
    """[row, label, class]: 1 - x[label] + x[class] where it counts, else 0."""
    count, classes = x.sizes
    chosen = b.reshape(b.gather(x, 1, safe), [count, classes, 1])
    sides = b.reshape(valid, [count, classes, 1]), b.reshape(is_label, [count, 1, classes])

    def body(b, c, e, ok, label):
        gap = 1.0 - c + e
        return b.select(ok & ~label & (gap > 0.0), gap, b.const(0.0, wide))

    return b.map(body, chosen, b.reshape(x, [count, 1, classes]), *sides, dtype=wide)


def matrix(b, x):
    return b.reshape(x, [x.sizes[0] if x.rank == 2 else 1, x.sizes[-1] if x.rank else 1])


@op(
    "aten::multilabel_margin_loss_forward(Tensor self, Tensor target, int reduction) -> "
    "(Tensor output, Tensor is_target)",
    out="aten::multilabel_margin_loss_forward.output(Tensor self, Tensor target, int reduction, *, "
    "Tensor(a!) output, Tensor(b!) is_target) -> (Tensor(a!), Tensor(b!))",
)
class MultilabelMarginLossForward(Loss):
    """The mean over classes of max(0, 1 - x[label] + x[class]) for each label and each class that is none."""

    runtime = ()

    def lower(b, x, target, reduction):
        wide = opmath(x.dtype)
        valid, safe = labels(b, matrix(b, b.cast(target, DType.i64)))
        is_label = label_mask(b, valid, safe)
        flat = matrix(b, b.cast(x, wide))
        classes = size_of(b, flat.sizes[1], wide)
        sums = b.reduce("sum", label_gaps(b, flat, valid, safe, is_label, wide), [1, 2])
        losses = b.map(lambda b, s: s / classes, sums, dtype=wide)
        if reduction == NONE and x.rank < 2:
            losses = b.reshape(losses, [])
        return b.cast(reduced(b, losses, reduction), x.dtype), b.cast(b.reshape(is_label, target.sizes), x.dtype)

    cases = [
        case(f32(3, 4), i64(3, 4, low=-1, high=4), 1),
        case(f32("n", 4), i64("n", 4, low=-1, high=4), 0, at=[3]),
        case(f32(4), i64(4, low=-1, high=4), 2),
    ]


@op(
    "aten::multilabel_margin_loss_backward(Tensor grad_output, Tensor self, Tensor target, int reduction, "
    "Tensor is_target) -> Tensor"
)
class MultilabelMarginLossBackward(Loss):
    """Each pair of label and class that counts pulls the class down and the label up."""

    runtime = ()

    def infer(grad, x, *_):
        return x

    def lower(b, grad, x, target, reduction, is_target):
        wide = opmath(x.dtype)
        flat = matrix(b, b.cast(x, wide))
        count, classes = flat.sizes
        valid, safe = labels(b, matrix(b, b.cast(target, DType.i64)))
        gaps = label_gaps(b, flat, valid, safe, b.cast(matrix(b, is_target), DType.bool), wide)
        pulls = b.map(lambda b, g: b.cast(g > 0.0, wide), gaps, dtype=wide)
        scale = size_of(b, classes, wide)
        scale = scale * size_of(b, count, wide) if reduction == MEAN else scale
        up = b.reshape(b.reduce("sum", pulls, [2]), [count, classes, 1])
        label = b.reshape(safe, [count, classes, 1])

        def at_label(b, t, u, c):
            return b.select(t == c, u, b.const(0.0, wide))

        lifted = b.reduce("sum", b.map(at_label, label, up, b.iota(classes, DType.i64), dtype=wide), [1])
        grads = b.reshape(grad, [count, 1] if reduction == NONE else [1, 1])

        def body(b, down, up, g):
            return (down - up) / scale * b.cast(g, wide)

        made = b.map(body, b.reduce("sum", pulls, [1]), lifted, grads, dtype=wide)
        return b.cast(b.reshape(made, x.sizes), x.dtype)

    cases = [
        case(f32(), f32(3, 4), i64(3, 4, low=0, high=1), 1, f32(3, 4, low=0, high=0.5)),
        case(f32("n"), f32("n", 4), i64("n", 4, low=-1, high=0), 0, f32("n", 4, low=0, high=0.5), at=[3]),
    ]
