"""refine-types: what inference finds out becomes types, constants and straight-line code."""

from __future__ import annotations

from typing import Any

from npcomp_dialects.aten.abstract import TensorInfo, Unknown
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import constants, kernel_types, register, signatures, walk
from npcomp_dialects.passes.abstraction import Types
from npcomp_dialects.passes.coerce import coerce
from npcomp_dialects.passes.dict_facts import item_of
from npcomp_dialects.passes.effects import kernel, writes_to
from npcomp_dialects.passes.inference import Analysis
from npcomp_dialects.passes.lattice import is_constant, join, same
from npcomp_dialects.passes.prune_dead_branches import prune

_INITIALIZER = "torch.global_slot.module_initializer"
_CAST = "torch.tensor_static_info_cast"
_NUMBERS = {"int": td.IntType, "float": td.FloatType, "bool": td.BoolType}
_FOLDED = ("torch.prim.dtype", "torch.prim.layout", "torch.prim.TupleIndex", "torch.prim.unchecked_cast")


@register("refine-types")
def refine_types(module: ir.Module) -> None:
    """Infer sizes, dtypes and constants forward through the program and write them into the IR.

    Goal: every tensor has a known rank and dtype, and every size that can be known is.

    Each value tensor gets the type that inference found. A number, string or list of them that is the same in
    every run becomes a constant, and an `if` that always goes one way becomes that way. At joins only what both
    sides know is kept; loops are run to a fixed point; a slot gets what its initial value and all stores to it
    have in common.

    Restriction: types of `!torch.tensor` values stay, since a write could change them; value semantics come first.

    Rationale: constants are part of inference because sizes decide them (`x.size(1)`, `x.dim() == 4`) and they
    decide sizes; leaving them to an optional clean-up would make what compiles depend on the optimization level.
    """
    with module.context:
        types = Types()
        slots = _initial_slots(module, types)
        functions = walk.functions(module)
        analyses = _analyse(functions, types, slots)
        for function, analysis in zip(functions, analyses, strict=True):
            _commit(walk.blocks(function)[0], analysis)
            _forward_dict_items(function, analysis)
            kernel_types.unpack_lists(function, analysis.of, types)
            _materialize(function, analysis)
            prune(analysis.branches)
            signatures.set_function_type(function)
        _commit_slots(module, slots, types)


def _initial_slots(module: ir.Module, types: Types) -> dict[str, Any]:
    """What is known of each slot when the program starts."""
    initializer = next((op for op in walk.ops(module.body) if op.name == _INITIALIZER), None)
    if initializer is None:
        return {}
    end = walk.terminator(walk.blocks(initializer)[0])
    names = [ir.FlatSymbolRefAttr(a).value for a in end.attributes["slotSymNames"]]
    return {name: types.abstract(v.type) for name, v in zip(names, end.operands, strict=True)}


def _analyse(functions: list[ir.Operation], types: Types, slots: dict[str, Any]) -> list[Analysis]:
    """Analyse all functions until no store tells something new of a slot; updates `slots`."""
    while True:
        analyses = [Analysis(function, types, slots) for function in functions]
        grown = False
        for analysis in analyses:
            for name, stored in analysis.stored.items():
                joined = join(slots[name], stored, _top(slots[name]))
                if not same(joined, slots[name]):
                    slots[name], grown = joined, True
        if not grown:
            return analyses


def _top(known: Any) -> Any:
    return TensorInfo() if isinstance(known, TensorInfo) else known


def _commit(block: ir.Block, analysis: Analysis) -> None:
    """Give each value of a block its type, then make what control flow passes on fit."""
    for argument in block.arguments:
        _refine(argument, analysis)
    for op in walk.ops(block):
        for inner in walk.blocks(op):
            _commit(inner, analysis)
        for result in op.results:
            _refine(result, analysis)
        if op.name == _CAST and op.operands[0].type == op.results[0].type:
            op.results[0].replace_all_uses_with(op.operands[0])
        if op.name == "torch.prim.If":
            for inner in walk.blocks(op):
                _fit(walk.terminator(inner), 0, [r.type for r in op.results])
        elif op.name == "torch.prim.Loop":
            kinds = [r.type for r in op.results]
            carried = [a.type for a in list(walk.blocks(op)[0].arguments)[1:]]
            _fit(op, 2, carried)
            _fit(walk.terminator(walk.blocks(op)[0]), 1, carried)
            _unify_loop(op, kinds, carried)


