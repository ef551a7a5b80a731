"""Convolutions."""

from __future__ import annotations

from .cases import case, f16, f32
from .checks import has_sizes, same_dtype
from .errors import InferError
from .families.convolution import Convolution
from .promotion import opmath
from .registry import op
from .view_order import reverse


def repeated(values, count):
    """One number for all spatial dims, or one for each."""
    return list(values) * count if len(values) == 1 else list(values)


def convolve(b, x, weight, bias, stride, padding, dilation, groups):
    """Forward convolution with bias; an input without batch dim gets one for the while."""
    spatial = weight.rank - 2
    if x.rank not in (spatial + 1, spatial + 2):
        raise InferError(f"a convolution with a weight of rank {weight.rank} takes no input of rank {x.rank}")
    if x.dtype is not weight.dtype:
        raise InferError(f"Input type ({x.dtype}) and weight type ({weight.dtype}) should be the same")
    same_dtype("convolution", x, bias)
    has_sizes(b, "bias", bias, [weight.sizes[0]])
    batched = x if x.rank == spatial + 2 else b.reshape(x, [1, *x.sizes])
    wide = opmath(x.dtype)
    window = (repeated(v, spatial) for v in (stride, padding, dilation))
    guard_groups(b, batched, weight, groups)
    y = b.conv(b.cast(batched, wide), b.cast(weight, wide), *window, groups)
    y = with_bias(b, y, bias, x.dtype)
    return y if x.rank == spatial + 2 else b.reshape(y, y.sizes[1:])


def guard_groups(b, x, weight, groups):
    """The input has as many channels as the weight and the groups ask, and each group gives as many."""
    least = "Given groups={0}, expected weight to be at least {0} at dimension 0, but got {1}"
    b.guard(weight.sizes[0] >= groups, least, groups, weight.sizes[0])
    if groups != 1:
        what = "Given groups={0}, expected weight to be divisible by {0} at dimension 0, but got {1}"
        b.guard(weight.sizes[0] % groups == 0, what, groups, weight.sizes[0])
    for size in weight.sizes[2:]:
        b.guard(size > 0, "kernel size should be greater than zero, but got {0}", size)
    b.guard(
        x.sizes[1] == weight.sizes[1] * groups,
        "Given groups={0} and a weight with {1} input channels a group, expected input to have {2} channels, got {3}",
        groups,
        weight.sizes[1],
        weight.sizes[1] * groups,
        x.sizes[1],
    )


def with_bias(b, y, bias, dtype):
    """y + bias of each channel, rounded to dtype."""
    if bias is None:
        return b.cast(y, dtype)
    shaped = b.reshape(bias, [bias.sizes[0]] + [1] * (y.rank - 2))
    return b.map(lambda b, e, c: b.cast(e + b.cast(c, y.dtype), dtype), y, shaped, dtype=dtype)


