"""Quantized tensors as the pass `lower-quantized-tensors` sees them, and the arithmetic that stands for them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from npcomp_dialects.aten import registry
from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.aten.schema import Type
from npcomp_dialects.errors import UnsupportedError
from npcomp_dialects.mlir import ir
from npcomp_dialects.passes import constants, walk

F32, F64, I32, I64 = (d.torch_code for d in (DType.f32, DType.f64, DType.i32, DType.i64))
STORED = {12: (DType.i8, -128, 127), 13: (DType.u8, 0, 255), 14: (DType.i32, -(2**31), 2**31 - 1)}
"""What torch stores for qint8, quint8 and qint32, by the code of the quantized dtype."""
CODE_OF = {DType.i8: 12, DType.u8: 13, DType.i32: 14}


@dataclass(frozen=True)
class Quantized:
    """A quantized tensor: integers, with scale and zero point as numbers, or as vectors along `axis`.

    Numbers are Python's where the program has constants, else values of the IR."""

    integers: ir.Value
    scale: Any
    zero_point: Any
    code: int
    axis: Any = None

    @property
    def step(self) -> Any:
        """The scale as torch's kernels use it: in single precision."""
        return single(self.scale)

    @property
    def low(self) -> int:
        return STORED[self.code][1]

    @property
    def high(self) -> int:
        return STORED[self.code][2]

    def like(self, integers: ir.Value) -> Quantized:
        """Other integers on the same grid."""
        return Quantized(integers, self.scale, self.zero_point, self.code, self.axis)

    def same_grid(self, other: Quantized) -> bool:
        return (self.scale, self.zero_point, self.code, self.axis) == (
            other.scale, other.zero_point, other.code, other.axis
        )  # fmt: skip


def single(number: Any) -> Any:
    """A Python number rounded to single precision."""
    return struct.unpack("f", struct.pack("f", number))[0] if isinstance(number, float) else number


def constant_or_value(value: ir.Value) -> Any:
    """The Python constant that a value is, or the value; an optional one that is there is itself."""
    made = walk.owner(value)
    if made is not None and made.name == "torch.derefine":
        return constant_or_value(made.operands[0])
    try:
        return constants.of_value(value)
    except constants.NotConstant:
        return value


def refuse(op: ir.Operation, what: str, do: str) -> UnsupportedError:
    return UnsupportedError(what, op.location, do=do)