def _refine(value: ir.Value, analysis: Analysis) -> None:
    type = value.type
    if not isinstance(type, (td.ValueTensorType, td.NumberType, td.OptionalType)):
        return
    found = analysis.of(value)
    if isinstance(found, TensorInfo):
        refined = analysis.types.tensor(found)
        if isinstance(type, td.ValueTensorType) or (isinstance(type, td.OptionalType) and _redefinable(value)):
            value.set_type(refined)
    elif isinstance(type, td.NumberType) and isinstance(found, Unknown) and found.type in _NUMBERS:
        value.set_type(_NUMBERS[found.type].get())


def _redefinable(value: ir.Value) -> bool:
    """True for an optional whose type may become that of its content: what an `if` gives, when it is always there."""
    op = walk.owner(value)
    return op is not None and op.name == "torch.prim.If" and isinstance(value.type.contained, td.ValueTensorType)


def _fit(op: ir.Operation, first: int, types: list[ir.Type]) -> None:
    """Cast the operands from position `first` on to the given types."""
    for position, type in enumerate(types, first):
        value = op.operands[position]
        if value.type != type:
            op.operands[position] = coerce(value, type, op.location, ir.InsertionPoint(op))


def _unify_loop(op: ir.Operation, results: list[ir.Type], carried: list[ir.Type]) -> None:
    """A loop's results have the types that it carries; uses that know more get a cast."""
    for result, known, type in zip(op.results, results, carried, strict=True):
        if known == type:
            continue
        result.set_type(type)
        cast = ir.Operation.create(_CAST, [known], [result], loc=op.location, ip=ir.InsertionPoint.after(op))
        result.replace_all_uses_except(cast.results[0], [cast])


def _forward_dict_items(function: ir.Operation, analysis: Analysis) -> None:
    """Use the items of a dict that is never written directly: run time has no dicts of known keys."""
    for op in list(walk.nested(walk.blocks(function)[0])):
        name = kernel(op)
        if name is None or not isinstance(analysis.of(op.operands[0]) if len(op.operands) else None, dict):
            continue
        if name.split(".")[1] in ("__getitem__", "get"):
            item = item_of(op, analysis.of(op.operands[1]))
            if item is not None:
                result = op.results[0]
                result.replace_all_uses_with(coerce(item, result.type, op.location, ir.InsertionPoint(op)))


def _materialize(function: ir.Operation, analysis: Analysis) -> None:
    """Put a constant in the place of each op whose result inference knows."""
    known: list[ir.Operation] = []
    for op in list(walk.nested(walk.blocks(function)[0])):
        if not _foldable(op):
            continue
        found = [analysis.of(result) for result in op.results]
        if found and all(map(is_constant, found)):
            ip = ir.InsertionPoint(op)
            for result, value in zip(op.results, found, strict=True):
                constant = _constant(value, result.type, op.location, ip)
                result.replace_all_uses_with(coerce(constant, result.type, op.location, ip))
            known.append(op)
    for op in reversed(known):
        op.erase()


def _foldable(op: ir.Operation) -> bool:
    name = kernel(op)
    if name is None:
        return op.name in _FOLDED or ".min." in op.name or ".max." in op.name
    return op.name != "torch.operator" and writes_to(name) == frozenset()


def _constant(value: Any, type: ir.Type, loc: ir.Location, ip: ir.InsertionPoint) -> ir.Value:
    if not isinstance(value, list):
        return constants.create(value, loc, ip)
    items = [_constant(item, type.contained, loc, ip) for item in value]
    return ir.Operation.create("torch.prim.ListConstruct", [type], items, loc=loc, ip=ip).results[0]


def _commit_slots(module: ir.Module, slots: dict[str, Any], types: Types) -> None:
    """Declare slots of value tensors with what is known of them, and fit initial values and stores to it."""
    bounds = {name: types.tensor(info) for name, info in slots.items() if isinstance(info, TensorInfo)}
    for op in walk.ops(module.body):
        if op.name == "torch.global_slot" and walk.symbol(op) in bounds:
            if isinstance(ir.TypeAttr(op.attributes["typeBound"]).value, td.ValueTensorType):
                op.attributes["typeBound"] = ir.TypeAttr.get(bounds[walk.symbol(op)])
            else:
                del bounds[walk.symbol(op)]
        if op.name == _INITIALIZER:
            end = walk.terminator(walk.blocks(op)[0])
            names = [ir.FlatSymbolRefAttr(a).value for a in end.attributes["slotSymNames"]]
            _fit(end, 0, [bounds.get(n, v.type) for n, v in zip(names, end.operands, strict=True)])
    for function in walk.functions(module):
        for op in list(walk.nested(walk.blocks(function)[0])):
            if op.name == "torch.global_slot.set" and walk.string(op, "slot") in bounds:
                _fit(op, 0, [bounds[walk.string(op, "slot")]])
