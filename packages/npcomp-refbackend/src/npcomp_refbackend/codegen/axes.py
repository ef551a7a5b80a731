"""How a nest walks its loops: which are its grid, which one is vectorised, which collapse into one axis.

An axis is one or more dispatch loops that every operand walks as if they were one (row-major neighbours without a
gap), so a pointwise op on dense tensors of any rank has a single axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .dispatch import Dispatch, Index, Operand
from .legality import grid_of

Axis = tuple[int, ...]  # dispatch loops, outermost first


@dataclass(frozen=True)
class Memory:
    """One place where the nest touches memory."""

    operand: Operand
    indices: tuple[Index, ...]
    is_store: bool
    stage: int


@dataclass
class Walk:
    """Axes in the order the nest runs them, outermost first."""

    grid: list[Axis]
    inner: list[Axis]
    vector: Axis | None  # the axis whose neighbours share a vector
    inlined: set[int]  # stages computed anew wherever they are read

    @property
    def vector_in_grid(self) -> bool:
        return self.vector in self.grid

    def axis_of(self, loop: int) -> Axis:
        return next(a for a in self.grid + self.inner if loop in a)


def memory_of(dispatch: Dispatch) -> list[Memory]:
    found = []
    for stage in dispatch.stages:
        for read in stage.reads:
            if isinstance(read.source, Operand):
                found.append(Memory(read.source, read.indices, False, stage.position))
        for write in stage.writes:
            if write.operand is not None:
                found.append(Memory(write.operand, write.indices, True, stage.position))
            if hasattr(write.init, "source") and isinstance(write.init.source, Operand):
                found.append(Memory(write.init.source, write.init.indices, False, stage.position))
    return found


def plan_walk(dispatch: Dispatch) -> Walk:
    memory = memory_of(dispatch)
    grid_loops, inlined = grid_of(dispatch.cluster)
    order = _order(dispatch, memory)
    vector = _vector_loop(dispatch, memory, order)
    if vector is not None:
        order = [l for l in order if l != vector] + [vector]
    fixed = _indexed_loops(dispatch)
    grid = _merge([l for l in order if l in grid_loops], dispatch, memory, fixed)
    inner = _merge([l for l in order if l not in grid_loops], dispatch, memory, fixed)
    axis = next((a for a in grid + inner if vector in a), None)
    return Walk(grid, inner, axis, inlined)


def _order(dispatch: Dispatch, memory: list[Memory]) -> list[int]:
    """Loops as the widest array lists them, then those it does not have."""
    ranked = sorted(memory, key=lambda m: (-len(_loops_of(m.indices)), not m.is_store))
    order: list[int] = []
    for m in ranked:
        order.extend(l for l in _loops_of(m.indices) if l not in order)
    return order + [l for l in range(len(dispatch.loops)) if l not in order]


def _loops_of(indices: tuple[Index, ...]) -> list[int]:
    return [loop for index in indices for loop, _ in index.terms]


def _vector_loop(dispatch: Dispatch, memory: list[Memory], order: list[int]) -> int | None:
    """The loop that most memory is contiguous in; stores count double, long strides against."""
    if not order:
        return None

    def score(loop: int) -> tuple[int, int]:
        total = sum((2 if m.is_store else 1) * _contiguity(m, loop) for m in memory)
        size = dispatch.loops[loop].size
        return (total if size is None or size >= 4 else min(total, 0), order.index(loop))

    return max(order, key=score)


def _contiguity(memory: Memory, loop: int) -> int:
    strides = [(d, c) for d, i in enumerate(memory.indices) for t, c in i.terms if t == loop]
    if not strides:
        return 0
    d, coefficient = strides[-1]
    unit = memory.operand.strides[d] == 1 and coefficient == 1 and len(strides) == 1
    return 2 if unit else -2


def _indexed_loops(dispatch: Dispatch) -> set[int]:
    """Loops whose position a body asks for, which must stay apart."""
    found = set()
    for stage in dispatch.stages:
        for op in stage.body.operations:
            if op.operation.name == "linalg.index":
                loop = stage.dims[op.operation.attributes["dim"].value]
                found.update([] if loop is None else [loop])
    return found


def _merge(loops: list[int], dispatch: Dispatch, memory: list[Memory], fixed: set[int]) -> list[Axis]:
    axes: list[Axis] = []
    for loop in loops:
        if axes and _mergeable(axes[-1][-1], loop, dispatch, memory, fixed):
            axes[-1] = (*axes[-1], loop)
        else:
            axes.append((loop,))
    return axes


def _mergeable(a: int, b: int, dispatch: Dispatch, memory: list[Memory], fixed: set[int]) -> bool:
    if a in fixed or b in fixed:
        return False
    for stage in dispatch.stages:
        if (a in stage.loops) != (b in stage.loops):
            return False
        if (a in stage.reduced) != (b in stage.reduced):
            return False
    return all(walks_as_one(m, a, b) for m in memory)


def walks_as_one(memory: Memory, a: int, b: int, *, dense: bool = False) -> bool:
    """Can the loops `a` and `b` of an operand be one? With `dense`, only operands without gaps are accepted."""
    uses = [(d, i) for d, i in enumerate(memory.indices) if any(t in (a, b) for t, _ in i.terms)]
    if not uses:
        return True
    if [i.loop for _, i in uses] != [a, b]:
        return False
    (outer, _), (inner, _) = uses
    operand = memory.operand
    if any(operand.sizes[d] != 1 for d in range(outer + 1, inner)):
        return False
    if operand.dense or dense:
        return operand.dense
    step, size, unit = operand.strides[outer], operand.sizes[inner], operand.strides[inner]
    return step is not None and size is not None and unit is not None and step == size * unit


def extent_is_static(dispatch: Dispatch, axis: Axis) -> int | None:
    """The number of positions of an axis, where it is known."""
    total = 1
    for loop in axis:
        size: Any = dispatch.loops[loop].size
        if size is None:
            return None
        total *= size
    return total
