"""Where elements of a dispatch's operands lie, and how many positions its loops have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .axes import Axis
from .dispatch import Dispatch, Operand
from .kernel import KernelBuilder
from .memory import Operand as Tensor
from .product import Factor

Int = Any


def tensor_of(kb: KernelBuilder, operand: Operand) -> Tensor:
    """The kernel's view of a dispatch operand."""
    return kb.operand(operand.index, operand.dtype, operand.rank, operand.sizes, operand.strides, operand.dense)


def loop_extent(kb: KernelBuilder, dispatch: Dispatch, loop: int) -> Int:
    """Number of positions of a loop, known or read from an operand's header."""
    known = dispatch.loops[loop]
    if known.size is not None:
        return known.size
    return tensor_of(kb, dispatch.operands[known.operand]).size(known.dim)


def axis_extent(kb: KernelBuilder, dispatch: Dispatch, axis: Axis) -> Int:
    return kb.product([loop_extent(kb, dispatch, loop) for loop in axis])


def static_extent(dispatch: Dispatch, axis: Axis) -> int | None:
    """Number of positions of an axis, where it is known."""
    total = 1
    for loop in axis:
        size = dispatch.loops[loop].size
        if size is None:
            return None
        total *= size
    return total


def step_of(kb: KernelBuilder, factor: Factor, loop: int | None) -> Int:
    """Distance in a factor of one step of a loop; 0 where it does not have the loop."""
    tensor = tensor_of(kb, factor.operand)
    terms = [(d, c) for d, i in enumerate(factor.access.indices) for l, c in i.terms if l == loop]
    return kb.add(*(kb.mul(c, tensor.stride(d)) for d, c in terms))


def offset_of(kb: KernelBuilder, factor: Factor, at: dict[int, Int], constants: bool = True) -> Int:
    """Offset in a factor of a position in the loops `at`, the others at 0."""
    tensor = tensor_of(kb, factor.operand)
    indices = enumerate(factor.access.indices) if constants else ()
    fixed = [kb.mul(i.constant, tensor.stride(d)) for d, i in indices if i.constant]
    return kb.add(*fixed, *(kb.mul(place, step_of(kb, factor, loop)) for loop, place in at.items()))


def last(axis: Axis) -> int | None:
    """The loop whose steps are the steps of an axis; None for an axis of no loops."""
    return axis[-1] if axis else None


def packed_part(kb: KernelBuilder, factor: Factor, outer: Axis, extents: list[Int], at: dict[int, Int]) -> Int:
    """Which of a packed constant's outer parts the position `at` uses."""
    total: Int = 0
    for loop, extent in zip(outer, extents):
        if factor.dim_of(loop) is not None:
            total = kb.add(kb.mul(total, extent), at[loop])
    return total


def walk(
    kb: KernelBuilder, dispatch: Dispatch, axis: Axis, start: Int, count: Int, body: Callable[[Int, list[Int]], None]
) -> None:
    """Run `body(i, position)` for `count` row-major positions of `axis` from `start` on, counting coordinates along."""
    if len(axis) < 2:
        kb.loop(0, count, lambda i: body(i, [kb.add(start, i)] if axis else []))
        return
    extents = [kb.max(loop_extent(kb, dispatch, loop), 1) for loop in axis]

    def step(i: Any, *position: Any) -> list[Any]:
        body(i, list(position))
        return [kb.value(p) for p in _next(kb, list(position), extents)]

    kb.loop(0, count, step, carried=[kb.value(p) for p in kb.delinearize(start, extents)])


def _next(kb: KernelBuilder, position: list[Int], extents: list[Int]) -> list[Int]:
    """The row-major successor."""
    following: list[Int] = []
    carry: Int = 1
    for place, extent in reversed(list(zip(position, extents))):
        moved = kb.add(place, carry)
        if len(following) == len(position) - 1:
            return [moved, *following]
        over = kb.compare("sge", moved, extent)
        following.insert(0, kb.select(over, 0, moved))
        carry = kb.select(over, 1, 0)
    return following


def over(
    kb: KernelBuilder,
    dispatch: Dispatch,
    loops: tuple[int, ...],
    at: dict[int, Int],
    body: Callable[[dict[int, Int]], None],
) -> None:
    """Run `body` at every position of `loops`, one inside the other, added to `at`."""
    if not loops:
        body(at)
        return
    high = loop_extent(kb, dispatch, loops[0])
    kb.loop(0, high, lambda i: over(kb, dispatch, loops[1:], {**at, loops[0]: i}, body))
