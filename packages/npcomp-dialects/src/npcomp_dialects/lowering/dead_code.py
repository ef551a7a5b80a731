"""Removes operations that nothing reads: tables of a lowering that turned out not to be needed."""

from __future__ import annotations

from npcomp_dialects.mlir import ir

_PURE = ("arith.", "math.", "tensor.", "linalg.", "tcf.")
_EFFECTS = ("tcf.guard", "tcf.random_key")
_KEPT = (*_EFFECTS, "tcf.yield", "linalg.yield", "tensor.yield")


def remove_dead_code(function: ir.Operation) -> None:
    """Erases pure operations without uses, last first, so that chains vanish in one walk."""
    for block in function.regions[0].blocks:
        _block(block)


def _block(block: ir.Block) -> None:
    for op in reversed(list(block.operations)):
        op = op.operation
        if op.name.startswith("scf."):
            for region in op.regions:
                for nested in region.blocks:
                    _block(nested)
            _drop_dead_if(op)
        elif _is_dead(op):
            op.erase()


def _is_dead(op: ir.Operation) -> bool:
    return op.name.startswith(_PURE) and op.name not in _KEPT and _is_unused(op)


def _is_unused(op: ir.Operation) -> bool:
    return all(next(iter(result.uses), None) is None for result in op.results)


def _drop_dead_if(op: ir.Operation) -> None:
    """A choice nobody reads whose branches do nothing but hand on values."""
    if op.name != "scf.if" or not _is_unused(op):
        return
    names = [o.operation.name for region in op.regions for block in region.blocks for o in block.operations]
    if all(name.startswith(("scf.yield", *_PURE)) and name not in _EFFECTS for name in names):
        op.erase()
