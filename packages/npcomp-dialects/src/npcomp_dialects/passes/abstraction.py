"""Between the types of the torch dialect and the op library's abstract values."""

from __future__ import annotations

from typing import Any

from npcomp_dialects.aten.abstract import TensorInfo, Unknown
from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td

_TENSORS = (td.ValueTensorType, td.NonValueTensorType)
_SPELLING = {
    td.IntType: "int",
    td.FloatType: "float",
    td.BoolType: "bool",
    td.StringType: "str",
    td.NumberType: "Scalar",
    td.DeviceType: "Device",
    td.GeneratorType: "Generator",
    td.AnyType: "Any",
}
_INTEGERS = {
    (8, False): DType.u8,
    (16, False): DType.u16,
    (32, False): DType.u32,
    (64, False): DType.u64,
    (8, True): DType.i8,
    (16, True): DType.i16,
    (32, True): DType.i32,
    (64, True): DType.i64,
}
_FLOATS = {ir.F16Type: DType.f16, ir.BF16Type: DType.bf16, ir.F32Type: DType.f32, ir.F64Type: DType.f64}
_COMPLEX = {DType.f16: DType.c32, DType.f32: DType.c64, DType.f64: DType.c128}


class Types:
    """Translates types both ways, remembering what it has seen: types are unique, looking inside them is slow."""

    def __init__(self) -> None:
        self._abstract: dict[ir.Type, Any] = {}
        self._tensor: dict[TensorInfo, ir.Type] = {}
        self._element: dict[DType, ir.Type] = {}
        self._value: dict[ir.Type, ir.Type] = {}

    def abstract(self, type: ir.Type) -> Any:
        """What a type alone tells of a value."""
        if type not in self._abstract:
            self._abstract[type] = _abstract(type)
        return self._abstract[type]

    def tensor(self, info: TensorInfo) -> ir.Type:
        """The value tensor type that says what `info` says."""
        if info not in self._tensor:
            sizes = None if info.sizes is None else [-1 if s is None else s for s in info.sizes]
            dtype = None if info.dtype is None else self.element(info.dtype)
            self._tensor[info] = td.ValueTensorType.get(sizes, dtype)
        return self._tensor[info]

    def unknown_tensor(self) -> ir.Type:
        return self.tensor(TensorInfo())

    def element(self, dtype: DType) -> ir.Type:
        if dtype not in self._element:
            self._element[dtype] = _element(dtype)
        return self._element[dtype]

    def value_semantic(self, type: ir.Type) -> ir.Type:
        """The type with every `tensor` in it made a `vtensor`; other types stay as they are."""
        if type not in self._value:
            self._value[type] = _value_semantic(type)
        return self._value[type]


def dtype_of(element: ir.Type | None) -> DType | None:
    """The DType of a tensor type's element type; None for an unknown or unsupported one."""
    if element is None:
        return None
    if isinstance(element, ir.IntegerType):
        if element.width == 1:
            return DType.bool
        return _INTEGERS.get((element.width, not element.is_unsigned))
    if isinstance(element, ir.ComplexType):
        part = dtype_of(element.element_type)
        return None if part is None else _COMPLEX.get(part)
    return _FLOATS.get(type(element))


def info_of(type: td.ValueTensorType | td.NonValueTensorType) -> TensorInfo:
    sizes = type.sizes
    known = None if sizes is None else tuple(None if s < 0 else s for s in sizes)
    return TensorInfo(known, dtype_of(type.dtype))


def spelling(type: ir.Type) -> str:
    """A type as schemas spell it: `int[]`, `Tensor?`."""
    if isinstance(type, _TENSORS):
        return "Tensor"
    if isinstance(type, td.ListType):
        return f"{spelling(type.contained)}[]"
    if isinstance(type, td.OptionalType):
        return f"{spelling(type.contained)}?"
    if isinstance(type, td.TupleType):
        return f"({', '.join(spelling(t) for t in type.contained_types)})"
    if isinstance(type, td.DictType):
        return f"Dict({spelling(type.key)}, {spelling(type.value)})"
    return _SPELLING.get(type.__class__, "Any")


def _abstract(type: ir.Type) -> Any:
    if isinstance(type, _TENSORS):
        return info_of(type)
    if isinstance(type, td.NoneType):
        return None
    if isinstance(type, td.TupleType):
        return tuple(_abstract(t) for t in type.contained_types)
    return Unknown(spelling(type))


def _element(dtype: DType) -> ir.Type:
    if dtype.is_complex:
        part = next(real for real, whole in _COMPLEX.items() if whole is dtype)
        return ir.ComplexType.get(_element(part))
    for kind, floating in _FLOATS.items():
        if floating is dtype:
            return kind.get()
    if dtype is DType.bool:
        return ir.IntegerType.get_signless(1)
    bits = 8 * dtype.bytes
    return ir.IntegerType.get_signed(bits) if dtype.is_signed else ir.IntegerType.get_unsigned(bits)


def _value_semantic(type: ir.Type) -> ir.Type:
    if isinstance(type, td.NonValueTensorType):
        return td.ValueTensorType.get(type.sizes, type.dtype)
    if isinstance(type, td.ListType):
        return td.ListType.get(_value_semantic(type.contained))
    if isinstance(type, td.OptionalType):
        return td.OptionalType.get(_value_semantic(type.contained))
    if isinstance(type, td.TupleType):
        return td.TupleType.get([_value_semantic(t) for t in type.contained_types])
    if isinstance(type, td.DictType):
        return td.DictType.get(_value_semantic(type.key), _value_semantic(type.value))
    return type
