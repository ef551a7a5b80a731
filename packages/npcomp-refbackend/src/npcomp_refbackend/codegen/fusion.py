"""Greedy fusion in one block: every compute op joins the groups of its producers while a kernel can run them.

Consumers join producers in program order: a contraction or convolution first, then the latest producer. So a
contraction collects its epilogue, a softmax its passes, a chain of pointwise ops becomes one group; what several
groups need is stored once by the group that computes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .cluster import unify
from .graph import BlockGraph
from .legality import family, root_family
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
    roots = {n for n, generic in generics.items() if root_family(generic)}
    for n in generics:
        own = graph.group[n]
        rooted = {g for g in graph.producers(own) if any(m in roots for m in graph.nodes[g])}
        for other in sorted(graph.producers(own), key=lambda g: g not in rooted):
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
