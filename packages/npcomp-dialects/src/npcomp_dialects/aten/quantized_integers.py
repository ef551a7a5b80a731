"""Integers that stand for floats, `x ≈ (q - zero_point) * scale`: torch's `quantized_decomposed` ops, which captures of
quantized models are made of. torch registers them with `torch.ao.quantization.fx._decomposed`."""

from __future__ import annotations

from .cases import case, f32, f64, i8, i64, u8
from .dims import wrap_dim
from .dtypes import DType
from .errors import InferError
from .families.quantized import Quantized
from .registry import op

INTEGERS = (DType.u8, DType.i8, DType.i16, DType.i32)
F32_EPSILON = 2.0**-23


def number(b, v, dtype):
    """A Python number, a run-time number or a tensor of one element, in a dtype."""
    if hasattr(v, "rank"):
        count = b.numel(v)
        b.guard(count == 1, "Expecting a tensor of one element, got {0}", count)
        v = b.item(b.reshape(v, []))
    if isinstance(v, (bool, int, float)):
        return float(v) if dtype.is_float else int(v)
    return b.cast(v, dtype)


def integer_dtype(b, name, dtype):
    if dtype not in INTEGERS:
        b.error(f"{name}: Expecting an integer dtype of 8 to 32 bits, got {dtype}", "ValueError")


def clamped(b, e, low, high):
    return b.minimum(b.maximum(e, b.cast(low, e.dtype)), b.cast(high, e.dtype))


def along(b, x, t, axis):
    """A vector that lies along a dim of another tensor."""
    b.guard(t.sizes[0] == x.sizes[axis], "{0} parameters for {1} channels", t.sizes[0], x.sizes[axis])
    return b.reshape(t, [t.sizes[0], *[1] * (x.rank - axis - 1)])


class Integers(Quantized):
    """Scale and zero point may be known at run time only."""

    runtime = ("scale", "zero_point", "quant_min", "quant_max")


@op(
    "quantized_decomposed::quantize_per_tensor(Tensor input, float scale, int zero_point, int quant_min, "
    "int quant_max, ScalarType dtype) -> Tensor"
)
@op(
    "quantized_decomposed::quantize_per_tensor.tensor(Tensor input, Tensor scale, Tensor zero_point, int quant_min, "
    "int quant_max, ScalarType dtype) -> Tensor",
    cases=[
        case(f32("?", 4), f64(1, low=0.01, high=0.02), i64(1), -128, 127, 1),
        case(f32(3), f64(low=0.01, high=0.02), i64(), 0, 255, 0),
    ],
)
@op(
    "quantized_decomposed::quantize_per_tensor.tensor2(Tensor input, Tensor scale, Tensor zero_point, "
    "Tensor quant_min, Tensor quant_max, ScalarType dtype) -> Tensor",
    cases=[
        case(f32(3), f64(1, low=0.01, high=0.02), i64(1), i64(1, low=-9, high=-8), i64(1, low=8, high=9), 1),
        case(f32("?"), f64(1, low=0.01, high=0.02), i64(1), i64(1, low=-9, high=-8), i64(1, low=8, high=9), 1),
    ],
)
class QuantizePerTensor(Integers):
    """The integer nearest to x / scale + zero_point, kept between two bounds."""

    def lower(b, x, scale, zero_point, low, high, dtype):
        integer_dtype(b, "quantize_per_tensor", dtype)
        scale, zero_point = number(b, scale, DType.f64), number(b, zero_point, DType.f32)
        low, high, inverse = number(b, low, DType.f32), number(b, high, DType.f32), 1.0 / scale

        def body(b, e):
            e = b.math.round(b.cast(e, DType.f32) * b.cast(inverse, DType.f32)) + zero_point
            return b.cast(clamped(b, e, low, high), dtype)

        return b.map(body, x, dtype=dtype)

    cases = [
        case(f32(3, 4), 0.01, 3, -128, 127, 1),
        case(f32("?", 4, low=-50, high=50), 0.1, 128, 0, 255, 0),
        case(f32(), 0.5, 0, -32768, 32767, 2),
    ]


