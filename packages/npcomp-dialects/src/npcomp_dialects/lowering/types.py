"""Element types: the op library's DType, builtin signless types, and the types of the torch dialect."""

from __future__ import annotations

from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.mlir import ir

DYNAMIC = ir.ShapedType.get_dynamic_size()

_WIDTHS = {DType.u8: 8, DType.i8: 8, DType.i16: 16, DType.i32: 32, DType.i64: 64, DType.bool: 1}
_WIDTHS |= {DType.u16: 16, DType.u32: 32, DType.u64: 64}
_FLOATS = {DType.f16: ir.F16Type, DType.bf16: ir.BF16Type, DType.f32: ir.F32Type, DType.f64: ir.F64Type}
_COMPLEX = {DType.f16: DType.c32, DType.f32: DType.c64, DType.f64: DType.c128}
_SIGNED = {8: DType.i8, 16: DType.i16, 32: DType.i32, 64: DType.i64}
_UNSIGNED = {8: DType.u8, 16: DType.u16, 32: DType.u32, 64: DType.u64}


def element_type(dtype: DType) -> ir.Type:
    """The builtin element type; integers are signless."""
    if dtype.is_complex:
        part = next(real for real, whole in _COMPLEX.items() if whole is dtype)
        return ir.ComplexType.get(element_type(part))
    width = _WIDTHS.get(dtype)
    return _FLOATS[dtype].get() if width is None else ir.IntegerType.get_signless(width)


def torch_element_type(dtype: DType) -> ir.Type:
    """The element type as torch-dialect types show it; integers carry their sign."""
    if dtype.is_integer:
        signed = ir.IntegerType.get_signed if dtype.is_signed else ir.IntegerType.get_unsigned
        return signed(_WIDTHS[dtype])
    return element_type(dtype)


def dtype_of(type: ir.Type) -> DType:
    """The DType of an element type of either spelling; a signless i8 counts as signed."""
    for dtype, cls in _FLOATS.items():
        if isinstance(type, cls):
            return dtype
    if isinstance(type, ir.ComplexType):
        return _COMPLEX[dtype_of(type.element_type)]
    if not isinstance(type, ir.IntegerType):
        raise ValueError(f"{type} is not an element type of tensors")
    if type.width == 1:
        return DType.bool
    return (_UNSIGNED if type.is_unsigned else _SIGNED)[type.width]


def tensor_type(sizes: list[int | None], element: ir.Type) -> ir.RankedTensorType:
    """`tensor<?x3xf32>` from `[None, 3]`."""
    return ir.RankedTensorType.get([DYNAMIC if s is None else s for s in sizes], element)


def static_sizes(type: ir.RankedTensorType) -> list[int | None]:
    """`[None, 3]` from `tensor<?x3xf32>`."""
    return [None if s == DYNAMIC else s for s in type.shape]
