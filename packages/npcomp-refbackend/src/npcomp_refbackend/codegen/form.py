"""Dispatch formation: linalg and loops on tensors → `refrt.dispatch` ops, in every block of a function."""

from __future__ import annotations

from typing import Any

from .destinations import place_results
from .fusion import fuse_block
from .loop_dispatch import form_loops
from .materialize import materialize
from .prepare import prepare


def form_dispatches(function: Any) -> None:
    """Rewrite `function` so that all its tensor computation stands in dispatches."""
    prepare(function)
    for region in function.operation.regions:
        for block in region.blocks:
            form_loops(block)
    for block in _blocks(function):
        _form_block(block)


def _blocks(op: Any) -> list[Any]:
    """Blocks of control flow, inner ones first; the bodies of compute ops are not control flow."""
    found = []
    for region in op.operation.regions:
        for block in region.blocks:
            for inner in block.operations:
                if inner.operation.name.startswith("scf."):
                    found.extend(_blocks(inner))
            found.append(block)
    return found


def _form_block(block: Any) -> None:
    remove_dead(block)
    graph, groups = fuse_block(block)
    terminator = graph.terminator.operation
    for nodes in graph.schedule():
        group = groups.get(graph.group[nodes[0]])
        if group is None:
            graph.ops[nodes[0]].operation.move_before(terminator)
        else:
            materialize(group, terminator)
    place_results(block)
    remove_dead(block)


_PURE = ("tensor.", "arith.", "linalg.", "math.")


def remove_dead(block: Any) -> None:
    """Erase pure ops without users: copies that were folded, shapes and fills that only fused ops needed."""
    for op in reversed(list(block.operations)):
        name = op.operation.name
        if name.startswith(_PURE) and not any(True for r in op.operation.results for _ in r.uses):
            op.operation.erase()