@op(
    "quantized_decomposed::dequantize_per_tensor(Tensor input, float scale, int zero_point, int quant_min, "
    "int quant_max, ScalarType dtype, *, ScalarType? out_dtype=None) -> Tensor"
)
@op(
    "quantized_decomposed::dequantize_per_tensor.tensor(Tensor input, Tensor scale, Tensor zero_point, int quant_min, "
    "int quant_max, ScalarType dtype, *, ScalarType? out_dtype=None) -> Tensor",
    cases=[
        case(i8("?", 4), f64(1, low=0.01, high=0.02), i64(1), -128, 127, 1),
        case(i8(3), f64(low=0.01, high=0.02), i64(), -128, 127, 1),
    ],
)
@op(
    "quantized_decomposed::dequantize_per_tensor.tensor2(Tensor input, Tensor scale, Tensor zero_point, "
    "Tensor quant_min, Tensor quant_max, ScalarType dtype, *, ScalarType? out_dtype=None) -> Tensor",
    cases=[
        case(i8(3), f64(1, low=0.01, high=0.02), i64(1), i64(1, low=-9, high=-8), i64(1, low=8, high=9), 1),
        case(i8("?"), f64(1, low=0.01, high=0.02), i64(1), i64(1, low=-9, high=-8), i64(1, low=8, high=9), 1),
    ],
)
class DequantizePerTensor(Integers):
    """(q - zero_point) * scale."""

    def lower(b, x, scale, zero_point, low, high, dtype, out_dtype):
        if x.dtype is not dtype:
            b.error(f"Expecting input to have dtype: {dtype}, but got {x.dtype}", "AssertionError")
        out_dtype = out_dtype or DType.f32
        scale, zero_point = number(b, scale, out_dtype), number(b, zero_point, out_dtype)
        return b.map(lambda b, e: (b.cast(e, out_dtype) - zero_point) * scale, x, dtype=out_dtype)

    cases = [case(i8(3, 4), 0.01, 3, -128, 127, 1), case(u8("?", 4), 0.1, 128, 0, 255, 0)]


@op(
    "quantized_decomposed::quantize_per_channel(Tensor input, Tensor scales, Tensor zero_points, int axis, "
    "int quant_min, int quant_max, ScalarType dtype) -> Tensor"
)
class QuantizePerChannel(Integers):
    """Quantization with a scale and zero point for each index of a dim."""

    def lower(b, x, scales, zero_points, axis, low, high, dtype):
        integer_dtype(b, "quantize_per_channel", dtype)
        axis = wrap_dim(axis, x.rank)
        x = b.cast(x, DType.f32) if x.dtype in (DType.f16, DType.bf16) else x
        wide = DType.f64 if DType.f64 in (x.dtype, scales.dtype) and scales.rank else x.dtype

        def body(b, e, s, z):
            e = b.math.round(b.cast(e, wide) * b.cast(1.0 / s, wide)) + b.cast(z, wide)
            return b.cast(clamped(b, e, low, high), dtype)

        return b.map(body, x, along(b, x, scales, axis), along(b, x, zero_points, axis), dtype=dtype)

    cases = [
        case(f32(3, 4), f32(3, low=0.01, high=0.02), i64(3), 0, -128, 127, 1),
        case(f32("?", 4), f64(4, low=0.01, high=0.02), i64(4), 1, -127, 127, 1),
    ]


@op(
    "quantized_decomposed::dequantize_per_channel(Tensor input, Tensor scales, Tensor? zero_points, int axis, "
    "int quant_min, int quant_max, ScalarType dtype, *, ScalarType? out_dtype=None) -> Tensor"
)
class DequantizePerChannel(Integers):
    """(q - zero_point) * scale with a scale and zero point for each index of a dim."""

    def lower(b, x, scales, zero_points, axis, low, high, dtype, out_dtype):
        if x.dtype is not dtype:
            b.error(f"Expecting input to have dtype: {dtype}, but got dtype: {x.dtype}", "AssertionError")
        out_dtype = out_dtype or DType.f32
        axis = wrap_dim(axis, x.rank)
        scales = along(b, x, scales, axis)
        wide = scales.dtype
        if zero_points is None:
            return b.map(lambda b, e, s: b.cast(b.cast(e, wide) * s, out_dtype), x, scales, dtype=out_dtype)
        zero_points = along(b, x, zero_points, axis)

        def body(b, e, s, z):
            return b.cast(b.cast(b.cast(e, z.dtype) - z, wide) * s, out_dtype)

        return b.map(body, x, scales, zero_points, dtype=out_dtype)

    cases = [
        case(i8(3, 4), f32(3, low=0.01, high=0.02), i64(3), 0, -128, 127, 1),
        case(i8("?", 4), f32(4, low=0.01, high=0.02), None, 1, -128, 127, 1),
    ]


def per_token(b, x, scales, zero_points, low, high, dtype):
    """Quantization with parameters that broadcast, added before rounding."""
    integer_dtype(b, "quantize_per_token", dtype)

    def body(b, e, s, z):
        wide = DType.f64 if DType.f64 in (e.dtype, s.dtype) else DType.f32
        e = b.math.round(b.cast(e, wide) * b.cast(1.0 / s, wide) + b.cast(z, wide))
        return b.cast(clamped(b, e, low, high), dtype)

    return b.map(body, x, scales, zero_points, dtype=dtype)


