"""arith and math operations on numpy numbers and arrays, for the reference evaluator."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from npcomp_dialects import codegen
from npcomp_dialects.mlir import ir

_FLOATS = {ir.F16Type: np.float16, ir.BF16Type: np.float32, ir.F32Type: np.float32, ir.F64Type: np.float64}
_INTEGERS = {1: np.bool_, 8: np.int8, 16: np.int16, 32: np.int32, 64: np.int64}


def numpy_type(type: ir.Type) -> np.dtype:
    """The numpy dtype that holds elements of a builtin type; bf16 lives in float32."""
    if isinstance(type, ir.RankedTensorType):
        type = type.element_type
    for cls, dtype in _FLOATS.items():
        if isinstance(type, cls):
            return np.dtype(dtype)
    return np.dtype(np.int64) if isinstance(type, ir.IndexType) else np.dtype(_INTEGERS[ir.IntegerType(type).width])


def is_bf16(type: ir.Type) -> bool:
    return isinstance(type.element_type if isinstance(type, ir.RankedTensorType) else type, ir.BF16Type)


def round_bf16(x: np.ndarray) -> np.ndarray:
    """The nearest bf16 values, ties to even, as float32."""
    bits = np.atleast_1d(np.asarray(x, dtype=np.float32)).view(np.uint32).astype(np.uint64)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16).astype(np.uint32).view(np.float32)
    return np.where(np.isnan(x), np.float32(np.nan), rounded.reshape(np.shape(x)))


def settle(value: Any, type: ir.Type) -> Any:
    """A value as the numpy type of an SSA value; torch's own values stay."""
    if not isinstance(type, (ir.RankedTensorType, ir.IndexType, ir.IntegerType, *_FLOATS)):
        return value
    made = np.asarray(value, dtype=numpy_type(type))
    return round_bf16(made) if is_bf16(type) else made


def constant(attribute: ir.Attribute, type: ir.Type) -> Any:
    """The elements of an arith.constant."""
    if not isinstance(type, ir.RankedTensorType):
        if isinstance(attribute, ir.FloatAttr):
            return attribute.value
        return ir.IntegerAttr(attribute).value
    raw = np.frombuffer(bytes(codegen.elements(attribute)), dtype=np.uint8)
    if is_bf16(type):
        wide = raw.view(np.uint16).astype(np.uint32) << 16
        return wide.view(np.float32).reshape(list(type.shape))
    return raw.view(numpy_type(type)).reshape(list(type.shape))


def unsigned(x: Any) -> Any:
    """The same bits without a sign."""
    x = np.asarray(x)
    return x if x.dtype == np.bool_ else np.atleast_1d(x).view(f"u{x.dtype.itemsize}").reshape(x.shape)


def harmless(divisor: Any) -> Any:
    """Division by zero inside a vector is somebody's unused lane; alone it is a trap."""
    if np.ndim(divisor) == 0 and divisor == 0:
        raise ZeroDivisionError("arith division by zero")
    return np.where(divisor == 0, 1, divisor)


def truncated_divide(a: Any, b: Any) -> Any:
    b = harmless(b)
    quotient = np.floor_divide(a, b)
    return quotient + ((quotient < 0) & (quotient * b != a))


def _predicate(op: ir.Operation) -> int:
    return ir.IntegerAttr(op.attributes["predicate"]).value


def compare_integers(op: ir.Operation, operands: list[Any]) -> Any:
    p, (a, b) = _predicate(op), operands
    if p >= 6:
        a, b, p = unsigned(a), unsigned(b), p - 4
    if np.asarray(a).dtype == np.bool_ and p >= 2:
        raise TypeError(f"signed comparison of i1: {op}")
    return (np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal)[p](a, b)


def compare_floats(op: ir.Operation, operands: list[Any]) -> Any:
    p, (a, b) = _predicate(op), operands
    unordered = np.isnan(a) | np.isnan(b)
    if p in (7, 14):
        return ~unordered if p == 7 else unordered
    kinds = (np.equal, np.greater, np.greater_equal, np.less, np.less_equal, np.not_equal)
    ordered = kinds[(p - 1) % 7](a, b)
    return ordered & ~unordered if p < 7 else ordered | unordered


def float_to_integer(op: ir.Operation, operands: list[Any]) -> Any:
    return np.trunc(np.nan_to_num(np.asarray(operands[0], dtype=np.float64))).astype(np.int64)


def _binary(fn: Callable[[Any, Any], Any]) -> Callable[[ir.Operation, list[Any]], Any]:
    return lambda op, operands: _round(op, fn(*operands))


def _unary(fn: Callable[[Any], Any]) -> Callable[[ir.Operation, list[Any]], Any]:
    return lambda op, operands: _round(op, fn(operands[0]))


def _round(op: ir.Operation, value: Any) -> Any:
    return round_bf16(value) if is_bf16(op.results[0].type) else value


