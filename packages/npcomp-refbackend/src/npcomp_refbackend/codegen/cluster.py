"""Several `linalg.generic` ops seen as one loop nest: whose loops are the same loop.

Two ops share a loop where a tensor that one writes and the other reads is indexed by it. That is a must: if it
would make two loops of one op the same, the ops cannot share a nest. Tensors that several ops read are a second,
optional source: they make softmax's and layer norm's passes run over the same `j`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .dispatch import REDUCTION, Index
from .structured import Generic


@dataclass(eq=False)
class Cluster:
    members: list[Generic]
    loops: list[tuple[int, ...]]  # class of each loop of each member
    sizes: dict[int, int | None]  # static extent of each class

    @cached_property
    def producers(self) -> dict[Any, tuple[int, int]]:
        """(member, result) behind each value that a member defines."""
        return _producers(self.members)

    def parallel(self, member: int) -> frozenset[int]:
        kinds = self.members[member].kinds
        return frozenset(c for c, kind in zip(self.loops[member], kinds) if kind != REDUCTION)

    def reduced(self, member: int) -> frozenset[int]:
        return frozenset(self.loops[member]) - self.parallel(member)

    def dependencies(self, member: int) -> set[int]:
        """Members whose results `member` reads."""
        generic = self.members[member]
        return {self.producers[v][0] for v in generic.inputs + generic.outs if v in self.producers}


def _producers(members: list[Generic]) -> dict[Any, tuple[int, int]]:
    return {r: (m, i) for m, g in enumerate(members) for i, r in enumerate(g.op.results)}


def unify(members: list[Generic]) -> Cluster | None:
    """The cluster of `members` (in program order), or None where they do not fit one nest."""
    classes = _Classes(members)
    producers = _producers(members)
    readers: dict[Any, tuple[int, tuple[Index, ...]]] = {}
    for m, generic in enumerate(members):
        for value, indices in zip(generic.inputs + generic.outs, generic.maps):
            if value in producers:
                p, result = producers[value]
                if not classes.join(p, members[p].out_maps[result], m, indices, required=True):
                    return None
        if not _captures_are_outside(generic, producers):
            return None
    for m, generic in enumerate(members):
        for value, indices in zip(generic.inputs, generic.in_maps):
            if value in producers:
                continue
            if value in readers:
                classes.join(*readers[value], m, indices, required=False)
            else:
                readers[value] = (m, indices)
    return classes.cluster()


def _captures_are_outside(generic: Generic, producers: dict[Any, tuple[int, int]]) -> bool:
    """A body may gather from a tensor at any position, so that tensor must be complete before the nest."""
    return not any(value in producers for value in generic.captured())


class _Classes:
    """Union-find over (member, loop) that never joins two loops of one member."""

    def __init__(self, members: list[Generic]):
        self.members = members
        self.parent = {(m, d): (m, d) for m, g in enumerate(members) for d in range(len(g.kinds))}

    def find(self, key: tuple[int, int]) -> tuple[int, int]:
        while self.parent[key] != key:
            key = self.parent[key]
        return key

    def join(self, p: int, left: tuple[Index, ...], m: int, right: tuple[Index, ...], required: bool) -> bool:
        """Join the loops that index the same tensor from two members, dimension by dimension."""
        if required and any(i.loop is None and not i.is_zero for i in right):
            return False
        pairs = [((p, a.loop), (m, b.loop)) for a, b in zip(left, right) if a.loop is not None and b.loop is not None]
        saved = dict(self.parent)
        for a, b in pairs:
            root, other = self.find(a), self.find(b)
            self.parent[max(root, other)] = min(root, other)
        if self._distinct():
            return True
        self.parent = saved
        return False

    def _distinct(self) -> bool:
        for m, generic in enumerate(self.members):
            roots = {self.find((m, d)) for d in range(len(generic.kinds))}
            if len(roots) != len(generic.kinds):
                return False
        return True

    def cluster(self) -> Cluster:
        numbers: dict[tuple[int, int], int] = {}
        loops = []
        for m, generic in enumerate(self.members):
            roots = [self.find((m, d)) for d in range(len(generic.kinds))]
            loops.append(tuple(numbers.setdefault(r, len(numbers)) for r in roots))
        sizes: dict[int, int | None] = dict.fromkeys(range(len(numbers)))
        for generic, classes in zip(self.members, loops):
            for c, size in zip(classes, generic.sizes):
                sizes[c] = size if size is not None else sizes[c]
        return Cluster(self.members, loops, sizes)
