"""Which methods are exported, and what is known of each of their arguments: specs, examples, annotations, defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from npcomp_torchscript import signature
from npcomp_torchscript.errors import Problem, Refusal, TorchScriptError, refuse
from npcomp_torchscript.signature import MISSING, Bound, Json
from npcomp_torchscript.sources import Export, Source


@dataclass(frozen=True)
class BoundExport:
    """An exported method with its signature; `arguments` are without `self`."""

    path: tuple[str, ...]
    name: str
    function: Any
    arguments: list[Bound]
    json: Json


@dataclass(frozen=True)
class Exports:
    exports: list[BoundExport]
    skipped: list[tuple[Export, str]]


def bind_exports(source: Source, specs: Any, examples: Sequence[Any] | None, strict: bool) -> Exports:
    """Binds every exported method. A method that only `@torch.jit.export` marks is skipped when `strict` and its
    arguments are unknown; every other problem of all methods is raised at once."""
    given = _by_method(source, specs, examples)
    bound: list[BoundExport] = []
    skipped: list[tuple[Export, str]] = []
    problems: list[Problem] = []
    for export in source.exports:
        try:
            bound.append(_bind(export, given.get(export.name, MISSING), source.root is not None, strict))
        except Refusal as refusal:
            if export.wanted or export.name in given:
                method = "" if export.name == "forward" else f"method {export.name!r}: "
                problems.append(Problem(f"{method}{refusal.message}", None, refusal.do))
            else:
                skipped.append((export, refusal.message))
    if problems:
        raise TorchScriptError(problems)
    return Exports(bound, skipped)


def _by_method(source: Source, specs: Any, examples: Sequence[Any] | None) -> dict[str, Any]:
    """What the caller said, by method. A bare list or a mapping by argument is about `forward`."""
    names = {export.name for export in source.exports}
    main = "forward" if "forward" in names else next(iter(names))
    if isinstance(specs, Mapping) and specs and set(specs) <= names:
        given = dict(specs)
    elif specs is None:
        given = {}
    elif isinstance(specs, Mapping | list | tuple):
        given = {main: specs}
    else:
        raise refuse(f"specs are {specs!r}, which is not a list", "pass one spec an argument: [TensorSpec(...)]")
    if examples is None:
        return given
    if main in given:
        raise refuse("both specs and example_inputs describe the arguments", "pass one of the two")
    if not isinstance(examples, list | tuple):
        raise refuse(f"example_inputs are a {type(examples).__name__}", "pass a tuple with one example an argument")
    return given | {main: list(examples)}


def _bind(export: Export, given: Any, method: bool, strict: bool) -> BoundExport:
    schema = export.function.schema
    formal = schema.arguments[1:] if method else schema.arguments
    specs = _positions(formal, given, "spec") | _annotated(formal, export.annotated, given)
    types = [value.type() for value in export.function.graph.inputs()][1 if method else 0 :]
    bound = [_argument(a, type, specs.get(a.name, MISSING), strict) for a, type in zip(formal, types, strict=True)]
    returns = signature.result(schema.returns[0].type) if schema.returns else {"kind": "none"}
    entries = [{**entry.json, "name": argument.name} for argument, entry in zip(formal, bound)]
    json = {"name": export.name, "args": entries, "returns": returns}
    return BoundExport(export.path, export.name, export.function, bound, json)


def _annotated(formal: Sequence[Any], annotated: list[Any] | None, given: Any) -> dict[str, Any]:
    """What the annotations say. Specs of the call go before them."""
    if annotated is None or given is not MISSING:
        return {}
    if len(annotated) > len(formal) and annotated[0] is None:
        annotated = annotated[1:]
    return _positions(formal, annotated, "annotation")


def _positions(formal: Sequence[Any], given: Any, word: str) -> dict[str, Any]:
    names = [argument.name for argument in formal]
    listed = ", ".join(names) or "none"
    if given is MISSING:
        return {}
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in names]
        if unknown:
            raise Refusal(f"there is a {word} for {unknown[0]!r}, which is no argument",
                          f"the arguments are: {listed}")  # fmt: skip
        return dict(given)
    if len(given) > len(names):
        raise Refusal(f"there are {len(given)} {word}s for {len(names)} arguments", f"the arguments are: {listed}")
    return dict(zip(names, given))


def _argument(argument: Any, type: Any, spec: Any, strict: bool) -> Bound:
    """One argument. `type` is the graph's, which for a traced program knows the sizes of the example. Where nothing is
    said, a default that is no number becomes part of the program; the spec `bool` leaves a flag to the caller."""
    kind = type.kind()
    if spec is MISSING and argument.has_default_value() and kind in ("StringType", "DeviceObjType"):
        spec = argument.default_value
    if spec is MISSING and argument.has_default_value() and kind == "BoolType":
        return Bound({"kind": "const", "value": argument.default_value})
    if spec is MISSING and kind == "TensorType" and strict and type.sizes() is None:
        raise Refusal(
            f"nothing is known of argument {argument.name!r}, a Tensor",
            "pass specs, such as [TensorSpec([None, 3], torch.float32)] with its rank and dtype, or example_inputs",
        )
    bound = signature.bind(argument.name, type, spec, strict)
    if argument.has_default_value() and bound.json["kind"] in ("int", "float", "bool"):
        return Bound({**bound.json, "default": argument.default_value}, bound.type)
    return bound
