"""`import_module`: a TorchScript program → a module of the torch dialect.

First the functions, from the exported methods along every call; then one `torch.class_type` a module class, with the
attributes and methods that are used; then one `torch.nn_module` an object, children first, the root last."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import npcomp_dialects
from npcomp_dialects.errors import SourceLocation
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import func
from npcomp_dialects.mlir.dialects import torch as td

from npcomp_torchscript import arguments, sources
from npcomp_torchscript.annotations import ClassAnnotator
from npcomp_torchscript.constants import Constants, value_of
from npcomp_torchscript.errors import Problem, Refusal, TorchScriptError
from npcomp_torchscript.functions import Functions, Unit
from npcomp_torchscript.instances import Instance, Instances
from npcomp_torchscript.locations import Locations
from npcomp_torchscript.nodes import GraphImporter
from npcomp_torchscript.objects import ObjectImporter
from npcomp_torchscript.quantized import Census
from npcomp_torchscript.storage import refuse_shared_writes
from npcomp_torchscript.torch_types import TypeImporter

Specs = Sequence[Any] | Mapping[str, Any] | None


def import_module(
    program: Any,
    specs: Specs = None,
    *,
    example_inputs: Sequence[Any] | None = None,
    annotator: ClassAnnotator | None = None,
) -> ir.Module:
    """The torch dialect as imported, before any pass.

    `program` is a module, the result of `torch.jit.script` or `torch.jit.trace`, a function, or the path of an archive.
    `specs` describe the arguments, as for `compile`; here they may be missing or leave rank and dtype open."""
    return build(program, specs, example_inputs, annotator, strict=False)


def build(
    program: Any, specs: Specs, examples: Sequence[Any] | None, annotator: ClassAnnotator | None, strict: bool
) -> ir.Module:
    source = sources.load(program, annotator)
    with npcomp_dialects.context(), ir.Location.unknown():
        bound = arguments.bind_exports(source, specs, examples, strict)
        for export, skipped in bound.skipped:
            warnings.warn(f"method {export.name!r} is not compiled: {skipped}", stacklevel=4)
        return ProgramImporter(source).run(bound.exports)


class ProgramImporter:
    """Owns what all functions of one program share: types, constants, the functions found so far, the problems."""

    def __init__(self, source: sources.Source) -> None:
        self.instances = None if source.root is None else Instances(source.root)
        self.functions = Functions(self.instances)
        self.types = TypeImporter(self.functions.class_symbol)
        self.constants = Constants(self.types)
        self.quantized = Census()
        self.problems: list[Problem] = []
        self.location: SourceLocation | None = None
        self.module = ir.Module.create()
        self._source = source
        self._used: dict[str, dict[str, Any]] = {}
        self._registered: dict[str, bool] = {}
        self._locations: dict[SourceLocation, ir.Location] = {}

    def run(self, exports: Sequence[arguments.BoundExport]) -> ir.Module:
        units = [(self._export_unit(export), export) for export in exports]
        by_symbol = {unit.symbol: export for unit, export in units}
        with ir.InsertionPoint(self.module.body):
            for unit in self.functions:
                self._function(unit, by_symbol.get(unit.symbol))
            if self.instances is not None:
                for refusal, place in refuse_shared_writes(self.instances, self.functions):
                    self.problem(refusal, place)
                ObjectImporter(self, set(by_symbol)).run(self.instances)
        for refusal, place in self.quantized.refusals(self.constants.has_quantized):
            self.problem(refusal, place)
        if self.problems:
            raise TorchScriptError(self.problems)
        return self.module

    # What graph importers ask for.

    def problem(self, refusal: Refusal, place: SourceLocation | None, inside: SourceLocation | None = None) -> None:
        """Notes what was refused at the user's `place`; `inside` is the line of torch's code where it was found."""
        where = f" (in {inside})" if inside is not None and inside != place else ""
        problem = Problem(refusal.message + where, place or self.location, refusal.do)
        if problem not in self.problems:
            self.problems.append(problem)

    def mlir_location(self, place: SourceLocation | None) -> ir.Location:
        if place is None:
            return ir.Location.unknown()
        if place not in self._locations:
            self._locations[place] = ir.Location.file(place.file, place.line, place.column)
        return self._locations[place]

    def is_registered(self, op: str) -> bool:
        if op not in self._registered:
            self._registered[op] = ir.Context.current.is_registered_operation(op)
        return self._registered[op]

    def forget(self, literal: ir.Value) -> ir.Value:
        """A tensor as graphs know it: without sizes and dtype."""
        return value_of("torch.tensor_static_info_cast", td.NonValueTensorType.get(None, None), [literal])

    def attribute_used(self, owner: Any, name: str, type: Any) -> None:
        symbol = self.functions.class_symbol(owner)
        if symbol is not None:
            self._used.setdefault(symbol, {})[name] = type

    def attributes_in_code(self, owner: Any) -> Mapping[str, Any]:
        """The attributes of a class that code reads or writes."""
        return self._used.get(self.functions.class_symbol(owner) or "", {})

    def attribute_set(self, owner: Any, name: str, given: Any) -> Any:
        """The declared type of an attribute that is written, or the written value's where nothing declares it."""
        declared = self.attribute_type(owner, name) or given
        self.attribute_used(owner, name, declared)
        return declared

    def attribute_type(self, owner: Any, name: str) -> Any:
        """The TorchScript type of an attribute, as far as torch's own record or the graphs tell."""
        instance = self.instances.of_type(owner) if self.instances is not None else None
        declared = instance.declared.get(name) if instance is not None else None
        if declared is not None:
            return declared
        return self.attributes_in_code(owner).get(name)

    # Functions.

    def _export_unit(self, export: arguments.BoundExport) -> Unit:
        if self.instances is None:
            return self.functions.scripted(export.function, export.name)
        instance: Instance = self.instances.root
        for name in export.path[:-1]:
            instance = instance.children[name]
        return self.functions.method(instance.type, export.path[-1])

    def _function(self, unit: Unit, export: arguments.BoundExport | None) -> None:
        self.location = next(filter(None, map(Locations().visit, unit.graph.nodes())), None)
        try:
            inputs = [self.types.get(value.type()) for value in unit.graph.inputs()]
            results = [self.types.get(type) for type in unit.results]
        except Refusal as refusal:
            self.problem(Refusal(f"{unit.symbol}: {refusal.message}", refusal.do), self.location)
            return
        free = export is not None and self.instances is None
        with self.mlir_location(self.location):
            function = func.FuncOp(unit.symbol, (inputs, results), visibility=None if free else "private")
            block = function.add_entry_block([self.mlir_location(self.location)] * len(inputs))
        if export is not None:
            self._annotate(function, export, len(inputs))
        with ir.InsertionPoint(block):
            GraphImporter(self, unit, block).body(results)

    def _annotate(self, function: func.FuncOp, export: arguments.BoundExport, count: int) -> None:
        types = [bound.type for bound in export.arguments]
        types = [None] * (count - len(types)) + types
        attributes = [{} if type is None else {"torch.type_bound": ir.TypeAttr.get(type)} for type in types]
        function.arg_attrs = ir.ArrayAttr.get([ir.DictAttr.get(entry) for entry in attributes])
        function.attributes["npcomp.signature"] = ir.StringAttr.get(json.dumps(export.json))
