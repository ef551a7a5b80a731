"""prune-dead-branches: an `if` whose condition never changes becomes the branch that it takes."""

from __future__ import annotations

from npcomp_dialects.mlir import ir
from npcomp_dialects.passes import register, walk
from npcomp_dialects.passes.abstraction import Types
from npcomp_dialects.passes.coerce import coerce
from npcomp_dialects.passes.inference import Analysis


@register("prune-dead-branches")
def prune_dead_branches(module: ir.Module) -> None:
    """Replace each `torch.prim.If` whose condition inference knows by the branch that it takes.

    Goal: what a flag such as `self.training` switches off is gone before anything asks what the program does: which
    slots it writes, which ops it needs.
    """
    with module.context:
        types = Types()
        for function in walk.functions(module):
            prune(Analysis(function, types).branches)


def prune(branches: dict[ir.Block, bool]) -> None:
    """Inline the branch taken of each `torch.prim.If`, given by its first block; outer ones come first."""
    decided = [(block.owner.operation, condition) for block, condition in branches.items()]
    for op, condition in decided:
        _inline(op, walk.blocks(op)[0 if condition else 1])
    for op, _ in decided:
        op.erase()


def _inline(op: ir.Operation, block: ir.Block) -> None:
    *inner, end = walk.ops(block)
    values = list(end.operands)
    for moved in inner:
        moved.move_before(op)
    for result, value in zip(op.results, values, strict=True):
        result.replace_all_uses_with(coerce(value, result.type, op.location, ir.InsertionPoint(op)))
