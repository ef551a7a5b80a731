"""Where results go: `tensor.insert_slice` becomes a write into a view of its destination.

    %w = refrt.dispatch outs(%e)                        %v = tensor.extract_slice %d[…]
    %r = tensor.insert_slice %w into %d[…]       →      %w = refrt.dispatch outs(%v)
                                                        %r = tensor.insert_slice %w into %d[…] {in_place}

An `in_place` insert moves nothing: its source already lies there. So a concat allocates its result first and every
part is computed into its place, and a padded tensor gets its interior from its producer. What does not come from a
dispatch of the same block, or is needed elsewhere too, is copied into the view.

The destination must be ours to write. A fresh one (`tensor.empty`, or a result that only the insert reads) is; any
other is made so at run time (`unique`: copied unless this is its only reference), which keeps a loop that fills a
tensor slice by slice from copying it every time.

Other dispatches may read a placed result too (a residual connection reads what a convolution reads padded): they read
the view.
"""

from __future__ import annotations

from typing import Any

from npcomp_dialects.mlir import ir

from .build import copy, region_of
from .fusion import Group
from .materialize import materialize
from .structured import Generic


def place_results(block: Any) -> None:
    inserts = [op.operation for op in block.operations if op.operation.name == "tensor.insert_slice"]
    for op in inserts:
        _own_empty(op)
    for op in inserts:
        _Insert(block, op).rewrite()


def _own_empty(op: Any) -> None:
    """Two concats may share a `tensor.empty` of their shape: give each its own."""
    target = op.operands[1]
    if not isinstance(target.owner, ir.Block) and target.owner.operation.name == "tensor.empty":
        with ir.InsertionPoint(op):
            op.operands[1] = target.owner.operation.clone().results[0]


class _Insert:
    def __init__(self, block: Any, op: Any):
        self.block, self.op = block, op
        self.source, self.target = op.operands[0], op.operands[1]
        self.order = {r: n for n, o in enumerate(block.operations) for r in o.operation.results}

    def rewrite(self) -> None:
        root = self._fresh_root()
        producer = self._producer()
        if producer is not None and not self._prepare(root, producer):
            producer = None
        with ir.InsertionPoint(producer or self.op), self.op.location:
            view = region_of(self.op)
            view.attributes["placed"] = ir.UnitAttr.get()
            if root is None:
                view.attributes["unique"] = self.op.attributes["unique"] = ir.UnitAttr.get()
            else:
                view.operands[0] = root
        if producer is None:
            producer = self._copy(view)
        number = _out_number(producer, self.op.operands[0])
        producer.operands[number] = view.results[0]
        self.op.attributes["in_place"] = ir.UnitAttr.get()

    def _copy(self, view: Any) -> Any:
        """A dispatch that copies the source into the view."""
        with ir.InsertionPoint(self.op), self.op.location:
            moved = copy(self.source, view.results[0])
            self.op.operands[0] = moved.results[0]
            return materialize(Group([Generic.of(moved)], {0}, "nest"), self.op)

    def _producer(self) -> Any:
        """The dispatch of this block that computes the source, if all who read it can read a view."""
        if isinstance(self.source.owner, ir.Block):
            return None
        op = self.source.owner.operation
        if op.name != "refrt.dispatch" or op.results[0] not in self.order:
            return None
        users = [u.owner.operation for u in self.source.uses]
        others = [u for u in users if u != self.op]
        if any(u.name != "refrt.dispatch" or u.results[0] not in self.order for u in others):
            return None
        if others and any(not _are_disjoint(self.op, later) for later in _later_inserts(self.op)):
            return None
        out = op.operands[_out_number(op, self.source)]
        return op if not isinstance(out.owner, ir.Block) and out.owner.operation.name == "tensor.empty" else None

    def _fresh_root(self) -> Any:
        """The value whose memory the chain of inserts fills, if nothing else can see it."""
        value = self.target
        while True:
            if isinstance(value.owner, ir.Block):
                return None
            op = value.owner.operation
            if op.results[0] not in self.order:
                return None
            if op.name == "tensor.empty":
                return value if self._only_views(value) else None
            if op.name == "tensor.cast" and len(list(value.uses)) == 1:
                value = op.operands[0]
            elif op.name == "tensor.insert_slice" and "in_place" in op.attributes and len(list(value.uses)) == 1:
                if "unique" in op.attributes:
                    return None
                value = op.operands[1]
            elif op.name == "refrt.dispatch" and self._only_views(value):
                return value
            else:
                return None

    def _only_views(self, value: Any) -> bool:
        """One insert chain, and views that place other parts of it."""
        users = [u for u in value.uses if "placed" not in u.owner.operation.attributes]
        if len(users) != 1:
            return False
        op = users[0].owner.operation
        return op.name == "tensor.cast" or (op.name == "tensor.insert_slice" and users[0].operand_number == 1)

    def _prepare(self, root: Any, producer: Any) -> bool:
        """Make the view's operands available before `producer`, and all that the chain wrote before it, unless that
        lies elsewhere. False where it cannot be."""
        places = list(self.op.operands)[2:]
        if self._move_before([*places, self.target], producer):
            return True
        apart = all(_are_disjoint(insert, self.op) for insert in _earlier_inserts(self.op))
        return root is not None and apart and self._move_before([*places, root], producer)

    def _move_before(self, wanted: list[Any], producer: Any) -> bool:
        late: list[Any] = []
        if not all(self._collect(value, producer, late) for value in wanted):
            return False
        for op in sorted({o.results[0]: o for o in late}.values(), key=lambda o: self.order[o.results[0]]):
            op.move_before(producer)
        return True

    def _collect(self, value: Any, producer: Any, late: list[Any]) -> bool:
        """Ops to move so that `value` is there before `producer`; False where one of them needs the producer."""
        if isinstance(value.owner, ir.Block):
            return True
        op = value.owner.operation
        if op.results[0] not in self.order or self.order[op.results[0]] < self.order[producer.results[0]]:
            return True
        if op == producer or not _is_movable(op):
            return False
        late.append(op)
        return all(self._collect(o, producer, late) for o in op.operands)


