"""Quantization simulated on floats."""

from __future__ import annotations

from .cases import case, f32, i32
from .dims import wrap_dim
from .families.quantized import Quantized
from .registry import op


def rounded(b, x, inverse, zero_point, low, high):
    """The integer of the grid nearest to x, as a float clamped to [low, high]."""
    return b.minimum(b.maximum(b.math.round(x * inverse + zero_point), float(low)), float(high))


def fake_quantize(b, x, scale, zero_point, low, high):
    """Each element moved to the grid; scale and zero point are numbers, or tensors that broadcast."""
    dtype = x.dtype
    if hasattr(scale, "rank"):

        def tensors(b, e, s, z):
            z = b.cast(z, dtype)
            return (rounded(b, e, 1.0 / s, z, low, high) - z) * s

        return b.map(tensors, x, scale, zero_point, dtype=dtype)
    scale, zero_point = (as_element(b, v, dtype) for v in (scale, zero_point))
    inverse = 1.0 / scale
    return b.map(lambda b, e: (rounded(b, e, inverse, zero_point, low, high) - zero_point) * scale, x, dtype=dtype)


def as_element(b, v, dtype):
    """A number in the tensor's dtype."""
    return float(v) if isinstance(v, (bool, int, float)) else b.cast(v, dtype)


class FakeQuantize(Quantized):
    """The first tensor keeps its sizes and dtype."""

    runtime = ("scale", "zero_point")

    def infer(x, *_):
        return x


@op(
    "aten::fake_quantize_per_tensor_affine(Tensor self, float scale, int zero_point, int quant_min, int quant_max) -> "
    "Tensor"
)
@op(
    "aten::fake_quantize_per_tensor_affine.tensor_qparams(Tensor self, Tensor scale, Tensor zero_point, "
    "int quant_min, int quant_max) -> Tensor",
    cases=[
        case(f32(3, 4), f32(1, low=0.1, high=0.2), i32(1), -128, 127),
        case(f32("?", 4), f32(1, low=0.1, high=0.2), i32(1), 0, 255),
    ],
)
class FakeQuantizePerTensor(FakeQuantize):
    """One scale and zero point for the whole tensor."""

    def lower(b, x, scale, zero_point, low, high):
        return fake_quantize(b, x, scale, zero_point, low, high)

    cases = [case(f32(3, 4), 0.125, 3, -128, 127), case(f32("?", 4, low=-50, high=50), 0.1, 0, 0, 255)]


@op(
    "aten::fake_quantize_per_channel_affine(Tensor self, Tensor scale, Tensor zero_point, int axis, int quant_min, "
    "int quant_max) -> Tensor"
)
class FakeQuantizePerChannel(FakeQuantize):
    """A scale and zero point for each index of a dim."""

    def lower(b, x, scale, zero_point, axis, low, high):
        tail = [1] * (x.rank - wrap_dim(axis, x.rank) - 1)
        scale, zero_point = (b.reshape(t, [t.sizes[0], *tail]) for t in (scale, zero_point))
        return fake_quantize(b, x, scale, zero_point, low, high)

    cases = [
        case(f32(3, 4), f32(3, low=0.1, high=0.2), i32(3), 0, -128, 127),
        case(f32("?", 4), f32(4, low=0.1, high=0.2), i32(4), 1, -128, 127),
    ]
