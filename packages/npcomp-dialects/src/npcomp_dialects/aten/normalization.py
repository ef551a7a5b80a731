"""Layer, group, instance and RMS normalization."""

from __future__ import annotations

from .block import Block
from .cases import bf16, case, f16, f32
from .checks import has_sizes, same_dtype
from .dtypes import DType
from .errors import InferError
from .families.reduction import count_of, divide_by
from .promotion import opmath, promote_floats
from .registry import op


def standardize(b, x, dims, eps):
    """(x - mean) / sqrt(var + eps) over dims, with mean, 1/sqrt and var; x in its computing dtype."""
    count = count_of(x, dims)
    mean = divide_by(b, b.reduce("sum", x, dims, True), count)
    centered = b.map(lambda b, e, m: e - m, x, mean, dtype=x.dtype)
    squares = b.map(lambda b, e: e * e, centered, dtype=x.dtype)
    variance = divide_by(b, b.reduce("sum", squares, dims, True), count)
    rstd = inverse_deviation(b, variance, eps)
    return b.map(lambda b, e, r: e * r, centered, rstd, dtype=x.dtype), mean, rstd, variance


def inverse_deviation(b, variance, eps):
    """1 / sqrt(variance + eps)."""
    eps = eps if isinstance(eps, (int, float)) else b.cast(eps, variance.dtype)
    return b.map(lambda b, v: b.math.rsqrt(v + eps), variance, dtype=variance.dtype)


def scale_and_shift(b, y, weight, bias):
    """y * weight + bias where they are given; they broadcast."""
    if weight is not None:
        y = b.map(lambda b, e, w: e * b.cast(w, y.dtype), y, weight, dtype=y.dtype)
    if bias is not None:
        y = b.map(lambda b, e, c: e + b.cast(c, y.dtype), y, bias, dtype=y.dtype)
    return y


def last_dims(x, normalized_shape):
    """The dims that layer normalization covers; their sizes must be those asked."""
    count = len(normalized_shape)
    if count == 0 or count > x.rank:
        raise InferError(f"normalized_shape {normalized_shape} does not fit an input of rank {x.rank}")
    return list(range(x.rank - count, x.rank))


def guard_shape(b, x, dims, normalized_shape):
    """Guards that the last sizes are the normalized shape."""
    for d, want in zip(dims, normalized_shape, strict=True):
        b.guard(x.sizes[d] == want, "normalized_shape {1} does not fit an input size of {0}", x.sizes[d], want)


def check_parameters(b, x, sizes, weight, bias):
    """Weight and bias have these sizes, and the dtype of the input or, for 16-bit floats, f32."""
    for what, parameter in (("weight", weight), ("bias", bias)):
        has_sizes(b, what, parameter, sizes)
        if parameter is not None and not (x.dtype.is_half and parameter.dtype is DType.f32):
            same_dtype(f"normalization with {what}", x, parameter)


class Normalization(Block):
    """Normalizes groups of elements; 16-bit floats compute in f32."""

    family = "reduction"
    dtype = promote_floats
    runtime = ("normalized_shape", "eps", "N", "C", "HxW")


def layer_norm(b, x, normalized_shape, weight, bias, eps):
    """The normalized tensor, mean and 1/deviation."""
    dims = last_dims(x, normalized_shape)
    guard_shape(b, x, dims, normalized_shape)
    check_parameters(b, x, normalized_shape, weight, bias)
    y, mean, rstd, _ = standardize(b, b.cast(x, opmath(x.dtype)), dims, eps)
    return tuple(b.cast(v, x.dtype) for v in (scale_and_shift(b, y, weight, bias), mean, rstd))


@op(
    "aten::layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, Tensor? bias=None, "
    "float eps=1.0000000000000001e-05, bool cudnn_enable=True) -> Tensor"
)
class LayerNorm(Normalization):
    """Zero mean and unit variance over the last dims, then scaled and shifted."""

    def lower(b, x, normalized_shape, weight, bias, eps, _):
        return layer_norm(b, x, normalized_shape, weight, bias, eps)[0]

    cases = [
        case(f32(3, 4), [4]),
        case(f32("?", 3, 4), [3, 4], f32(3, 4), f32(3, 4), 1e-3, at=[3, 1, 0]),
        case(f16(3, 4), [4], f16(4)),
    ]


@op(
    "aten::native_layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight, Tensor? bias, float eps) -> "
    "(Tensor, Tensor, Tensor)"
)
class NativeLayerNorm(Normalization):
    """Layer normalization with the mean and 1/deviation that its gradient needs."""

    def lower(b, x, normalized_shape, weight, bias, eps):
        return layer_norm(b, x, normalized_shape, weight, bias, eps)

    cases = [case(f32(3, 4), [4], None, None, 1e-5), case(f32("?", 3, 4), [3, 4], f32(3, 4), f32(3, 4), 1e-5)]