def _earlier_inserts(op: Any) -> list[Any]:
    """The inserts that made the tensor which `op` inserts into, latest first."""
    found = []
    while not isinstance(op.operands[1].owner, ir.Block):
        op = op.operands[1].owner.operation
        if op.name != "tensor.insert_slice":
            break
        found.append(op)
    return found


def _later_inserts(op: Any) -> list[Any]:
    found: list[Any] = []
    while True:
        users = [u.owner.operation for u in op.results[0].uses if u.operand_number == 1]
        op = next((u for u in users if u.name == "tensor.insert_slice"), None)
        if op is None:
            return found
        found.append(op)


def _are_disjoint(a: Any, b: Any) -> bool:
    """Some dimension keeps the two regions apart, as far as static offsets and sizes tell."""
    spans = []
    for op in (a, b):
        offsets, sizes, steps = (list(op.attributes[f"static_{n}"]) for n in ("offsets", "sizes", "strides"))
        spans.append(
            [(o, o + (s - 1) * k) if o >= 0 <= s and k > 0 else None for o, s, k in zip(offsets, sizes, steps)]
        )
    return any(p and q and (p[1] < q[0] or q[1] < p[0]) for p, q in zip(*spans))


def _out_number(dispatch: Any, result: Any) -> int:
    """Position of the out operand of a result."""
    return len(dispatch.operands) - len(dispatch.results) + list(dispatch.results).index(result)


def _is_movable(op: Any) -> bool:
    """Pure, and never a failing guard's business: scalar arithmetic, shapes, a fill and where it goes."""
    if op.name == "refrt.dispatch":
        return not any(isinstance(o.type, ir.RankedTensorType) for o in list(op.operands)[: -len(op.results)])
    if op.name in ("tensor.extract_slice", "tensor.insert_slice"):
        return "placed" in op.attributes or "in_place" in op.attributes
    return op.name.startswith("arith.") or op.name in ("tensor.empty", "tensor.dim", "tensor.cast")
