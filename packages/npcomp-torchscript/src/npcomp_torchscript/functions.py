"""The functions and methods of a program: which there are, what they are called, and which one a call means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from npcomp_dialects.errors import SourceLocation

from npcomp_torchscript.errors import Refusal
from npcomp_torchscript.instances import Instances

TORCH: Any = torch._C
PYTHON: Any = torch.jit._state._python_cu


@dataclass
class Unit:
    """One function to import. `owner` is the class type of a method. `in_python` tells that torch compiled it in this
    process, so that the functions it calls are found by name. `called_from` is the user's line that first led here."""

    symbol: str
    graph: Any
    results: list[Any]
    owner: Any = None
    method: str = ""
    in_python: bool = True
    called_from: SourceLocation | None = None


class Functions:
    """Units are made when they are first called; iteration goes on until no call finds a new one."""

    def __init__(self, instances: Instances | None) -> None:
        self.instances = instances
        self.units: list[Unit] = []
        self._classes: dict[str, list[Any]] = {}
        self._methods: dict[tuple[str, str], Unit] = {}
        self._free: dict[tuple[str, bool], list[Unit]] = {}

    def __iter__(self) -> Iterator[Unit]:
        position = 0
        while position < len(self.units):
            yield self.units[position]
            position += 1

    def class_symbol(self, type: Any) -> str | None:
        """The symbol of a module class; None for a class whose objects the program does not hold."""
        name = type.qualified_name()
        known = self._classes.setdefault(name, [])
        for number, other in enumerate(known):
            if other == type:
                return f"{name}${number}" if number else name
        if self.instances is None or self.instances.of_type(type) is None:
            return None
        known.append(type)
        return f"{name}${len(known) - 1}" if len(known) > 1 else name

    def method(self, type: Any, name: str) -> Unit:
        """The unit of a method of a module class."""
        symbol = self.class_symbol(type)
        if symbol is None or self.instances is None:
            raise Refusal(
                f"method {name} belongs to class {type.name()}, whose objects are not part of the module",
                "use functions on tensors and tuples, or make the class a torch.nn.Module",
            )
        key = (symbol, name)
        if key not in self._methods:
            instance = self.instances.of_type(type)
            assert instance is not None
            function = instance.object._get_method(name)
            results = [result.type for result in function.schema.returns]
            unit = Unit(f"{symbol}.{name}", function.graph, results, type, name, _compiled_here(type))
            self._methods[key] = self._add(unit)
        return self._methods[key]

    def scripted(self, function: Any, symbol: str) -> Unit:
        """The unit of a scripted function that is itself the program."""
        return self._add(Unit(symbol, function.graph, [result.type for result in function.schema.returns]))

    def called(self, node: Any, caller: Unit) -> Unit:
        """The unit of the free function that a `prim::CallFunction` node calls."""
        name = node.inputsAt(0).type().annotation_str
        if caller.in_python:
            return self._python_function(name)
        graph = _callee_of_archive(node)
        known = self._free.setdefault((name, False), [])
        for unit in known:
            if str(unit.graph) == str(graph):
                return unit
        symbol = f"{name}${len(known)}" if known else name
        results = [output.type() for output in graph.outputs()]
        known.append(self._add(Unit(symbol, graph, results, in_python=False)))
        return known[-1]

    def _python_function(self, name: str) -> Unit:
        known = self._free.setdefault((name, True), [])
        if not known:
            function = PYTHON.find_function(name)
            if function is None:
                raise Refusal(f"function {name} is called, but torch has no code for it", "script it again")
            results = [result.type for result in function.schema.returns]
            known.append(self._add(Unit(name, function.graph, results)))
        return known[0]

    def _add(self, unit: Unit) -> Unit:
        self.units.append(unit)
        return unit


def _compiled_here(type: Any) -> bool:
    try:
        return bool(PYTHON.get_class(type.qualified_name()) == type)
    except RuntimeError:
        return False


def _callee_of_archive(node: Any) -> Any:
    """The graph behind a call of a function that lives in an archive.

    torch gives Python no handle on such functions, but it can inline one: into a graph that holds only the call."""
    graph = TORCH.Graph()
    callee = graph.appendNode(graph.createClone(node.inputsAt(0).node(), lambda value: value)).output()
    inputs = [callee]
    for value in list(node.inputs())[1:]:
        inputs.append(graph.addInput())
        inputs[-1].setType(value.type())
    call = graph.appendNode(graph.create(node.kind(), inputs, node.outputsSize()))
    for output, value in zip(call.outputs(), node.outputs(), strict=True):
        output.setType(value.type())
        graph.registerOutput(output)
    TORCH._jit_pass_inline(graph)
    TORCH._jit_pass_dce(graph)
    for value in graph.inputs():
        _make_optional(value)
    return graph


def _make_optional(value: Any) -> None:
    """Gives an argument that is None its declared type: the code that handles another value tells it."""
    if value.type().kind() != "NoneType":
        return
    casts = [use.user for use in value.uses() if use.user.kind() == "prim::unchecked_cast"]
    if casts:
        value.setType(TORCH.OptionalType(casts[0].output().type()))
