"""Calls with effects, such as the check that a matrix was invertible. torch threads a token through them to keep their
order; a program keeps the order of its calls anyway."""

from __future__ import annotations

import operator
from typing import Any

import torch

WITH_EFFECTS = torch.ops.higher_order.with_effects


def untie(graph: torch.fx.Graph) -> set[torch.fx.Node]:
    """Turns `with_effects(token, op, …)` into plain calls of `op` and drops the tokens. Returns the calls, which stay
    even where nobody uses their results."""
    calls = set()
    for node in list(graph.nodes):
        if node.op != "call_function" or node.target is not WITH_EFFECTS:
            continue
        token, op, *args = node.args
        calls.add(_replace(graph, node, op, tuple(args)))
        if isinstance(token, torch.fx.Node) and not token.users and token.op == "placeholder":
            graph.erase_node(token)
    return calls


def _replace(graph: torch.fx.Graph, node: torch.fx.Node, op: Any, args: tuple[Any, ...]) -> torch.fx.Node:
    with graph.inserting_before(node):
        call = graph.call_function(op, args, dict(node.kwargs))
    results = node.meta.get("val", (None,))[1:]
    call.meta = {**node.meta, "val": results[0] if len(results) == 1 else tuple(results) or None}
    for user in list(node.users):
        if user.target is operator.getitem and len(results) == 1:
            user.replace_all_uses_with(call)
        elif user.target is operator.getitem:
            user.update_arg(0, call)
            user.update_arg(1, user.args[1] - 1)  # type: ignore[operator]
            continue
        graph.erase_node(user)
    graph.erase_node(node)
    return call
