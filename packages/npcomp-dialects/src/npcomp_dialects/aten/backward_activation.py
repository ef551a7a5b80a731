"""Gradients of the rarer activations, and the forms of them that keep something for the gradient."""

from __future__ import annotations

from .block import Block
from .cases import bf16, case, f16, f32
from .dims import wrap_dim
from .families.backward import Backward, ElementwiseBackward
from .families.elementwise import Elementwise
from .promotion import opmath, promote_floats
from .registry import op

BOTH = [case(f32(3, 4), f32(3, 4)), case(f32("n", 4), f32("n", 4), at=[3, 0]), case(bf16(3), bf16(3))]


@op(
    "aten::log_sigmoid_forward(Tensor self) -> (Tensor output, Tensor buffer)",
    out="aten::log_sigmoid_forward.output(Tensor self, *, Tensor(a!) output, Tensor(b!) buffer) -> "
    "(Tensor(a!), Tensor(b!))",
)
class LogSigmoidForward(Block):
    """min(x, 0) - log1p(exp(-|x|)), and exp(-|x|) for the gradient."""

    family = "elementwise"
    dtype = promote_floats

    def lower(b, x):
        wide = opmath(x.dtype)

        def body(b, e):
            e = b.cast(e, wide)
            power = b.math.exp(-b.math.abs(e))
            return b.cast(b.minimum(e, 0.0) - b.math.log1p(power), x.dtype), b.cast(power, x.dtype)

        return b.map(body, x, dtype=(x.dtype, x.dtype))

    cases = [f32(3, 4, low=-30, high=30, special=True), f32("?", 5), bf16(3)]


@op("aten::log_sigmoid_backward(Tensor grad_output, Tensor self, Tensor buffer) -> Tensor")
class LogSigmoidBackward(ElementwiseBackward):
    """grad * sigmoid(-x), from the kept exp(-|x|)."""

    dtype = promote_floats

    def scalar(b, grad, x, power):
        part = power / (power + 1.0)
        return grad * b.select(x < 0.0, 1.0 - part, part)

    cases = [
        case(f32(3, 4), f32(3, 4), f32(3, 4, low=0.1, high=1)),
        case(f32("n", 4), f32("n", 4), f32("n", 4, low=0.1, high=1)),
    ]


@op("aten::mish_backward(Tensor grad_output, Tensor self) -> Tensor")
class MishBackward(ElementwiseBackward):
    """grad * (t + x s (1 - t²)), where t is tanh(softplus(x)) and s sigmoid(x)."""

    dtype = promote_floats

    def scalar(b, grad, x):
        t = b.math.tanh(b.math.log1p(b.math.exp(x)))
        return grad * (t + x * b.math.sigmoid(x) * (1.0 - t * t))

    cases = BOTH


@op("aten::softshrink_backward(Tensor grad_output, Tensor self, Scalar lambd) -> Tensor")
class SoftShrinkBackward(ElementwiseBackward):
    """The gradient outside of [-lambd, lambd]."""

    exact = True

    def scalar(b, grad, x, width):
        return b.select((x >= -width) & (x <= width), b.const(0.0, grad.dtype), grad)

    cases = [case(f32(3, 4), f32(3, 4, special=True), 0.5), case(f32("n", 4), f32("n", 4), 1, at=[3, 0])]


@op("aten::hardshrink_backward(Tensor grad_out, Tensor self, Scalar lambd) -> Tensor")
class HardShrinkBackward(SoftShrinkBackward):
    """The gradient outside of [-lambd, lambd]."""


@op("aten::logit_backward(Tensor grad_output, Tensor self, float? eps=None) -> Tensor")
class LogitBackward(ElementwiseBackward):
    """grad / (x (1 - x)); 0 where eps cuts, nan outside of [0, 1] without it."""

    dtype = promote_floats

    def scalar(b, grad, x, eps):
        low = 0.0 if eps is None else eps
        inside = (x >= low) & (x <= 1.0 - low)
        outside = b.const(float("nan") if eps is None else 0.0, grad.dtype)
        return b.select(inside, grad / (x * (1.0 - x)), outside)

    cases = [case(f32(3, 4), f32(3, 4, low=0, high=1)), case(f32("n", 4), f32("n", 4), 0.1, at=[3, 0])]


@op("aten::glu_backward(Tensor grad_output, Tensor self, int dim) -> Tensor")
class GluBackward(Backward):
    """For halves a and c: grad * sigmoid(c), and grad * a * sigmoid(c) * (1 - sigmoid(c))."""

    def infer(grad, x, dim):
        return x

    def lower(b, grad, x, dim):
        dim, wide = wrap_dim(dim, x.rank), opmath(x.dtype)
        n = x.sizes[dim]
        left, right = b.slice(x, dim, 0, n // 2, 1), b.slice(x, dim, n // 2, n, 1)

        def body(b, g, p, q):
            g, p, q = (b.cast(v, wide) for v in (g, p, q))
            gate = b.math.sigmoid(q)
            return b.cast(g * gate, x.dtype), b.cast(g * p * gate * (1.0 - gate), x.dtype)

        return b.concat(list(b.map(body, grad, left, right, dtype=(x.dtype, x.dtype))), dim)

    cases = [case(f32(3, 2), f32(3, 4), -1), case(f32("n", 3, 2), f32("n", 6, 2), 1)]


@op("aten::_prelu_kernel(Tensor self, Tensor weight) -> Tensor")
class PReluKernel(Elementwise):
    """x above 0, weight * x below."""

    dtype = promote_floats

    def scalar(b, x, weight):
        return b.select(x > 0.0, x, x * weight)

    cases = [case(f32(3, 4, special=True), f32(4)), case(f32("?", 4, 2), f32(4, 1)), case(f16(3), f16(1))]


@op("aten::_prelu_kernel_backward(Tensor grad_output, Tensor self, Tensor weight) -> (Tensor, Tensor)")
class PReluKernelBackward(Backward):
    """The gradients of input and weight, the latter not yet summed."""

    def lower(b, grad, x, weight):
        wide = opmath(x.dtype)

        def body(b, g, e, w):
            g, e, w = (b.cast(v, wide) for v in (g, e, w))
            above = e > 0.0
            inner = b.select(above, g, g * w)
            return b.cast(inner, x.dtype), b.cast(b.select(above, b.const(0.0, wide), g * e), x.dtype)

        return b.map(body, grad, x, weight, dtype=(x.dtype, x.dtype))

    cases = [case(f32(3, 4), f32(3, 4), f32(4)), case(f32("n", 4), f32("n", 4), f32(1), at=[3, 0])]
