"""The innermost code of products: a tile of rows x vectors whose sums stay in registers over the whole k loop.

    for k: for each row: sums[row, :] += broadcast(a[row, k]) * b[k, :]

It is written once for each height as a private function, so that packed and unpacked panels, k blocks and all
shapes share it. With few rows the k loop is split over several sets of sums, to keep the multipliers busy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith

from .convert import to_f32
from .kernel import KernelBuilder
from .memory import Buffer
from .target import Target

Int = Any


@dataclass(frozen=True)
class Tile:
    """The shape of register tiles: heights from tall to 1, `vectors` of `lanes` columns."""

    heights: tuple[int, ...]
    vectors: int
    lanes: int
    dtype: str  # of the sums

    @property
    def width(self) -> int:
        return self.vectors * self.lanes

    @classmethod
    def choose(cls, target: Target, dtype: str, columns: int | None) -> Tile:
        """Wide tiles read their rows from few places; a result narrower than that gets taller ones."""
        lanes = target.lanes(dtype)
        shapes = _HEIGHTS_32 if target.registers == 32 else _HEIGHTS_FMA if target.has_fma else _HEIGHTS_16
        widest = max(shapes)
        vectors = widest if columns is None else max(1, min(-(-columns // lanes), widest))
        return cls(shapes[vectors], vectors, lanes, dtype)


# Vectors across a tile to its heights: for machines with 32 registers, with 16, and with 16 and no fused multiply-add.
_HEIGHTS_32 = {4: (6, 4, 2, 1), 3: (8, 4, 2, 1), 2: (12, 8, 4, 2, 1), 1: (16, 8, 4, 2, 1)}
_HEIGHTS_FMA = {2: (6, 4, 2, 1), 1: (8, 4, 2, 1)}
_HEIGHTS_16 = {2: (4, 2, 1), 1: (4, 2, 1)}


@dataclass(frozen=True)
class Left:
    """How rows of the left factor lie: element (row, k) at row * row_step + k * k_step; None where dynamic."""

    dtype: str
    row_step: int | None
    k_step: int | None
    unsigned: bool = False


def widen(kb: KernelBuilder, value: ir.Value, dtype: str, unsigned: bool) -> ir.Value:
    """A loaded factor in the type of the sums."""
    value = to_f32(kb, value)
    have = kb.dtype(value)
    if have == dtype:
        return value
    kind = kb.type(dtype, kb.lanes(value))
    if dtype.startswith("f"):
        return arith.ExtFOp(kind, value).result
    if have == "i1" or unsigned:
        return arith.ExtUIOp(kind, value).result
    return arith.ExtSIOp(kind, value).result


def multiply_add(kb: KernelBuilder, a: ir.Value, b: ir.Value, total: ir.Value) -> ir.Value:
    if kb.dtype(total).startswith("f"):
        return kb.fma(a, b, total)
    return arith.AddIOp(arith.MulIOp(a, b).result, total).result


Micro = Callable[..., None]


def micro_kernel(kb: KernelBuilder, tile: Tile, left: Left, rows: int, vectors: int) -> Micro:
    """The function `(a, row_step, k_step, b, b_step, count, sums, sums_step, more)` of `rows` x `vectors` sums.

    Adds `count` steps of k to the tile at `sums` (rows `sums_step` apart) if `more` is not 0, else sets the tile.
    """
    name = f"micro_{rows}x{vectors}_{left.dtype}_{left.row_step}_{left.k_step}"

    def write(a: Any, row_step: Any, k_step: Any, b: Any, b_step: Any, count: Any, sums: Any, step: Any, more: Any) -> None:
        body = _Micro(kb, tile, left, rows, vectors, Buffer(a, left.dtype), Buffer(b, tile.dtype), b_step)
        body.row_step = left.row_step if left.row_step is not None else row_step
        body.k_step = left.k_step if left.k_step is not None else k_step
        body.write(count, Buffer(sums, tile.dtype), step, more)

    i64, ptr = kb.i64, kb.ptr
    return kb.function(name, [ptr, i64, i64, ptr, i64, i64, ptr, i64, i64], write)


class _Micro:
    row_step: Int
    k_step: Int

    def __init__(
        self, kb: KernelBuilder, tile: Tile, left: Left, rows: int, vectors: int, a: Buffer, b: Buffer, b_step: Int
    ):
        self.kb, self.tile, self.left, self.rows, self.vectors = kb, tile, left, rows, vectors
        self.a, self.b, self.b_step = a, b, b_step

    def write(self, count: Int, sums: Buffer, step: Int, more: Int) -> None:
        kb, tile = self.kb, self.tile
        unroll = max(1, 8 // (self.rows * self.vectors))
        places = [kb.add(kb.mul(row, step), v * tile.lanes) for row in range(self.rows) for v in range(self.vectors)]
        zero = kb.const(0, tile.dtype, tile.lanes)
        start = kb.branch(
            kb.compare("ne", more, 0),
            lambda: [kb.load(sums, place, tile.lanes) for place in places],
            lambda: [zero] * len(places),
            results=[zero.type] * len(places),
        )
        main = kb.mul(kb.div(count, unroll), unroll)
        start += [zero] * (len(places) * (unroll - 1))
        totals = kb.loop(0, main, lambda k, *t: self._steps(k, unroll, list(t)), step=unroll, carried=start)
        size = len(places)
        merged = totals[:size]
        for copy in range(1, unroll):
            merged = [_add(kb, x, y) for x, y in zip(merged, totals[copy * size : (copy + 1) * size])]
        if unroll > 1:
            merged = kb.loop(main, count, lambda k, *t: self._steps(k, 1, list(t)), carried=merged)
        for place, total in zip(places, merged):
            kb.store(total, sums, place)

    def _steps(self, k: Int, unroll: int, totals: list[ir.Value]) -> list[ir.Value]:
        size = self.rows * self.vectors
        parts = [totals[copy * size : (copy + 1) * size] for copy in range(unroll)]
        return [t for copy, part in enumerate(parts) for t in self._step(self.kb.add(k, copy), part)]

    def _step(self, k: Int, totals: list[ir.Value]) -> list[ir.Value]:
        kb, tile = self.kb, self.tile
        row_b = kb.at(self.b, kb.mul(k, self.b_step))
        right = [kb.load(row_b, v * tile.lanes, tile.lanes) for v in range(self.vectors)]
        column_a = kb.at(self.a, kb.mul(k, self.k_step))
        out = []
        for row in range(self.rows):
            scalar = widen(kb, kb.load(column_a, kb.mul(row, self.row_step)), tile.dtype, self.left.unsigned)
            spread = kb.broadcast(scalar, tile.lanes)
            out += [multiply_add(kb, spread, b, totals[row * self.vectors + v]) for v, b in enumerate(right)]
        return out


def _add(kb: KernelBuilder, a: ir.Value, b: ir.Value) -> ir.Value:
    return (arith.AddFOp if kb.dtype(a).startswith("f") else arith.AddIOp)(a, b).result
