"""Greedy fusion in one block: every compute op joins the groups of its producers while a kernel can run them.

Consumers join producers, latest producer first, in program order. So a contraction collects its epilogue, a
softmax its passes, a chain of pointwise ops becomes one group; what several groups need is stored once by the
group that computes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .cluster import unify
from .graph import BlockGraph
from .legality import family
from .structured import Generic


@dataclass(eq=False)
class Group:
    """Nodes of a block that become one dispatch."""

    generics: list[Generic]
    escaping: set[int]
    family: str


def fuse_block(block: Any) -> tuple[BlockGraph, dict[int, Group]]:
    """The block's graph with its fused groups contracted, and those groups by name."""
    graph = BlockGraph(block)
    generics = {n: Generic.of(op) for n, op in enumerate(graph.ops) if op.operation.name == "linalg.generic"}
    for n in generics:
        own = graph.group[n]
        for other in graph.producers(own):
            if graph.nodes[other][0] in generics and _accepts(graph, generics, own, other):
                own = graph.merge(other, own)
    groups = {g: _group(graph, generics, nodes) for g, nodes in graph.nodes.items() if nodes[0] in generics}
    return graph, groups


def _accepts(graph: BlockGraph, generics: dict[int, Generic], a: int, b: int) -> bool:
    nodes = sorted(graph.nodes[a] + graph.nodes[b])
    cluster = unify([generics[n] for n in nodes])
    if cluster is None or family(cluster, graph.escaping(nodes)) is None:
        return False
    return not graph.would_cycle(a, b)


def _group(graph: BlockGraph, generics: dict[int, Generic], nodes: list[int]) -> Group:
    members = [generics[n] for n in nodes]
    cluster = unify(members)
    assert cluster is not None
    escaping = graph.escaping(nodes)
    return Group(members, escaping, family(cluster, escaping) or "nest")
