"""What each op does with quantized tensors: rules from operands to a quantized tensor, a value or a constant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.passes.abstraction import info_of
from npcomp_dialects.passes.quantized_values import (
    CODE_OF,
    F32,
    F64,
    I32,
    STORED,
    Emitter,
    Quantized,
    parts_of_packed,
    refuse,
)  # fmt: skip

Rule = Callable[..., Any]
I32_CODE = 14
JOINS = ("aten.cat", "quantized.cat", "quantized.cat_relu")
_SOURCES = ("aten.quantize_", "aten._make_per_", "quantized.", "aten.dequantize", "aten.int_repr", "aten.q_")


def is_source(name: str) -> bool:
    """True for an op that is about quantized tensors whatever its operands are."""
    return name.startswith(_SOURCES)


# Making quantized tensors, and leaving them.


def _stored(e: Emitter, code: Any) -> int:
    if code not in STORED:
        raise refuse(e.op, f"quantization to the dtype of number {code}", "use torch.quint8, torch.qint8 or qint32")
    return int(code)


def _quantize(e: Emitter, x: Any, scale: Any, zero_point: Any, code: Any) -> Quantized:
    return e.quantize(x, scale, zero_point, _stored(e, code))


def _quantize_by_tensors(e: Emitter, x: Any, scale: Any, zero_point: Any, code: Any) -> Quantized:
    scale, zero_point = e.call("aten.Float.Tensor", scale), e.call("aten.Int.Tensor", zero_point)
    return e.quantize(x, scale, zero_point, _stored(e, code))


def _quantize_per_channel(e: Emitter, x: Any, scales: Any, zero_points: Any, axis: Any, code: Any) -> Quantized:
    dtype, low, high = STORED[_stored(e, code)]
    steps = e.cast(scales, F32)
    arguments = (x, steps, zero_points, axis, low, high, dtype.torch_code)
    integers = e.call("quantized_decomposed.quantize_per_channel", *arguments)
    return Quantized(integers, scales, zero_points, code, axis)


def _constant(e: Emitter, integers: ir.Value, scale: Any, zero_point: Any, axis: Any = None) -> Quantized:
    dtype = info_of(integers.type).dtype
    assert dtype is not None, "the integers of a quantized constant are a literal"
    return Quantized(integers, scale, zero_point, CODE_OF[dtype], axis)


def _dequantize(e: Emitter, q: Any) -> Any:
    return e.dequantize(q) if isinstance(q, Quantized) else e.cast(q, F32)


def _only_per_tensor(e: Emitter, q: Any) -> Quantized:
    if not isinstance(q, Quantized):
        raise refuse(e.op, "a quantized op takes a tensor that is not quantized", "call torch.quantize_per_tensor")
    if q.axis is not None:
        raise refuse(e.op, "an op on a tensor quantized per channel", "quantize activations per tensor")
    return q


def _scale(e: Emitter, q: Any) -> Any:
    return _only_per_tensor(e, q).scale


def _zero_point(e: Emitter, q: Any) -> Any:
    return _only_per_tensor(e, q).zero_point


# Ops that see the integers alone.


def _moved(e: Emitter, q: Any, *_: Any) -> Quantized:
    """The same op on the integers: elements move, none changes. Parts of a tensor are one list on its grid."""
    _only_per_tensor(e, q)
    return q.like(e.again(q.integers))


def _whole(e: Emitter, q: Quantized, *_: Any) -> Quantized:
    return q


def _dropout(e: Emitter, q: Quantized, p: Any, train: Any) -> Quantized:
    if train is not False:
        raise refuse(e.op, "dropout of a quantized tensor in training", "call model.eval() before compiling")
    return q


def _padded(e: Emitter, q: Any, pad: Any, mode: Any = "constant", value: Any = None) -> Quantized:
    """Elements repeat, or zeros surround them."""
    _only_per_tensor(e, q)
    if mode != "constant":
        return q.like(e.again(q.integers))
    if isinstance(value, ir.Value) or value not in (None, 0):
        raise refuse(e.op, "a quantized tensor is padded with another value than 0", "pad before quantization")
    around = e.call("aten.add.Scalar", e.again(e.centered(q)), q.zero_point, 1)
    return q.like(e.cast(around, STORED[q.code][0].torch_code))


def _asked(e: Emitter, q: Any, *_: Any) -> ir.Value:
    """The same question about the integers: sizes are equal."""
    return e.again(q.integers)


def _stored_over(e: Emitter, old: Any, new: Any, *_: Any) -> Any:
    """What an op in place writes: the new value, whose grid the tensor takes over."""
    if not isinstance(old, Quantized) or not isinstance(new, Quantized) or not old.same_grid(new):
        raise refuse(e.op, "a write into a quantized tensor on another grid", "use the op that returns a new tensor")
    return new


# Elementwise.


def _relu(e: Emitter, q: Any) -> Quantized:
    _only_per_tensor(e, q)
    return q.like(e.call("aten.clamp", q.integers, q.zero_point, None))


def _clamp(e: Emitter, q: Any, low: Any = None, high: Any = None) -> Quantized:
    """Bounds become integers of the grid."""
    _only_per_tensor(e, q)
    x = q.integers
    for name, bound in (("maximum", low), ("minimum", high)):
        if bound is not None:
            x = e.call(f"aten.{name}", x, e.bound(bound, q))
    return q.like(x)


def _relu6(e: Emitter, q: Any, *_: Any) -> Quantized:
    return _clamp(e, q, 0.0, 6.0)


def _add(relu: bool) -> Rule:
    def rule(e: Emitter, a: Any, b: Any, scale: Any, zero_point: Any) -> Quantized:
        _only_per_tensor(e, a), _only_per_tensor(e, b)
        total = e.call("aten.add.Tensor", e.fused(a), e.fused(b), 1)
        total = e.call("aten.relu", total) if relu else total
        return e.stepwise(total, scale, zero_point, a.code)

    return rule


def _mul(relu: bool) -> Rule:
    def rule(e: Emitter, a: Any, b: Any, scale: Any, zero_point: Any) -> Quantized:
        _only_per_tensor(e, a), _only_per_tensor(e, b)
        product = e.cast(e.call("aten.mul.Tensor", e.centered(a), e.centered(b)), F32)
        factor = e.call("aten.full", [], a.step, F32, None, None, None)
        factor = e.call("aten.mul.Scalar", factor, b.step)
        factor = e.call("aten.div.Scalar", factor, _single(e, scale))
        return e.requantize(e.call("aten.mul.Tensor", product, factor), scale, zero_point, a.code, relu)

    return rule


def _single(e: Emitter, scale: Any) -> Any:
    return Quantized(None, scale, 0, 13).step


# Layers.


def _linear(relu: bool) -> Rule:
    def rule(e: Emitter, q: Any, packed: Any, scale: Any, zero_point: Any) -> Quantized:
        _only_per_tensor(e, q)
        (weight, scales, bias), _ = parts_of_packed(e.op, packed)
        products = e.call("aten.linear", e.centered(q), e.cast(weight, I32), None)
        return _scaled(e, q, products, scales, bias, scale, zero_point, relu)

    return rule


def _scaled(
    e: Emitter, q: Quantized, products: ir.Value, scales: Any, bias: Any, scale: Any, zero_point: Any, relu: bool
) -> Quantized:
    """Sums of products with a bias, on the grid of the result: as fbgemm computes it, in single precision."""
    both = e.call("aten.mul.Scalar", scales, q.step)
    total = e.call("aten.add.Tensor", e.cast(products, F32), e.call("aten.div.Tensor", bias, both), 1)
    total = e.call("aten.mul.Tensor", total, e.call("aten.div.Scalar", both, _single(e, scale)))
    return e.requantize(total, scale, zero_point, q.code, relu)


def _linear_dynamic(relu: bool) -> Rule:
    """The range of the input decides its grid, of 255 steps or 127."""

    def rule(e: Emitter, x: Any, packed: Any, reduce_range: Any = False) -> ir.Value:
        (weight, scales, bias), _ = parts_of_packed(e.op, packed)
        step, zero_point = _range(e, x, 127 if reduce_range else 255)
        q = e.call("aten.mul.Tensor", e.cast(x, F64), e.cast(e.call("aten.reciprocal", step), F64))
        q = e.cast(e.call("aten.add.Tensor", q, e.cast(zero_point, F64), 1), F32)
        q = e.call("aten.clamp", e.call("aten.round", q), 0, 255)
        q = e.cast(e.call("aten.sub.Tensor", q, zero_point, 1), I32)
        y = e.cast(e.call("aten.linear", q, e.cast(weight, I32), None), F32)
        y = e.call("aten.mul.Tensor", y, e.call("aten.mul.Tensor", scales, step))
        y = e.call("aten.add.Tensor", y, bias, 1)
        return e.call("aten.relu", y) if relu else y

    return rule


def _range(e: Emitter, x: ir.Value, most: int) -> tuple[ir.Value, ir.Value]:
    """Step and zero point, in f32, with which the range of a tensor and 0 fill the integers up to `most`.

    Ranges that would give a step below 6.1e-5 get that step and keep their zero point; 0 alone gets 0.1."""
    zero = e.call("aten.zeros", [1], F32, None, None, None)
    flat = e.call("aten.cat", [e.call("aten.reshape", x, [-1]), zero], 0)
    low, high = (e.cast(e.call(f"aten.{name}", flat, [0], False), F64) for name in ("amin", "amax"))
    step = e.call("aten.div.Scalar", e.call("aten.sub.Tensor", high, low, 1), float(most))
    nothing = e.call("aten.eq.Scalar", step, 0.0)
    step = e.call("aten.masked_fill.Scalar", step, nothing, 0.1)
    zero_point = e.call("aten.clamp", e.call("aten.round", e.call("aten.neg", e.call("aten.div.Tensor", low, step))),
                        0, most)  # fmt: skip
    return e.cast(e.call("aten.clamp_min", step, 6.1e-5), F32), e.cast(zero_point, F32)


def _conv(spatial: int, relu: bool) -> Rule:
    def rule(e: Emitter, q: Any, packed: Any, scale: Any, zero_point: Any) -> Quantized:
        _only_per_tensor(e, q)
        (weight, scales, bias), numbers = parts_of_packed(e.op, packed)
        dims = (len(numbers) - 1) // 3
        stride, padding, dilation = (numbers[k * dims : (k + 1) * dims] for k in range(3))
        x = e.centered(q)
        x = e.call("aten.unsqueeze", x, 2) if dims > spatial else x  # a conv1d is packed as rows of height 1
        weight = e.cast(weight, I32)
        window = (stride, padding, dilation, False, [0] * dims, numbers[-1])
        y = e.call("aten.convolution", x, weight, None, *window)
        along = [-1, *[1] * dims]
        scales, bias = (e.call("aten.reshape", t, along) for t in (scales, bias))
        found = _scaled(e, q, y, scales, bias, scale, zero_point, relu)
        return found.like(e.call("aten.squeeze.dim", found.integers, 2)) if dims > spatial else found

    return rule


def _averaged(e: Emitter, q: Any, *_: Any) -> Quantized:
    """Averages, rounded half to even after the zero point is added: torch's kernels for dense rows, and those of
    adaptive pools for every layout."""
    _only_per_tensor(e, q)
    averages = e.call("aten.add.Scalar", e.again(e.cast(e.centered(q), F32)), q.zero_point, 1)
    return e.placed(e.call("aten.round", averages), q.scale, q.zero_point, q.code)


def _computed(name: str, *extra: int) -> Rule:
    """A function of the dequantized values, on the grid given last; `extra` says which operands the function takes."""

    def rule(e: Emitter, q: Any, *rest: Any) -> Quantized:
        _only_per_tensor(e, q)
        x = e.call(name, e.dequantize(q), *(rest[k] for k in extra))
        return e.stepwise(x, rest[-2], rest[-1], q.code)

    return rule


def _bounded(name: str, spread: float, middle: bool) -> Rule:
    """A function whose results have a grid of their own: 256 steps over `spread`, around 0 or from 0."""

    def rule(e: Emitter, q: Any) -> Quantized:
        _only_per_tensor(e, q)
        if q.code == I32_CODE:
            raise refuse(e.op, f"{name.replace('.', '::')} of a tensor of qint32", "quantize it to torch.quint8")
        zero_point = q.low + (128 if middle else 0)
        return e.stepwise(e.call(name, e.dequantize(q)), spread / 256, zero_point, q.code)

    return rule


def _cat(relu: bool) -> Rule:
    def rule(e: Emitter, items: Any, dim: Any = 0, scale: Any = None, zero_point: Any = None) -> Quantized:
        """Tensors on the grid of the result join as they are, others are quantized anew."""
        if isinstance(items, Quantized):
            raise refuse(e.op, "parts of a quantized tensor are joined", "take the parts out of their list first")
        for q in items:
            _only_per_tensor(e, q)
        first = items[0]
        grid = Quantized(first.integers, first.scale if scale is None else scale,
                         first.zero_point if zero_point is None else zero_point, first.code)  # fmt: skip
        same = [q if q.same_grid(grid) else e.quantize(e.dequantize(q), grid.scale, grid.zero_point, grid.code)
                for q in items]  # fmt: skip
        found = grid.like(e.call("aten.cat", [q.integers for q in same], dim))
        return _relu(e, found) if relu else found

    return rule


_MOVES = (
    "view", "reshape", "flatten.using_ints", "transpose.int", "permute", "t", "unsqueeze", "squeeze", "squeeze.dim",
    "squeeze.dims", "slice.Tensor", "select.int", "narrow", "expand", "unflatten.int", "numpy_T", "movedim.int",
    "index_select", "channel_shuffle", "pixel_shuffle", "pixel_unshuffle", "max_pool1d", "max_pool2d", "chunk",
    "split.Tensor", "split_with_sizes", "unbind.int", "__getitem__.t",
)  # fmt: skip
_WHOLE = ("contiguous", "clone", "detach", "alias", "lift_fresh")
_QUESTIONS = ("size", "size.int", "dim", "numel", "stride", "is_contiguous", "len.Tensor")
_AVERAGES = ("avg_pool2d", "adaptive_avg_pool2d", "avg_pool3d", "adaptive_avg_pool3d", "mean.dim", "mean")

RULES: dict[str, Rule] = {
    "aten.quantize_per_tensor": _quantize,
    "aten.quantize_per_tensor.tensor_qparams": _quantize_by_tensors,
    "aten.quantize_per_channel": _quantize_per_channel,
    "aten._make_per_tensor_quantized_tensor": _constant,
    "aten._make_per_channel_quantized_tensor": _constant,
    "aten.dequantize.self": _dequantize,
    "aten.int_repr": lambda e, q: q.integers,
    "aten.q_scale": _scale,
    "aten.q_zero_point": _zero_point,
    "aten.q_per_channel_scales": lambda e, q: e.cast(q.scale, F64),
    "aten.q_per_channel_zero_points": lambda e, q: q.zero_point,
    "aten.q_per_channel_axis": lambda e, q: q.axis,
    "aten.copy": _stored_over,
    "aten.dropout": _dropout,
    "aten.pad": _padded,
    "aten.constant_pad_nd": lambda e, q, pad, value=None: _padded(e, q, pad, "constant", value),
    **{f"aten.{name}": _moved for name in _MOVES},
    **{f"aten.{name}": _whole for name in _WHOLE},
    **{f"aten.{name}": _asked for name in _QUESTIONS},
    **{f"aten.{name}": _averaged for name in _AVERAGES},
    "quantized.max_pool2d": _moved,
    "aten.relu": _relu,
    "aten.relu6": _relu6,
    "quantized.relu6": _relu6,
    "aten.clamp": _clamp,
    "aten.hardtanh": _clamp,
    "aten.sigmoid": _bounded("aten.sigmoid", 1.0, False),
    "aten.hardsigmoid": _bounded("aten.hardsigmoid", 1.0, False),
    "aten.tanh": _bounded("aten.tanh", 2.0, True),
    "quantized.hardswish": _computed("aten.hardswish"),
    "quantized.leaky_relu": _computed("aten.leaky_relu", 0),
    "aten.cat": _cat(False),
    "quantized.cat": _cat(False),
    "quantized.cat_relu": _cat(True),
    **{f"quantized.add{end}": _add(bool(end)) for end in ("", "_relu")},
    **{f"quantized.mul{end}": _mul(bool(end)) for end in ("", "_relu")},
    **{f"quantized.linear{end}": _linear(bool(end)) for end in ("", "_relu")},
    "quantized.linear_dynamic": _linear_dynamic(False),
    "quantized.linear_relu_dynamic": _linear_dynamic(True),
    **{f"quantized.conv{n}d{end}{new}": _conv(n, bool(end))
       for n in (1, 2, 3) for end in ("", "_relu") for new in ("", ".new")},
}  # fmt: skip
