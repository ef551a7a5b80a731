"""What a contraction computes, as a matrix product: `out[outer, m, n] += lhs[outer, m, k] * rhs[outer, k, n]`.

`n` is the innermost loop of the result, so results are written in whole vectors; the operand that has it is `rhs`,
whichever side of the product it stood on. `lhs` may be windowed (a convolution of images with channels innermost).
`k` are the reduced loops that are one run in both factors, `rest` the others; `outer` are loops that both factors have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from npcomp_dialects.mlir import ir

from .axes import Axis, Memory, memory_of, walks_as_one
from .dispatch import Access, Dispatch, Operand, Stage

_WIDEN = ("arith.extf", "arith.extsi", "arith.extui")


@dataclass(frozen=True)
class Factor:
    """One operand of the product and how its elements widen to the accumulator's type."""

    access: Access
    unsigned: bool = False

    @property
    def operand(self) -> Operand:
        assert isinstance(self.access.source, Operand)
        return self.access.source

    @property
    def loops(self) -> set[int]:
        return {loop for index in self.access.indices for loop, _ in index.terms}

    @property
    def is_plain(self) -> bool:
        """Every index is one loop or zero: no windows."""
        return all(i.loop is not None or i.is_zero for i in self.access.indices)

    def dim_of(self, loop: int) -> int | None:
        return next((d for d, i in enumerate(self.access.indices) if any(t == loop for t, _ in i.terms)), None)

    def static_step(self, loop: int) -> int | None:
        """Distance in memory of one step of a loop, where it is known."""
        steps = [
            (c, self.operand.strides[d]) for d, i in enumerate(self.access.indices) for t, c in i.terms if t == loop
        ]
        if len(steps) != 1 or steps[0][1] is None:
            return None
        return steps[0][0] * steps[0][1]


@dataclass(frozen=True)
class Product:
    root: Stage
    epilogue: tuple[Stage, ...]
    lhs: Factor
    rhs: Factor
    outer: tuple[int, ...]
    m: Axis
    n: Axis
    k: Axis
    rest: tuple[int, ...]
    even: bool  # neighbouring rows of lhs are equally far apart, over all of m
    accumulator: str  # dtype


def read_product(dispatch: Dispatch) -> Product | None:
    """The roles of a dispatch that is one product and pointwise stages after it; None for anything else."""
    root = dispatch.stages[0]
    factors = factors_of(root)
    if factors is None or any(stage.reduced for stage in dispatch.stages[1:]):
        return None
    order = [i.loop for i in root.writes[0].indices if i.loop is not None]
    reduced = set(root.reduced)
    lhs, rhs = factors
    if not reduced <= lhs.loops & rhs.loops or set(order) != (lhs.loops | rhs.loops) - reduced:
        return None
    ends = [l for l in order if (l in lhs.loops) != (l in rhs.loops)]
    if not ends:
        return None
    if ends[-1] in lhs.loops:
        lhs, rhs = rhs, lhs
    if not rhs.is_plain:
        return None
    joins = Joins(dispatch)
    n = joins.inner([l for l in order if l in rhs.loops - lhs.loops], joins.everywhere)
    m = tuple(l for l in order if l in lhs.loops - rhs.loops)
    steps = [l for i in lhs.access.indices for l, _ in i.terms if l in reduced]

    def runs(a: int, b: int) -> bool:
        return joins.within(lhs, a, b) and (rhs.operand.constant or joins.within(rhs, a, b))

    k = joins.inner(steps, runs)
    even = joins.inner(list(m), lambda a, b: joins.within(lhs, a, b)) == m
    outer = tuple(l for l in order if l not in m + n)
    rest = tuple(l for l in steps if l not in k)
    sums = accumulator_of(root.writes[0].dtype)
    return Product(root, tuple(dispatch.stages[1:]), lhs, rhs, outer, m, n, k, rest, even, sums)


def accumulator_of(dtype: str) -> str:
    """What sums are kept in: half floats in f32, small integers in i32 (they wrap alike)."""
    return {"f16": "f32", "bf16": "f32", "i8": "i32", "i16": "i32", "i1": "i32"}.get(dtype, dtype)


def factors_of(stage: Stage) -> tuple[Factor, Factor] | None:
    """The two factors of a stage whose body is `acc + a * b`, each perhaps widened first."""
    if len(stage.reads) != 2 or len(stage.writes) != 1 or not stage.reduced:
        return None
    if not all(isinstance(read.source, Operand) for read in stage.reads):
        return None
    ops = [op.operation for op in stage.body.operations]
    plain = [op.name for op in ops if op.name not in _WIDEN]
    if plain not in (["arith.mulf", "arith.addf", "linalg.yield"], ["arith.muli", "arith.addi", "linalg.yield"]):
        return None
    arguments = list(stage.body.arguments)
    unsigned = [_is_unsigned(argument) for argument in arguments[:2]]
    return Factor(stage.reads[0], unsigned[0]), Factor(stage.reads[1], unsigned[1])


def _is_unsigned(argument: ir.Value) -> bool:
    return any(use.owner.operation.name == "arith.extui" for use in argument.uses)


class Joins:
    """Which neighbouring loops memory walks as one: a step of the outer is as far as all steps of the inner."""

    def __init__(self, dispatch: Dispatch):
        self.dispatch = dispatch
        self.memory = memory_of(dispatch)
        self.fixed = asked_for(dispatch)

    def inner(self, loops: list[int], joins: Callable[[int, int], bool]) -> Axis:
        """The last of `loops` with those before it that join it."""
        axis = tuple(loops[-1:])
        for loop in reversed(loops[:-1]):
            if not joins(loop, axis[0]):
                break
            axis = (loop, *axis)
        return axis

    def everywhere(self, a: int, b: int) -> bool:
        """In all memory, and no body asks where it is in them."""
        return not {a, b} & self.fixed and all(walks_as_one(m, a, b, dense=True) for m in self.memory)

    def except_in(self, factor: Factor) -> Callable[[int, int], bool]:
        """In all memory but `factor`'s."""
        others = [m for m in self.memory if m.operand is not factor.operand]
        return lambda a, b: not {a, b} & self.fixed and all(walks_as_one(m, a, b, dense=True) for m in others)

    def within(self, factor: Factor, a: int, b: int) -> bool:
        memory = Memory(factor.operand, factor.access.indices, False, 0)
        outer, inner, size = factor.static_step(a), factor.static_step(b), self.dispatch.loops[b].size
        if outer is not None and inner is not None and size is not None:
            return outer == inner * size
        return walks_as_one(memory, a, b, dense=True)


def asked_for(dispatch: Dispatch) -> set[int]:
    """Loops whose position some body asks for."""
    found: set[int] = set()
    for stage in dispatch.stages:
        for op in stage.body.operations:
            if op.operation.name == "linalg.index":
                loop: Any = stage.dims[op.operation.attributes["dim"].value]
                found.update([] if loop is None else [loop])
    return found