def from_token(b, x, scales, zero_points, dtype):
    """(q - zero_point) * scale with parameters that broadcast."""

    def body(b, e, s, z):
        return b.cast(b.cast(b.cast(e, z.dtype) - z, s.dtype) * s, dtype)

    return b.map(body, x, scales, zero_points, dtype=dtype)


@op(
    "quantized_decomposed::quantize_per_token(Tensor input, Tensor scales, Tensor zero_points, int quant_min, "
    "int quant_max, ScalarType dtype) -> Tensor"
)
class QuantizePerToken(Integers):
    """Quantization with a scale and zero point for each row."""

    def lower(b, x, scales, zero_points, low, high, dtype):
        return per_token(b, x, scales, zero_points, low, high, dtype)

    cases = [
        case(f32("n", 4), f64("n", 1, low=0.01, high=0.02), i64("n", 1), -128, 127, 1),
        case(f32(2, 4), f64(2, 1, low=0.01, high=0.02), i64(2, 1), 0, 255, 0),
    ]


@op(
    "quantized_decomposed::dequantize_per_token(Tensor input, Tensor scales, Tensor zero_points, int quant_min, "
    "int quant_max, ScalarType dtype, ScalarType output_dtype) -> Tensor"
)
class DequantizePerToken(Integers):
    """(q - zero_point) * scale with a scale and zero point for each row."""

    def lower(b, x, scales, zero_points, low, high, dtype, out_dtype):
        return from_token(b, x, scales, zero_points, out_dtype)

    cases = [
        case(i8(2, 4), f64(2, 1, low=0.01, high=0.02), i64(2, 1), -128, 127, 1, 6),
        case(i8("n", 4), f64("n", 1, low=0.01, high=0.02), i64("n", 1), -128, 127, 1, 6),
    ]


