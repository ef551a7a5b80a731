"""Dropout in its forms, and the activation that draws its slope."""

from __future__ import annotations

import math

from . import philox
from .abstract import TensorInfo
from .cases import case, f16, f32, f64, i1, i64
from .dtypes import DType
from .errors import NotStatic
from .families.elementwise import Elementwise
from .families.random import Random, floats_only
from .promotion import opmath, promote_to_float
from .registry import op


def check_probability(b, p):
    b.guard(0 <= p <= 1, "dropout probability has to be between 0 and 1, but got {0}", p)


def kept(b, words, p):
    """True with probability 1 - p."""
    return philox.unit(b, words, DType.f32) >= p


@op("aten::native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)")
class NativeDropout(Random):
    """Elements set to 0 at random and the rest scaled up, and which were kept."""

    def infer(x, p, train):
        return x, TensorInfo(x.sizes, DType.bool)

    def lower(b, x, p, train):
        if train is False:
            return x, b.full(x.sizes, True, DType.bool)
        floats_only(x.dtype)
        check_probability(b, p)
        scale = 1.0 / (1.0 - p) if p < 1 else 0.0

        mask = philox.draw(b, x.sizes, lambda b, words: kept(b, words, p), dtype=DType.bool)
        compute = opmath(x.dtype)

        def body(b, e, keep):
            return b.cast(b.cast(e, compute) * b.cast(keep, compute) * scale, x.dtype)

        return b.map(body, x, mask, dtype=x.dtype), mask

    cases = [
        case(f32(3, 4), 0.5, True),
        case(f16("?"), 0.0, None, at=[5]),
        case(f64(), 1.0, True),
        case(f32(3), 0.5, False),
    ]


@op("aten::native_dropout_backward(Tensor grad_output, Tensor mask, float scale) -> Tensor")
class NativeDropoutBackward(Elementwise):
    """The gradient of dropout: kept elements, scaled."""

    dtype = promote_to_float
    promoting = ("grad_output",)

    def scalar(b, grad, mask, scale):
        return b.select(mask, grad * scale, b.const(0.0, grad.dtype))

    cases = [case(f32(3, 4), i1(3, 4), 2.0), case(f32("n", 4), i1("n", 4), 1.25), case(i64(3), i1(3), 0.5)]


class Dropout(Random):
    """Nothing outside training; in training, random. A feature form decides once for a channel of an example."""

    features = False

    def infer(x, p, train):
        return x

    @classmethod
    def lower(cls, b, x, p, train):
        check_probability(b, p)
        if not train or p == 0:
            return x
        floats_only(x.dtype)
        if cls.features and x.rank < 2:
            b.error("Feature dropout requires at least 2 dimensions in the input")
        if not cls.features:
            return philox.draw(
                b, x.sizes, lambda b, words, e: cls.element(b, e, kept(b, words, p), p), x, dtype=x.dtype
            )
        sizes = [s if d < 2 else 1 for d, s in enumerate(x.sizes)]
        mask = philox.draw(b, sizes, lambda b, words: kept(b, words, p), dtype=DType.bool)
        return b.map(lambda b, e, keep: cls.element(b, e, keep, p), x, mask, dtype=x.dtype)

    @classmethod
    def element(cls, b, e, keep, p):
        """One element from its value and whether it is kept."""
        value = b.cast(e, opmath(e.dtype))
        return b.cast(cls.dropped(b, value, b.cast(keep, value.dtype), p), e.dtype)

    def dropped(b, x, keep, p):
        return x * (keep * (1.0 / (1.0 - p) if p < 1 else 0.0))

    cases = [
        case(f32(3, 4), 0.5, False),
        case(f32("?", 4), 0.0, True),
        case(f16(3, "?", 2), 0.5, True),
        case(f32(2, 3), 1.0, True),
    ]


@op(
    "aten::dropout(Tensor input, float p, bool train) -> Tensor",
    inplace="aten::dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)",
)
class PlainDropout(Dropout):
    """Elements set to 0 at random, the rest scaled up."""


@op(
    "aten::feature_dropout(Tensor input, float p, bool train) -> Tensor",
    inplace="aten::feature_dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)",
)
class FeatureDropout(Dropout):
    """Channels set to 0 at random, the rest scaled up."""

    features = True


class AlphaDropout(Dropout):
    """Dropout that keeps mean and variance of selu's outputs: dropped elements get its lowest value."""

    def dropped(b, x, keep, p):
        if p == 1:
            return x * 0.0
        alpha = 1.7580993408473766
        scale = 1.0 / math.sqrt((alpha * alpha * p + 1.0) * (1.0 - p))
        return x * (keep * scale) + ((keep - 1.0) * (alpha * scale) + alpha * scale * p)


@op(
    "aten::alpha_dropout(Tensor input, float p, bool train) -> Tensor",
    inplace="aten::alpha_dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)",
)
class PlainAlphaDropout(AlphaDropout):
    """Alpha dropout of elements."""


@op(
    "aten::feature_alpha_dropout(Tensor input, float p, bool train) -> Tensor",
    inplace="aten::feature_alpha_dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)",
)
class FeatureAlphaDropout(AlphaDropout):
    """Alpha dropout of channels."""

    features = True


RRELU = "Scalar lower=0.125, Scalar upper=0.33333333333333331, bool training=False, Generator? generator=None"


def rrelu(b, x, lower, upper, training, generator):
    """The outputs, and the factor of each element."""
    floats_only(x.dtype)
    if generator is not None or not isinstance(lower, (int, float)) or not isinstance(upper, (int, float)):
        raise NotStatic("a generator or bounds of the program's own")
    compute = opmath(x.dtype)

    def result(b, e, slope):
        value = b.cast(e, compute)
        factor = b.select(value <= 0.0, slope, b.const(1.0, compute))
        return b.cast(value * factor, x.dtype), b.cast(factor, x.dtype)

    both = (x.dtype, x.dtype)
    if not training:
        return b.map(lambda b, e: result(b, e, b.const((lower + upper) / 2, compute)), x, dtype=both)
    b.guard(lower <= upper, "Lower bound should be less than or equal to the upper bound")
    slope = lambda b, words: philox.unit(b, words, compute) * float(upper - lower) + float(lower)  # noqa: E731
    return philox.draw(b, x.sizes, lambda b, words, e: result(b, e, slope(b, words)), x, dtype=both)


@op(f"aten::rrelu(Tensor self, {RRELU}) -> Tensor", inplace="aten::rrelu_")
class RRelu(Random):
    """Leaky relu whose slope is drawn anew for each element in training, and the middle of the range otherwise."""

    def lower(b, x, *options):
        return rrelu(b, x, *options)[0]

    cases = [f32(3, 4), case(f32("?"), 0.1, 0.3, True)]


@op(f"aten::rrelu_with_noise_functional(Tensor self, Tensor noise, {RRELU}) -> (Tensor, Tensor noise_out)")
class RReluWithNoise(Random):
    """The same, with the factors of the elements; outside training those are as they were."""

    def infer(x, noise, *_):
        return x, noise

    def lower(b, x, noise, lower, upper, training, generator):
        values, factors = rrelu(b, x, lower, upper, training, generator)
        return values, factors if training else noise

    cases = [case(f32(3, 4), f32(3, 4)), case(f32("n"), f32("n"), 0.1, 0.3, True)]
