"""Batch normalization in its many spellings.

In training the op also updates the running statistics. `aten::batch_norm` and `aten::native_batch_norm` do so behind
their schema; `functional` names the form that returns them instead.
"""

from __future__ import annotations

from .block import Block
from .cases import case, f16, f32
from .dtypes import DType
from .errors import InferError, NotStatic
from .families.reduction import count_of
from .normalization import inverse_deviation, per_channel, scale_and_shift, standardize
from .promotion import opmath, promote_floats
from .registry import op


class BatchNormalization(Block):
    """Normalizes each channel over the batch, or by given statistics; 16-bit floats compute in f32."""

    family = "reduction"
    dtype = promote_floats
    runtime = ("momentum", "eps")


def by_statistics(b, x, weight, bias, mean, variance, eps):
    """x normalized by given statistics, in the computing dtype."""
    compute = opmath(x.dtype)
    rstd = inverse_deviation(b, b.cast(variance, compute), eps)
    mean, rstd = (per_channel(b, b.cast(v, compute), x) for v in (mean, rstd))
    y = b.map(lambda b, e, m, r: (b.cast(e, compute) - m) * r, x, mean, rstd, dtype=compute)
    return scale_and_shift(b, y, per_channel(b, weight, x), per_channel(b, bias, x))


def by_batch(b, x, weight, bias, eps):
    """x normalized by its own statistics, in the computing dtype; mean, 1/deviation and variance of each channel."""
    dims = [0, *range(2, x.rank)]
    y, *statistics = standardize(b, b.cast(x, opmath(x.dtype)), dims, eps)
    y = scale_and_shift(b, y, per_channel(b, weight, x), per_channel(b, bias, x))
    return y, *(b.reshape(v, [x.sizes[1]]) for v in statistics)


def saved(b, x, parameters, *statistics):
    """What the gradient needs, in the dtype of the parameters where that is wider than x's; empty if not given."""
    dtype = next((p.dtype for p in parameters if p is not None), x.dtype)
    return tuple(b.cast(v, dtype) for v in statistics) if statistics else (b.full([0], 0.0, dtype),) * 2


def check_input(x):
    """A batch and a channel dim are needed."""
    if x.rank < 2:
        raise InferError(f"batch_norm needs a batch and a channel dim, got rank {x.rank}")


def update(b, running, value, momentum):
    """running * (1 - momentum) + value * momentum, in running's dtype."""
    m = momentum if isinstance(momentum, (int, float)) else b.cast(momentum, value.dtype)
    return b.map(
        lambda b, r, v: b.cast(b.cast(r, value.dtype) * (1.0 - m) + v * m, running.dtype),
        running,
        value,
        dtype=running.dtype,
    )


def unbiased(b, variance, count):
    """The variance of a sample: divided by count - 1 instead of count."""
    count = float(count) if isinstance(count, int) else b.cast(count, variance.dtype)
    return b.map(lambda b, v: v * (count / (count - 1.0)), variance, dtype=variance.dtype)


@op(
    "aten::_native_batch_norm_legit_functional(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, "
    "Tensor running_var, bool training, float momentum, float eps) -> "
    "(Tensor, Tensor, Tensor, Tensor running_mean_out, Tensor running_var_out)"
)
class BatchNormFunctional(BatchNormalization):
    """Batch normalization that returns the saved and the updated running statistics."""

    def lower(b, x, weight, bias, running_mean, running_var, training, momentum, eps):
        check_input(x)
        if not training:
            y = by_statistics(b, x, weight, bias, running_mean, running_var, eps)
            return b.cast(y, x.dtype), *saved(b, x, [weight, bias, running_mean]), running_mean, running_var
        y, mean, rstd, variance = by_batch(b, x, weight, bias, eps)
        variance = unbiased(b, variance, count_of(x, [0, *range(2, x.rank)]))
        new_mean, new_var = update(b, running_mean, mean, momentum), update(b, running_var, variance, momentum)
        mean, rstd = saved(b, x, [weight, bias, running_mean], mean, rstd)
        return b.cast(y, x.dtype), mean, rstd, new_mean, new_var

    cases = [
        case(f32(5, 3), f32(3), f32(3), f32(3), f32(3, low=0.5), True, 0.1, 1e-5),
        case(f32("?", 3, 2), None, None, f32(3), f32(3, low=0.5), True, 0.1, 1e-5, at=[3, 2]),
        case(f32(5, 3), f32(3), f32(3), f32(3), f32(3, low=0.5), False, 0.1, 1e-5),
    ]


@op(
    "aten::batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, "
    "bool training, float momentum, float eps, bool cudnn_enabled) -> Tensor"
)
class BatchNorm(BatchNormalization):
    """Batch normalization; with `training` and running statistics it writes them, see `functional`."""

    effects = ("writes",)
    functional = "aten._native_batch_norm_legit_functional"

    def lower(b, x, weight, bias, running_mean, running_var, training, momentum, eps, _):
        check_input(x)
        if not training:
            return b.cast(by_statistics(b, x, weight, bias, running_mean, running_var, eps), x.dtype)
        if running_mean is not None:
            raise NotStatic("batch_norm writes its running statistics; use the functional form")
        return b.cast(by_batch(b, x, weight, bias, eps)[0], x.dtype)

    cases = [
        case(f32(5, 3), f32(3), f32(3), f32(3), f32(3, low=0.5), False, 0.1, 1e-5, False),
        case(f32("?", 3, 4, "?"), None, None, f32(3), f32(3, low=0.5), False, 0.1, 1e-5, False, at=[(2, 3), (0, 1)]),
        case(f32("?", 3), f32(3), f32(3), None, None, True, 0.1, 1e-5, False),
        case(f16(5, 3, 2), f32(3), f32(3), f32(3), f32(3, low=0.5), False, 0.1, 1e-5, False),
    ]


