"""Reductions: the value to start from and the operation that combines."""

from __future__ import annotations

from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.mlir import ir

from .builder import Builder
from .types import dtype_of, element_type

_COMBINE = {
    ("sum", True): "arith.addf",
    ("sum", False): "arith.addi",
    ("prod", True): "arith.mulf",
    ("prod", False): "arith.muli",
    ("max", True): "arith.maximumf",
    ("max", False): "arith.maxsi",
    ("min", True): "arith.minimumf",
    ("min", False): "arith.minsi",
    ("all", False): "arith.andi",
    ("any", False): "arith.ori",
}


def start(builder: Builder, kind: str, type: ir.Type) -> ir.Value:
    """The neutral element of a reduction."""
    dtype = dtype_of(type)
    number = {"sum": 0, "prod": 1, "max": dtype.lowest, "min": dtype.highest, "all": True, "any": False}[kind]
    return builder.emitter.constant(number, type)


def combine(builder: Builder, kind: str, x: ir.Value, accumulator: ir.Value) -> ir.Value:
    type = accumulator.type
    name = _COMBINE[kind, dtype_of(type).is_float]
    return builder.emitter.value(name, [widen(builder, x, type), accumulator], type)


def accumulator_type(kind: str, type: ir.Type) -> ir.Type:
    """Sums and products of 16-bit floats are kept in f32."""
    return element_type(DType.f32) if dtype_of(type).is_half and kind in ("sum", "prod") else type


def widen(builder: Builder, x: ir.Value, type: ir.Type) -> ir.Value:
    return x if x.type == type else builder.emitter.value("arith.extf", [x], type)
