"""complete-signatures: the signature of each public function tells what inference found out."""

from __future__ import annotations

from npcomp_dialects.aten.abstract import TensorInfo
from npcomp_dialects.errors import CompileError, UnsupportedError
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import register, signatures, walk
from npcomp_dialects.passes.abstraction import Types
from npcomp_dialects.passes.signatures import Tree

_UNSETTLED = ("optional", "list")


@register("complete-signatures")
def complete_signatures(module: ir.Module) -> None:
    """Fill in dtypes and static sizes of arguments and results in `npcomp.signature`.

    Goal: the runtime checks arguments and makes results by the signature alone.

    A dimension that the user named keeps its name; others are a number where it is known and null where not.
    """
    types = Types()
    for function in walk.functions(module):
        if not walk.is_private(function):
            _complete(function, types)


def _complete(function: ir.Operation, types: Types) -> None:
    signature = signatures.read(function) or signatures.derive(function)
    if any(leaf["kind"] in _UNSETTLED for leaf in signatures.leaves(signature["returns"])):
        _settle_results(function, signature)
    block = walk.blocks(function)[0]
    _fill(signatures.argument_leaves(signature), list(block.arguments), function, types)
    results, expected = list(walk.terminator(block).operands), signatures.result_leaves(signature)
    returned = list(signatures.leaves(signature["returns"]))
    _fill(returned, results[: len(returned)] if len(results) == len(expected) else results, function, types)
    signatures.write(function, signature)


def _settle_results(function: ir.Operation, signature: Tree) -> None:
    """Return what optionals and lists hold: run time has neither."""
    end = walk.terminator(walk.blocks(function)[0])
    values = list(end.operands)
    places = list(signatures.leaves(signature["returns"]))
    kept = [held for leaf, value in zip(places, values, strict=False) for held in _settle(leaf, value, end)]
    kept += values[len(places) :]  # new contents of written arguments
    ir.Operation.create("func.return", [], kept, loc=end.location, ip=ir.InsertionPoint(end))
    end.erase()
    signatures.set_function_type(function)


def _settle(leaf: Tree, value: ir.Value, end: ir.Operation) -> list[ir.Value]:
    """The values that a returned value takes to the caller; `leaf` is made to say so."""
    if leaf["kind"] not in _UNSETTLED:
        return [value]
    value = _content(value)
    made = walk.owner(value)
    if isinstance(value.type, td.ListType) and made is not None and made.name == "torch.prim.ListConstruct":
        items = [signatures.of_type(item.type) for item in made.operands]
        leaf.clear()
        leaf.update({"kind": "list", "items": items})
        return [held for item, v in zip(items, made.operands, strict=True) for held in _settle(item, v, end)]
    if isinstance(value.type, (td.OptionalType, td.ListType)):
        what = "whether this result is None" if isinstance(value.type, td.OptionalType) else "how long this result is"
        raise UnsupportedError(f"only run time knows {what}", end.location, do="return the same structure always")
    leaf.clear()
    leaf.update(signatures.of_type(value.type))
    return [] if leaf["kind"] == "none" else [value]


def _content(value: ir.Value) -> ir.Value:
    """The value behind the casts to optionals, its own or those of the tuple that it is part of."""
    op = walk.owner(value)
    if op is None:
        return value
    if op.name == "torch.derefine":
        return _content(op.operands[0])
    made = _content(op.operands[0]) if op.name == "torch.prim.TupleUnpack" else None
    source = walk.owner(made) if made is not None else None
    if source is None or source.name != "torch.prim.TupleConstruct":
        return value
    return _content(source.operands[list(op.results).index(value)])


def _fill(leaves: list[Tree], values: list[ir.Value], function: ir.Operation, types: Types) -> None:
    if len(leaves) != len(values):
        raise CompileError(
            f"the signature of {walk.symbol(function)!r} has {len(leaves)} places and the function {len(values)}",
            function.location,
        )
    for leaf, value in zip(leaves, values, strict=True):
        known = types.abstract(value.type)
        if isinstance(known, TensorInfo):
            _fill_tensor(leaf, known)
        elif leaf["kind"] == "tensor":
            leaf["kind"] = signatures.of_type(value.type)["kind"]


def _fill_tensor(leaf: Tree, known: TensorInfo) -> None:
    leaf["kind"] = "tensor"
    if known.dtype is not None:
        leaf["dtype"] = known.dtype.name
    if known.sizes is None:
        return
    given = leaf.get("dims") or [None] * len(known.sizes)
    names = given if len(given) == len(known.sizes) else [None] * len(known.sizes)
    leaf["dims"] = [name if isinstance(name, str) else size for name, size in zip(names, known.sizes, strict=True)]