def same_padding(weight, stride, dilation):
    """(low, high) of each spatial dim for padding="same": the output is as large as the input."""
    if any(s != 1 for s in stride):
        raise InferError("padding='same' is not supported for strided convolutions")
    total = [d * (k - 1) for d, k in zip(dilation, weight.sizes[2:], strict=True)]
    return [(t // 2, t - t // 2) for t in total]


def convolve_named_padding(b, x, weight, bias, stride, padding, dilation, groups):
    """Convolution whose padding is named `valid` or `same`."""
    spatial = weight.rank - 2
    stride, dilation = repeated(stride, spatial), repeated(dilation, spatial)
    if padding == "valid":
        return convolve(b, x, weight, bias, stride, [0] * spatial, dilation, groups)
    if padding != "same":
        raise InferError(f"Invalid padding string: '{padding}'")
    pads = same_padding(weight, stride, dilation)
    if all((low == high) is True for low, high in pads):
        return convolve(b, x, weight, bias, stride, [low for low, _ in pads], dilation, groups)
    lead = [0] * (x.rank - spatial)
    x = b.pad(x, lead + [low for low, _ in pads], lead + [high for _, high in pads], 0.0)
    return convolve(b, x, weight, bias, stride, [0] * spatial, dilation, groups)


@op(
    "aten::conv1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=[1], SymInt[1] padding=[0], "
    "SymInt[1] dilation=[1], SymInt groups=1) -> Tensor"
)
@op(
    "aten::conv2d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], SymInt[2] padding=[0, 0], "
    "SymInt[2] dilation=[1, 1], SymInt groups=1) -> Tensor",
    cases=[
        case(f32(2, 3, 5, 6), f32(4, 3, 3, 3), f32(4)),
        case(f32("?", 3, "?", 6), f32(4, 3, 3, 2), None, [2, 1], [1, 0], at=[(2, 5), (1, 3), (0, 4)]),
        case(f32(2, 4, 7, 7), f32(6, 2, 3, 3), f32(6), [1, 1], [2, 2], [2, 2], 2),
        case(f32(3, 5, 6), f32(4, 3, 1, 1)),
        case(f16(1, 2, 4, 4), f16(2, 2, 3, 3), f16(2)),
    ],
)
@op(
    "aten::conv3d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=[1, 1, 1], "
    "SymInt[3] padding=[0, 0, 0], SymInt[3] dilation=[1, 1, 1], SymInt groups=1) -> Tensor",
    cases=[case(f32(1, 2, 3, 4, 5), f32(2, 2, 2, 2, 2)), case(f32("?", 2, 3, 4, 5), f32(2, 2, 2, 2, 2), f32(2))],
)
class Conv(Convolution):
    """Sliding sums of products over one, two or three spatial dims."""

    def lower(b, x, weight, bias, stride, padding, dilation, groups):
        return convolve(b, x, weight, bias, stride, padding, dilation, groups)

    cases = [case(f32(2, 3, 6), f32(4, 3, 3), f32(4), [2], [1]), case(f32("?", 3, "?"), f32(4, 3, 3), at=[(2, 5)])]


@op(
    "aten::conv1d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=[1], "
    'str padding="valid", SymInt[1] dilation=[1], SymInt groups=1) -> Tensor'
)
@op(
    "aten::conv2d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], "
    'str padding="valid", SymInt[2] dilation=[1, 1], SymInt groups=1) -> Tensor',
    cases=[
        case(f32(2, 3, 5, 6), f32(4, 3, 3, 3), f32(4), padding="same"),
        case(f32("?", 3, 5, 6), f32(4, 3, 2, 4), None, padding="same", dilation=[1, 2]),
        case(f32("?", 3, 5, 6), f32(4, 3, 2, 4), None, padding="valid"),
    ],
)
@op(
    "aten::conv3d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=[1, 1, 1], "
    'str padding="valid", SymInt[3] dilation=[1, 1, 1], SymInt groups=1) -> Tensor',
    cases=[
        case(f32(1, 2, 3, 4, 5), f32(2, 2, 2, 3, 1), padding="same"),
        case(f32("n", 2, 3, 4, 5), f32(2, 2, 2, 3, 1), padding="valid"),
    ],
)
@op(
    "aten::_convolution_mode(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, str padding, "
    "SymInt[] dilation, SymInt groups) -> Tensor",
    cases=[
        case(f32(2, 3, 5, 6), f32(4, 3, 3, 3), f32(4), [1, 1], "same", [1, 1], 1),
        case(f32("n", 3, 5, 6), f32(4, 3, 2, 3), None, [2, 1], "valid", [1, 1], 1),
    ],
)
class ConvNamedPadding(Convolution):
    """Convolution whose padding is `valid` or `same`."""

    lower = convolve_named_padding
    cases = [case(f32(2, 3, 6), f32(4, 3, 3), padding="same"), case(f32(2, 3, "?"), f32(4, 3, 4), padding="same")]


@op(
    "aten::convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, "
    "SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups) -> Tensor",
    out="aten::convolution.out",
)
@op(
    "aten::_convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, "
    "SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups, bool benchmark, bool deterministic, "
    "bool cudnn_enabled, bool allow_tf32) -> Tensor",
    cases=[
        case(f32("?", 3, 6), f32(4, 3, 3), None, [1], [0], [1], False, [0], 1, False, False, False, False, at=[2]),
        case(f32(1, 3, 6), f32(4, 3, 3), None, [1], [0], [1], False, [0], 1, False, False, False, False),
    ],
)
class ConvolutionOp(Convolution):
    """Convolution over any number of spatial dims; the transposed one runs backwards."""

    def lower(b, x, weight, bias, stride, padding, dilation, transposed, output_padding, groups, *_):
        if transposed:
            return transpose_convolve(b, x, weight, bias, stride, padding, dilation, output_padding, groups)
        return convolve(b, x, weight, bias, stride, padding, dilation, groups)

    cases = [
        case(f32(2, 3, 5, 6), f32(4, 3, 3, 3), f32(4), [1, 1], [0, 0], [1, 1], False, [0, 0], 1),
        case(f32("?", 3, 6), f32(4, 3, 3), None, [2], [1], [1], False, [0], 1),
        case(f32(2, 3, 4, 5), f32(3, 4, 3, 2), f32(4), [2, 1], [1, 0], [1, 1], True, [1, 0], 1),
        case(f32("?", 4, "?"), f32(4, 2, 3), None, [3], [1], [2], True, [0], 2, at=[(2, 4), (1, 1)]),
        case(f32(1, 4, 3, 3), f32(4, 2, 1, 2), None, [2, 2], [1, 2], [1, 1], True, [0, 1], 2),
    ]


def spread(b, x, dim, step):
    """step - 1 zeros after every element but the last along a dim: [n] → [(n - 1) * step + 1]."""
    if step == 1:
        return x
    n, sizes = x.sizes[dim], x.sizes
    apart = b.reshape(x, [*sizes[: dim + 1], 1, *sizes[dim + 1 :]])
    padded = b.pad(apart, [0] * apart.rank, [step - 1 if d == dim + 1 else 0 for d in range(apart.rank)], 0.0)
    whole = b.reshape(padded, [*sizes[:dim], n * step, *sizes[dim + 1 :]])
    return b.slice(whole, dim, 0, b.maximum(n * step - (step - 1), 0), 1)


def flip_spatial(b, weight):
    """A kernel turned around in its spatial dims."""
    for d in range(2, weight.rank):
        weight = reverse(b, weight, d)
    return weight


def swap_channels(b, weight, groups):
    """(in, out / groups, …) as (out, in / groups, …): the kernel that runs a convolution backwards."""
    if groups == 1:
        return b.permute(weight, [1, 0, *range(2, weight.rank)])
    rows, out, *rest = weight.sizes
    split = b.reshape(weight, [groups, rows // groups, out, *rest])
    turned = b.permute(split, [0, 2, 1, *range(3, split.rank)])
    return b.reshape(turned, [groups * out, rows // groups, *rest])


def transpose_convolve(b, x, weight, bias, stride, padding, dilation, output_padding, groups):
    """The transposed convolution: the input spread by the stride, convolved with the kernel turned around."""
    spatial = weight.rank - 2
    if x.rank not in (spatial + 1, spatial + 2):
        raise InferError(
            f"a transposed convolution with a weight of rank {weight.rank} takes no input of rank {x.rank}"
        )
    same_dtype("convolution", x, weight)
    check_transposed(b, x, weight, bias, groups)
    wide, dtype = opmath(x.dtype), x.dtype
    batched = x if x.rank == spatial + 2 else b.reshape(x, [1, *x.sizes])
    batched, weight = b.cast(batched, wide), b.cast(weight, wide)
    window = list(zip(*(repeated(v, spatial) for v in (stride, padding, dilation, output_padding)), strict=True))
    kernel = flip_spatial(b, swap_channels(b, weight, groups))
    low, high, cuts = [0, 0], [0, 0], []
    for d, (step, pad, dilate, extra) in enumerate(window, 2):
        if extra and not (extra < step or extra < dilate):
            raise InferError("output padding must be smaller than either stride or dilation")
        batched = spread(b, batched, d, step)
        reach = dilate * (weight.sizes[d] - 1) - pad
        low.append(b.maximum(reach, 0))
        high.append(b.maximum(reach + extra, 0))
        cuts.append((b.maximum(-reach, 0), b.maximum(-(reach + extra), 0)))
    y = b.conv(
        b.pad(batched, low, high, 0.0), kernel, [1] * spatial, [0] * spatial, repeated(dilation, spatial), groups
    )
    for d, (before, after) in enumerate(cuts, 2):
        if not ((before == 0) is True and (after == 0) is True):
            b.guard(
                y.sizes[d] > before + after,
                "a transposed convolution crops {0} and {1} of {2}",
                before,
                after,
                y.sizes[d],
            )
            y = b.slice(y, d, before, y.sizes[d] - after, 1)
    y = with_bias(b, y, bias, dtype)
    return y if x.rank == spatial + 2 else b.reshape(y, y.sizes[1:])


def check_transposed(b, x, weight, bias, groups):
    """The input has the weight's channels, which split into groups, and the bias has the output's."""
    channels = x.sizes[1 if x.rank == weight.rank else 0]
    message = "Given transposed=1 and a weight with {0} input channels, expected input to have as many, got {1}"
    b.guard(channels == weight.sizes[0], message, weight.sizes[0], channels)
    b.guard(weight.sizes[0] % groups == 0, "{0} input channels do not split into {1} groups", weight.sizes[0], groups)
    has_sizes(b, "bias", bias, [weight.sizes[1] * groups])


@op(
    "aten::conv_transpose1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=[1], "
    "SymInt[1] padding=[0], SymInt[1] output_padding=[0], SymInt groups=1, SymInt[1] dilation=[1]) -> Tensor",
    cases=[case(f32(2, 4, 5), f32(4, 2, 3), f32(2)), case(f32("?", 4, "?"), f32(4, 2, 3), None, [2], at=[(2, 3)])],
)
@op(
    "aten::conv_transpose3d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=[1, 1, 1], "
    "SymInt[3] padding=[0, 0, 0], SymInt[3] output_padding=[0, 0, 0], SymInt groups=1, "
    "SymInt[3] dilation=[1, 1, 1]) -> Tensor",
    cases=[
        case(f32(1, 2, 2, 3, 2), f32(2, 3, 2, 2, 2), f32(3), [2, 1, 2], [1, 0, 1], [1, 0, 0]),
        case(f32("?", 2, 2, "?", 2), f32(2, 1, 1, 2, 3), None, [2, 1, 1], groups=2, dilation=[1, 2, 1], at=[(2, 3)]),
    ],
)
@op(
    "aten::conv_transpose2d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], "
    "SymInt[2] padding=[0, 0], SymInt[2] output_padding=[0, 0], SymInt groups=1, SymInt[2] dilation=[1, 1]) -> Tensor"
)
class ConvTranspose(Convolution):
    """The transposed convolution, which undoes the sizes of a convolution."""

    def lower(b, x, weight, bias, stride, padding, output_padding, groups, dilation):
        return transpose_convolve(b, x, weight, bias, stride, padding, dilation, output_padding, groups)

    cases = [
        case(f32(2, 4, 3, 4), f32(4, 2, 3, 2), f32(2), [2, 2], [1, 0]),
        case(f32("?", 4, 3, "?"), f32(4, 2, 3, 2), f32(2), at=[(2, 3)]),
        case(f32(4, 3, 4), f32(4, 2, 3, 2), f32(2)),
        case(f32(2, 4, 5, "?"), f32(4, 2, 2, 1), f32(2), [2, 2], [2, 1], [1, 1], at=[4]),
    ]
