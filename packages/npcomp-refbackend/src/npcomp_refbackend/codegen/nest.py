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
from typing import Any

from npcomp_dialects.mlir import ir

from . import reduction
from .axes import Axis, Walk, extent_is_static, plan_walk
from .dispatch import Dispatch, Local, Operand, Schedule, Stage
from .elements import Elements, Scope
from .kernel import KernelBuilder
from .passes import Pass, Passes, cost, plan_passes
from .target import BYTES, Target

Int = Any  # int | ir.Value of type i64


def emit(kb: KernelBuilder, dispatch: Dispatch, target: Target) -> Schedule:
    return _Nest(kb, dispatch, target).run()


class _Nest:
    def __init__(self, kb: KernelBuilder, dispatch: Dispatch, target: Target):
        self.kb, self.dispatch = kb, dispatch
        self.walk: Walk = plan_walk(dispatch)
        self.plan: Passes = plan_passes(dispatch, self.walk)
        self.lanes = self._choose_lanes(target)
        self.unroll = self._choose_unroll()
        self.elements = Elements(kb, dispatch, self.walk, self.plan)

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
        self.elements.prefetch([root], self._all_roots())
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
            kb.loop(kb.begin, kb.end, lambda u: body(root.inner(dict.fromkeys(axes, u))))
            return
        extents = [kb.max(self.elements.extent(a), 1) for a in axes]
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
        self.elements.prefetch([scope], self._all_roots())
        self._vectors(vector, 0, self.elements.extent(vector), scope, self._grid_point)

    def _vectors(self, axis: Axis, low: Int, high: Int, scope: Scope, body: Callable[[list[Scope]], None]) -> None:
        """Run `body` on blocks of `unroll` vectors along `axis`, then on single masked vectors."""

        def block(scopes: list[Scope], carried: list[list[ir.Value]]) -> list[list[ir.Value]]:
            body(scopes)
            return carried

        self._strip(axis, low, high, scope, block, [])

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
                scopes = [scope.along(axis, kb.add(i, u * lanes), lanes, mask) for u in range(count)]
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

    def _all_roots(self) -> list[int]:
        return [r for p in self.plan.passes for r in p.roots]

    # -- passes ------------------------------------------------------------------------------------------------

    def _grid_point(self, scopes: list[Scope]) -> None:
        self.elements.stored.clear()
        for one in self.plan.passes:
            self.elements.prefetch(scopes, one.roots)
            self._run_pass(one, scopes)
            self.elements.stored.update(one.keeps)

    def _run_pass(self, one: Pass, scopes: list[Scope]) -> None:
        reductions = [self.dispatch.stages[r] for r in one.roots if self.dispatch.stages[r].reduced]
        row = not self.walk.vector_in_grid and bool(one.axes)
        kinds = {s.position: reduction.kind_of(s) for s in reductions}
        vectorised = row and self.lanes > 1 and all(kinds.values())
        copies = self.unroll if vectorised else len(scopes)
        inits = {s.position: [self.elements.inits(s, scope) for scope in scopes] for s in reductions}
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
                parts = [kind.finish(self.kb, s, parts, inits[s.position][0], self.elements.resolve)]
            for scope, values in zip(scopes, parts):
                self._define(s, values, scope)
            offset += width

    def _define(self, stage: Stage, values: list[ir.Value], scope: Scope) -> None:
        for n, value in enumerate(values):
            scope.values[stage.position, n] = value
        self.elements.store_results(stage, values, scope)

    def _loops(
        self, axes: list[Axis], scopes: list[Scope], one: Pass, carried: list[list[ir.Value]], vectorised: bool
    ) -> list[list[ir.Value]]:
        """Open the loops of `axes` outside in and run the pass's work inside."""
        if not axes:
            return [self._work(one, scope, values) for scope, values in zip(scopes, carried)]
        axis, rest = axes[0], axes[1:]
        self.elements.prefetch(scopes, one.roots)
        if not rest and vectorised:
            return self._strip(
                axis, 0, self.elements.extent(axis), scopes[0], lambda s, c: self._loops([], s, one, c, True), carried
            )
        width = len(carried[0])

        def step(i: ir.Value, *values: ir.Value) -> list[ir.Value]:
            state = [list(values[c * width : (c + 1) * width]) for c in range(len(carried))]
            inside = [scope.inner({axis: i}) for scope in scopes]
            return [v for copy in self._loops(rest, inside, one, state, vectorised) for v in copy]

        flat = self.kb.loop(0, self.elements.extent(axis), step, carried=[v for copy in carried for v in copy])
        return [list(flat[c * width : (c + 1) * width]) for c in range(len(carried))]

    def _work(self, one: Pass, scope: Scope, carried: list[ir.Value]) -> list[ir.Value]:
        """One vector of one pass: new accumulators, stores, kept values."""
        after: list[ir.Value] = []
        for r in one.roots:
            stage = self.dispatch.stages[r]
            if not stage.reduced:
                continue
            old = carried[len(after) : len(after) + len(stage.writes)]
            new = self.elements.compute(stage, scope, old)
            mask = scope.mask
            if mask is not None and not self.walk.vector_in_grid:
                new = [self.kb.select(mask, a, b) for a, b in zip(new, old)]
            after += new
        for s in one.keeps:
            if not any(w.operand for w in self.dispatch.stages[s].writes):
                self.elements.keep(s, self.elements.value(Local(s, 0), scope), scope)
        for r in one.roots:
            stage = self.dispatch.stages[r]
            if not stage.reduced:
                values = [self.elements.value(Local(r, n), scope) for n in range(len(stage.writes))]
                self.elements.store_results(stage, values, scope)
        return after


def _width(dtype: str) -> int:
    """Bytes a value of this dtype takes while computing; 0 for masks and indices."""
    if dtype in ("i1", "index"):
        return 0
    return 4 if dtype in ("f16", "bf16") else BYTES.get(dtype, 0)
