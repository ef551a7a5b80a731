"""Values of a nest at one place: evaluated on demand, loaded and stored, kept between passes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith, vector

from .axes import Axis, Walk
from .body import inline
from .dispatch import Access, Dispatch, Index, Local, Operand, Stage
from .extremes import extreme_in_body
from .kernel import KernelBuilder
from .passes import Kept, Passes, needs

Int = Any  # int | ir.Value of type i64
_FEW = 4  # elements apart that are still loaded as vectors


@dataclass
class Scope:
    """A place in the nest: positions of the axes that are bound here, and values known here.

    Along `vector` a value has one lane for each of the next `lanes` positions; `mask` says which of them exist.
    """

    parent: Scope | None = None
    positions: dict[Axis, Int] = field(default_factory=dict)
    values: dict[Any, ir.Value] = field(default_factory=dict)
    vector: Axis | None = None
    lanes: int = 1
    mask: ir.Value | None = None

    def position(self, axis: Axis) -> Int | None:
        if axis in self.positions:
            return self.positions[axis]
        return self.parent.position(axis) if self.parent else None

    def known(self, key: Any) -> Any:
        if key in self.values:
            return self.values[key]
        return self.parent.known(key) if self.parent else None

    def inner(self, positions: dict[Axis, Int]) -> Scope:
        return Scope(self, positions, {}, self.vector, self.lanes, self.mask)

    def along(self, axis: Axis, position: Int, lanes: int, mask: ir.Value | None) -> Scope:
        """A vector of positions of `axis`."""
        return Scope(self, {axis: position}, {}, axis, lanes, mask)


class Elements:
    """Reads, computes and writes the elements of a dispatch, one vector or scalar at a time."""

    def __init__(self, kb: KernelBuilder, dispatch: Dispatch, walk: Walk, plan: Passes):
        self.kb, self.dispatch, self.walk, self.plan = kb, dispatch, walk, plan
        self.operands = [kb.operand(o.index, o.dtype, o.rank, o.sizes, o.strides, o.dense) for o in dispatch.operands]
        self.stored: set[int] = set()  # kept stages whose pass has run
        self.scratch: dict[int, Any] = {}

    def prefetch(self, scopes: list[Scope], roots: list[int]) -> None:
        """Evaluate here what the pass needs and what no loop still to open can change."""
        for scope in scopes:
            bound = self._bound(scope)
            for s in sorted({*needs(self.dispatch, roots, self.stored), *roots}):
                stage = self.dispatch.stages[s]
                if set(stage.loops) <= bound and not stage.reduced and self._ready(stage, scope):
                    self.value(Local(s, 0), scope)
                    continue
                for read in stage.reads:
                    loops = {l for i in read.indices for l, _ in i.terms}
                    if isinstance(read.source, Operand) and loops <= bound and s not in self.stored:
                        self._read(read, scope)

    def _ready(self, stage: Stage, scope: Scope) -> bool:
        """All reductions that the stage needs have run."""
        wanted = [stage.position, *needs(self.dispatch, [stage.position])]
        sources = [a.source for s in wanted for a in self.dispatch.stages[s].reads]
        reduced = [s for s in sources if isinstance(s, Local) and self.dispatch.stages[s.stage].reduced]
        return all(scope.known((s.stage, s.result)) is not None for s in reduced)

    def _bound(self, scope: Scope) -> set[int]:
        found: set[int] = set()
        place: Scope | None = scope
        while place is not None:
            found.update(l for axis in place.positions for l in axis)
            place = place.parent
        return found

    def value(self, local: Local, scope: Scope) -> ir.Value:
        key = (local.stage, local.result)
        known = scope.known(key)
        if known is not None:
            return known
        stage = self.dispatch.stages[local.stage]
        if local.stage in self.stored:
            value = self._reload(local.stage, scope)
            scope.values[key] = value
            return value
        assert not stage.reduced, "a reduction's result is known once its pass has run"
        for n, value in enumerate(self.compute(stage, scope, self.inits(stage, scope))):
            scope.values[local.stage, n] = value
        return scope.values[key]

    def inits(self, stage: Stage, scope: Scope) -> list[ir.Value]:
        return [self._init(w, stage, scope) for w in stage.writes]

    def _init(self, write: Any, stage: Stage, scope: Scope) -> ir.Value:
        lanes = self._lanes_of(write.indices, scope)
        if write.init is None:
            return self.kb.const(0, write.dtype, lanes if stage.reduced else 1)
        if isinstance(write.init, Access):
            return self.kb.broadcast(self._read(write.init, scope), lanes)
        return self.kb.broadcast(self.resolve(write.init), lanes)

    def _read(self, access: Access, scope: Scope) -> ir.Value:
        if access.source is None:
            raise ValueError("a body reads an operand that only shapes its loops")
        if isinstance(access.source, Local):
            return self.value(access.source, scope)
        key = (access.source.index, access.indices)
        known = scope.known(key)
        if known is None:
            known = scope.values[key] = self._load(self.operands[access.source.index], access.indices, scope)
        return known

    def compute(self, stage: Stage, scope: Scope, accumulators: list[ir.Value]) -> list[ir.Value]:
        arguments = list(stage.body.arguments)
        values = []
        for read, argument in zip(stage.reads, arguments):
            used = any(True for _ in argument.uses)
            values.append(self._read(read, scope) if used else self.kb.const(0, self.kb.dtype(argument)))
        lanes = self._lanes_at(set(stage.loops), scope)
        handlers = {
            "linalg.index": lambda op, _: self._index(stage, op, scope),
            "tensor.extract": lambda op, indices: self._extract(op, indices, scope),
            "arith.divf": lambda op, operands: self._divide(stage, op, *operands),
            "arith.maximumf": lambda op, operands: extreme_in_body(self.kb, op, *operands),
            "arith.minimumf": lambda op, operands: extreme_in_body(self.kb, op, *operands),
        }
        return inline(self.kb, stage.body, [*values, *accumulators], lanes, self.resolve, handlers)

    def _divide(self, stage: Stage, op: Any, a: ir.Value, b: ir.Value) -> ir.Value:
        """A row over a number that was reduced from it is multiplied by the reciprocal, computed once a row."""
        kb = self.kb
        lanes = max(kb.lanes(a), kb.lanes(b))
        if kb.lanes(b) == 1 and lanes > 1 and kb.dtype(b) == "f32" and self._is_reduced(stage, op.operands[1]):
            inverse = arith.DivFOp(kb.const(1.0, "f32"), b).result
            return arith.MulFOp(a, kb.broadcast(inverse, lanes)).result
        return arith.DivFOp(kb.broadcast(a, lanes), kb.broadcast(b, lanes)).result

    def _is_reduced(self, stage: Stage, value: Any) -> bool:
        """A body's argument that comes from a reduction of this dispatch."""
        arguments = list(stage.body.arguments)[: len(stage.reads)]
        if value not in arguments:
            return False
        source = stage.reads[arguments.index(value)].source
        if not isinstance(source, Local):
            return False
        return any(self.dispatch.stages[s].reduced for s in [source.stage, *self._sources(source.stage)])

    def _sources(self, stage: int) -> set[int]:
        return self.dispatch.cluster.dependencies(stage)

    def resolve(self, value: ir.Value) -> ir.Value:
        slot = self.dispatch.scalar_slot(value)
        if slot is not None:
            return self.kb.scalar(slot, self.kb.dtype(value))
        op = value.owner.operation
        attribute = op.attributes["value"]
        return self.kb.const(attribute.value, self.kb.dtype(value))

    # -- memory ------------------------------------------------------------------------------------------------

    def _lanes_at(self, loops: set[int], scope: Scope) -> int:
        return scope.lanes if scope.vector is not None and scope.vector[0] in loops else 1

    def _lanes_of(self, indices: tuple[Index, ...], scope: Scope) -> int:
        return self._lanes_at({l for i in indices for l, _ in i.terms}, scope)

    def _place(self, operand: Any, indices: tuple[Index, ...], scope: Scope) -> tuple[Int, Int]:
        """Element offset of the first lane, and the distance between lanes (0: the same element)."""
        kb, step = self.kb, 0
        offset: Int = 0
        seen: set[Axis] = set()
        for dim, index in reversed(list(enumerate(indices))):
            if index.constant:
                offset = kb.add(offset, kb.mul(operand.stride(dim), index.constant))
            for loop, coefficient in index.terms:
                axis = self.walk.axis_of(loop)
                if axis in seen and len(axis) > 1:
                    continue
                seen.add(axis)
                stride = kb.mul(operand.stride(dim), coefficient)
                offset = kb.add(offset, kb.mul(scope.position(axis), stride))
                if axis == scope.vector:
                    step = kb.add(step, stride)
        return offset, step

    def _load(self, operand: Any, indices: tuple[Index, ...], scope: Scope) -> ir.Value:
        offset, step = self._place(operand, indices, scope)
        lanes = self._lanes_of(indices, scope)
        mask = scope.mask if lanes > 1 else None
        if mask is None and lanes > 1 and isinstance(step, int) and 2 <= step <= _FEW:
            return self._load_spread(operand, offset, lanes, step)
        return self.kb.load(operand, offset, lanes, mask, step if lanes > 1 else 1)

    def _load_spread(self, operand: Any, offset: Int, lanes: int, step: int) -> ir.Value:
        """Every `step`-th element out of whole vectors. The last vector stops at the last element wanted."""
        kb = self.kb
        stop = kb.tail_mask(lanes - step + 1, lanes)
        parts = [
            kb.load(operand, kb.add(offset, k * lanes), lanes, stop if k == step - 1 else None) for k in range(step)
        ]
        value = parts[0]
        picks = [i * step for i in range(lanes)]
        for k, part in enumerate(parts[1:], start=1):
            order = [_pick(p, k, i, lanes) for i, p in enumerate(picks)]
            value = vector.ShuffleOp(value, part, order).result
        return value

    def store_results(self, stage: Stage, values: list[ir.Value], scope: Scope) -> None:
        """Store those results of a stage that escape."""
        for write, value in zip(stage.writes, values):
            if write.operand is not None:
                self.store(value, self.operands[write.operand.index], write.indices, scope)

    def store(self, value: ir.Value, operand: Any, indices: tuple[Index, ...], scope: Scope) -> None:
        offset, step = self._place(operand, indices, scope)
        lanes = self._lanes_of(indices, scope)
        mask = scope.mask if lanes > 1 else None
        self.kb.store(self.kb.broadcast(value, lanes), operand, offset, mask, step if lanes > 1 else 1)

    def _index(self, stage: Stage, op: Any, scope: Scope) -> ir.Value:
        """The position of a loop: lanes count along the vector axis."""
        kb = self.kb
        loop = stage.dims[op.attributes["dim"].value]
        if loop is None:
            return kb.const(0)
        axis = self.walk.axis_of(loop)
        position = kb.value(scope.position(axis))
        if axis != scope.vector or scope.lanes == 1:
            return position
        key = ("ramp", axis)
        if key not in scope.values:
            ramp = arith.AddIOp(kb.broadcast(position, scope.lanes), kb.iota(scope.lanes))
            scope.values[key] = ramp.result
        return scope.values[key]

    def _extract(self, op: Any, indices: list[ir.Value], scope: Scope) -> ir.Value:
        """Gather from a tensor that the body captures; neighbours are loaded as one vector."""
        kb = self.kb
        source = self.dispatch.operand_of(op.operands[0])
        assert source is not None
        operand = self.operands[source.index]
        lanes, mask = scope.lanes, scope.mask
        ramp = scope.known(("ramp", scope.vector))
        if lanes == 1 or all(kb.lanes(i) == 1 for i in indices):
            return kb.load(operand, operand.offset(*indices))
        assert scope.vector is not None
        along = ramp is not None and indices[-1] == ramp and operand.stride(-1) == 1
        if along and all(kb.lanes(i) == 1 for i in indices[:-1]):
            start = operand.offset(*indices[:-1], scope.position(scope.vector))
            return kb.load(operand, start, lanes, mask)
        offsets = kb.const(0, "i64", lanes)
        for dim, index in enumerate(indices):
            stride = kb.broadcast(kb.value(operand.stride(dim)), lanes)
            scaled = arith.MulIOp(kb.broadcast(index, lanes), stride).result
            offsets = arith.AddIOp(offsets, scaled).result
        return kb.gather(operand, offsets, mask)

    def _kept_place(self, s: int, scope: Scope) -> tuple[Any, tuple[Index, ...] | None]:
        kept: Kept = self.plan.kept[s]
        if kept.operand is not None:
            write = next(w for t in self.dispatch.stages for w in t.writes if w.operand is kept.operand)
            return self.operands[kept.operand.index], write.indices
        if s not in self.scratch:
            self.scratch[s] = self.kb.stack(self.dispatch.stages[s].writes[0].dtype, kept.count)
        return self.scratch[s], None

    def _scratch_offset(self, s: int, scope: Scope) -> Int:
        offset: Int = 0
        for axis in self.walk.inner:
            if axis[0] in self.dispatch.stages[s].loops:
                offset = self.kb.add(self.kb.mul(offset, self.extent(axis)), scope.position(axis))
        return offset

    def keep(self, s: int, value: ir.Value, scope: Scope) -> None:
        buffer, indices = self._kept_place(s, scope)
        if indices is not None:
            self.store(value, buffer, indices, scope)
            return
        lanes = self.kb.lanes(value)
        self.kb.store(value, buffer, self._scratch_offset(s, scope), scope.mask if lanes > 1 else None)

    def _reload(self, s: int, scope: Scope) -> ir.Value:
        buffer, indices = self._kept_place(s, scope)
        if indices is not None:
            return self._load(buffer, indices, scope)
        lanes = self._lanes_at(set(self.dispatch.stages[s].loops), scope)
        return self.kb.load(buffer, self._scratch_offset(s, scope), lanes, scope.mask if lanes > 1 else None)

    def extent(self, axis: Axis) -> Int:
        sizes: list[Int] = []
        for loop in axis:
            source = self.dispatch.loops[loop]
            known = source.size
            sizes.append(known if known is not None else self.operands[source.operand].size(source.dim))
        return self.kb.product(sizes)


def _pick(place: int, k: int, lane: int, lanes: int) -> int:
    """Where lane `lane` of the shuffle that adds vector `k` comes from: element `place` of vectors 0 … k."""
    if place // lanes == k:
        return lanes + place % lanes
    return place if k == 1 and place < lanes else lane
