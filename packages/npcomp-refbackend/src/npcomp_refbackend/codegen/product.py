"""What a contraction computes, as a matrix product: `out[outer, m, n] += lhs[outer, m, k] * rhs[outer, k, n]`.

`n` is the innermost loop of the result, so results are written in whole vectors; the operand that has it is `rhs`,
whichever side of the product it stood on. Several loops that every operand walks as one are one role; what cannot be
joined is an `outer` loop (parallel) or a `rest` loop (reduced, one after the other).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from npcomp_dialects.mlir import ir

from .axes import Axis, Memory, memory_of
from .dispatch import Access, Dispatch, Operand, Stage, Write

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

    def dim_of(self, loop: int) -> int | None:
        return next((d for d, i in enumerate(self.access.indices) if any(t == loop for t, _ in i.terms)), None)


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
    accumulator: str  # dtype

    @property
    def write(self) -> Write:
        return self.root.writes[0]


def read_product(dispatch: Dispatch) -> Product | None:
    """The roles of a dispatch that is one contraction and pointwise stages after it; None for anything else."""
    root = dispatch.stages[0]
    factors = factors_of(root)
    if factors is None or any(stage.reduced for stage in dispatch.stages[1:]):
        return None
    if any(i.loop is None and not i.is_zero for f in factors for i in f.access.indices):
        return None
    order = [i.loop for i in root.writes[0].indices if i.loop is not None]
    lhs, rhs = factors
    inside = [_loops(f) for f in factors]
    reduced = set(root.reduced)
    if not reduced <= inside[0] & inside[1] or set(order) != (inside[0] | inside[1]) - reduced:
        return None
    ends = [l for l in order if (l in inside[0]) != (l in inside[1])]
    if not ends:
        return None
    if ends[-1] in inside[0]:
        lhs, rhs, inside = rhs, lhs, inside[::-1]
    chains = _Chains(dispatch, order, reduced)
    n = chains.parallel([l for l in order if l in inside[1] - inside[0]])
    m = chains.parallel([l for l in order if l in inside[0] - inside[1]])
    k = chains.reduced(lhs, rhs)
    outer = tuple(l for l in order if l not in m + n)
    rest = tuple(l for l in sorted(reduced) if l not in k)
    epilogue, sums = tuple(dispatch.stages[1:]), accumulator_of(root.writes[0].dtype)
    return Product(root, epilogue, lhs, rhs, outer, m, n, k, rest, sums)


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


def _loops(factor: Factor) -> set[int]:
    return {i.loop for i in factor.access.indices if i.loop is not None}


class _Chains:
    """Finds neighbouring loops that all memory of the dispatch walks as one."""

    def __init__(self, dispatch: Dispatch, order: list[int], reduced: set[int]):
        self.dispatch, self.order, self.reduced_loops = dispatch, order, reduced
        self.memory = memory_of(dispatch)
        self.fixed = asked_for(dispatch)

    def parallel(self, loops: list[int]) -> Axis:
        """The innermost of `loops` with the ones outside it that join it."""
        return self._join(loops, lambda m: True)

    def reduced(self, lhs: Factor, rhs: Factor) -> Axis:
        order = [i.loop for i in lhs.access.indices if i.loop in self.reduced_loops]
        return self._join(order, lambda m: m.operand in (lhs.operand, rhs.operand))

    def _join(self, loops: list[int], concerns: Callable[[Memory], bool]) -> Axis:
        axis = tuple(loops[-1:])
        for loop in reversed(loops[:-1]):
            pair = (loop, axis[0])
            joins = all(walks_as_one(m, *pair) for m in self.memory if concerns(m))
            if not joins or set(pair) & self.fixed:
                break
            axis = (loop, *axis)
        return axis


def asked_for(dispatch: Dispatch) -> set[int]:
    """Loops whose position some body asks for, or that a body's accesses gather by."""
    found: set[int] = set()
    for stage in dispatch.stages:
        for op in stage.body.operations:
            if op.operation.name == "linalg.index":
                loop: Any = stage.dims[op.operation.attributes["dim"].value]
                found.update([] if loop is None else [loop])
    return found


def walks_as_one(memory: Memory, a: int, b: int) -> bool:
    uses = [(d, i) for d, i in enumerate(memory.indices) if any(t in (a, b) for t, _ in i.terms)]
    if not uses:
        return True
    if [i.loop for _, i in uses] != [a, b]:
        return False
    (outer, _), (inner, _) = uses
    operand = memory.operand
    if any(operand.sizes[d] != 1 for d in range(outer + 1, inner)):
        return False
    return operand.dense