def _power(a: Any, b: Any) -> Any:
    return np.power(a, np.maximum(b, 0)) if np.asarray(a).dtype.kind == "i" else np.power(a, b)


def _same(op: ir.Operation, operands: list[Any]) -> Any:
    return operands[0]


_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "arith.addi": np.add,
    "arith.subi": np.subtract,
    "arith.muli": np.multiply,
    "arith.divsi": truncated_divide,
    "arith.floordivsi": lambda a, b: np.floor_divide(a, harmless(b)),
    "arith.remsi": lambda a, b: np.fmod(a, harmless(b)),
    "arith.divui": lambda a, b: np.floor_divide(unsigned(a), unsigned(harmless(b))),
    "arith.remui": lambda a, b: np.fmod(unsigned(a), unsigned(harmless(b))),
    "arith.andi": np.bitwise_and,
    "arith.ori": np.bitwise_or,
    "arith.xori": np.bitwise_xor,
    "arith.shli": np.left_shift,
    "arith.shrsi": np.right_shift,
    "arith.shrui": lambda a, b: np.right_shift(unsigned(a), unsigned(b)),
    "arith.maxsi": np.maximum,
    "arith.minsi": np.minimum,
    "arith.maxui": lambda a, b: np.maximum(unsigned(a), unsigned(b)),
    "arith.minui": lambda a, b: np.minimum(unsigned(a), unsigned(b)),
    "arith.addf": np.add,
    "arith.subf": np.subtract,
    "arith.mulf": np.multiply,
    "arith.divf": np.divide,
    "arith.remf": np.fmod,
    "arith.maximumf": np.maximum,
    "arith.minimumf": np.minimum,
    "math.powf": np.power,
    "math.ipowi": _power,
    "math.atan2": np.arctan2,
    "math.copysign": np.copysign,
}
_UNARY: dict[str, Callable[[Any], Any]] = {
    "arith.negf": np.negative,
    "math.exp": np.exp,
    "math.exp2": np.exp2,
    "math.expm1": np.expm1,
    "math.log": np.log,
    "math.log2": np.log2,
    "math.log10": np.log10,
    "math.log1p": np.log1p,
    "math.sqrt": np.sqrt,
    "math.rsqrt": lambda x: 1 / np.sqrt(x),
    "math.tanh": np.tanh,
    "math.sin": np.sin,
    "math.cos": np.cos,
    "math.tan": np.tan,
    "math.asin": np.arcsin,
    "math.acos": np.arccos,
    "math.atan": np.arctan,
    "math.sinh": np.sinh,
    "math.cosh": np.cosh,
    "math.asinh": np.arcsinh,
    "math.acosh": np.arccosh,
    "math.atanh": np.arctanh,
    "math.erf": lambda x: np.vectorize(math.erf, otypes=[np.float64])(x) if np.size(x) else x,
    "math.floor": np.floor,
    "math.ceil": np.ceil,
    "math.trunc": np.trunc,
    "math.roundeven": np.rint,
    "math.absf": np.abs,
    "math.absi": np.abs,
}
SCALAR_OPS: dict[str, Callable[[ir.Operation, list[Any]], Any]] = {
    **{name: _binary(fn) for name, fn in _BINARY.items()},
    **{name: _unary(fn) for name, fn in _UNARY.items()},
    "arith.cmpi": compare_integers,
    "arith.cmpf": compare_floats,
    "arith.select": lambda op, operands: np.where(*operands),
    "arith.index_cast": _same,
    "arith.index_castui": lambda op, operands: unsigned(operands[0]),
    "arith.extsi": _same,
    "arith.extui": lambda op, operands: unsigned(operands[0]),
    "arith.trunci": lambda op, operands: truncate(operands[0], op.results[0].type),
    "arith.sitofp": _same,
    "arith.uitofp": lambda op, operands: unsigned(operands[0]),
    "arith.fptosi": float_to_integer,
    "arith.bitcast": lambda op, operands: bitcast(operands[0], op.operands[0].type, op.results[0].type),
    "arith.extf": _same,
    "arith.truncf": _same,
}


def bitcast(x: Any, source: ir.Type, target: ir.Type) -> Any:
    """The same bits as another dtype of the same width; bf16 is the upper half of its float32."""
    flat = np.atleast_1d(np.asarray(x))
    if is_bf16(source):
        made = (flat.view(np.uint32) >> 16).astype(np.uint16).view(numpy_type(target))
    elif is_bf16(target):
        made = (flat.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    else:
        made = flat.view(numpy_type(target))
    return made.reshape(np.shape(x))


def truncate(x: Any, type: ir.Type) -> Any:
    """The low bits."""
    return (
        np.asarray(x & 1, dtype=np.bool_) if ir.IntegerType(type).width == 1 else np.asarray(x).astype(numpy_type(type))
    )
