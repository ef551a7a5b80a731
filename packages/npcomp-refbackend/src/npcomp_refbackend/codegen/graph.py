"""The ops of one block as a graph in which sets of ops can be contracted to one node.

Edges are values (those read in nested regions count for the op that holds the region) and order: a guard stands
before every computation that followed it, because what it checks may be what makes the computation legal; ops
with effects keep their order among themselves.
"""

from __future__ import annotations

from typing import Any

_EFFECTS = {
    "tcf.guard", "tcf.random_key", "torch.operator", "func.call", "torch.global_slot.set", "torch.global_slot.get",
}  # fmt: skip


class BlockGraph:
    """Nodes are positions in the block; `group[n]` names the set that node belongs to."""

    def __init__(self, block: Any):
        self.ops = list(block.operations)[:-1]
        self.terminator = list(block.operations)[-1]
        self.position = {r: n for n, op in enumerate(self.ops) for r in op.operation.results}
        self.inputs: list[set[int]] = []
        self._link()
        self.group = list(range(len(self.ops)))
        self.nodes = {n: [n] for n in self.group}

    def _link(self) -> None:
        effect: int | None = None
        for n, op in enumerate(self.ops):
            sources = {self.position[v] for v in values_used(op) if v in self.position}
            if effect is not None and (is_effect(op) or _is_computation(op)):
                sources.add(effect)
            self.inputs.append(sources)
            effect = n if is_effect(op) else effect
        self.outputs: list[set[int]] = [set() for _ in self.ops]
        for n, sources in enumerate(self.inputs):
            for source in sources:
                self.outputs[source].add(n)

    def producers(self, group: int) -> list[int]:
        """Groups that feed `group`, latest first."""
        found = {self.group[s] for n in self.nodes[group] for s in self.inputs[n]} - {group}
        return sorted(found, key=lambda g: -self.nodes[g][-1])

    def would_cycle(self, a: int, b: int) -> bool:
        """A path leaves the union of two groups and comes back."""
        union = {a, b}
        last = max(self.nodes[a][-1], self.nodes[b][-1])
        stack = [g for g in self._consumers(union) if g not in union]
        seen = set(stack)
        while stack:
            for g in self._consumers({stack.pop()}):
                if g in union:
                    return True
                if g not in seen and self.nodes[g][0] <= last:
                    seen.add(g)
                    stack.append(g)
        return False

    def _consumers(self, groups: set[int]) -> set[int]:
        found: set[int] = set()
        for g in groups:
            for n in self.nodes[g]:
                found.update(self.group[c] for c in self.outputs[n])
            found.discard(g)
        return found

    def merge(self, a: int, b: int) -> int:
        """Contract two groups; the result keeps the name `a`."""
        self.nodes[a] = sorted(self.nodes[a] + self.nodes.pop(b))
        for n in self.nodes[a]:
            self.group[n] = a
        return a

    def escaping(self, nodes: list[int]) -> set[int]:
        """Indices into `nodes` of those whose results are read outside."""
        inside = set(nodes)
        found = set()
        for i, n in enumerate(nodes):
            users = [u.owner for r in self.ops[n].operation.results for u in r.uses]
            if self.outputs[n] - inside or any(u.operation.name == self.terminator.operation.name for u in users):
                found.add(i)
        return found

    def schedule(self) -> list[list[int]]:
        """The groups in an order that respects every edge, close to the original one."""
        done: set[int] = set()
        order: list[list[int]] = []

        def visit(g: int) -> None:
            stack = [g]
            while stack:
                top = stack[-1]
                waiting = [p for p in reversed(self.producers(top)) if p not in done]
                if waiting:
                    stack.extend(waiting)
                    continue
                stack.pop()
                if top not in done:
                    done.add(top)
                    order.append(self.nodes[top])

        for g in sorted(self.nodes, key=lambda g: self.nodes[g][-1]):
            if g not in done:
                visit(g)
        return order


def _is_computation(op: Any) -> bool:
    return op.operation.name in ("linalg.generic", "refrt.dispatch") or op.operation.name.startswith("scf.")


def is_effect(op: Any) -> bool:
    if op.operation.name in _EFFECTS:
        return True
    return any(is_effect(o) for r in op.operation.regions for b in r.blocks for o in b.operations)


def values_used(op: Any) -> list[Any]:
    """Operands of the op and of everything nested in it."""
    found = list(op.operation.operands)
    for region in op.operation.regions:
        for block in region.blocks:
            for inner in block.operations:
                found.extend(values_used(inner))
    return found