class Emitter:
    """Builds ops of the library before an op, with its location; their types are left to inference."""

    def __init__(self, op: ir.Operation) -> None:
        self.op = op
        self._loc = op.location
        self._ip = ir.InsertionPoint(op)

    def call(self, name: str, *arguments: Any) -> Any:
        """The results of an op: values of the IR and Python constants are its arguments."""
        schema = registry.lookup(name).schema
        given = schema.bind(list(arguments), {})
        operands = [self.value(v, a.type) for v, a in zip(given, schema.arguments, strict=True)]
        types = [constants.ir_type(r.type) for r in schema.returns]
        made = ir.Operation.create(f"torch.{schema.name}", types, operands, loc=self._loc, ip=self._ip)
        return made.results[0] if len(types) == 1 else list(made.results)

    def value(self, given: Any, type: Type) -> ir.Value:
        if isinstance(given, ir.Value):
            return given
        if isinstance(given, (list, tuple)) and any(isinstance(item, ir.Value) for item in given):
            element = type.inner.items[0]
            items = [self.value(item, element) for item in given]
            return constants.create_list(items, constants.ir_type(element), self._loc, self._ip)
        return constants.create_argument(given, type, self._loc, self._ip)

    def constant(self, number: Any) -> ir.Value:
        return number if isinstance(number, ir.Value) else constants.create(number, self._loc, self._ip)

    def again(self, first: ir.Value) -> ir.Value:
        """The result of the same op on another first operand."""
        made = self.op.clone(self._ip).operation
        made.operands[0] = first
        return made.results[0]

    # Arithmetic.

    def cast(self, x: ir.Value, dtype: int) -> ir.Value:
        return self.call("aten.to.dtype", x, dtype, False, False, None)

    def centered(self, q: Quantized) -> ir.Value:
        """q - zero_point in 32 bits."""
        wide = self.cast(q.integers, I32)
        return wide if q.zero_point == 0 else self.call("aten.sub.Scalar", wide, q.zero_point, 1)

    def dequantize(self, q: Quantized) -> ir.Value:
        bounds = (q.low, q.high, STORED[q.code][0].torch_code)
        if q.axis is None:
            name = "quantized_decomposed.dequantize_per_tensor"
            return self.call(name, q.integers, q.step, q.zero_point, *bounds)
        scales, zero_points = self.cast(q.scale, F32), self.cast(q.zero_point, I64)
        name = "quantized_decomposed.dequantize_per_channel"
        return self.call(name, q.integers, scales, zero_points, q.axis, *bounds)

    def quantize(self, x: ir.Value, scale: Any, zero_point: Any, code: int) -> Quantized:
        """As torch quantizes tensors: x / scale + zero_point in one rounding to f32, then half to even."""
        factor = self.call("aten.div.Scalar", self._number(1.0), single(scale))
        x = self.call("aten.mul.Tensor", self.cast(x, F64), self.cast(factor, F64))
        x = self.cast(self.call("aten.add.Scalar", x, zero_point, 1), F32)
        return self.placed(self.call("aten.round", x), scale, zero_point, code)

    def bound(self, number: Any, q: Quantized) -> ir.Value:
        """As torch quantizes one number: rounded before the zero point is added."""
        return self.stepwise(self._number(number), q.scale, q.zero_point, q.code).integers

    def stepwise(self, x: ir.Value, scale: Any, zero_point: Any, code: int) -> Quantized:
        """As torch's elementwise kernels quantize results: rounded before the zero point is added."""
        dtype, low, high = STORED[code]
        arguments = (single(scale), zero_point, low, high, dtype.torch_code)
        integers = self.call("quantized_decomposed.quantize_per_tensor", x, *arguments)
        return Quantized(integers, scale, zero_point, code)

    def fused(self, q: Quantized) -> ir.Value:
        """As torch's elementwise kernels dequantize: q * scale - (zero_point * scale) in one rounding to f32."""
        step = self.call("aten.mul.Scalar", self._number(1.0), q.step)
        offset = self.cast(self.call("aten.mul.Scalar", step, q.zero_point), F64)
        x = self.call("aten.mul.Tensor", self.cast(q.integers, F64), self.cast(step, F64))
        return self.cast(self.call("aten.sub.Tensor", x, offset, 1), F32)

    def _number(self, number: Any) -> ir.Value:
        return self.call("aten.full", [], number, F32, None, None, None)

    def placed(self, x: ir.Value, scale: Any, zero_point: Any, code: int, low: Any = None) -> Quantized:
        """Whole numbers in f32, kept within what the integers hold."""
        dtype, least, most = STORED[code]
        x = self.cast(x, F64) if dtype is DType.i32 else x  # f32 does not hold its largest integer
        x = self.call("aten.clamp", x, least if low is None else low, most)
        return Quantized(self.cast(x, dtype.torch_code), scale, zero_point, code)

    def requantize(self, x: ir.Value, scale: Any, zero_point: Any, code: int, relu: bool = False) -> Quantized:
        """Multiples of the step, in f32, as integers: rounded half to even, then moved to the zero point."""
        x = self.call("aten.add.Scalar", self.call("aten.round", x), zero_point, 1)
        return self.placed(x, scale, zero_point, code, zero_point if relu else None)


def parts_of_packed(op: ir.Operation, value: ir.Value) -> tuple[Sequence[ir.Value], list[int]]:
    """Weight, scales and bias of packed weights, and the integers of the configuration."""
    made = walk.owner(value)
    if made is None or made.name != "torch.prim.TupleConstruct":
        raise refuse(op, "packed weights that only run time knows", "use one quantized layer in each place")
    *tensors, configuration = made.operands
    return tensors, constants.of_value(configuration)
