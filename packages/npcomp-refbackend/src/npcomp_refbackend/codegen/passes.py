"""The passes of a nest: what runs together over the inner loops of one grid point.

A pass ends where a reduction's result is needed. A value that a later pass needs again is computed again, unless
that is expensive (softmax's exponentials): then it is kept in the row of an output that is written later anyway,
or in scratch.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .axes import Axis, Walk, extent_is_static
from .dispatch import Dispatch, Operand
from .target import BYTES

_COSTS = {"arith.divf": 4, "math.sqrt": 4, "math.rsqrt": 4, "tensor.extract": 6}
_EXPENSIVE = 8
_SCRATCH_BYTES = 32 * 1024


@dataclass
class Pass:
    axes: tuple[Axis, ...]
    roots: list[int]  # stages that reduce or store here, in program order
    keeps: list[int] = field(default_factory=list)  # stages whose value is kept for later passes


@dataclass
class Kept:
    """Where the value of a stage waits for later passes: an output's memory, or scratch of `count` elements."""

    operand: Operand | None
    count: int = 0


@dataclass
class Passes:
    passes: list[Pass]
    kept: dict[int, Kept]


def plan_passes(dispatch: Dispatch, walk: Walk) -> Passes:
    level = _levels(dispatch)
    roots = [s.position for s in dispatch.stages if s.reduced or any(w.operand for w in s.writes)]
    groups: dict[tuple[int, bool, tuple[Axis, ...]], list[int]] = {}
    for s in roots:
        axes = tuple(a for a in walk.inner if a[0] in dispatch.stages[s].loops)
        groups.setdefault((level[s], not axes, axes), []).append(s)
    passes = [Pass(key[2], groups[key]) for key in sorted(groups, key=lambda k: k[:2])]
    return Passes(passes, _keep(dispatch, walk, passes))


def _levels(dispatch: Dispatch) -> list[int]:
    level: list[int] = []
    for stage in dispatch.stages:
        waits = [level[d] + bool(dispatch.stages[d].reduced) for d in dispatch.cluster.dependencies(stage.position)]
        level.append(max(waits, default=0))
    return level


def needs(dispatch: Dispatch, roots: list[int], stop: set[int] | None = None) -> list[int]:
    """Pointwise stages evaluated to compute `roots`, in program order; reductions and `stop` are not entered."""
    found: set[int] = set()
    stack = list(roots)
    while stack:
        for d in dispatch.cluster.dependencies(stack.pop()):
            if d not in found and not dispatch.stages[d].reduced:
                found.add(d)
                if d not in (stop or ()):
                    stack.append(d)
    return sorted(found)


def cost(dispatch: Dispatch, stage: int) -> int:
    """Rough cost of computing a stage's value for one element, the stages it reads included."""
    total = 0
    for s in [stage, *needs(dispatch, [stage])]:
        names = [op.operation.name for op in dispatch.stages[s].body.operations]
        total += sum(_COSTS.get(n, 10 if n.startswith("math.") else 1) for n in names) - 1
    return total


def _keep(dispatch: Dispatch, walk: Walk, passes: list[Pass]) -> dict[int, Kept]:
    """Decide which stages are kept, from the last that is used in two passes backwards."""
    kept: dict[int, Kept] = {}
    taken: set[int] = set()
    for s in reversed(range(len(dispatch.stages))):
        users = [n for n, p in enumerate(passes) if s in p.roots or s in needs(dispatch, p.roots, set(kept))]
        inner = set(dispatch.stages[s].loops) - {l for a in walk.grid for l in a}
        if len(users) < 2 or not inner or dispatch.stages[s].reduced or cost(dispatch, s) < _EXPENSIVE:
            continue
        place = _place(dispatch, walk, passes, s, users, taken)
        if place is not None:
            kept[s] = place
            taken.update([] if place.operand is None else [place.operand.index])
            passes[users[0]].keeps.append(s)
    return kept


def _place(
    dispatch: Dispatch, walk: Walk, passes: list[Pass], s: int, users: list[int], taken: set[int]
) -> Kept | None:
    stage = dispatch.stages[s]
    if len(stage.writes) != 1:
        return None
    own = stage.writes[0].operand
    if own is not None:
        return Kept(own)
    for n in range(users[-1], len(passes)):
        for root in passes[n].roots:
            other = dispatch.stages[root]
            write = other.writes[0]
            fits = (
                write.operand is not None and write.operand.index not in taken and write.dtype == stage.writes[0].dtype
            )
            feeds = n > users[-1] or s in needs(dispatch, [root])
            if fits and feeds and set(other.loops) == set(stage.loops) and len(other.writes) == 1:
                return Kept(write.operand)
    count = 1
    for axis in walk.inner:
        if axis[0] in stage.loops:
            size = extent_is_static(dispatch, axis)
            count = -1 if size is None or count < 0 else count * size
    fits_scratch = 0 < count * BYTES[stage.writes[0].dtype] <= _SCRATCH_BYTES and not walk.vector_in_grid
    return Kept(None, count) if fits_scratch else None
