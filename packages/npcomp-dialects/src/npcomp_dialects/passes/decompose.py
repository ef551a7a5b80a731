"""decompose: ops that are defined by other ops become those ops."""

from __future__ import annotations

from typing import Any

from npcomp_dialects.aten import registry
from npcomp_dialects.aten.abstract import TensorInfo
from npcomp_dialects.aten.block import Block
from npcomp_dialects.aten.errors import InferError, NotStatic
from npcomp_dialects.errors import InferenceError
from npcomp_dialects.mlir import ir
from npcomp_dialects.passes import constants, effects, kernel_types, register, walk
from npcomp_dialects.passes.abstraction import Types
from npcomp_dialects.passes.coerce import coerce
from npcomp_dialects.passes.decompose_builder import Builder, V, block_of


@register("decompose")
def decompose(module: ir.Module) -> None:
    """Replace every op whose block has a `decompose` and no lowering, until none is left.

    Goal: only ops that are lowered, or run as torch's own kernels, reach the next part of the compiler.

    The new ops get their types from inference as they are built, and the source line of the op they replace.

    Restriction: an op is left alone while the rank or dtype of a tensor it takes is unknown, if its block has to
    know an argument that only run time knows, or if it takes or gives tensors of complex or wide unsigned elements.
    Such an op runs as torch's kernel, if the backend has that.
    """
    with module.context:
        types = Types()
        for function in walk.functions(module):
            pending = [op for op in walk.nested(walk.blocks(function)[0]) if is_decomposed(op)]
            while pending:
                pending.extend(_expand(pending.pop(), types))


def is_decomposed(op: ir.Operation) -> bool:
    if not op.name.startswith(registry.prefixes()):
        return False
    block = block_of(op.name.removeprefix("torch."))
    return block is not None and block.kind() == "decomposed" and not kernel_types.is_left_to_torch(op)


def _expand(op: ir.Operation, types: Types) -> list[ir.Operation]:
    """Replace an op by its decomposition; return the ops made that are themselves to be decomposed."""
    block = registry.lookup(op.name.removeprefix("torch."))
    builder = Builder(types, op)
    try:
        arguments = [_argument(operand, types) for operand in op.operands]
        results = block.decompose(builder, *arguments)
    except NotStatic:
        builder.abandon()
        return []
    except InferError as error:
        raise InferenceError.like(error.kind, f"{block.name()}: {error}", op.location) from None
    _replace(op, results, block, builder)
    return [made for made in builder.made if is_decomposed(made)]


def _argument(value: ir.Value, types: Types) -> Any:
    """An operand as a block's code sees it: a constant, a list, or a `V`."""
    owner = walk.owner(value)
    if owner is not None and constants.is_constant(owner):
        return constants.read(owner)
    if owner is not None and owner.name == "torch.derefine":
        return _argument(owner.operands[0], types)
    if owner is not None and owner.name == "torch.prim.ListConstruct" and effects.writer_of(value) is None:
        return [_argument(item, types) for item in owner.operands]
    known = types.abstract(value.type)
    if isinstance(known, TensorInfo) and (known.sizes is None or known.dtype is None):
        raise NotStatic("a tensor of unknown rank or dtype")
    return V(value, known)


def _replace(op: ir.Operation, results: Any, block: type[Block], builder: Builder) -> None:
    given = list(results) if isinstance(results, (list, tuple)) and len(op.results) != 1 else [results]
    if len(given) != len(op.results):
        raise InferenceError(f"{block.name()}: its decomposition gives {len(given)} results", op.location)
    for old, new, declared in zip(op.results, given, block.schema.returns, strict=True):
        value = builder.value(new, declared.type)
        old.replace_all_uses_with(coerce(value, old.type, op.location, ir.InsertionPoint(op)))
    op.erase()
