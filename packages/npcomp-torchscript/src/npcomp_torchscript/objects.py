"""The object graph: classes with their attributes and methods, and the module objects with their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td

from npcomp_torchscript.constants import create, value_of
from npcomp_torchscript.errors import Refusal
from npcomp_torchscript.functions import Unit
from npcomp_torchscript.instances import Instance, Instances

if TYPE_CHECKING:
    from npcomp_torchscript.importer import ProgramImporter


class ObjectImporter:
    """Imports classes and objects of one program; `exported` are the symbols of the exported methods."""

    def __init__(self, program: ProgramImporter, exported: set[str]) -> None:
        self.program = program
        self._exported = exported
        self._tensors: dict[Any, ir.Value] = {}
        self._objects: dict[int, ir.Value] = {}
        self._methods: dict[str, list[Unit]] = {}
        self._attributes: dict[str, dict[str, Any]] = {}

    def run(self, instances: Instances) -> None:
        for unit in self.program.functions:
            if unit.owner is not None:
                symbol = self.program.functions.class_symbol(unit.owner)
                self._methods.setdefault(str(symbol), []).append(unit)
        for instance in instances:
            symbol = str(self.program.functions.class_symbol(instance.type))
            if symbol not in self._attributes:
                self._attributes[symbol] = self._attributes_of(instance)
                self._class(symbol)
        for instance in instances:
            self._instance(instance)

    def _attributes_of(self, instance: Instance) -> dict[str, Any]:
        """The attributes of a class that are imported, with their types: all that code uses, and all others that have
        a value of a type that the IR knows."""
        found: dict[str, Any] = {}
        in_code = self.program.attributes_in_code(instance.type)
        for name in instance.attributes:
            value = instance.object.getattr(name)
            if value is None and name not in in_code:
                continue
            used = self.program.attribute_type(instance.type, name)
            type = instance.children[name].type if name in instance.children else used or _inferred(value)
            try:
                if type is not None:
                    self.program.types.get(type)
                    found[name] = type
            except Refusal as refusal:
                if name in in_code:
                    self._problem(instance, name, refusal)
        return found

    def _class(self, symbol: str) -> None:
        op = ir.Operation.create("torch.class_type", attributes={"sym_name": ir.StringAttr.get(symbol)}, regions=1)
        with ir.InsertionPoint(op.regions[0].blocks.append()):
            for name, type in self._attributes[symbol].items():
                attributes: dict[str, ir.Attribute] = {
                    "name": ir.StringAttr.get(name), "type": ir.TypeAttr.get(self.program.types.get(type))
                }  # fmt: skip
                create("torch.attr", [], [], attributes)
            for unit in self._methods.get(symbol, []):
                self._method(unit)
            create("torch.class_type_terminator", [], [])

    def _method(self, unit: Unit) -> None:
        attributes: dict[str, ir.Attribute] = {
            "name": ir.StringAttr.get(unit.method), "function": ir.FlatSymbolRefAttr.get(unit.symbol)
        }  # fmt: skip
        if unit.symbol not in self._exported:
            attributes["isPrivate"] = ir.UnitAttr.get()
        create("torch.method", [], [], attributes)

    def _instance(self, instance: Instance) -> None:
        symbol = str(self.program.functions.class_symbol(instance.type))
        slots = {}
        for name, type in self._attributes[symbol].items():
            try:
                slots[name] = self._value(instance, name, type)
            except Refusal as refusal:
                self._problem(instance, name, refusal)
        op = ir.Operation.create("torch.nn_module", results=[td.NnModuleType.get(symbol)], regions=1)
        with ir.InsertionPoint(op.regions[0].blocks.append()):
            for name, value in slots.items():
                create("torch.slot", [], [value], {"name": ir.StringAttr.get(name)})
            create("torch.nn_module_terminator", [], [])
        self._objects[id(instance)] = op.result

    def _value(self, instance: Instance, name: str, type: Any) -> ir.Value:
        if name in instance.children:
            return self._objects[id(instance.children[name])]
        value = instance.object.getattr(name)
        if isinstance(value, torch.Tensor):
            value = self._tensor(value)
            return value if type.kind() == "TensorType" else self._derefined(value, type)
        return self.program.constants.build(value, type)

    def _tensor(self, tensor: torch.Tensor) -> ir.Value:
        """One value a tensor, however many attributes hold it."""
        key = _identity(tensor)
        if key not in self._tensors:
            self._tensors[key] = self.program.constants.tensor(tensor)
        return self._tensors[key]

    def _derefined(self, value: ir.Value, type: Any) -> ir.Value:
        return value_of("torch.derefine", self.program.types.get(type), [value])

    def _problem(self, instance: Instance, name: str, refusal: Refusal) -> None:
        path = f"{instance.path}.{name}" if instance.path else name
        self.program.problem(Refusal(f"attribute {path!r}: {refusal.message}", refusal.do), None)


def _identity(tensor: torch.Tensor) -> Any:
    """Equal for tensors that are the same memory seen the same way. Without memory, only an object is itself."""
    if tensor.layout is not torch.strided or tensor.is_meta or not tensor.numel():
        return id(tensor)
    return tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype


def _inferred(value: Any) -> Any:
    """The type of an attribute that no code uses; None where torch has none."""
    found = torch._C._jit_try_infer_type(value)
    return found.type() if found.success() else None
