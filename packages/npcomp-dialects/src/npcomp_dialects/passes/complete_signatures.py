"""complete-signatures: the signature of each public function tells what inference found out."""

from __future__ import annotations

from npcomp_dialects.aten.abstract import TensorInfo
from npcomp_dialects.errors import CompileError
from npcomp_dialects.mlir import ir
from npcomp_dialects.passes import register, signatures, walk
from npcomp_dialects.passes.abstraction import Types
from npcomp_dialects.passes.signatures import Tree


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
    block = walk.blocks(function)[0]
    _fill(signatures.argument_leaves(signature), list(block.arguments), function, types)
    results, expected = list(walk.terminator(block).operands), signatures.result_leaves(signature)
    returned = list(signatures.leaves(signature["returns"]))
    _fill(returned, results[: len(returned)] if len(results) == len(expected) else results, function, types)
    signatures.write(function, signature)


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
