"""Losses over classes: negative log likelihood and cross entropy, and their gradients."""

from __future__ import annotations

from .cases import case, f32, i64
from .checks import has_sizes
from .dtypes import DType
from .errors import InferError
from .loss import MEAN, NONE, SUM, Loss, number, reduced
from .promotion import opmath
from .registry import op
from .softmax import log_softmax


def class_dim(x):
    """Where the classes are: the last dim of a vector, else dim 1."""
    if x.rank == 0:
        raise InferError("nll_loss: expected an input with a class dim")
    return 0 if x.rank == 1 else 1


def safe_target(b, target, ignore):
    """Targets with the ignored ones replaced by class 0, and which are valid."""
    valid = b.map(lambda b, t: t != b.cast(ignore, t.dtype), target, dtype=DType.bool)
    safe = b.map(lambda b, t, ok: b.select(ok, t, b.const(0, t.dtype)), target, valid, dtype=target.dtype)
    return safe, valid


def pick_class(b, x, target):
    """x at the target class of each place."""
    dim = class_dim(x)
    index = b.reshape(target, [*target.sizes[:dim], 1, *target.sizes[dim:]])
    return b.reshape(b.gather(x, dim, b.cast(index, DType.i64), error="IndexError"), target.sizes)


def target_weights(b, weight, safe, valid, dtype):
    """The weight of each target, 0 where it is ignored."""
    if weight is None:
        return b.map(lambda b, ok: b.cast(ok, dtype), valid, dtype=dtype)
    chosen = b.index_select(b.cast(weight, dtype), 0, safe)
    return b.map(lambda b, w, ok: b.select(ok, w, b.const(0.0, dtype)), chosen, valid, dtype=dtype)


def nll_loss(b, x, target, weight, reduction, ignore):
    """The loss and the total weight, in the computing dtype."""
    if x.rank != target.rank + 1:
        raise InferError(f"nll_loss: an input of rank {x.rank} takes a target of rank {x.rank - 1}, got {target.rank}")
    at = class_dim(x)
    has_sizes(b, "target", target, [s for d, s in enumerate(x.sizes) if d != at])
    has_sizes(b, "weight", weight, [x.sizes[at]])
    wide = opmath(x.dtype)
    safe, valid = safe_target(b, target, ignore)
    weights = target_weights(b, weight, safe, valid, wide)
    picked = pick_class(b, b.cast(x, wide), safe)
    losses = b.map(lambda b, p, w, ok: b.select(ok, -(p * w), b.const(0.0, wide)), picked, weights, valid, dtype=wide)
    everything = list(range(target.rank))
    total_weight = b.reduce("sum", weights, everything)
    if reduction == NONE:
        return losses, b.full([], 0.0, wide)
    total = b.reduce("sum", losses, everything)
    if reduction == SUM:
        return total, total_weight
    return b.map(lambda b, s, w: s / w, total, total_weight, dtype=wide), total_weight


ND_CASES = [
    case(f32(5, 3), i64(5, low=0, high=3)),
    case(f32("n", 3), i64("n", low=0, high=3), f32(3, low=0.1), 2, 1, at=[4, 0]),
    case(f32("n", 3), i64("n", low=0, high=3), f32(3, low=0.1), 1, 1, at=[4]),
    case(f32("n", 3), i64("n", low=0, high=3), None, 0),
]


@op(
    "aten::nll_loss(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, "
    "SymInt ignore_index=-100) -> Tensor"
)
@op(
    "aten::nll_loss_nd(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, "
    "SymInt ignore_index=-100) -> Tensor",
    cases=[*ND_CASES, case(f32(2, 3, 4, 5), i64(2, 4, 5, low=0, high=3)), case(f32(3), i64(low=0, high=3))],
)
class NllLoss(Loss):
    """Minus the input at the target class, weighted."""

    def lower(b, x, target, weight, reduction, ignore):
        return b.cast(nll_loss(b, x, target, weight, reduction, ignore)[0], x.dtype)

    cases = ND_CASES


@op(
    "aten::nll_loss_forward(Tensor self, Tensor target, Tensor? weight, int reduction, SymInt ignore_index) -> "
    "(Tensor output, Tensor total_weight)"
)
@op(
    "aten::nll_loss2d_forward(Tensor self, Tensor target, Tensor? weight, int reduction, SymInt ignore_index) -> "
    "(Tensor output, Tensor total_weight)",
    cases=[
        case(f32(2, 3, 4, 5), i64(2, 4, 5, low=0, high=3), None, 1, -100),
        case(f32("?", 3, 4, 5), i64("?", 4, 5, low=0, high=3), f32(3, low=0.1), 2, 1),
    ],
)
class NllLossForward(Loss):
    """nll_loss with the total weight that its gradient needs."""

    def lower(b, x, target, weight, reduction, ignore):
        return tuple(b.cast(v, x.dtype) for v in nll_loss(b, x, target, weight, reduction, ignore))

    cases = [
        case(f32(5, 3), i64(5, low=0, high=3), None, 1, -100),
        case(f32("n", 3), i64("n", low=0, high=3), f32(3, low=0.1), 2, 1),
        case(f32("n", 3), i64("n", low=0, high=3), None, 0, -100),
    ]


