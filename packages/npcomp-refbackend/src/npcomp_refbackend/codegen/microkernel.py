"""The innermost code of products: a tile of rows x vectors whose sums stay in registers over the whole k loop.

    for k: for each row: sums[row, :] += broadcast(a[row, k]) * b[k, :]

It is written once for each height as a private function, so that packed and unpacked panels, k blocks and all
shapes share it. With few rows the k loop is split over several sets of sums, to keep the multipliers busy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
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
    """How rows of the left factor lie: element (row, k) at row * row_step + k * k_step, where `steps` are (row_step,
    k_step), None where the micro-kernel is told; with a `table`, row's place is in the table instead. `turning`: k is
    walked several times, from a new place each time."""

    dtype: str
    steps: tuple[int | None, int | None]
    unsigned: bool = False
    table: bool = False
    turning: bool = False


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


@dataclass(frozen=True)
class Operands:
    """What a micro-kernel is called with. Rows of `right` are `right_step` apart and go on from turn to turn."""

    left: Any
    table: Any  # offsets of rows, for a left factor with a table
    row_step: Int
    k_step: Int
    turns: Int
    turn_step: Int
    right: Any
    right_step: Int
    count: Int  # steps of k in a turn
    sums: Any
    sums_step: Int
    more: Int  # 0: set the sums, else add to them


def micro_kernel(kb: KernelBuilder, tile: Tile, left: Left, rows: int, vectors: int) -> Callable[[Operands], None]:
    """The function that computes `rows` x `vectors` sums."""
    marks = [m for m in ("unsigned", "table", "turning") if getattr(left, m)]
    name = "_".join(
        ["micro", f"{rows}x{vectors}", f"{tile.lanes}{tile.dtype}", left.dtype, *map(str, left.steps), *marks]
    )
    types = [kb.ptr, kb.ptr, *[kb.i64] * 4, kb.ptr, kb.i64, kb.i64, kb.ptr, kb.i64, kb.i64]

    def write(*arguments: Any) -> None:
        _Micro(kb, tile, left, rows, vectors, Operands(*arguments)).write()

    call = kb.function(name, types, write)
    return lambda operands: call(*(getattr(operands, f.name) for f in fields(operands)))


class _Micro:
    def __init__(self, kb: KernelBuilder, tile: Tile, left: Left, rows: int, vectors: int, given: Operands):
        self.kb, self.tile, self.left, self.rows, self.vectors, self.given = kb, tile, left, rows, vectors, given
        told = (given.row_step, given.k_step)
        self.row_step, self.k_step = (t if step is None else step for step, t in zip(left.steps, told))
        self.unroll = max(1, 8 // (rows * vectors))

    def write(self) -> None:
        kb, tile, given = self.kb, self.tile, self.given
        sums = Buffer(given.sums, tile.dtype)
        rows = [kb.mul(row, given.sums_step) for row in range(self.rows)]
        places = [kb.add(row, v * tile.lanes) for row in rows for v in range(self.vectors)]
        zero = kb.const(0, tile.dtype, tile.lanes)
        totals = kb.branch(
            kb.compare("ne", given.more, 0),
            lambda: [kb.load(sums, place, tile.lanes) for place in places],
            lambda: [zero] * len(places),
            results=[zero.type] * len(places),
        )
        left, right = Buffer(given.left, self.left.dtype), Buffer(given.right, tile.dtype)
        if self.left.turning:
            turn_of_right = kb.mul(given.count, given.right_step)
            totals = kb.loop(
                0,
                given.turns,
                lambda t, *sums: self._turn(
                    kb.at(left, kb.mul(t, given.turn_step)), kb.at(right, kb.mul(t, turn_of_right)), list(sums)
                ),
                carried=totals,
            )
        else:
            totals = self._turn(left, right, totals)
        for place, total in zip(places, totals):
            kb.store(total, sums, place)

    def _turn(self, left: Buffer, right: Buffer, totals: list[ir.Value]) -> list[ir.Value]:
        """All steps of k; a few rows use several sets of sums, added up at the end."""
        kb, size, unroll, count = self.kb, len(totals), self.unroll, self.given.count
        rows = self._rows(left)
        zero = kb.const(0, self.tile.dtype, self.tile.lanes)
        main = kb.mul(kb.div(count, unroll), unroll)

        def steps(k: Int, *parts: ir.Value) -> list[ir.Value]:
            copies = [list(parts[c * size : (c + 1) * size]) for c in range(unroll)]
            return [t for c, part in enumerate(copies) for t in self._step(rows, right, kb.add(k, c), part)]

        spread = kb.loop(0, main, steps, step=unroll, carried=[*totals, *[zero] * (size * (unroll - 1))])
        merged = spread[:size]
        for copy in range(1, unroll):
            merged = [_add(kb, x, y) for x, y in zip(merged, spread[copy * size : (copy + 1) * size])]
        if unroll > 1:
            merged = kb.loop(main, count, lambda k, *t: self._step(rows, right, k, list(t)), carried=merged)
        return merged

    def _rows(self, left: Buffer) -> list[Buffer]:
        """Where each row of the left factor starts."""
        kb = self.kb
        if not self.left.table:
            return [kb.at(left, kb.mul(row, self.row_step)) for row in range(self.rows)]
        table = Buffer(self.given.table, "i64")
        return [kb.at(left, kb.load(table, row)) for row in range(self.rows)]

    def _step(self, rows: list[Buffer], right: Buffer, k: Int, totals: list[ir.Value]) -> list[ir.Value]:
        kb, tile = self.kb, self.tile
        row_of_right = kb.at(right, kb.mul(k, self.given.right_step))
        columns = [kb.load(row_of_right, v * tile.lanes, tile.lanes) for v in range(self.vectors)]
        out = []
        for number, row in enumerate(rows):
            scalar = widen(kb, kb.load(row, kb.mul(k, self.k_step)), tile.dtype, self.left.unsigned)
            spread = kb.broadcast(scalar, tile.lanes)
            out += [multiply_add(kb, spread, b, totals[number * self.vectors + v]) for v, b in enumerate(columns)]
        return out


def _add(kb: KernelBuilder, a: ir.Value, b: ir.Value) -> ir.Value:
    return (arith.AddFOp if kb.dtype(a).startswith("f") else arith.AddIOp)(a, b).result
