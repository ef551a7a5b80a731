"""Gradients of elementwise functions."""

from __future__ import annotations

import math

from .cases import case, f16, f32
from .families.backward import ElementwiseBackward
from .promotion import promote_floats
from .registry import op

BOTH = [case(f32(3, 4), f32(3, 4)), case(f32("n", 4), f32("n", 4), at=[3, 0])]


@op("aten::threshold_backward(Tensor grad_output, Tensor self, Scalar threshold) -> Tensor")
class ThresholdBackward(ElementwiseBackward):
    """The gradient where the input passes the threshold; of relu with threshold 0."""

    exact = True

    def scalar(b, grad, x, threshold):
        return b.select(x <= threshold, b.const(0, grad.dtype), grad)

    cases = [case(f32(3, 4), f32(3, 4), 0), case(f32("n", 4), f32("n", 4), 0.5, at=[3, 0]), case(f16(3), f16(3), 0)]


@op("aten::tanh_backward(Tensor grad_output, Tensor output) -> Tensor")
class TanhBackward(ElementwiseBackward):
    """grad * (1 - output²)."""

    dtype = promote_floats

    def scalar(b, grad, y):
        return grad * (1.0 - y * y)

    cases = BOTH


@op("aten::sigmoid_backward(Tensor grad_output, Tensor output) -> Tensor")
class SigmoidBackward(ElementwiseBackward):
    """grad * output * (1 - output)."""

    dtype = promote_floats

    def scalar(b, grad, y):
        return grad * (1.0 - y) * y

    cases = BOTH


@op('aten::gelu_backward(Tensor grad_output, Tensor self, *, str approximate="none") -> Tensor')
class GeluBackward(ElementwiseBackward):
    """grad * (Φ(x) + x φ(x)), or the derivative of the tanh approximation."""

    dtype = promote_floats

    def scalar(b, grad, x, approximate):
        if approximate == "tanh":
            beta, kappa = math.sqrt(2 / math.pi), 0.044715
            t = b.math.tanh((x + x * x * x * kappa) * beta)
            slope = (1.0 - t * t) * (x * x * (3 * kappa) + 1.0) * beta
            return grad * ((t + 1.0) * 0.5 + x * slope * 0.5)
        cdf = (b.math.erf(x * math.sqrt(0.5)) + 1.0) * 0.5
        pdf = b.math.exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))
        return grad * (cdf + x * pdf)

    cases = [*BOTH, case(f32(3, 4), f32(3, 4), approximate="tanh")]


@op("aten::silu_backward(Tensor grad_output, Tensor self) -> Tensor")
class SiluBackward(ElementwiseBackward):
    """grad * s * (1 + x (1 - s)), where s is sigmoid(x)."""

    dtype = promote_floats

    def scalar(b, grad, x):
        s = b.math.sigmoid(x)
        return grad * s * (x * (1.0 - s) + 1.0)

    cases = BOTH


@op("aten::hardtanh_backward(Tensor grad_output, Tensor self, Scalar min_val, Scalar max_val) -> Tensor")
class HardTanhBackward(ElementwiseBackward):
    """The gradient where the input lies strictly between the bounds."""

    exact = True

    def scalar(b, grad, x, low, high):
        return b.select((x <= low) | (x >= high), b.const(0, grad.dtype), grad)

    cases = [case(f32(3, 4), f32(3, 4), -1, 1), case(f32("n", 4), f32("n", 4), 0, 6)]


@op("aten::hardsigmoid_backward(Tensor grad_output, Tensor self) -> Tensor")
class HardSigmoidBackward(ElementwiseBackward):
    """grad / 6 where the input lies between -3 and 3."""

    dtype = promote_floats

    def scalar(b, grad, x):
        return b.select((x > -3.0) & (x < 3.0), grad * (1 / 6), b.const(0.0, grad.dtype))

    cases = [case(f32(3, 4), f32(3, 4, low=-5, high=5)), case(f32("n", 4), f32("n", 4))]


@op("aten::hardswish_backward(Tensor grad_output, Tensor self) -> Tensor")
class HardSwishBackward(ElementwiseBackward):
    """grad * (x / 3 + 1/2) between -3 and 3, grad above, 0 below."""

    dtype = promote_floats

    def scalar(b, grad, x):
        middle = grad * (x / 3.0 + 0.5)
        return b.select(x <= -3.0, b.const(0.0, grad.dtype), b.select(x < 3.0, middle, grad))

    cases = [case(f32(3, 4), f32(3, 4, low=-5, high=5)), case(f32("n", 4), f32("n", 4))]


@op(
    "aten::leaky_relu_backward(Tensor grad_output, Tensor self, Scalar negative_slope, bool self_is_result) -> Tensor",
)
class LeakyReluBackward(ElementwiseBackward):
    """The gradient above 0, times the slope below."""

    dtype = promote_floats

    def scalar(b, grad, x, slope, _):
        return b.select(x > 0.0, grad, grad * slope)

    cases = [case(f32(3, 4), f32(3, 4), 0.1, False), case(f32("n", 4), f32("n", 4), 0.2, True)]


@op(
    "aten::elu_backward(Tensor grad_output, Scalar alpha, Scalar scale, Scalar input_scale, bool is_result, "
    "Tensor self_or_result) -> Tensor",
)
class EluBackward(ElementwiseBackward):
    """The gradient of elu from its input or its result."""

    dtype = promote_floats

    def scalar(b, grad, alpha, scale, input_scale, is_result, x):
        if is_result:
            below = grad * input_scale * (x + alpha * scale)
        else:
            below = grad * (input_scale * alpha * scale) * b.math.exp(x * input_scale)
        return b.select(x <= 0.0, below, grad * scale)

    cases = [
        case(f32(3, 4), 1, 1, 1, False, f32(3, 4)),
        case(f32("n", 4), 0.5, 1.5, 0.7, True, f32("n", 4, low=-0.5)),
    ]


@op("aten::softplus_backward(Tensor grad_output, Tensor self, Scalar beta, Scalar threshold) -> Tensor")
class SoftplusBackward(ElementwiseBackward):
    """grad * sigmoid(beta * x), the gradient itself past the threshold."""

    dtype = promote_floats

    def scalar(b, grad, x, beta, threshold):
        z = x * beta
        return b.select(z > threshold, grad, grad * b.math.sigmoid(z))

    cases = [case(f32(3, 4), f32(3, 4), 1, 20), case(f32("n", 4), f32("n", 4), 2, 1)]
