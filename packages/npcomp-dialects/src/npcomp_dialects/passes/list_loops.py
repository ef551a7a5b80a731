"""Unrolling of loops over lists: each turn then changes a list, or takes its item, in straight-line code."""

from __future__ import annotations

from npcomp_dialects.mlir import ir
from npcomp_dialects.passes import constants, effects, walk
from npcomp_dialects.passes.list_changes import change_of

LIMIT = 4096
"""Ops that unrolling one loop may make."""


def unroll(block: ir.Block) -> None:
    """Unroll the loops below a block that have to do with lists and run a known number of times."""
    for op in walk.ops(block):
        for inner in walk.blocks(op):
            unroll(inner)
        if op.name == "torch.prim.Loop":
            turns = _turns(op)
            if turns is not None and wants_unrolling(op) and turns * _size(op) <= LIMIT:
                _unroll(op, turns)


def wants_unrolling(loop: ir.Operation) -> bool:
    """True for a loop that changes a list from outside, takes items at run-time places, or starts from None."""
    return _changes_outer_list(loop) or _takes_items(loop) or _starts_from_none(loop)


def _takes_items(loop: ir.Operation) -> bool:
    for op in walk.nested(walk.blocks(loop)[0]):
        if effects.kernel(op) == "aten.__getitem__.t":
            index = walk.owner(op.operands[1])
            if index is None or not constants.is_constant(index):
                return True
    return False


def _starts_from_none(loop: ir.Operation) -> bool:
    """True if a variable is None before the first turn: only the turn tells whether it is still."""
    for value in list(loop.operands)[2:]:
        source = walk.owner(value)
        if source is not None and source.name == "torch.derefine":
            source = walk.owner(source.operands[0])
        if source is not None and source.name == "torch.constant.none":
            return True
    return False


def _turns(loop: ir.Operation) -> int | None:
    """How often a counted loop runs; None for one with a condition or a count of run time."""
    try:
        turns, begins = constants.of_value(loop.operands[0]), constants.of_value(loop.operands[1])
        goes_on = constants.of_value(walk.terminator(walk.blocks(loop)[0]).operands[0])
    except constants.NotConstant:
        return None
    if begins is not True:
        return 0
    return max(turns, 0) if goes_on is True else min(max(turns, 0), 1)


def _size(loop: ir.Operation) -> int:
    return sum(1 for _ in walk.nested(walk.blocks(loop)[0]))


def _changes_outer_list(loop: ir.Operation) -> bool:
    inside: set[ir.Value] = set()
    for op in walk.nested(walk.blocks(loop)[0]):
        if change_of(op) is not None and op.operands[0] not in inside:
            return True
        inside.update(op.results)
    return False


def _unroll(loop: ir.Operation, turns: int) -> None:
    """Put a copy of the body before the loop for each turn, the last one's values in the place of its results."""
    block = walk.blocks(loop)[0]
    *body, end = walk.ops(block)
    index, *arguments = block.arguments
    carried = list(loop.operands)[2:]
    for turn in range(turns):
        ip = ir.InsertionPoint(loop)
        known = dict(zip(arguments, carried, strict=True))
        known[index] = constants.create(turn, loop.location, ip)
        for op in body:
            copy = op.clone(ip).operation
            _replace_operands(copy, known)
            known.update(zip(op.results, copy.results, strict=True))
        carried = [known.get(value, value) for value in list(end.operands)[1:]]
    for result, value in zip(loop.results, carried, strict=True):
        result.replace_all_uses_with(value)
    loop.erase()


def _replace_operands(op: ir.Operation, known: dict[ir.Value, ir.Value]) -> None:
    for position, operand in enumerate(op.operands):
        if operand in known:
            op.operands[position] = known[operand]
    for block in walk.blocks(op):
        for inner in walk.ops(block):
            _replace_operands(inner, known)
