"""torch's conversions between dtypes, of one number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.mlir import ir

from .values import Scalar

if TYPE_CHECKING:
    from .arithmetic import Arithmetic


def convert(arithmetic: Arithmetic, x: Scalar, dtype: DType) -> Scalar:
    """`x` as `dtype`: to bool is `!= 0`, to integers truncates and wraps."""
    source = x.dtype
    if source is dtype:
        return x
    if dtype is DType.bool:
        return arithmetic.compare("ne", x, 0.0 if source.is_float else 0)
    if source.is_float:
        return _from_float(arithmetic, x, dtype)
    if dtype.is_float:
        name = "arith.sitofp" if source.is_signed else "arith.uitofp"
        return arithmetic.emit(name, [x], dtype, weak=x.weak)
    return _between_integers(arithmetic, x, dtype)


def _from_float(arithmetic: Arithmetic, x: Scalar, dtype: DType) -> Scalar:
    source = x.dtype
    if not dtype.is_float:
        wide = DType.i64 if dtype is DType.i64 or (dtype is DType.i32 and source is DType.f64) else DType.i32
        return convert(arithmetic, arithmetic.emit("arith.fptosi", [x], wide, weak=x.weak), dtype)
    if source.is_half and dtype.is_half:
        return convert(arithmetic, convert(arithmetic, x, DType.f32), dtype)
    name = "arith.extf" if dtype.bytes > source.bytes else "arith.truncf"
    return arithmetic.emit(name, [x], dtype, weak=x.weak)


def _between_integers(arithmetic: Arithmetic, x: Scalar, dtype: DType) -> Scalar:
    source = x.dtype
    if source.bytes == dtype.bytes and source is not DType.bool:
        return _relabel(arithmetic, x, dtype)
    if source is not DType.bool and dtype.bytes < source.bytes:
        return arithmetic.emit("arith.trunci", [x], dtype, weak=x.weak)
    name = "arith.extsi" if source.is_signed else "arith.extui"
    return arithmetic.emit(name, [x], dtype, weak=x.weak)


def _relabel(arithmetic: Arithmetic, x: Scalar, dtype: DType) -> Scalar:
    """u8 and i8 share their bits."""
    value: ir.Value = x.value
    return Scalar(arithmetic, dtype, value, weak=x.weak, inside=x.inside)
