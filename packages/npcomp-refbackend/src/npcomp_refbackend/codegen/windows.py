"""Reading the windows of a convolution: the panel `[k][pixel]` that makes it a matrix product.

The element of step k and pixel p lies at `offset of k + offset of p`, because every index of the input is a sum of
loops. Offsets of k go into a table; pixels of a vector form runs that are neighbours in memory (one run for each row
of the result that the vector touches), each read by one masked load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith, vector

from .kernel import KernelBuilder
from .memory import Buffer
from .microkernel import Tile, widen

Int = Any
_MOST_RUNS = 5


@dataclass(frozen=True)
class Steps:
    """Loops of one role with their extents and the distance in the input of a step of each."""

    loops: tuple[int, ...]
    extents: tuple[Int, ...]
    strides: tuple[Int, ...]

    def offset(self, kb: KernelBuilder, position: Int) -> Int:
        """Offset of a row-major position over the loops."""
        parts = kb.delinearize(position, self.extents)
        return kb.add(*(kb.mul(p, s) for p, s in zip(parts, self.strides)))

    def count(self, kb: KernelBuilder) -> Int:
        return kb.product(self.extents)


class StepTable:
    """Offsets of steps of k: of all of them, written once, where their number is known and small; else of a block."""

    def __init__(self, kb: KernelBuilder, steps: Steps, depth: int, most: int):
        self.kb, self.steps = kb, steps
        known = steps.count(kb)
        self.whole = isinstance(known, int) and known <= most
        self.buffer = kb.stack("i64", known if self.whole else depth)
        if self.whole:
            self._nest(list(zip(steps.extents, steps.strides)), 0, 0)

    def block(self, start: Int, count: Int) -> Buffer:
        """The offsets of steps `start` … `start + count`."""
        kb = self.kb
        if self.whole:
            return kb.at(self.buffer, start)
        kb.loop(0, count, lambda k: kb.store(kb.value(self.steps.offset(kb, kb.add(start, k))), self.buffer, k))
        return self.buffer

    def _nest(self, dims: list[tuple[Int, Int]], place: Int, offset: Int) -> None:
        kb = self.kb
        if not dims:
            kb.store(kb.value(offset), self.buffer, place)
            return
        extent, stride = dims[0]
        inner = kb.product([e for e, _ in dims[1:]])
        kb.loop(
            0,
            extent,
            lambda i: self._nest(dims[1:], kb.add(place, kb.mul(i, inner)), kb.add(offset, kb.mul(i, stride))),
        )


class WindowPanel:
    """Packs panels of one unit: `columns` pixels from pixel `column` on, as vectors of `tile.lanes` pixels."""

    def __init__(self, kb: KernelBuilder, tile: Tile, source: Buffer, pixels: Steps, unsigned: bool, to: Buffer):
        self.kb, self.tile, self.source, self.pixels, self.unsigned, self.to = kb, tile, source, pixels, unsigned, to

    def pack(self, column: Int, columns: Int, table: Buffer, count: Int) -> None:
        kb, lanes = self.kb, self.tile.lanes

        def one(v: Any) -> None:
            self._vector(
                kb.add(column, kb.mul(v, lanes)), kb.sub(columns, kb.mul(v, lanes)), kb.mul(v, lanes), table, count
            )

        kb.loop(0, kb.ceildiv(columns, lanes), one)

    def _vector(self, pixel: Int, left: Int, to: Int, table: Buffer, count: Int) -> None:
        """One vector of pixels, `left` of which exist, for `count` steps of k."""
        row, step = self.pixels.extents[-1], self.pixels.strides[-1]
        runs = _runs(self.tile.lanes, row, len(self.pixels.extents))
        if isinstance(step, int) and step in (1, 2) and runs <= _MOST_RUNS:
            self._by_runs(pixel, left, to, table, count, runs, step)
            return
        if isinstance(step, int) and step in (1, 2) and not isinstance(row, int):
            self.kb.branch(
                self.kb.compare("sge", row, self.tile.lanes),
                lambda: self._by_runs(pixel, left, to, table, count, 2, step),
                lambda: self._gathered(pixel, left, to, table, count),
            )
            return
        self._gathered(pixel, left, to, table, count)

    def _by_runs(self, pixel: Int, left: Int, to: Int, table: Buffer, count: Int, runs: int, step: int) -> None:
        kb, lanes = self.kb, self.tile.lanes
        row = self.pixels.extents[-1]
        first = kb.sub(row, kb.rem(pixel, row)) if len(self.pixels.extents) > 1 else lanes
        bounds: list[Int] = [0]
        for run in range(runs - 1):
            bounds.append(kb.add(first, kb.mul(run, row)))
        total = kb.product(self.pixels.extents)
        pieces = []
        for n, low in enumerate(bounds):
            high = kb.min(bounds[n + 1], left) if n + 1 < len(bounds) else left
            at = kb.min(kb.add(pixel, low), kb.max(kb.sub(total, 1), 0))
            start = kb.sub(self.pixels.offset(kb, at), kb.mul(low, step))
            pieces.append((start, [self._mask(low, high, step, part) for part in range(step)]))

        def store(k: Any) -> None:
            base = kb.at(self.source, kb.load(table, k))
            values: list[Any] = [None] * step
            for start, masks in pieces:
                place = kb.at(base, start)
                values = [kb.load(place, p * lanes, lanes, masks[p], other=values[p]) for p in range(step)]
            self._store(values[0] if step == 1 else _evens(values), k, to)

        kb.loop(0, count, store)

    def _mask(self, low: Int, high: Int, step: int, part: int) -> ir.Value:
        """Lanes of memory vector `part` that hold pixels `low` … `high` of the vector, `step` apart."""
        kb, lanes = self.kb, self.tile.lanes
        places = [n + part * lanes for n in range(lanes)]
        inside = None
        for limit, keep in ((high, True), (low, False)):
            if not keep and isinstance(limit, int) and limit <= 0:
                continue
            below = kb.tail_mask(kb.sub(kb.mul(limit, step), part * lanes), lanes)
            if not keep:
                below = arith.XOrIOp(below, kb.const(1, "i1", lanes)).result
            inside = below if inside is None else arith.AndIOp(inside, below).result
        assert inside is not None
        if step == 1:
            return inside
        return arith.AndIOp(inside, kb.lane_constants([place % step == 0 for place in places], "i1")).result

    def _gathered(self, pixel: Int, left: Int, to: Int, table: Buffer, count: Int) -> None:
        kb, lanes = self.kb, self.tile.lanes
        pixels = arith.AddIOp(kb.broadcast(kb.value(pixel), lanes), kb.iota(lanes)).result
        mask = kb.tail_mask(left, lanes)
        offsets = _lane_offsets(kb, pixels, self.pixels)

        def store(k: Any) -> None:
            base = kb.at(self.source, kb.load(table, k))
            self._store(kb.gather(base, offsets, mask), k, to)

        kb.loop(0, count, store)

    def _store(self, value: ir.Value, k: Int, to: Int) -> None:
        wide = widen(self.kb, value, self.tile.dtype, self.unsigned)
        self.kb.store(wide, self.to, self.kb.add(self.kb.mul(k, self.tile.width), to))


def _runs(lanes: int, row: Int, dims: int) -> int:
    """The most rows that `lanes` neighbouring pixels can touch; many where the row's length is unknown."""
    if dims == 1:
        return 1
    if not isinstance(row, int):
        return _MOST_RUNS + 1
    return 1 + -(-(lanes - 1) // max(row, 1))


def _evens(values: Sequence[ir.Value]) -> ir.Value:
    low, high = values
    lanes = ir.VectorType(low.type).shape[0]
    return vector.ShuffleOp(low, high, [2 * i for i in range(lanes)]).result


def _lane_offsets(kb: KernelBuilder, pixels: ir.Value, steps: Steps) -> ir.Value:
    """Offsets of a vector of row-major positions."""
    lanes = kb.lanes(pixels)

    def spread(x: Int) -> ir.Value:
        return kb.broadcast(kb.value(x), lanes)

    total = kb.const(0, "i64", lanes)
    for extent, stride in reversed(list(zip(steps.extents[1:], steps.strides[1:]))):
        size = spread(kb.max(extent, 1))
        rest = arith.DivUIOp(pixels, size).result
        part = arith.SubIOp(pixels, arith.MulIOp(rest, size).result).result
        total = arith.AddIOp(total, arith.MulIOp(part, spread(stride)).result).result
        pixels = rest
    return arith.AddIOp(total, arith.MulIOp(pixels, spread(steps.strides[0])).result).result
