"""maximize-value-semantics: tensors that may be written become values that never change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import effects, register, signatures, walk
from npcomp_dialects.passes.abstraction import Types
from npcomp_dialects.passes.coerce import uncast
from npcomp_dialects.passes.memory import Whole
from npcomp_dialects.passes.mutation_control import ControlFlowRewriter

_OVERWRITE = "torch.overwrite.tensor.contents"


@register("maximize-value-semantics")
def maximize_value_semantics(module: ir.Module) -> None:
    """Turn `!torch.tensor` into `!torch.vtensor` everywhere, and every in-place write into a new value.

    Goal: what comes after computes with values, where order and aliasing mean nothing.

    Each tensor is followed to the memory that it names. A read gives what the memory holds at that point; a write
    through a view computes the new contents of the tensor below it (`slice_scatter` for a slice); what a branch or
    a loop writes leaves it as an extra result; a write to the tensor of a slot stores the slot.

    An argument of a public function that is written gets `writes` in the signature, and the function returns its new
    contents after its other results: the runtime copies them into the caller's tensor. A returned tensor that is an
    argument itself gets `alias`, the number of that argument.

    Restrictions, each an error at the user's line:

    - an op that gives a tensor other sizes in place (`unsqueeze_`) may do so only where the tensor object was made;
      arguments and attributes keep theirs.
    - a tensor that may or may not be another one (a variable that an `if` sets to one of two tensors, `reshape`)
      may be written only if nothing reads the other one afterwards: only run time knows whether it changed.
    - a tensor in a list that the program changes must not be written; the list would have to be followed too.

    Rationale: most programs write nothing in place. For them the pass only changes types.
    """
    with module.context:
        types = Types()
        for function in walk.functions(module):
            _convert(function, types)
        _convert_slots(module, types)


def _convert(function: ir.Operation, types: Types) -> None:
    block = walk.blocks(function)[0]
    nested = list(walk.nested(block))
    writes = any(_writes(op) for op in nested)
    references = _make_values(block, types)
    if writes:
        _rewrite_writes(function, references, types)
    else:
        _drop_copies(nested)
        returned = [uncast(value) for value in walk.terminator(block).operands]
        if not walk.is_private(function):
            _declare_aliases(function, returned, list(block.arguments))
    signatures.set_function_type(function)


def _writes(op: ir.Operation) -> bool:
    """True for an op that writes to a tensor or to a container, which may hold tensors."""
    if op.name == _OVERWRITE:
        return True
    name = effects.kernel(op)
    return name is not None and effects.writes_to(name) != frozenset()


def _make_values(block: ir.Block, types: Types) -> set[ir.Value]:
    """Give all values of a function value types; return those whose type held a mutable tensor."""
    references: set[ir.Value] = set()
    for value in _values(block):
        kind = types.value_semantic(value.type)
        if kind != value.type:
            value.set_type(kind)
            references.add(value)
    return references


def _values(block: ir.Block) -> list[ir.Value]:
    found: list[ir.Value] = list(block.arguments)
    for op in walk.ops(block):
        found.extend(op.results)
        for inner in walk.blocks(op):
            found.extend(_values(inner))
    return found


def _rewrite_writes(function: ir.Operation, references: set[ir.Value], types: Types) -> None:
    rewriter = ControlFlowRewriter(references, types)
    block = walk.blocks(function)[0]
    is_private = walk.is_private(function)
    arguments: dict[ir.Value, Whole] = {}
    for argument, name in zip(block.arguments, signatures.argument_names(function), strict=True):
        if argument in references:
            is_refused = is_private or not isinstance(argument.type, td.ValueTensorType)
            text = f"argument {name}"
            memory = rewriter.new_memory(argument, text) if is_refused else rewriter.new_memory(argument, argument=text)
            arguments[argument] = memory
    rewriter.block(block)
    if not is_private:
        _declare_aliases(function, rewriter.returned_handles(block), list(map(arguments.get, block.arguments)))
        contents = {n: rewriter.contents(arguments[a]) for n, a in enumerate(block.arguments) if a in arguments}
        _return_writes(function, {n: value for n, value in contents.items() if value != block.arguments[n]})
    for op in reversed(rewriter.dead):
        op.erase()


def _declare_aliases(function: ir.Operation, returned: Sequence[Any], arguments: Sequence[Any]) -> None:
    """Say in the signature which results are an argument itself, where both are known by the same objects."""
    signature = signatures.read(function)
    leaves = list(signatures.leaves(signature["returns"])) if signature is not None else []
    if signature is None or len(leaves) != len(returned):
        return
    for leaf, result in zip(leaves, returned, strict=True):
        if result is not None and result in arguments:
            leaf["alias"] = list(arguments).index(result)
    signatures.write(function, signature)


def _return_writes(function: ir.Operation, written: dict[int, ir.Value]) -> None:
    """Return the new contents of the arguments that are written, by their number."""
    if not written:
        return
    signature = signatures.read(function) or signatures.derive(function)
    leaves = signatures.argument_leaves(signature)
    for argument in written:
        leaves[argument]["writes"] = True
    signatures.write(function, signature)
    end = walk.terminator(walk.blocks(function)[0])
    values = [*end.operands, *(written[n] for n in sorted(written))]
    ir.Operation.create("func.return", [], values, loc=end.location, ip=ir.InsertionPoint(end))
    end.erase()


def _drop_copies(nested: list[ir.Operation]) -> None:
    """In a function without writes a tensor and its value are the same."""
    for op in nested:
        if op.name in ("torch.copy.to_tensor", "torch.copy.to_vtensor"):
            op.results[0].replace_all_uses_with(op.operands[0])
            op.erase()
        elif op.name == "torch.tensor.literal":
            attributes = {"value": op.attributes["value"]}
            literal = ir.Operation.create(
                "torch.vtensor.literal",
                [op.results[0].type],
                [],
                attributes,
                loc=op.location,
                ip=ir.InsertionPoint(op),
            )
            op.results[0].replace_all_uses_with(literal.results[0])
            op.erase()


def _convert_slots(module: ir.Module, types: Types) -> None:
    for op in walk.ops(module.body):
        if op.name == "torch.global_slot":
            bound = ir.TypeAttr(op.attributes["typeBound"]).value
            op.attributes["typeBound"] = ir.TypeAttr.get(types.value_semantic(bound))
        elif op.name == "torch.global_slot.module_initializer":
            block = walk.blocks(op)[0]
            _make_values(block, types)
            _drop_copies(list(walk.nested(block)))
