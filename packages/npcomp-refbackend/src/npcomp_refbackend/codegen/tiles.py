"""Running micro-kernels over a block: tall tiles first, narrow ones for the last columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from npcomp_dialects.mlir import ir

from .kernel import KernelBuilder
from .memory import Buffer
from .microkernel import Left, Operands, Tile, micro_kernel

Int = Any


@dataclass(frozen=True)
class Rows:
    """The left factor of a block. Unpacked: element (row, k) at row * row_step + k * k_step of `base`, or at the
    row's offset in `table`. Packed (`depth` is set): strips of tiles, each [k][row], row r's strip at r * depth."""

    base: Buffer
    left: Left
    row_step: Int = 1
    k_step: Int = 0
    depth: Int | None = None
    table: Buffer | None = None


@dataclass(frozen=True)
class Work:
    """Sums of `rows` rows by `columns` columns, over steps `start` … `start + count` of k, `turns` times."""

    sums: Buffer
    rows: Int
    columns: Int
    right: ir.Value
    right_step: Int
    count: Int
    more: Int
    start: Int = 0
    turns: Int = 1
    turn_step: Int = 0


class Tiles:
    def __init__(self, kb: KernelBuilder, tile: Tile, columns: int | None):
        """`columns` is the width of the whole result, where it is known: only widths that occur are written."""
        self.kb, self.tile = kb, tile
        if columns is None:
            self.widths = sorted({1, -(-tile.vectors // 2), tile.vectors})
        else:
            last = -(-(columns % tile.width) // tile.lanes)
            self.widths = sorted({last} - {0} | ({tile.vectors} if columns >= tile.width or not columns else set()))

    def run(self, left: Rows, work: Work) -> None:
        """Add the products of `work` to its sums."""
        self._choose(self.widths, left, work)

    def _choose(self, widths: list[int], left: Rows, work: Work) -> None:
        kb = self.kb
        if len(widths) == 1:
            self._down(widths[0], left, work)
            return
        narrow = kb.compare("sle", work.columns, widths[0] * self.tile.lanes)
        kb.branch(narrow, lambda: self._down(widths[0], left, work), lambda: self._choose(widths[1:], left, work))

    def _down(self, vectors: int, left: Rows, work: Work) -> None:
        kb = self.kb
        done: Int = 0
        for tall in self.tile.heights:
            end = kb.add(done, kb.mul(kb.div(kb.sub(work.rows, done), tall), tall))
            if not (isinstance(end, int) and end == done):
                kb.loop(done, end, self._tile(tall, vectors, left, work), step=tall)
            done = end

    def _tile(self, tall: int, vectors: int, rows: Rows, work: Work) -> Callable[[Any], None]:
        """What to do at each first row of a tile."""
        kb, tile = self.kb, self.tile
        packed = rows.depth is not None
        left = replace(rows.left, steps=(1, tall)) if packed else rows.left
        micro = micro_kernel(kb, tile, left, tall, vectors)

        def one(r: Any) -> None:
            k_step = tall if packed else rows.k_step
            along = 0 if rows.table is not None else kb.mul(r, rows.depth if packed else rows.row_step)
            a = kb.address(rows.base, kb.add(along, kb.mul(work.start, k_step)))
            table = kb.address(rows.table, r) if rows.table is not None else a
            sums = kb.address(work.sums, kb.mul(r, tile.width))
            micro(
                Operands(a, table, rows.row_step, k_step, work.turns, work.turn_step, work.right, work.right_step,
                         work.count, sums, tile.width, work.more)
            )  # fmt: skip

        return one
