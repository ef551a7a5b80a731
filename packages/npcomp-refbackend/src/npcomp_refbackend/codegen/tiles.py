"""Running micro-kernels over a block: tall tiles first, narrow ones for the last columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from npcomp_dialects.mlir import ir

from .kernel import KernelBuilder
from .memory import Buffer
from .microkernel import Left, Tile, micro_kernel

Int = Any


@dataclass(frozen=True)
class Rows:
    """The left factor of a block. Unpacked: element (row, k) at row * row_step + k * k_step of `base`. Packed
    (`depth` is set): strips of tiles, each [k][row], row r's strip at r * depth."""

    base: Buffer
    left: Left
    row_step: Int = 1
    k_step: Int = 0
    depth: Int | None = None


class Tiles:
    def __init__(self, kb: KernelBuilder, tile: Tile, columns: int | None):
        """`columns` is the width of the whole result, where it is known: only widths that occur are written."""
        self.kb, self.tile = kb, tile
        if columns is None:
            self.widths = sorted({1, -(-tile.vectors // 2), tile.vectors})
        else:
            last = -(-(columns % tile.width) // tile.lanes)
            self.widths = sorted({last} - {0} | ({tile.vectors} if columns >= tile.width or not columns else set()))

    def run(
        self, rows: Rows, count: Int, panel: ir.Value, panel_step: Int, sums: Buffer, height: Int, columns: Int, more: Int,
        start: Int = 0,
    ) -> None:  # fmt: skip
        """Add steps `start` … `start + count` of k to `height` rows of sums, `columns` wide."""

        def down(vectors: int) -> Callable[[], None]:
            return lambda: self._down(rows, count, panel, panel_step, sums, height, more, start, vectors)

        self._choose(self.widths, columns, down)

    def _choose(self, widths: list[int], columns: Int, down: Callable[[int], Callable[[], None]]) -> None:
        kb = self.kb
        if len(widths) == 1:
            down(widths[0])()
            return
        narrow = kb.compare("sle", columns, widths[0] * self.tile.lanes)
        kb.branch(narrow, down(widths[0]), lambda: self._choose(widths[1:], columns, down))

    def _down(
        self, rows: Rows, count: Int, panel: ir.Value, panel_step: Int, sums: Buffer, height: Int, more: Int, start: Int,
        vectors: int,
    ) -> None:  # fmt: skip
        kb, tile = self.kb, self.tile
        done: Int = 0
        for tall in tile.heights:
            packed = rows.depth is not None
            left = Left(rows.left.dtype, 1, tall) if packed else rows.left
            micro = micro_kernel(kb, tile, left, tall, vectors)
            end = kb.add(done, kb.mul(kb.div(kb.sub(height, done), tall), tall))

            def one(r: Any, tall: int = tall, micro: Any = micro) -> None:
                place = kb.mul(r, rows.depth if packed else rows.row_step)
                a = kb.address(rows.base, kb.add(place, kb.mul(start, tall if packed else rows.k_step)))
                to = kb.address(sums, kb.mul(r, tile.width))
                micro(a, rows.row_step, rows.k_step, panel, panel_step, count, to, tile.width, more)

            if not (isinstance(end, int) and end == done):
                kb.loop(done, end, one, step=tall)
            done = end