def groups(b, x, size):
    """The rows of a matrix cut into groups, one a row."""
    if x.rank != 2 or size <= 1:
        raise InferError(f"groups of {size} of a tensor of rank {x.rank}  do: give a matrix and group_size > 1")
    b.guard(x.sizes[1] % size == 0, "input.shape[-1] must be divisible by group_size: {0} by {1}", x.sizes[1], size)
    return b.reshape(x, [x.sizes[0] * x.sizes[1] // size, size])


def standing(b, t):
    return b.reshape(t, [b.numel(t), 1])


@op(
    "quantized_decomposed::quantize_per_channel_group(Tensor input, Tensor scales, Tensor zero_points, int quant_min, "
    "int quant_max, ScalarType dtype, int group_size) -> Tensor"
)
class QuantizePerGroup(Integers):
    """Quantization with a scale and zero point for each group of neighbours in a row."""

    def lower(b, x, scales, zero_points, low, high, dtype, size):
        parts = per_token(b, groups(b, x, size), standing(b, scales), standing(b, zero_points), low, high, dtype)
        return b.reshape(parts, x.sizes)

    cases = [
        case(f32(3, 4), f32(3, 2, low=0.01, high=0.02), i64(3, 2), -8, 7, 1, 2),
        case(f32("n", 4), f32("n", 2, low=0.01, high=0.02), i64("n", 2), -8, 7, 1, 2),
    ]


@op(
    "quantized_decomposed::dequantize_per_channel_group(Tensor input, Tensor scales, Tensor? zero_points, "
    "int quant_min, int quant_max, ScalarType dtype, int group_size, ScalarType output_dtype) -> Tensor"
)
class DequantizePerGroup(Integers):
    """(q - zero_point) * scale with a scale and zero point for each group of neighbours in a row."""

    def lower(b, x, scales, zero_points, low, high, dtype, size, out_dtype):
        zero_points = b.full([1, 1], 0, DType.i32) if zero_points is None else standing(b, zero_points)
        return b.reshape(from_token(b, groups(b, x, size), standing(b, scales), zero_points, out_dtype), x.sizes)

    cases = [
        case(i8(3, 4), f32(3, 2, low=0.01, high=0.02), i64(3, 2), -8, 7, 1, 2, 6),
        case(i8("n", 4), f32("n", 2, low=0.01, high=0.02), None, -8, 7, 1, 2, 6),
    ]


def extremes(b, x, dims, keep):
    """The least and the greatest element, with 0 among them, in f32 or wider."""
    low, high = b.reduce("min", x, dims, keep), b.reduce("max", x, dims, keep)
    low = b.map(lambda b, e: b.minimum(e, b.const(0, e.dtype)), low, dtype=x.dtype)
    return low, b.map(lambda b, e: b.maximum(e, b.const(0, e.dtype)), high, dtype=x.dtype)


@op(
    "quantized_decomposed::choose_qparams.tensor(Tensor input, int quant_min, int quant_max, float eps, "
    "ScalarType dtype) -> (Tensor, Tensor)"
)
class ChooseParameters(Quantized):
    """Scale and zero point with which the range of a tensor fills the integers."""

    def lower(b, x, least, most, eps, dtype):
        low, high = extremes(b, x, list(range(x.rank)), False)

        def scale(b, low, high):
            return b.maximum((high - low) / float(most - least), b.const(eps, low.dtype))

        scales = b.map(scale, low, high, dtype=x.dtype)

        def zero(b, low, s):
            return b.cast(clamped(b, least - b.math.round(low / s), least, most), DType.i64)

        return b.reshape(b.cast(scales, DType.f64), [1]), b.reshape(b.map(zero, low, scales, dtype=DType.i64), [1])

    cases = [case(f32(3, 4), -128, 127, 1e-5, 1), case(f32("?", 4), 0, 255, 1e-5, 0, at=[3, 1])]


@op(
    "quantized_decomposed::choose_qparams_symmetric.tensor(Tensor input, int quant_min, int quant_max, float eps, "
    "ScalarType dtype) -> (Tensor, Tensor)"
)
class ChooseSymmetric(Quantized):
    """Scale with which the larger half of a tensor's range fills half of the integers; zero lies in the middle."""

    def lower(b, x, least, most, eps, dtype):
        low, high = extremes(b, x, list(range(x.rank)), False)

        def scale(b, low, high):
            return b.maximum(b.maximum(-low, high) / ((most - least) / 2), b.const(eps, low.dtype))

        scales = b.cast(b.map(scale, low, high, dtype=x.dtype), DType.f64)
        return b.reshape(scales, [1]), b.full([1], 128 if dtype is DType.u8 else 0, DType.i64)

    cases = [case(f32(3, 4), -128, 127, 1e-5, 1), case(f32("?"), 0, 255, 1e-5, 0, at=[5, 1])]


@op("quantized_decomposed::choose_qparams_per_token(Tensor input, ScalarType dtype) -> (Tensor, Tensor)")
class ChoosePerToken(Quantized):
    """A symmetric scale for each row, zero points 0."""

    def lower(b, x, dtype):
        if dtype is not DType.i8:
            b.error(f"unsupported dtype in choose_qparams_per_token: {dtype}", "Exception")
        wide = DType.f32 if x.dtype is DType.f16 else x.dtype
        size = b.reduce("max", b.map(lambda b, e: b.math.abs(e), x, dtype=x.dtype), [x.rank - 1], True)

        def scale(b, e):
            return b.maximum(b.cast(e, wide), b.const(1e-5, wide)) / 127

        scales = b.map(scale, size, dtype=wide)
        return scales, b.full(scales.sizes, 0, wide)

    cases = [case(f32("?", 4), 1), case(f32(3), 1)]


@op("quantized_decomposed::choose_qparams_per_token_asymmetric(Tensor input, ScalarType dtype) -> (Tensor, Tensor)")
@op(
    "quantized_decomposed::_choose_qparams_per_token_asymmetric_impl(Tensor input, ScalarType dtype) -> "
    "(Tensor, Tensor)"
)
class ChoosePerTokenAsymmetric(Quantized):
    """Scale and zero point of int8 for each row, with the error at the nearer end made 0."""

    def lower(b, x, dtype):
        low, high = extremes(b, x, [x.rank - 1], True)

        def scale(b, low, high):
            return b.maximum((high - low) / 255.0, b.const(F32_EPSILON, low.dtype))

        scales = b.map(scale, low, high, dtype=x.dtype)

        def zero(b, low, high, s):
            below, above = low / s, high / s
            nearer = b.select((below - 128) + (above + 127) > 0, -128 - below, 127 - above)
            return b.cast(b.math.round(clamped(b, nearer, -128, 127)), DType.i64)

        return b.cast(scales, DType.f64), b.map(zero, low, high, scales, dtype=DType.i64)

    cases = [case(f32("?", 4), 1), case(f32(3), 1)]


@op("quantized_decomposed::convert_element_type.no_fuse(Tensor input, ScalarType dtype) -> Tensor")
class ConvertElementType(Quantized):
    """A cast that quantization passes leave alone."""

    def lower(b, x, dtype):
        return b.cast(x, dtype)

    cases = [case(f32("?", 4), 1), case(i8(3), 6)]
