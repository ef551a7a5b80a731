"""A dispatch: one fused piece of tensor computation that becomes one kernel.

In the IR a dispatch is a `refrt.dispatch` op in destination style; its region holds `linalg.generic` ops over
the region's arguments (nothing is captured):

    %r = refrt.dispatch ins(%x, %b, %s : tensor<?x8xf32>, tensor<8xf32>, f64)
                        outs(%e : tensor<?x8xf32>) {
    ^bb0(%x0: tensor<?x8xf32>, %b0: tensor<8xf32>, %s0: f64, %e0: tensor<?x8xf32>):
      %0 = linalg.generic {...} ins(%x0, %b0) outs(%e0) {...}
      refrt.yield %0
    }

This file is the Python view of that region, in which everything is said in the loops of the *dispatch*:

* A **loop** is an equivalence class of linalg loops. Two ops share a loop when a tensor that one writes and the
  other reads (or that both read) is indexed by it. Softmax has two loops, `i` parallel everywhere and `j`
  reduced by two of its stages.
* A **stage** is one `linalg.generic`; stages stand in program order, so a stage reads operands and results of
  earlier stages only.
* An **access** says how a stage reads: which operand or which earlier result, and one affine `Index` a
  dimension, in dispatch loops.
* A **write** says what a stage defines: its index, its initial value if it is a reduction's accumulator, and the
  output operand it is stored to if it escapes.

A kernel family is a module with one function

    emit(kb: KernelBuilder, dispatch: Dispatch, target: Target) -> Schedule

which builds the kernel's body through `kb` and says what it chose. The kernel is launched over `Schedule.units`,
whose product the driver computes from operand sizes; `begin`/`end` select a part of it. Operands of the kernel
are `dispatch.operands` in order (inputs, then outputs) and the scalar slots are `dispatch.scalars` in order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

PARALLEL, REDUCTION = "parallel", "reduction"


@dataclass(frozen=True)
class Index:
    """`sum(coefficient * loop) + constant`: the position in one dimension of an array."""

    terms: tuple[tuple[int, int], ...] = ()  # (dispatch loop, coefficient), ordered by loop
    constant: int = 0

    @property
    def loop(self) -> int | None:
        """The loop this index is, when it is exactly one loop."""
        if len(self.terms) == 1 and self.terms[0][1] == 1 and self.constant == 0:
            return self.terms[0][0]
        return None

    @property
    def is_zero(self) -> bool:
        return not self.terms and self.constant == 0


@dataclass(eq=False)
class Operand:
    """A tensor argument of the kernel. `strides` and `sizes` are None where known only at run time."""

    index: int
    dtype: str  # f32 f64 f16 bf16 i8 i16 i32 i64 i1 (i1 is one byte in memory)
    sizes: tuple[int | None, ...]
    strides: tuple[int | None, ...]
    dense: bool  # row-major without gaps: strides follow from sizes
    role: Literal["in", "out"]
    value: Any  # the region argument (ir.Value)
    constant: bool = False  # its contents are known at compile time: it may be packed

    @property
    def rank(self) -> int:
        return len(self.sizes)


@dataclass(frozen=True)
class Local:
    """Result `result` of stage `stage`, which never needs to reach memory."""

    stage: int
    result: int


@dataclass(frozen=True)
class Access:
    """`source` None: nothing is read, the operand only gave a window's loops their extent."""

    source: Operand | Local | None
    indices: tuple[Index, ...]


@dataclass(frozen=True)
class Write:
    """What a stage defines. `init` is the accumulator's start value, a scalar `ir.Value` defined in the dispatch
    (an `arith.constant` or a scalar argument) or an `Access`; None where the body does not read it."""

    dtype: str
    indices: tuple[Index, ...]
    init: Any = None
    operand: Operand | None = None


@dataclass(eq=False)
class Stage:
    position: int
    loops: tuple[int, ...]  # the stage's loops as dispatch loops; loops of static extent 1 are left out
    dims: tuple[int | None, ...]  # dispatch loop that `linalg.index d` means; None: always 0
    kinds: tuple[str, ...]
    reads: tuple[Access, ...]
    writes: tuple[Write, ...]
    body: Any  # ir.Block: arguments are the reads' elements, then the writes' accumulators
    op: Any

    @property
    def reduced(self) -> tuple[int, ...]:
        return tuple(loop for loop, kind in zip(self.loops, self.kinds) if kind == REDUCTION)

    @property
    def parallel(self) -> tuple[int, ...]:
        return tuple(loop for loop, kind in zip(self.loops, self.kinds) if kind == PARALLEL)


@dataclass(frozen=True)
class Loop:
    """Extent of a loop: static, or the size of dimension `dim` of `operand` at run time (-1: only static)."""

    size: int | None
    operand: int
    dim: int


@dataclass(eq=False)
class Dispatch:
    operands: list[Operand]
    scalars: list[Any]  # scalar region arguments: slot i of the kernel's scalars is scalars[i]
    loops: list[Loop]
    stages: list[Stage]
    cluster: Any  # the stages as a Cluster, for questions about loops
    op: Any  # the refrt.dispatch op

    @property
    def inputs(self) -> list[Operand]:
        return [o for o in self.operands if o.role == "in"]

    @property
    def outputs(self) -> list[Operand]:
        return [o for o in self.operands if o.role == "out"]

    def operand_of(self, value: Any) -> Operand | None:
        """The operand behind a region argument (for tensor.extract inside a body)."""
        return next((o for o in self.operands if o.value == value), None)

    def scalar_slot(self, value: Any) -> int | None:
        """The scalar slot of a region argument that a body captures."""
        return next((i for i, s in enumerate(self.scalars) if s == value), None)


@dataclass
class Schedule:
    """What a kernel family chose. `units` are (loops, tile) pairs: the launch extent is
    prod(ceil(prod(extent(l) for l in loops) / tile)), row-major in the order given; `grain` is the least number
    of units worth a thread. `packs` maps a constant input operand to a packing: an object with `key: str` and
    `pack(array) -> array`, applied once at compile time; the kernel then receives the packed array instead."""

    family: str
    units: tuple[tuple[tuple[int, ...], int], ...]
    grain: int = 1
    parameters: dict[str, Any] = field(default_factory=dict)
    packs: dict[int, Any] = field(default_factory=dict)
