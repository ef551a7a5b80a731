"""Products of a few rows with columns that are contiguous in k: dot products, vectors along k, nothing packed.

Copying such a factor into panels would cost as much as the product itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith, vector

from .kernel import KernelBuilder
from .memory import Buffer
from .microkernel import Tile, multiply_add
from .tiles import Rows, Work

Int = Any
MOST_ROWS = 6
_COLUMNS = 4  # columns at once
_COPIES = 2  # sets of sums


def dots(kb: KernelBuilder, tile: Tile, left: Rows, right: Buffer, n_step: Int, work: Work) -> None:
    """Add `work` where both factors have k contiguous. `right` is element (0, 0) of the columns."""
    function = _function(kb, tile)

    def columns(first: Any) -> None:
        def row(r: Any) -> None:
            a = kb.address(left.base, kb.add(kb.mul(r, left.row_step), work.start))
            b = kb.address(right, kb.mul(first, n_step))
            sums = kb.address(work.sums, kb.add(kb.mul(r, tile.width), first))
            function(a, b, n_step, kb.sub(work.columns, first), work.count, sums, work.more)

        kb.loop(0, work.rows, row)

    kb.loop(0, work.columns, columns, step=_COLUMNS)


def _function(kb: KernelBuilder, tile: Tile) -> Callable[..., None]:
    """`(a, b, n_step, columns, count, sums, more)`: one row by up to four columns; missing ones repeat the last."""
    lanes, dtype = tile.lanes, tile.dtype

    def write(a: Any, b: Any, n_step: Any, columns: Any, count: Any, sums: Any, more: Any) -> None:
        last = kb.sub(columns, 1)
        rights = [Buffer(kb.address(Buffer(b, dtype), kb.mul(kb.min(c, last), n_step)), dtype) for c in range(_COLUMNS)]
        zero = kb.const(0, dtype, lanes)

        def steps(k: Int, totals: tuple[ir.Value, ...], copies: int, mask: ir.Value | None) -> list[ir.Value]:
            out = list(totals)
            for copy in range(copies):
                place = kb.add(k, copy * lanes)
                x = kb.load(Buffer(a, dtype), place, lanes, mask)
                for c, right in enumerate(rights):
                    n = copy * _COLUMNS + c
                    out[n] = multiply_add(kb, x, kb.load(right, place, lanes, mask), out[n])
            return out

        block = lanes * _COPIES
        main = kb.mul(kb.div(count, block), block)
        totals = kb.loop(
            0, main, lambda k, *t: steps(k, t, _COPIES, None), step=block, carried=[zero] * (_COPIES * _COLUMNS)
        )

        def tail(k: Any, *t: ir.Value) -> list[ir.Value]:
            return steps(k, t, 1, kb.tail_mask(kb.sub(count, k), lanes))

        totals = kb.loop(main, count, tail, step=lanes, carried=totals)
        for c in range(_COLUMNS):
            total = _sum(kb, _sum_of(kb, totals[c], totals[c + _COLUMNS]))
            _finish(kb, Buffer(sums, dtype), c, total, more)

    types = [kb.ptr, kb.ptr, kb.i64, kb.i64, kb.i64, kb.ptr, kb.i64]
    return kb.function(f"dots_{lanes}{dtype}", types, write)


def _finish(kb: KernelBuilder, sums: Buffer, place: int, total: ir.Value, more: Any) -> None:
    """Add `total` to a sum if `more` is not 0, else set it."""
    old = kb.branch(
        kb.compare("ne", more, 0),
        lambda: [kb.load(sums, place)],
        lambda: [kb.const(0, sums.dtype)],
        results=[kb.type(sums.dtype)],
    )
    kb.store(_sum_of(kb, old[0], total), sums, place)


def _sum_of(kb: KernelBuilder, x: ir.Value, y: ir.Value) -> ir.Value:
    return (arith.AddFOp if kb.dtype(x).startswith("f") else arith.AddIOp)(x, y).result


def _sum(kb: KernelBuilder, x: ir.Value) -> ir.Value:
    """Sum of the lanes, halving."""
    lanes = kb.lanes(x)
    while lanes > 1:
        lanes //= 2
        x = _sum_of(kb, _part(kb, x, 0, lanes), _part(kb, x, lanes, lanes))
    return x


def _part(kb: KernelBuilder, x: ir.Value, start: int, lanes: int) -> ir.Value:
    if lanes == 1:
        return kb.extract(x, start)
    return vector.ShuffleOp(x, x, list(range(start, start + lanes))).result
