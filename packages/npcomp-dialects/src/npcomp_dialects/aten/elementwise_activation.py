"""Activations of neural networks."""

from __future__ import annotations

import math

from .block import Block
from .cases import case, f16, f32, i64
from .dims import wrap_dim
from .errors import InferError
from .families.decomposed import Decomposed
from .families.elementwise import Elementwise
from .promotion import opmath, promote_floats, promote_numbers
from .registry import op


class Activation(Elementwise):
    """An elementwise function on floats alone."""

    dtype = promote_floats


@op(
    'aten::gelu(Tensor self, *, str approximate="none") -> Tensor',
    inplace="aten::gelu_",
    out="aten::gelu.out",
)
class Gelu(Activation):
    """x times the normal distribution at x, by erf or by its tanh approximation."""

    def scalar(b, x, approximate):
        if approximate == "tanh":
            inner = (x + x * x * x * 0.044715) * math.sqrt(2 / math.pi)
            return x * 0.5 * (b.math.tanh(inner) + 1.0)
        return x * 0.5 * (b.math.erf(x * math.sqrt(0.5)) + 1.0)

    cases = [f32(3, 4), case(f32("?", 5), approximate="tanh"), f16(3), f32("?", 0)]


@op("aten::silu(Tensor self) -> Tensor", inplace="aten::silu_", out="aten::silu.out")
class Silu(Activation):
    """x * sigmoid(x)."""

    def scalar(b, x):
        return x / (b.math.exp(-x) + 1.0)

    cases = [f32(3, 4), f32("?", 5, low=-20, high=20)]


@op("aten::mish(Tensor self) -> Tensor", inplace="aten::mish_", out="aten::mish.out")
class Mish(Activation):
    """x * tanh(softplus(x))."""

    def scalar(b, x):
        return x * b.math.tanh(b.math.log1p(b.math.exp(x)))

    cases = [f32(3, 4), f32("?", 5)]


@op(
    "aten::hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1) -> Tensor",
    inplace="aten::hardtanh_",
    out="aten::hardtanh.out",
)
class HardTanh(Elementwise):
    """x clamped to [min_val, max_val]."""

    dtype = promote_numbers
    exact = True

    def scalar(b, x, low, high):
        return b.minimum(b.maximum(x, low), high)

    cases = [f32(3, 4, special=True), case(f32("?", 5), -0.5, 1.5), i64(5)]


@op("aten::relu6(Tensor self) -> Tensor", inplace="aten::relu6_")
class Relu6(Decomposed):
    """x clamped to [0, 6]."""

    def decompose(b, x):
        return b.aten.hardtanh(x, 0, 6)

    cases = [f32(3, 4, low=-9, high=9), f32("?", 5, low=-9, high=9)]


@op("aten::hardsigmoid(Tensor self) -> Tensor", inplace="aten::hardsigmoid_", out="aten::hardsigmoid.out")
class HardSigmoid(Activation):
    """clamp(x + 3, 0, 6) / 6."""

    def scalar(b, x):
        return b.minimum(b.maximum(x + 3.0, 0.0), 6.0) / 6.0

    cases = [f32(3, 4, low=-5, high=5), f32("?", 5, low=-5, high=5)]


@op("aten::hardswish(Tensor self) -> Tensor", inplace="aten::hardswish_", out="aten::hardswish.out")
class HardSwish(Activation):
    """x * clamp(x + 3, 0, 6) / 6."""

    def scalar(b, x):
        return x * b.minimum(b.maximum(x + 3.0, 0.0), 6.0) / 6.0

    cases = [f32(3, 4, low=-5, high=5), f32("?", 5, low=-5, high=5)]


@op(
    "aten::leaky_relu(Tensor self, Scalar negative_slope=0.01) -> Tensor",
    inplace="aten::leaky_relu_",
    out="aten::leaky_relu.out",
)
class LeakyRelu(Activation):
    """x above 0, negative_slope * x below."""

    def scalar(b, x, slope):
        return b.select(x > 0.0, x, x * slope)

    cases = [f32(3, 4, special=True), case(f32("?", 5), 0.2)]


@op(
    "aten::elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor",
    inplace="aten::elu_",
    out="aten::elu.out",
)
class Elu(Activation):
    """scale * x above 0, scale * alpha * (exp(input_scale * x) - 1) below."""

    def scalar(b, x, alpha, scale, input_scale):
        return b.select(x > 0.0, x * scale, b.math.expm1(x * input_scale) * (alpha * scale))

    cases = [f32(3, 4, special=True), case(f32("?", 5), 0.5, 1.5, 0.7)]


@op("aten::selu(Tensor self) -> Tensor", inplace="aten::selu_")
class Selu(Decomposed):
    """elu with the two constants that keep mean and variance."""

    def decompose(b, x):
        return b.aten.elu(x, 1.6732632423543772848170429916717, 1.0507009873554804934193349852946, 1)

    cases = [f32(3, 4), f32("?", 5)]


