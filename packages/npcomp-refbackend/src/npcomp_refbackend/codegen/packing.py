"""Packing: copying a factor into the order in which micro-kernels read it, widened to the type of the sums.

A right factor becomes panels `[columns / width][k][width]`, the last padded with zeros. A panel of a block of k is
packed into scratch inside the kernel; a constant is packed whole, at compile time, by the same rules in numpy.
A left factor becomes strips `[rows of a tile][k][row]`, one after the other, for the heights that tiles use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import vector

from .kernel import KernelBuilder
from .memory import Buffer
from .microkernel import Tile, widen

Int = Any
_NUMPY = {"f64": np.float64, "f32": np.float32, "i64": np.int64, "i32": np.int32}


def as_sums(array: np.ndarray, dtype: str, sums: str, unsigned: bool) -> np.ndarray:
    """A constant's elements in the type of the sums; bf16 arrives as the uint16 of its bits."""
    if dtype == "bf16":
        return (array.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    if unsigned and array.dtype.kind == "i":
        array = array.view(array.dtype.str.replace("i", "u"))
    return array.astype(_NUMPY[sums])


@dataclass(frozen=True)
class PackedRight:
    """Panels of a constant right factor. `axes` say which array dimensions are outer, k and n, in that order."""

    dtype: str
    sums: str
    unsigned: bool
    axes: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    width: int

    @property
    def key(self) -> str:
        return f"right{self.width}.{self.sums}.{self.unsigned}.{self.axes}".replace(" ", "")

    def pack(self, array: np.ndarray) -> np.ndarray:
        """[outer][panel][k][width]"""
        outer, rows, columns = _grouped(array, self.axes)
        matrix = as_sums(_ordered(array, self.axes), self.dtype, self.sums, self.unsigned).reshape(outer, rows, columns)
        panels = -(-columns // self.width)
        padded = np.zeros((outer, rows, panels * self.width), matrix.dtype)
        padded[:, :, :columns] = matrix
        split = padded.reshape(outer, rows, panels, self.width)
        return np.ascontiguousarray(split.transpose(0, 2, 1, 3))


@dataclass(frozen=True)
class PackedLeft:
    """Strips of a constant left factor. `axes` say which array dimensions are outer, m and k, in that order."""

    dtype: str
    sums: str
    unsigned: bool
    axes: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    block: int
    heights: tuple[int, ...]

    @property
    def key(self) -> str:
        return f"left{self.block}.{self.heights}.{self.sums}.{self.unsigned}.{self.axes}".replace(" ", "")

    def pack(self, array: np.ndarray) -> np.ndarray:
        """[outer] then, for each tile of rows, [k][row]: row r of the factor starts at element r * k."""
        outer, rows, depth = _grouped(array, self.axes)
        matrix = as_sums(_ordered(array, self.axes), self.dtype, self.sums, self.unsigned).reshape(outer, rows, depth)
        out = np.empty((outer, rows * depth), matrix.dtype)
        for start, height in tile_rows(rows, self.block, self.heights):
            strip = matrix[:, start : start + height].transpose(0, 2, 1)
            out[:, start * depth : (start + height) * depth] = strip.reshape(outer, -1)
        return out


def tile_rows(rows: int, block: int, heights: tuple[int, ...]) -> list[tuple[int, int]]:
    """(first row, height) of the tiles that cover `rows` in blocks, as the kernel's loops do."""
    tiles = []
    for start in range(0, rows, block):
        row, end = start, min(start + block, rows)
        for height in heights:
            while end - row >= height:
                tiles.append((row, height))
                row += height
    return tiles


def _ordered(array: np.ndarray, axes: tuple[tuple[int, ...], ...]) -> np.ndarray:
    order = [dim for group in axes for dim in group]
    order += [dim for dim in range(array.ndim) if dim not in order]
    return np.ascontiguousarray(array.transpose(order))


def _grouped(array: np.ndarray, axes: tuple[tuple[int, ...], ...]) -> list[int]:
    return [int(np.prod([array.shape[dim] for dim in group], dtype=np.int64)) for group in axes]


def pack_panel(
    kb: KernelBuilder, tile: Tile, dtype: str, unsigned: bool, k_step: int | None, n_step: int | None
) -> Callable[..., None]:
    """The function `(from, k_step, n_step, count, columns, to)`: one panel of `count` steps of k. Only unit steps are
    built in."""
    k_step, n_step = (None, 1) if n_step == 1 else (1, None) if k_step == 1 else (None, None)
    name = f"pack_{dtype}{'_unsigned' * unsigned}_{k_step}_{n_step}_{tile.vectors}x{tile.lanes}{tile.dtype}"

    def write(source: Any, k_arg: Any, n_arg: Any, count: Any, columns: Any, to: Any) -> None:
        panel = _Panel(kb, tile, Buffer(source, dtype), unsigned, Buffer(to, tile.dtype))
        panel.k_step = k_step if k_step is not None else k_arg
        panel.n_step = n_step if n_step is not None else n_arg
        if n_step == 1:
            kb.branch(
                kb.compare("eq", columns, tile.width),
                lambda: panel.rows(0, count, None),
                lambda: panel.rows(0, count, columns),
            )
        elif k_step == 1 and dtype in ("f32", "f64", "i32", "i64"):
            panel.transposed(count, columns)
        else:
            panel.rows(0, count, columns)

    return kb.function(name, [kb.ptr, kb.i64, kb.i64, kb.i64, kb.i64, kb.ptr], write)


class _Panel:
    k_step: Int
    n_step: Int

    def __init__(self, kb: KernelBuilder, tile: Tile, source: Buffer, unsigned: bool, to: Buffer):
        self.kb, self.tile, self.source, self.unsigned, self.to = kb, tile, source, unsigned, to

    def rows(self, start: Int, count: Int, columns: Int | None) -> None:
        """Row by row of k; columns past `columns` become zero."""
        kb, tile = self.kb, self.tile
        masks = [self._mask(columns, v) for v in range(tile.vectors)]

        def row(k: Any) -> None:
            base = kb.at(self.source, kb.mul(k, self.k_step))
            for v in range(tile.vectors):
                place = kb.mul(v * tile.lanes, self.n_step)
                value = kb.load(base, place, tile.lanes, mask=masks[v], stride=self.n_step)
                wide = widen(kb, value, tile.dtype, self.unsigned)
                kb.store(wide, self.to, kb.add(kb.mul(k, tile.width), v * tile.lanes))

        kb.loop(start, count, row)

    def transposed(self, count: Int, columns: Int) -> None:
        """Neighbours along k are neighbours in memory: squares of lanes x lanes are turned in registers. Columns past
        the end repeat the last one."""
        kb, lanes = self.kb, self.tile.lanes
        whole = kb.mul(kb.div(count, lanes), lanes)
        last = kb.sub(columns, 1)

        def square(k: Any) -> None:
            kb.loop(0, columns, lambda first: turn(k, first), step=lanes)

        def turn(k: Any, first: Any) -> None:
            places = [kb.mul(kb.min(kb.add(first, i), last), self.n_step) for i in range(lanes)]
            loaded = [kb.load(self.source, kb.add(k, place), lanes) for place in places]
            for i, turned in enumerate(transpose(kb, loaded)):
                kb.store(turned, self.to, kb.add(kb.mul(kb.add(k, i), self.tile.width), first))

        kb.loop(0, whole, square, step=lanes)
        kb.branch(kb.compare("slt", whole, count), lambda: self.rows(whole, count, columns))

    def _mask(self, columns: Int | None, v: int) -> ir.Value | None:
        if columns is None:
            return None
        return self.kb.tail_mask(self.kb.sub(columns, v * self.tile.lanes), self.tile.lanes)


def transpose(kb: KernelBuilder, rows: list[ir.Value]) -> list[ir.Value]:
    """The columns of a square of as many vectors as lanes: perfect shuffles, log2(lanes) times."""
    lanes = len(rows)
    half = lanes // 2
    low = [i // 2 + (lanes if i % 2 else 0) for i in range(lanes)]
    high = [half + i for i in low]
    step = 1
    while step < lanes:
        pairs = [(rows[i], rows[i + half]) for i in range(half)]
        rows = [vector.ShuffleOp(a, b, mask).result for a, b in pairs for mask in (low, high)]
        step *= 2
    return rows
