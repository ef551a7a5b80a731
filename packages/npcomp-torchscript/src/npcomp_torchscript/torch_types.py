"""torch._C types → types of the torch dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td

from npcomp_torchscript import quantized
from npcomp_torchscript.errors import Refusal

SIMPLE: dict[str, Callable[[], ir.Type]] = {
    "TensorType": lambda: td.NonValueTensorType.get(None, None),
    "IntType": td.IntType.get,
    "FloatType": td.FloatType.get,
    "BoolType": td.BoolType.get,
    "StringType": td.StringType.get,
    "NoneType": td.NoneType.get,
    "DeviceObjType": td.DeviceType.get,
    "NumberType": td.NumberType.get,
    "GeneratorType": td.GeneratorType.get,
}
REFUSED: dict[str, tuple[str, str]] = {
    "AnyType": ("a value of type Any has no fixed type", "annotate the value with the type that it really has"),
    "ComplexType": ("complex numbers are not supported", "keep the real and imaginary parts in two tensors"),
    "PyObjectType": ("a plain Python object cannot enter a compiled program", "pass tensors and numbers instead"),
    "FutureType": ("torch.jit.fork and futures are not supported", "call the function directly"),
    "AwaitType": ("torch.jit awaitables are not supported", "call the function directly"),
    "RRefType": ("remote references are not supported", "pass the tensor itself"),
    "StreamObjType": ("device streams are not supported", "remove the stream from the program"),
    "InterfaceType": ("a value of an interface type has no fixed class", "annotate the value with the module's class"),
    "FunctionType": ("a function cannot be used as a value", "call the function where it is chosen"),
}


class TypeImporter:
    """Translates types. `class_symbol` gives the symbol of a module class, or None for other classes."""

    def __init__(self, class_symbol: Callable[[Any], str | None]):
        self._class_symbol = class_symbol
        self._simple: dict[str, ir.Type] = {}

    def get(self, type: Any) -> ir.Type:
        """Raises `Refusal` for a type that has no counterpart."""
        kind = type.kind()
        known = self._simple.get(kind)
        if known is not None:
            return known
        if kind in SIMPLE:
            return self._simple.setdefault(kind, SIMPLE[kind]())
        return self._compound(kind, type)

    def _compound(self, kind: str, type: Any) -> ir.Type:
        if kind == "ListType":
            return td.ListType.get(self.get(type.getElementType()))
        if kind == "OptionalType":
            return td.OptionalType.get(self.get(type.getElementType()))
        if kind == "TupleType":
            return td.TupleType.get([self.get(part) for part in type.elements()])
        if kind == "DictType":
            return td.DictType.get(self.get(type.getKeyType()), self.get(type.getValueType()))
        if kind == "UnionType":
            return td.UnionType.get([self.get(part) for part in type.containedTypes()])
        if kind == "EnumType":
            return self.get(type.containedTypes()[0])
        if kind == "ClassType":
            return self._class(type)
        message, do = REFUSED.get(kind, (f"values of type {type} are not supported", "use tensors, numbers and lists"))
        raise Refusal(message, do)

    def _class(self, type: Any) -> ir.Type:
        if quantized.is_packed(type):
            return quantized.packed_type()
        symbol = self._class_symbol(type)
        if symbol is None:
            name = type.name()
            raise Refusal(
                f"objects of class {name} cannot be created or passed around in a compiled program",
                "keep the fields in tensors, tuples or a torch.nn.Module",
            )
        return td.NnModuleType.get(symbol)