def rms_norm(b, x, normalized_shape, weight, eps):
    """x over its root mean square along the last dims, then scaled; and 1 / that root in the computing dtype."""
    dims = last_dims(x, normalized_shape)
    guard_shape(b, x, dims, normalized_shape)
    has_sizes(b, "weight", weight, normalized_shape)
    wide = b.cast(x, opmath(x.dtype))
    squares = b.map(lambda b, e: e * e, wide, dtype=wide.dtype)
    mean = divide_by(b, b.reduce("sum", squares, dims, True), count_of(x, dims))
    machine = {"f32": 2.0**-23, "f64": 2.0**-52}[wide.dtype.name]
    rstd = inverse_deviation(b, mean, machine if eps is None else eps)
    y = b.map(lambda b, e, r: e * r, wide, rstd, dtype=wide.dtype)
    return b.cast(scale_and_shift(b, y, weight, None), x.dtype), rstd


@op("aten::rms_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, float? eps=None) -> Tensor")
class RmsNorm(Normalization):
    """x over its root mean square along the last dims, then scaled."""

    def lower(b, x, normalized_shape, weight, eps):
        return rms_norm(b, x, normalized_shape, weight, eps)[0]

    cases = [case(f32(3, 4), [4]), case(f32("?", 3, 4), [4], f32(4), 1e-3)]


@op("aten::_fused_rms_norm(Tensor input, int[] normalized_shape, Tensor? weight, float? eps) -> (Tensor, Tensor)")
class FusedRmsNorm(Normalization):
    """rms_norm with the factor that its gradient needs."""

    def lower(b, x, normalized_shape, weight, eps):
        return rms_norm(b, x, normalized_shape, weight, eps)

    cases = [
        case(f32(3, 4), [4], None, None),
        case(f32("?", 3, 4), [3, 4], f32(3, 4), 1e-3, at=[2, 0]),
        case(bf16(3, 4), [4], bf16(4), None),
    ]


def group_norm(b, x, groups, weight, bias, eps):
    """The normalized tensor and the mean and 1/deviation of each group, all in the computing dtype."""
    if x.rank < 2:
        raise InferError(f"group_norm needs a batch and a channel dim, got rank {x.rank}")
    if isinstance(groups, int) and groups < 1:
        raise InferError(f"Expected num groups to be greater than 0, got {groups}")
    batch, channels = x.sizes[0], x.sizes[1]
    check_parameters(b, x, [channels], weight, bias)
    b.guard(channels % groups == 0, "group_norm: {0} channels do not split into {1} groups", channels, groups)
    rest = count_of(x, range(2, x.rank))
    wide = b.reshape(b.cast(x, opmath(x.dtype)), [batch, groups, channels // groups * rest])
    y, mean, rstd, _ = standardize(b, wide, [2], eps)
    y = b.reshape(y, x.sizes)
    return scale_and_shift(b, y, per_channel(b, weight, x), per_channel(b, bias, x)), mean, rstd


def per_channel(b, v, x):
    """A vector of channels, shaped to broadcast along dim 1 of x."""
    return v if v is None else b.reshape(v, [v.sizes[0]] + [1] * (x.rank - 2))


@op(
    "aten::group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, "
    "float eps=1.0000000000000001e-05, bool cudnn_enabled=True) -> Tensor"
)
class GroupNorm(Normalization):
    """Zero mean and unit variance over groups of channels."""

    def lower(b, x, groups, weight, bias, eps, _):
        return b.cast(group_norm(b, x, groups, weight, bias, eps)[0], x.dtype)

    cases = [
        case(f32(2, 4, 5), 2),
        case(f32("?", 4, 3, "?"), 4, f32(4), f32(4), 1e-3, at=[(3, 2), (1, 1)]),
        case(f16(2, 4), 2),
    ]


@op(
    "aten::native_group_norm(Tensor input, Tensor? weight, Tensor? bias, SymInt N, SymInt C, SymInt HxW, int group, "
    "float eps) -> (Tensor, Tensor, Tensor)"
)
class NativeGroupNorm(Normalization):
    """Group normalization with the mean and 1/deviation that its gradient needs."""

    def lower(b, x, weight, bias, n, c, hw, groups, eps):
        y, mean, rstd = group_norm(b, x, groups, weight, bias, eps)
        flat = [x.sizes[0], groups]
        return b.cast(y, x.dtype), b.cast(b.reshape(mean, flat), x.dtype), b.cast(b.reshape(rstd, flat), x.dtype)

    cases = [
        case(f32(2, 4, 5), None, None, 2, 4, 5, 2, 1e-5),
        case(f32("?", 4, 5), f32(4), f32(4), 3, 4, 5, 2, 1e-5, at=[3]),
    ]


@op(
    "aten::instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, "
    "bool use_input_stats, float momentum, float eps, bool cudnn_enabled) -> Tensor"
)
class InstanceNorm(Normalization):
    """Zero mean and unit variance over the spatial dims of each channel of each sample."""

    effects = ("writes",)

    def lower(b, x, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, _):
        if running_mean is not None or not use_input_stats:
            raise InferError("instance_norm with running statistics is not supported; do: track_running_stats=False")
        y, _, _, _ = standardize(b, b.cast(x, opmath(x.dtype)), list(range(2, x.rank)), eps)
        y = scale_and_shift(b, y, per_channel(b, weight, x), per_channel(b, bias, x))
        return b.cast(y, x.dtype)

    cases = [
        case(f32(2, 3, 4), None, None, None, None, True, 0.1, 1e-5, False),
        case(f32("?", 3, 4, 5), f32(3), f32(3), None, None, True, 0.1, 1e-5, False),
    ]
