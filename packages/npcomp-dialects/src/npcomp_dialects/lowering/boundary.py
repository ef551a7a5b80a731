"""Values that cross between the torch dialect and builtin types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.errors import UnsupportedError
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td

from .arithmetic import is_number
from .builder import Builder
from .structures import UNINITIALIZED, Opaque
from .types import dtype_of, element_type, static_sizes, tensor_type, torch_element_type
from .values import Scalar, T

NUMBERS: list[tuple[Any, DType, str]] = [
    (td.IntType, DType.i64, "i64"),
    (td.FloatType, DType.f64, "f64"),
    (td.BoolType, DType.bool, "i1"),
]


def number_dtype(type: ir.Type) -> DType | None:
    """The dtype of `!torch.int`, `!torch.float` and `!torch.bool`."""
    return next((dtype for cls, dtype, _ in NUMBERS if isinstance(type, cls)), None)


def describe_tensor(type: Any, location: ir.Location) -> tuple[list[int | None], DType]:
    """Sizes and dtype of a tensor type at the torch contract."""
    if type.sizes is None or type.dtype is None:
        raise UnsupportedError(
            f"the rank or dtype of a tensor is unknown here ({type})",
            location,
            do="annotate the argument it comes from, for example TensorSpec([None, 3], torch.float32)",
        )
    return [None if s < 0 else s for s in type.sizes], dtype_of(type.dtype)


class Boundary:
    """Casts at the places where torch values stay: arguments, slots, kernel fallback."""

    def __init__(self, builder: Builder):
        self.builder = builder
        self.emitter = builder.emitter

    def builtin_type(self, type: ir.Type) -> ir.Type:
        """The type that a leaf of a function's signature has after lowering."""
        if isinstance(type, td.ValueTensorType):
            sizes, dtype = describe_tensor(type, self.emitter.loc)
            return tensor_type(sizes, element_type(dtype))
        number = number_dtype(type)
        return type if number is None else element_type(number)

    def adopt(self, value: ir.Value, type: ir.Type) -> Any:
        """The value for an SSA value that already has the builtin type of torch's `type`."""
        if isinstance(type, td.ValueTensorType):
            return self.builder.tensor(value, dtype_of(type.dtype))
        dtype = number_dtype(type)
        if dtype is not None:
            return self.builder.arithmetic.wrap(value, dtype, weak=True)
        return None if isinstance(type, td.NoneType) else Opaque(value)

    def from_torch(self, value: ir.Value) -> Any:
        """The value for a result of an op that stays in the torch dialect."""
        type = value.type
        if isinstance(type, td.ValueTensorType):
            return self.adopt(self.emitter.value("torch.to_builtin_tensor", [value], self.builtin_type(type)), type)
        for cls, _, name in NUMBERS:
            if isinstance(type, cls):
                return self.adopt(self.emitter.value(f"torch.to_{name}", [value], self.builtin_type(type)), type)
        return None if isinstance(type, td.NoneType) else Opaque(value)

    def to_torch(self, value: Any, type: ir.Type) -> ir.Value:
        """A torch value of torch's `type`, or of a more precise one."""
        if isinstance(value, Opaque):
            return value.value
        if isinstance(value, T):
            sizes = [-1 if s is None else s for s in static_sizes(value.type)]
            made = td.ValueTensorType.get(sizes, torch_element_type(value.dtype))
            return self.emitter.value("torch.from_builtin_tensor", [value.value], made)
        if isinstance(value, Scalar):
            return self._number(value)
        if isinstance(value, (list, tuple)):
            return self._sequence(value, type)
        return self._constant(value, type)

    def _number(self, value: Scalar) -> ir.Value:
        wide = DType.f64 if value.dtype.is_float else DType.bool if value.dtype is DType.bool else DType.i64
        cls, _, name = next(row for row in NUMBERS if row[1] is wide)
        number = self.builder.cast(value, wide).value
        return self.emitter.value(f"torch.from_{name}", [number], cls.get())

    def _sequence(self, value: Sequence[Any], type: ir.Type) -> ir.Value:
        if isinstance(type, td.OptionalType):
            type = type.contained
        is_list = isinstance(type, td.ListType)
        kinds = [type.contained] * len(value) if is_list else list(type.contained_types)
        items = [self.to_torch(item, kind) for item, kind in zip(value, kinds, strict=True)]
        if not is_list:
            made = td.TupleType.get([item.type for item in items])
            return self.emitter.value("torch.prim.TupleConstruct", items, made)
        if items and not isinstance(type.contained, td.OptionalType):
            return self.emitter.value("torch.prim.ListConstruct", items, td.ListType.get(_list_element(items, type)))
        return self.emitter.value("torch.prim.ListConstruct", items, type)

    def _constant(self, value: Any, type: ir.Type) -> ir.Value:
        i64 = self.emitter.i64
        if value is UNINITIALIZED:
            return self.emitter.value("torch.prim.Uninitialized", [], type)
        if value is None:
            return self.emitter.value("torch.constant.none", [], td.NoneType.get())
        if isinstance(value, DType):
            value = value.torch_code
        if isinstance(value, str):
            device = isinstance(type, td.DeviceType)
            name, made = ("device", td.DeviceType.get()) if device else ("str", td.StringType.get())
            return self.emitter.value(f"torch.constant.{name}", [], made, {"value": ir.StringAttr.get(value)})
        if isinstance(value, bool):
            attribute, name = ir.BoolAttr.get(value), "bool"
        elif isinstance(value, int):
            attribute, name = ir.IntegerAttr.get(i64, value), "int"
        elif is_number(value):
            attribute, name = ir.FloatAttr.get_f64(value), "float"
        else:
            raise UnsupportedError(f"a {value.__class__.__name__} cannot be given to a kernel", self.emitter.loc)
        made = {"bool": td.BoolType, "int": td.IntType, "float": td.FloatType}[name].get()
        return self.emitter.value(f"torch.constant.{name}", [], made, {"value": attribute})


def _list_element(items: Sequence[ir.Value], type: Any) -> ir.Type:
    """Tensor lists say only that their elements are value tensors, since the elements may differ."""
    kinds = {str(item.type) for item in items}
    if len(kinds) == 1:
        return items[0].type
    if all(isinstance(item.type, td.ValueTensorType) for item in items):
        return td.ValueTensorType.get(None, None)
    return type.contained