@op("aten::celu(Tensor self, Scalar alpha=1.) -> Tensor", inplace="aten::celu_")
class Celu(Activation):
    """max(0, x) + min(0, alpha * (exp(x / alpha) - 1))."""

    def scalar(b, x, alpha):
        return b.select(x > 0.0, x, b.math.expm1(x / alpha) * alpha)

    cases = [f32(3, 4), case(f32("?", 5), 0.5)]


@op("aten::softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor", out="aten::softplus.out")
class Softplus(Activation):
    """log(1 + exp(beta * x)) / beta; x itself where beta * x passes the threshold."""

    def scalar(b, x, beta, threshold):
        z = x * beta
        return b.select(z > threshold, x, b.math.log1p(b.math.exp(z)) / beta)

    cases = [f32(3, 4, low=-30, high=30), case(f32("?", 5), 2, 3)]


@op("aten::log_sigmoid(Tensor self) -> Tensor", out="aten::log_sigmoid.out")
class LogSigmoid(Activation):
    """min(x, 0) - log1p(exp(-|x|))."""

    def scalar(b, x):
        return b.minimum(x, 0.0) - b.math.log1p(b.math.exp(-b.math.abs(x)))

    cases = [f32(3, 4, low=-30, high=30), f32("?", 5)]


@op(
    "aten::threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor",
    inplace="aten::threshold_",
    out="aten::threshold.out",
)
class Threshold(Elementwise):
    """x above the threshold, the value elsewhere; nan stays."""

    dtype = promote_numbers
    exact = True

    def scalar(b, x, threshold, value):
        return b.select(x <= threshold, b.cast(value, x.dtype), x)

    cases = [case(f32(3, 4, special=True), 0, 7), case(f32("?", 5), 0.5, -1.0)]


@op("aten::glu(Tensor self, int dim=-1) -> Tensor")
class Glu(Block):
    """The first half of a dim times the sigmoid of the second."""

    family = "elementwise"
    dtype = promote_floats

    def lower(b, x, dim):
        dim = wrap_dim(dim, x.rank)
        n = x.sizes[dim]
        b.guard(n % 2 == 0, "Halving dimension must be even, but dimension {1} is size {0}", n, dim)
        wide = opmath(x.dtype)
        left, right = b.slice(x, dim, 0, n // 2, 1), b.slice(x, dim, n // 2, n, 1)
        return b.map(
            lambda b, p, q: b.cast(b.cast(p, wide) * b.math.sigmoid(b.cast(q, wide)), x.dtype),
            left,
            right,
            dtype=x.dtype,
        )

    cases = [f32(3, 4), case(f32("?", 6, 2), 1)]


@op("aten::prelu(Tensor self, Tensor weight) -> Tensor")
class PRelu(Activation):
    """x above 0, weight * x below; one weight, or one a channel."""

    @classmethod
    def lower(cls, b, x, weight):
        if weight.rank:
            channels = x.sizes[1] if x.rank > 1 else 1
            message = "Mismatch of parameter numbers and input channel size: {0} parameters, {1} channels"
            b.guard((weight.sizes[0] == 1) | (weight.sizes[0] == channels), message, weight.sizes[0], channels)
        if x.rank >= 2 and weight.rank:
            weight = b.reshape(weight, [weight.sizes[0]] + [1] * (x.rank - 2))
        elif weight.rank:
            weight = b.reshape(weight, [])
        return b.map(lambda b, e, w: b.select(e > 0.0, e, e * w), x, weight, dtype=x.dtype)

    @classmethod
    def infer(cls, x, weight):
        if None not in (x.dtype, weight.dtype) and x.dtype is not weight.dtype:
            raise InferError(f"prelu: Type promoting not supported. Got {x.dtype} and {weight.dtype}")
        return x

    cases = [case(f32(3, 4), f32(4)), case(f32("?", 4, 2), f32(1)), case(f32(3), f32(1))]


@op("aten::softshrink(Tensor self, Scalar lambd=0.5) -> Tensor", out="aten::softshrink.out")
class SoftShrink(Activation):
    """x moved towards 0 by lambd."""

    def scalar(b, x, width):
        below = b.select(x < -width, x + width, x * 0.0)
        return b.select(x > width, x - width, below)

    cases = [f32(3, 4), case(f32("?", 5), 0.2)]


@op("aten::hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor", out="aten::hardshrink.out")
class HardShrink(Activation):
    """0 between -lambd and lambd, x elsewhere."""

    exact = True

    def scalar(b, x, width):
        return b.select((x >= -width) & (x <= width), b.const(0.0, x.dtype), x)

    cases = [f32(3, 4), case(f32("?", 5), 0.2)]
