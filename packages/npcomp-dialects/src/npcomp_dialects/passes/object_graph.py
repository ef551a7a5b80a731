"""The object graph of an imported program, read into Python."""

from __future__ import annotations

from dataclasses import dataclass, field

from npcomp_dialects.errors import CompileError
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import walk


@dataclass(frozen=True)
class Method:
    name: str
    function: str
    private: bool


@dataclass
class Class:
    """A `torch.class_type`: the declared type of each attribute, and the methods."""

    name: str
    attributes: dict[str, ir.Type] = field(default_factory=dict)
    methods: dict[str, Method] = field(default_factory=dict)


@dataclass(eq=False)
class Instance:
    """A `torch.nn_module`. `path` is where it was first found below the root, "" for the root itself."""

    klass: Class
    path: str
    location: ir.Location
    members: dict[str, Instance] = field(default_factory=dict)
    slots: dict[str, str] = field(default_factory=dict)

    def qualified(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


@dataclass(frozen=True)
class Slot:
    """A piece of state: the symbol that it gets, its declared type and the value it starts with."""

    symbol: str
    type: ir.Type
    initial: ir.Value


class ObjectGraph:
    """All instances reachable from the root, and one slot for each distinct value that they hold.

    Two attributes that hold the same tensor, list or dict are one slot, since a write through one is seen through
    the other; equal numbers and strings are not the same object in that sense.
    """

    def __init__(self, module: ir.Module, assigned: set[tuple[str, str]]) -> None:
        top = walk.ops(module.body)
        self.classes = {c.name: c for c in (_read_class(op) for op in top if op.name == "torch.class_type")}
        self.slots: list[Slot] = []
        self._assigned = assigned
        self._shared: dict[ir.Value, tuple[Slot, bool]] = {}
        self._instances: dict[ir.Value, Instance] = {}
        self.root = self._root([op for op in top if op.name == "torch.nn_module"])

    @property
    def instances(self) -> list[Instance]:
        return list(self._instances.values())

    def _root(self, candidates: list[ir.Operation]) -> Instance | None:
        roots = [op for op in candidates if walk.unused(op)]
        if len(roots) > 1:
            raise CompileError(
                f"the program has {len(roots)} root modules where one is expected",
                roots[1].location,
                do="import one module, and make the other a submodule of it",
            )
        return self._instance(roots[0], "") if roots else None

    def _instance(self, op: ir.Operation, path: str) -> Instance:
        value = op.results[0]
        if value in self._instances:
            return self._instances[value]
        name = td.NnModuleType(value.type).name
        if name not in self.classes:
            raise CompileError(f"no torch.class_type @{name} for this module", op.location)
        instance = Instance(self.classes[name], path, op.location)
        self._instances[value] = instance
        for slot in walk.ops(walk.blocks(op)[0]):
            if slot.name == "torch.slot":
                self._add(instance, walk.string(slot, "name"), slot)
        return instance

    def _add(self, instance: Instance, name: str, op: ir.Operation) -> None:
        value = op.operands[0]
        if isinstance(value.type, td.NnModuleType):
            instance.members[name] = self._instance(walk.owner(value), instance.qualified(name))
            return
        assigned = (instance.klass.name, name) in self._assigned
        if _is_object(value.type) and value in self._shared:
            slot, shared_assigned = self._shared[value]
            if assigned or shared_assigned:
                _refuse_assigned_alias(instance.qualified(name), slot.symbol, op.location)
            instance.slots[name] = slot.symbol
            return
        slot = Slot(instance.qualified(name), instance.klass.attributes.get(name, value.type), value)
        self._shared[value] = (slot, assigned)
        self.slots.append(slot)
        instance.slots[name] = slot.symbol


def _is_object(type: ir.Type) -> bool:
    kinds = (td.NonValueTensorType, td.ValueTensorType, td.ListType, td.DictType)
    return isinstance(type, kinds)


def _refuse_assigned_alias(first: str, second: str, location: ir.Location) -> None:
    raise CompileError(
        f"attributes {second!r} and {first!r} hold the same object, and the program assigns one of them anew",
        location,
        do="give each attribute its own tensor (`.clone()`), or write in place instead of assigning",
    )


def _read_class(op: ir.Operation) -> Class:
    found = Class(walk.symbol(op))
    for member in walk.ops(walk.blocks(op)[0]):
        if member.name == "torch.attr":
            name = walk.string(member, "name")
            found.attributes[name] = ir.TypeAttr(member.attributes["type"]).value
        elif member.name == "torch.method":
            name, function = walk.string(member, "name"), walk.string(member, "function")
            found.methods[name] = Method(name, function, "isPrivate" in member.attributes)
    return found
