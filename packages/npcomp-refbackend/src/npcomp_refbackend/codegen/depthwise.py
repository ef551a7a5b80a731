"""Convolutions whose every channel has a window of its own: sums of vectors of pixels, read where they lie.

for each unit: a few rows of pixels of one outer position (image, channel)
  for each vector along a row: for each step of k: sums[row] += weight * input[row]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from npcomp_dialects.mlir import ir

from .dispatch import Schedule
from .epilogue import Block, Epilogue, Frame
from .kernel import KernelBuilder
from .memory import Buffer
from .microkernel import multiply_add, widen
from .placement import loop_extent, offset_of, step_of, tensor_of
from .target import Target

Int = Any
_ROWS = 4


@dataclass
class _Place:
    at: dict[int, Int]
    row: Int | None
    column: Int


def emit(kb: KernelBuilder, windowed: Any, target: Target) -> Schedule:
    return _Depthwise(kb, windowed, target).write()


class _Depthwise:
    """Pixels are rows (all loops but the last) by columns (the last loop)."""

    def __init__(self, kb: KernelBuilder, windowed: Any, target: Target):
        self.kb, self.windowed, self.dispatch = kb, windowed, windowed.dispatch
        self.lanes = target.lanes(windowed.sums)
        *rows, self.column_loop = windowed.pixels
        self.row_loop = rows[-1] if rows else None
        self.outer = (*windowed.outer, *rows[:-1])
        self.rows = _ROWS if rows else 1
        self.reduced = (*windowed.rest, *windowed.k)

    def write(self) -> Schedule:
        kb = self.kb
        self.height = loop_extent(kb, self.dispatch, self.row_loop) if self.row_loop is not None else 1
        self.width = loop_extent(kb, self.dispatch, self.column_loop)
        self.sums = kb.stack(self.windowed.sums, self.rows * self.lanes)
        extents = [kb.max(loop_extent(kb, self.dispatch, l), 1) for l in self.outer]
        self.boxes = [*extents, kb.max(kb.ceildiv(self.height, self.rows), 1)]
        kb.loop(kb.begin, kb.end, self._unit)
        units: list[tuple[tuple[int, ...], int]] = [((l,), 1) for l in self.outer]
        units += [((self.row_loop,) if self.row_loop is not None else (), self.rows)]
        plan = f"depthwise, {self.rows} rows x {self.lanes} pixels of {self.windowed.sums}"
        return Schedule("convolution", tuple(units), 64, {"plan": plan})

    def _unit(self, unit: Any) -> None:
        kb = self.kb
        *outer, strip = kb.delinearize(unit, self.boxes)
        at = dict(zip(self.outer, outer))
        row = kb.mul(strip, self.rows)
        rows = kb.min(kb.sub(self.height, row), self.rows)

        def vector(column: Any) -> None:
            columns = kb.min(kb.sub(self.width, column), self.lanes)
            full = kb.compare("eq", columns, self.lanes)
            kb.branch(
                full,
                lambda: self._sum(at, row, rows, column, None),
                lambda: self._sum(at, row, rows, column, kb.tail_mask(columns, self.lanes)),
            )
            frame = Frame(at, () if self.row_loop is None else (self.row_loop,), (self.column_loop,))
            done = Block(self.sums, self.lanes, row, rows, column, columns)
            Epilogue(kb, self.dispatch, self.windowed.root, self.dispatch.stages[1:], frame).write(done)

        kb.loop(0, self.width, vector, step=self.lanes)

    def _sum(self, at: dict[int, Int], row: Int, rows: Int, column: Int, mask: ir.Value | None) -> None:
        """The unit's sums for one vector of columns; rows past the end repeat the last one."""
        kb, source, weights = self.kb, self.windowed.input, self.windowed.weights
        tensor = tensor_of(kb, source.operand)
        step = step_of(kb, source, self.column_loop)
        places = []
        for r in range(self.rows):
            here = {**at, self.column_loop: column}
            if self.row_loop is not None:
                here[self.row_loop] = kb.add(row, kb.min(r, kb.sub(rows, 1)))
            places.append(kb.at(tensor, offset_of(kb, source, here)))
        table = kb.at(tensor_of(kb, weights.operand), offset_of(kb, weights, at))

        def add(position: dict[int, Int], totals: list[ir.Value]) -> list[ir.Value]:
            moved = offset_of(kb, source, position, constants=False)
            weight = kb.load(table, offset_of(kb, weights, position, constants=False))
            spread = kb.broadcast(widen(kb, weight, self.windowed.sums, weights.unsigned), self.lanes)
            out = []
            for place, total in zip(places, totals):
                value = kb.load(place, moved, self.lanes, mask, stride=step)
                out.append(multiply_add(kb, spread, widen(kb, value, self.windowed.sums, source.unsigned), total))
            return out

        zero = kb.const(0, self.windowed.sums, self.lanes)
        for r, total in enumerate(self._nest(list(self.reduced), {}, [zero] * self.rows, add)):
            kb.store(total, Buffer(self.sums.data, self.windowed.sums), r * self.lanes)

    def _nest(self, loops: list[int], at: dict[int, Int], totals: list[ir.Value], add: Any) -> list[ir.Value]:
        if not loops:
            return add(at, totals)
        high = loop_extent(self.kb, self.dispatch, loops[0])
        body = lambda i, *t: self._nest(loops[1:], {**at, loops[0]: i}, list(t), add)  # noqa: E731
        return self.kb.loop(0, high, body, carried=totals)