@op(
    "aten::_native_batch_norm_legit_no_training(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, "
    "Tensor running_var, float momentum, float eps) -> (Tensor, Tensor, Tensor)"
)
class BatchNormNoTraining(BatchNormalization):
    """Batch normalization by the running statistics; nothing is saved."""

    def lower(b, x, weight, bias, running_mean, running_var, momentum, eps):
        check_input(x)
        y = by_statistics(b, x, weight, bias, running_mean, running_var, eps)
        return b.cast(y, x.dtype), *saved(b, x, [weight, bias, running_mean])

    cases = [
        case(f32(5, 3), f32(3), f32(3), f32(3), f32(3, low=0.5), 0.1, 1e-5),
        case(f32("?", 3, 4), None, None, f32(3), f32(3, low=0.5), 0.1, 1e-5),
    ]


@op(
    "aten::native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, "
    "bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)"
)
class NativeBatchNorm(BatchNormalization):
    """Batch normalization with its saved statistics; with `training` it writes the running ones, see `functional`."""

    effects = ("writes",)
    functional = "aten._native_batch_norm_legit_functional"

    def lower(b, x, weight, bias, running_mean, running_var, training, momentum, eps):
        check_input(x)
        if training and running_mean is not None:
            raise NotStatic("native_batch_norm writes its running statistics; use the functional form")
        if training:
            y, mean, rstd, _ = by_batch(b, x, weight, bias, eps)
            return b.cast(y, x.dtype), *saved(b, x, [weight, bias], mean, rstd)
        y = by_statistics(b, x, weight, bias, running_mean, running_var, eps)
        return b.cast(y, x.dtype), *saved(b, x, [weight, bias, running_mean])

    cases = [
        case(f32(5, 3), f32(3), f32(3), f32(3), f32(3, low=0.5), False, 0.1, 1e-5),
        case(f32("?", 3, 4), None, None, None, None, True, 0.1, 1e-5),
    ]


@op(
    "aten::_native_batch_norm_legit.no_stats(Tensor input, Tensor? weight, Tensor? bias, bool training, "
    "float momentum, float eps) -> (Tensor, Tensor, Tensor)"
)
class BatchNormNoStats(BatchNormalization):
    """Batch normalization by the batch alone."""

    def lower(b, x, weight, bias, training, momentum, eps):
        check_input(x)
        y, mean, rstd, _ = by_batch(b, x, weight, bias, eps)
        return b.cast(y, x.dtype), *saved(b, x, [weight, bias], mean, rstd)

    cases = [
        case(f32(5, 3), f32(3), f32(3), True, 0.1, 1e-5),
        case(f32("?", 3, 4), None, None, True, 0.1, 1e-5),
    ]


@op(
    "aten::_batch_norm_with_update_functional(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, "
    "Tensor running_var, float momentum, float eps) -> "
    "(Tensor, Tensor, Tensor, Tensor, Tensor running_mean_out, Tensor running_var_out)"
)
class BatchNormWithUpdate(BatchNormalization):
    """Batch normalization in training, with its saved statistics, an empty reserve and the updated running ones."""

    def lower(b, x, weight, bias, running_mean, running_var, momentum, eps):
        arguments = (x, weight, bias, running_mean, running_var, True, momentum, eps)
        y, mean, rstd, *running = BatchNormFunctional.lower(b, *arguments)
        return y, mean, rstd, b.full([0], 0, DType.u8), *running

    cases = [
        case(f32(5, 3), f32(3), f32(3), f32(3), f32(3, low=0.5), 0.1, 1e-5),
        case(f32("?", 3, 2), f32(3), f32(3), f32(3), f32(3, low=0.5), 0.1, 1e-5, at=[3, 2]),
    ]


@op(
    "aten::_batch_norm_no_update(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, "
    "Tensor? running_var, float momentum, float eps) -> (Tensor, Tensor, Tensor, Tensor)"
)
class BatchNormNoUpdate(BatchNormalization):
    """Batch normalization by the running statistics, with empty saved ones and an empty reserve."""

    def lower(b, x, weight, bias, running_mean, running_var, momentum, eps):
        check_input(x)
        if running_mean is None or running_var is None:
            raise InferError("_batch_norm_no_update needs running statistics")
        y = by_statistics(b, x, weight, bias, running_mean, running_var, eps)
        return b.cast(y, x.dtype), *saved(b, x, [weight, bias, running_mean]), b.full([0], 0, DType.u8)

    cases = [
        case(f32(5, 3), f32(3), f32(3), f32(3), f32(3, low=0.5), 0.1, 1e-5),
        case(f32("?", 3, 4), f32(3), f32(3), f32(3), f32(3, low=0.5), 0.1, 1e-5),
    ]