@op(
    "aten::nll_loss_backward(Tensor grad_output, Tensor self, Tensor target, Tensor? weight, int reduction, "
    "SymInt ignore_index, Tensor total_weight) -> Tensor",
)
class NllLossBackward(Loss):
    """The gradient of nll_loss: minus the weight at the target class."""

    def infer(grad, x, *_):
        return x

    def lower(b, grad, x, target, weight, reduction, ignore, total_weight):
        wide, dim = opmath(x.dtype), class_dim(x)
        safe, valid = safe_target(b, target, ignore)
        slope = target_weights(b, weight, safe, valid, wide)
        slope = b.map(lambda b, w, g: -(w * b.cast(g, wide)), slope, grad, dtype=wide)
        if reduction == MEAN:
            slope = b.map(lambda b, s, t: s / b.cast(t, wide), slope, total_weight, dtype=wide)

        def beside(t):
            return b.reshape(t, [*t.sizes[:dim], 1, *t.sizes[dim:]])

        classes = b.reshape(b.iota(x.sizes[dim], DType.i64), [x.sizes[dim]] + [1] * (x.rank - dim - 1))

        def body(b, t, s, c):
            return b.cast(b.select(b.cast(t, DType.i64) == c, s, b.const(0.0, wide)), x.dtype)

        return b.map(body, beside(safe), beside(slope), classes, dtype=x.dtype)

    cases = [
        case(f32(), f32(5, 3), i64(5, low=0, high=3), None, 1, -100, f32(low=1)),
        case(f32("n"), f32("n", 3), i64("n", low=0, high=3), f32(3), 0, 1, f32()),
        case(f32(), f32("n", 3), i64("n", low=0, high=3), f32(3), 2, -100, f32()),
    ]


@op(
    "aten::cross_entropy_loss(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, "
    "SymInt ignore_index=-100, float label_smoothing=0.) -> Tensor"
)
class CrossEntropyLoss(Loss):
    """nll_loss of log_softmax; the target is classes, or the probability of each class."""

    def lower(b, x, target, weight, reduction, ignore, smoothing):
        wide = opmath(x.dtype)
        logs = log_softmax(b, b.cast(x, wide), [class_dim(x)])
        if target.rank == x.rank and target.dtype.is_float:
            return b.cast(of_probabilities(b, logs, target, weight, reduction, smoothing), x.dtype)
        if isinstance(smoothing, (int, float)) and smoothing == 0:
            return b.cast(nll_loss(b, logs, target, weight, reduction, ignore)[0], x.dtype)
        return b.cast(smoothed(b, logs, target, weight, reduction, ignore, number(b, smoothing, x)), x.dtype)

    cases = [
        case(f32(5, 3), i64(5, low=0, high=3)),
        case(f32("n", 3), i64("n", low=0, high=3), f32(3, low=0.1), 1, 1, at=[4]),
        case(f32("n", 3), i64("n", low=0, high=3), f32(3, low=0.1), 1, 1, 0.2, at=[4]),
        case(f32(2, 3, 4), i64(2, 4, low=0, high=3), None, 0, -100, 0.1),
        case(f32("n", 3), f32("n", 3, low=0, high=1), f32(3, low=0.1), 1, -100, 0.1),
        case(f32(5, 3), f32(5, 3, low=0, high=1), None, 2),
        case(f32(3), i64(low=0, high=3)),
    ]


def per_class(b, weight, logs):
    """A vector of classes, shaped to broadcast along the class dim."""
    return b.reshape(b.cast(weight, logs.dtype), [weight.sizes[0]] + [1] * (logs.rank - class_dim(logs) - 1))


def of_probabilities(b, logs, target, weight, reduction, smoothing):
    """-sum of target * weight * log over the classes; the mean is over the places."""
    dim, dtype = class_dim(logs), logs.dtype
    count, share = logs.sizes[dim], number(b, smoothing, logs)
    count = float(count) if isinstance(count, int) else b.cast(count, dtype)

    def body(b, p, t, *w):
        t = b.cast(t, dtype)
        t = t if isinstance(share, (int, float)) and share == 0 else t * (1.0 - share) + share / count
        return -(p * t * w[0]) if w else -(p * t)

    weights = [] if weight is None else [per_class(b, weight, logs)]
    losses = b.reduce("sum", b.map(body, logs, target, *weights, dtype=dtype), [dim])
    return reduced(b, losses, reduction)


def smoothed(b, logs, target, weight, reduction, ignore, share):
    """nll_loss mixed with the mean loss over all classes."""
    dim, dtype = class_dim(logs), logs.dtype
    nll, total_weight = nll_loss(b, logs, target, weight, reduction, ignore)
    _, valid = safe_target(b, target, ignore)
    weighted = logs if weight is None else b.map(lambda b, p, w: p * w, logs, per_class(b, weight, logs), dtype=dtype)
    spread = b.reduce("sum", weighted, [dim])
    spread = b.map(lambda b, s, ok: b.select(ok, -s, b.const(0.0, dtype)), spread, valid, dtype=dtype)
    if reduction != NONE:
        spread = b.reduce("sum", spread, list(range(spread.rank)))
    if reduction == MEAN:
        spread = b.map(lambda b, s, w: s / w, spread, total_weight, dtype=dtype)
    count = logs.sizes[dim]
    count = float(count) if isinstance(count, int) else b.cast(count, dtype)
    return b.map(lambda b, n, s: n * (1.0 - share) + s * (share / count), nll, spread, dtype=dtype)
