"""The nest family: pointwise ops and reductions over one grid of loops.

    for each point of the grid                 (begin … end; one or many vectors of points where the grid is vectorised)
      for each pass
        for each point of the pass's inner loops     (vectors of points, a masked tail)
          evaluate what the pass stores and reduces

Values are computed on demand where they are first needed, and once per scope: what does not depend on an inner loop
is computed before that loop opens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from npcomp_dialects.mlir import ir

from . import reduction
from .axes import Axis, Walk, extent_is_static, plan_walk
from .body import inline
from .dispatch import Access, Dispatch, Index, Local, Operand, Schedule, Stage
from .kernel import KernelBuilder
from .passes import Kept, Pass, Passes, cost, needs, plan_passes
from .target import BYTES, Target

Int = Any  # int | ir.Value of type i64


@dataclass
class Scope:
    """A place in the nest: positions of the axes that are bound here, and values known here."""

    parent: Scope | None = None
    positions: dict[Axis, Int] = field(default_factory=dict)
    values: dict[Any, ir.Value] = field(default_factory=dict)
    mask: ir.Value | None = None

    def position(self, axis: Axis) -> Int | None:
        if axis in self.positions:
            return self.positions[axis]
        return self.parent.position(axis) if self.parent else None

    def known(self, key: Any) -> Any:
        if key in self.values:
            return self.values[key]
        return self.parent.known(key) if self.parent else None

    @property
    def lane_mask(self) -> ir.Value | None:
        if self.mask is not None:
            return self.mask
        return self.parent.lane_mask if self.parent else None

    def inner(self, positions: dict[Axis, Int], mask: ir.Value | None = None) -> Scope:
        return Scope(self, positions, {}, mask)


def emit(kb: KernelBuilder, dispatch: Dispatch, target: Target) -> Schedule:
    return _Nest(kb, dispatch, target).run()


class _Nest:
    def __init__(self, kb: KernelBuilder, dispatch: Dispatch, target: Target):
        self.kb, self.dispatch = kb, dispatch
        self.walk: Walk = plan_walk(dispatch)
        self.plan: Passes = plan_passes(dispatch, self.walk)
        self.operands = [kb.operand(o.index, o.dtype, o.rank, o.sizes, o.strides, o.dense) for o in dispatch.operands]
        self.stored: set[int] = set()  # kept stages whose pass has run
        self.scratch: dict[int, Any] = {}
        self.lanes = self._choose_lanes(target)
        self.unroll = self._choose_unroll()

    # -- choices -----------------------------------------------------------------------------------------------

    def _choose_lanes(self, target: Target) -> int:
        if self.walk.vector is None:
            return 1
        widths: list[int] = []
        for stage in self.dispatch.stages:
            for op in stage.body.operations:
                widths.extend(_width(str(r.type)) for r in op.operation.results)
            widths.extend(_width(w.dtype) for w in stage.writes)
            widths.extend(_width(a.source.dtype) for a in stage.reads if isinstance(a.source, Operand))
        known = [w for w in widths if w]
        width = max(set(known), key=lambda w: (known.count(w), w)) if known else 1
        lanes = target.vector_bytes // width
        size = extent_is_static(self.dispatch, self.walk.vector)
        while size is not None and lanes // 2 >= max(size, 1):
            lanes //= 2
        return lanes

    def _choose_unroll(self) -> int:
        size = None if self.walk.vector is None else extent_is_static(self.dispatch, self.walk.vector)
        heavy = sum(cost(self.dispatch, r) for p in self.plan.passes for r in p.roots)
        unroll = 4 if heavy < 24 else 2 if heavy < 60 else 1
        if any(s.reduced for s in self.dispatch.stages) and not self.walk.vector_in_grid:
            unroll = max(unroll, 2) if heavy >= 60 else 4
        while size is not None and unroll > 1 and unroll * self.lanes > size:
            unroll //= 2
        return unroll

    # -- the grid ----------------------------------------------------------------------------------------------

    def run(self) -> Schedule:
        outer = [a for a in self.walk.grid if a != self.walk.vector]
        vector = self.walk.vector if self.walk.vector_in_grid else None
        root = Scope()
        self._prefetch([root], self._all_roots())
        if vector is not None and not outer:
            self._vectors(vector, self.kb.begin, self.kb.end, root, self._grid_point)
            units: tuple[tuple[Axis, int], ...] = ((vector, 1),)
        else:
            self._each_unit(outer, root, lambda scope: self._unit(vector, scope))
            units = tuple((a, 1) for a in outer)
        family = "row" if vector is None and self.walk.inner else "column" if self.walk.inner else "pointwise"
        parameters = {"lanes": self.lanes, "unroll": self.unroll, "passes": len(self.plan.passes)}
        return Schedule(family, units, self._grain(vector is not None and not outer), parameters)

    def _grain(self, by_element: bool) -> int:
        heavy = max(1, sum(cost(self.dispatch, r) for p in self.plan.passes for r in p.roots))
        work = 1 << 18
        per_unit = heavy
        if not by_element:
            axes = self.walk.inner + ([self.walk.vector] if self.walk.vector_in_grid and self.walk.vector else [])
            for axis in axes:
                per_unit *= extent_is_static(self.dispatch, axis) or 256
        return max(1, work // per_unit)

    def _each_unit(self, axes: list[Axis], root: Scope, body: Callable[[Scope], None]) -> None:
        """Loop over units begin … end of the outer grid axes, counting their coordinates along."""
        kb = self.kb
        if len(axes) < 2:
            kb.loop(kb.begin, kb.end, lambda u: body(root.inner({a: u for a in axes})))
            return
        extents = [kb.max(self._extent(a), 1) for a in axes]
        start = [kb.value(c) for c in kb.delinearize(kb.begin, extents)]

        def step(_: ir.Value, *coordinates: ir.Value) -> list[ir.Value]:
            body(root.inner(dict(zip(axes, coordinates))))
            return self._advance(list(coordinates), extents)

        kb.loop(kb.begin, kb.end, step, carried=start)

    def _advance(self, coordinates: list[ir.Value], extents: list[Int]) -> list[ir.Value]:
        kb = self.kb
        following: list[ir.Value] = []
        carry: Int = 1
        for n in reversed(range(len(coordinates))):
            moved = kb.add(coordinates[n], carry)
            if n == 0:
                following.insert(0, moved)
                break
            full = kb.compare("sge", moved, extents[n])
            following.insert(0, kb.select(full, kb.const(0), moved))
            carry = kb.select(full, kb.const(1), kb.const(0))
        return following

    def _unit(self, vector: Axis | None, scope: Scope) -> None:
        if vector is None:
            self._grid_point([scope])
            return
        self._prefetch([scope], self._all_roots())
        self._vectors(vector, 0, self._extent(vector), scope, self._grid_point)

    def _vectors(self, axis: Axis, low: Int, high: Int, scope: Scope, body: Callable[[list[Scope]], None]) -> None:
        """Run `body` on blocks of `unroll` vectors along `axis`, then on single masked vectors."""
        self._strip(axis, low, high, scope, lambda scopes, carried: (body(scopes), carried)[1], [])

    def _strip(
        self,
        axis: Axis,
        low: Int,
        high: Int,
        scope: Scope,
        body: Callable[[list[Scope], list[list[ir.Value]]], list[list[ir.Value]]],
        carried: list[list[ir.Value]],
    ) -> list[list[ir.Value]]:
        """Main loop of `unroll` vectors and a masked tail; `carried` holds one list of values a copy."""
        kb, lanes = self.kb, self.lanes
        width = len(carried[0]) if carried else 0

        def run(count: int, masked: bool) -> Callable[..., list[ir.Value]]:
            def step(i: ir.Value, *values: ir.Value) -> list[ir.Value]:
                mask = kb.tail_mask(kb.sub(high, i), lanes) if masked else None
                scopes = [scope.inner({axis: kb.add(i, u * lanes)}, mask) for u in range(count)]
                state = [list(values[c * width : (c + 1) * width]) for c in range(len(carried))]
                after = body(scopes, state[:count]) + state[count:]
                return [v for copy in after for v in copy]

            return step

        block = lanes * self.unroll
        length = kb.sub(high, low)
        flat = [v for copy in carried for v in copy]
        whole = kb.add(low, kb.mul(kb.div(length, block), block))
        if not (isinstance(length, int) and length < block):
            flat = kb.loop(low, whole, run(self.unroll, False), step=block, carried=flat)
        if not isinstance(length, int) or length % block:
            masked = lanes > 1 and not (isinstance(length, int) and length % lanes == 0)
            flat = kb.loop(whole, high, run(1, masked), step=lanes, carried=flat)
        return [list(flat[c * width : (c + 1) * width]) for c in range(len(carried))]

    # -- passes ------------------------------------------------------------------------------------------------

    def _grid_point(self, scopes: list[Scope]) -> None:
        self.stored.clear()
        for one in self.plan.passes:
            self._prefetch(scopes, one.roots)
            self._run_pass(one, scopes)
            self.stored.update(one.keeps)

    def _run_pass(self, one: Pass, scopes: list[Scope]) -> None:
        reductions = [self.dispatch.stages[r] for r in one.roots if self.dispatch.stages[r].reduced]
        row = not self.walk.vector_in_grid and bool(one.axes)
        kinds = {s.position: reduction.kind_of(s) for s in reductions}
        vectorised = row and self.lanes > 1 and all(kinds.values())
        copies = self.unroll if vectorised else len(scopes)
        inits = {s.position: [self._inits(s, scope) for scope in scopes] for s in reductions}
        carried = []
        for c in range(copies):
            values: list[ir.Value] = []
            for s in reductions:
                start = inits[s.position][0 if vectorised else c]
                kind = kinds[s.position]
                values += kind.start(self.kb, s, start, self.lanes) if vectorised and kind else start
            carried.append(values)
        results = self._loops(list(one.axes), scopes, one, carried, vectorised)
        offset = 0
        for s in reductions:
            width = len(s.writes)
            parts = [copy[offset : offset + width] for copy in results]
            kind = kinds[s.position]
            if vectorised and kind:
                parts = [kind.finish(self.kb, s, parts, inits[s.position][0], self._resolve)]
            for scope, values in zip(scopes, parts):
                self._define(s, values, scope)
            offset += width

    def _define(self, stage: Stage, values: list[ir.Value], scope: Scope) -> None:
        for n, (write, value) in enumerate(zip(stage.writes, values)):
            scope.values[stage.position, n] = value
            if write.operand is not None:
                self._store(value, self.operands[write.operand.index], write.indices, scope)

    def _loops(
        self, axes: list[Axis], scopes: list[Scope], one: Pass, carried: list[list[ir.Value]], vectorised: bool
    ) -> list[list[ir.Value]]:
        """Open the loops of `axes` outside in and run the pass's work inside."""
        if not axes:
            return [self._work(one, scope, values) for scope, values in zip(scopes, carried)]
        axis, rest = axes[0], axes[1:]
        self._prefetch(scopes, one.roots)
        if not rest and vectorised:
            return self._strip(axis, 0, self._extent(axis), scopes[0], lambda s, c: self._loops([], s, one, c, True), carried)
        width = len(carried[0])

        def step(i: ir.Value, *values: ir.Value) -> list[ir.Value]:
            state = [list(values[c * width : (c + 1) * width]) for c in range(len(carried))]
            inside = [scope.inner({axis: i}) for scope in scopes]
            return [v for copy in self._loops(rest, inside, one, state, vectorised) for v in copy]

        flat = self.kb.loop(0, self._extent(axis), step, carried=[v for copy in carried for v in copy])
        return [list(flat[c * width : (c + 1) * width]) for c in range(len(carried))]

    def _work(self, one: Pass, scope: Scope, carried: list[ir.Value]) -> list[ir.Value]:
        """One vector of one pass: new accumulators, stores, kept values."""
        after: list[ir.Value] = []
        for r in one.roots:
            stage = self.dispatch.stages[r]
            if not stage.reduced:
                continue
            old = carried[len(after) : len(after) + len(stage.writes)]
            new = self._body(stage, scope, old)
            mask = scope.lane_mask
            if mask is not None and not self.walk.vector_in_grid:
                new = [self.kb.select(mask, a, b) for a, b in zip(new, old)]
            after += new
        for s in one.keeps:
            if not any(w.operand for w in self.dispatch.stages[s].writes):
                self._keep(s, self._value(Local(s, 0), scope), scope)
        for r in one.roots:
            stage = self.dispatch.stages[r]
            if not stage.reduced:
                values = [self._value(Local(r, n), scope) for n in range(len(stage.writes))]
                for write, value in zip(stage.writes, values):
                    if write.operand is not None:
                        self._store(value, self.operands[write.operand.index], write.indices, scope)
        return after

    # -- values ------------------------------------------------------------------------------------------------

    def _all_roots(self) -> list[int]:
        return [r for p in self.plan.passes for r in p.roots]

    def _prefetch(self, scopes: list[Scope], roots: list[int]) -> None:
        """Evaluate here what the pass needs and what no loop still to open can change."""
        for scope in scopes:
            bound = self._bound(scope)
            for s in sorted({*needs(self.dispatch, roots, self.stored), *roots}):
                stage = self.dispatch.stages[s]
                if set(stage.loops) <= bound and not stage.reduced and self._ready(stage, scope):
                    self._value(Local(s, 0), scope)
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

    def _value(self, local: Local, scope: Scope) -> ir.Value:
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
        for n, value in enumerate(self._body(stage, scope, self._inits(stage, scope))):
            scope.values[local.stage, n] = value
        return scope.values[key]

    def _inits(self, stage: Stage, scope: Scope) -> list[ir.Value]:
        return [self._init(w, stage, scope) for w in stage.writes]

    def _init(self, write: Any, stage: Stage, scope: Scope) -> ir.Value:
        lanes = self._lanes_of(write.indices, scope)
        if write.init is None:
            return self.kb.const(0, write.dtype, lanes if stage.reduced else 1)
        if isinstance(write.init, Access):
            return self.kb.broadcast(self._read(write.init, scope), lanes)
        return self.kb.broadcast(self._resolve(write.init), lanes)

    def _read(self, access: Access, scope: Scope) -> ir.Value:
        if access.source is None:
            raise ValueError("a body reads an operand that only shapes its loops")
        if isinstance(access.source, Local):
            return self._value(access.source, scope)
        key = (access.source.index, access.indices)
        known = scope.known(key)
        if known is None:
            known = scope.values[key] = self._load(self.operands[access.source.index], access.indices, scope)
        return known

    def _body(self, stage: Stage, scope: Scope, accumulators: list[ir.Value]) -> list[ir.Value]:
        arguments = list(stage.body.arguments)
        values = []
        for read, argument in zip(stage.reads, arguments):
            used = any(True for _ in argument.uses)
            values.append(self._read(read, scope) if used else self.kb.const(0, self.kb.dtype(argument)))
        lanes = self._lanes_at(set(stage.loops), scope)
        handlers = {
            "linalg.index": lambda op, _: self._index(stage, op, scope),
            "tensor.extract": lambda op, indices: self._extract(op, indices, scope),
        }
        return inline(self.kb, stage.body, [*values, *accumulators], lanes, self._resolve, handlers)

    def _resolve(self, value: ir.Value) -> ir.Value:
        slot = self.dispatch.scalar_slot(value)
        if slot is not None:
            return self.kb.scalar(slot, self.kb.dtype(value))
        op = value.owner.operation
        attribute = op.attributes["value"]
        return self.kb.const(attribute.value, self.kb.dtype(value))

    # -- memory ------------------------------------------------------------------------------------------------

    def _lanes_at(self, loops: set[int], scope: Scope) -> int:
        vector = self.walk.vector
        return self.lanes if vector is not None and vector[0] in loops and self._in_vector(scope) else 1

    def _lanes_of(self, indices: tuple[Index, ...], scope: Scope) -> int:
        return self._lanes_at({l for i in indices for l, _ in i.terms}, scope)

    def _in_vector(self, scope: Scope) -> bool:
        return self.walk.vector is not None and scope.position(self.walk.vector) is not None

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
                if axis == self.walk.vector:
                    step = kb.add(step, stride)
        return offset, step

    def _load(self, operand: Any, indices: tuple[Index, ...], scope: Scope) -> ir.Value:
        offset, step = self._place(operand, indices, scope)
        lanes = self._lanes_of(indices, scope)
        mask = scope.lane_mask if lanes > 1 else None
        return self.kb.load(operand, offset, lanes, mask, step if lanes > 1 else 1)

    def _store(self, value: ir.Value, operand: Any, indices: tuple[Index, ...], scope: Scope) -> None:
        offset, step = self._place(operand, indices, scope)
        lanes = self._lanes_of(indices, scope)
        mask = scope.lane_mask if lanes > 1 else None
        self.kb.store(self.kb.broadcast(value, lanes), operand, offset, mask, step if lanes > 1 else 1)

    def _index(self, stage: Stage, op: Any, scope: Scope) -> ir.Value:
        """The position of a loop: lanes count along the vector axis."""
        kb = self.kb
        loop = stage.dims[op.attributes["dim"].value]
        if loop is None:
            return kb.const(0)
        axis = self.walk.axis_of(loop)
        position = kb.value(scope.position(axis))
        if axis != self.walk.vector or self.lanes == 1:
            return position
        key = ("ramp", axis)
        if key not in scope.values:
            ramp = ir.Operation.create(
                "arith.addi",
                results=[kb.type("i64", self.lanes)],
                operands=[kb.broadcast(position, self.lanes), kb.iota(self.lanes)],
            )
            scope.values[key] = ramp.results[0]
        return scope.values[key]

    def _extract(self, op: Any, indices: list[ir.Value], scope: Scope) -> ir.Value:
        """Gather from a tensor that the body captures; neighbours are loaded as one vector."""
        kb = self.kb
        source = self.dispatch.operand_of(op.operands[0])
        assert source is not None
        operand = self.operands[source.index]
        mask = scope.lane_mask
        ramp = scope.known(("ramp", self.walk.vector))
        if self.lanes == 1 or all(kb.lanes(i) == 1 for i in indices):
            return kb.load(operand, operand.offset(*indices))
        along = ramp is not None and indices[-1] == ramp and operand.stride(-1) == 1
        if along and all(kb.lanes(i) == 1 for i in indices[:-1]):
            start = operand.offset(*indices[:-1], scope.position(self.walk.vector))
            return kb.load(operand, start, self.lanes, mask)
        offsets = kb.const(0, "i64", self.lanes)
        for dim, index in enumerate(indices):
            stride = kb.broadcast(kb.value(operand.stride(dim)), self.lanes)
            scaled = _i64("arith.muli", kb.broadcast(index, self.lanes), stride)
            offsets = _i64("arith.addi", offsets, scaled)
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
                offset = self.kb.add(self.kb.mul(offset, self._extent(axis)), scope.position(axis))
        return offset

    def _keep(self, s: int, value: ir.Value, scope: Scope) -> None:
        buffer, indices = self._kept_place(s, scope)
        if indices is not None:
            self._store(value, buffer, indices, scope)
            return
        lanes = self.kb.lanes(value)
        self.kb.store(value, buffer, self._scratch_offset(s, scope), scope.lane_mask if lanes > 1 else None)

    def _reload(self, s: int, scope: Scope) -> ir.Value:
        buffer, indices = self._kept_place(s, scope)
        if indices is not None:
            return self._load(buffer, indices, scope)
        lanes = self._lanes_at(set(self.dispatch.stages[s].loops), scope)
        return self.kb.load(buffer, self._scratch_offset(s, scope), lanes, scope.lane_mask if lanes > 1 else None)

    def _extent(self, axis: Axis) -> Int:
        sizes: list[Int] = []
        for loop in axis:
            source = self.dispatch.loops[loop]
            known = source.size
            sizes.append(known if known is not None else self.operands[source.operand].size(source.dim))
        return self.kb.product(sizes)


def _i64(name: str, a: ir.Value, b: ir.Value) -> ir.Value:
    return ir.Operation.create(name, results=[a.type], operands=[a, b]).results[0]


def _width(dtype: str) -> int:
    """Bytes a value of this dtype takes while computing; 0 for masks and indices."""
    if dtype in ("i1", "index"):
        return 0
    return 4 if dtype in ("f16", "bf16") else BYTES.get(dtype, 0)
