"""The contraction family: matrix products of any batch, transposition and dtype with their pointwise epilogue.

    for each unit: a block of up to 132 rows by one panel of columns, of one outer position
      for each position of the loops that are reduced outside, for each block of k
        take the panel as it lies, or pack it into scratch
        for each tile of rows: micro-kernel, into the block's sums
      finish the sums: epilogue and stores

The left factor is read where it lies, one broadcast element at a time. Panels of a constant right factor are packed
at compile time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from npcomp_dialects.mlir import ir

from .axes import Axis
from .dispatch import Dispatch, Schedule
from .epilogue import Block, Epilogue, Frame
from .kernel import KernelBuilder
from .memory import Buffer
from .microkernel import Left, Tile
from .packing import PackedLeft, PackedRight, pack_panel
from .placement import axis_extent, last, loop_extent, offset_of, over, packed_part, static_extent, step_of, tensor_of
from .product import Factor, Product, read_product
from .target import BYTES, Target
from .tiles import Rows, Tiles

Int = Any
_DEPTH_BYTES = 2048  # bytes of one column of a panel: how deep a block of k is
_BLOCK_ROWS = 132
_PACK_FROM_ROWS = 24  # with fewer rows a panel is read once or twice, where it lies


@dataclass(frozen=True)
class Plan:
    """What the family chose for one dispatch."""

    product: Product
    tile: Tile
    block: int  # rows of a unit
    depth: int  # steps of k in one go
    lhs: PackedLeft | None
    rhs: PackedRight | None

    def __str__(self) -> str:
        shape = f"{self.tile.heights[0]}x{self.tile.width} {self.tile.dtype} tiles, {self.block} rows, k by {self.depth}"
        packs = [name for name, pack in (("left", self.lhs), ("right", self.rhs)) if pack is not None]
        return shape + (f", {' and '.join(packs)} packed at compile time" if packs else "")


def match(dispatch: Dispatch, target: Target) -> Plan | None:
    """The plan for a dispatch that is a contraction with pointwise stages after it, else None."""
    product = read_product(dispatch)
    if product is None:
        return None
    columns = static_extent(dispatch, product.n)
    tile = Tile.choose(target, product.accumulator, columns)
    block, depth = _BLOCK_ROWS // tile.heights[0] * tile.heights[0], _DEPTH_BYTES // BYTES[tile.dtype]
    sums = product.accumulator
    lhs = rhs = None
    if product.rhs.operand.constant and not product.rest:
        axes = _axes(product.rhs, product, product.k, product.n)
        rhs = PackedRight(product.rhs.operand.dtype, sums, product.rhs.unsigned, axes, tile.width)
    if product.lhs.operand.constant and not product.rest:
        axes = _axes(product.lhs, product, product.m, product.k)
        lhs = PackedLeft(product.lhs.operand.dtype, sums, product.lhs.unsigned, axes, block, tile.heights)
    return Plan(product, tile, block, depth, lhs, rhs)


def emit(kb: KernelBuilder, dispatch: Dispatch, target: Target) -> Schedule:
    plan = match(dispatch, target)
    assert plan is not None, "dispatch formation gives this family contractions only"
    return _Contraction(kb, dispatch, plan).write()


def _axes(factor: Factor, product: Product, *roles: Axis) -> tuple[tuple[int, ...], ...]:
    def dims(loops: Axis) -> tuple[int, ...]:
        found = (factor.dim_of(loop) for loop in loops)
        return tuple(dim for dim in found if dim is not None)

    return (dims(product.outer), *(dims(role) for role in roles))


class _Contraction:
    def __init__(self, kb: KernelBuilder, dispatch: Dispatch, plan: Plan):
        self.kb, self.dispatch, self.plan = kb, dispatch, plan
        self.product, self.tile = plan.product, plan.tile

    def write(self) -> Schedule:
        kb, plan, tile = self.kb, self.plan, self.tile
        self.rows, self.columns = axis_extent(kb, self.dispatch, self.product.m), axis_extent(kb, self.dispatch, self.product.n)
        self.depth = axis_extent(kb, self.dispatch, self.product.k)
        self.sums = kb.stack(tile.dtype, plan.block * tile.width)
        self.scratch = kb.stack(tile.dtype, plan.depth * tile.width) if plan.rhs is None else None
        self.tiles = Tiles(kb, tile, static_extent(self.dispatch, self.product.n))
        self.extents = [kb.max(loop_extent(kb, self.dispatch, l), 1) for l in self.product.outer]
        down, across = kb.ceildiv(self.rows, plan.block), kb.ceildiv(self.columns, tile.width)
        self.boxes = [*self.extents, kb.max(down, 1), kb.max(across, 1)]
        kb.loop(kb.begin, kb.end, self._unit)
        units = [((loop,), 1) for loop in self.product.outer]
        units += [(self.product.m, plan.block), (self.product.n, tile.width)]
        packs = {f.operand.index: p for f, p in ((self.product.lhs, plan.lhs), (self.product.rhs, plan.rhs)) if p}
        parameters = {"tile": f"{tile.heights[0]}x{tile.width}", "block": plan.block, "depth": plan.depth, "plan": str(plan)}
        return Schedule("contraction", tuple(units), self._grain(), parameters, packs)

    def _grain(self) -> int:
        """Units worth about 40 microseconds, by what is known of the sizes."""
        rows = min(static_extent(self.dispatch, self.product.m) or self.plan.block, self.plan.block)
        depth = static_extent(self.dispatch, self.product.k + self.product.rest) or 256
        return max(1, (1 << 21) // max(1, rows * depth * self.tile.width))

    # -- one unit ------------------------------------------------------------------------------------------------

    def _unit(self, unit: Any) -> None:
        kb, plan, tile = self.kb, self.plan, self.tile
        *outer, block, panel = kb.delinearize(unit, self.boxes)
        frame = Frame(dict(zip(self.product.outer, outer)), self.product.m, self.product.n)
        row, column = kb.mul(block, plan.block), kb.mul(panel, tile.width)
        rows = kb.min(kb.sub(self.rows, row), plan.block)
        columns = kb.min(kb.sub(self.columns, column), tile.width)
        if self.product.rest:
            self._clear(rows)
        rest = self.product.rest
        over(kb, self.dispatch, rest, frame.outer, lambda at: self._products(at, row, rows, column, columns))
        done = Block(self.sums, tile.width, row, rows, column, columns)
        Epilogue(kb, self.dispatch, self.product.root, self.product.epilogue, frame).write(done)

    def _clear(self, rows: Int) -> None:
        kb, tile = self.kb, self.tile
        zero = kb.const(0, tile.dtype, tile.lanes)
        kb.loop(0, kb.mul(rows, tile.width), lambda i: kb.store(zero, self.sums, i), step=tile.lanes)

    def _products(self, at: dict[int, Int], row: Int, rows: Int, column: Int, columns: Int) -> None:
        kb, plan = self.kb, self.plan
        left = self._left(at, row)

        def block(start: Any) -> None:
            count = kb.min(kb.sub(self.depth, start), plan.depth)
            panel, step = self._panel(at, start, count, rows, column, columns)
            more = 1 if self.product.rest else start
            self.tiles.run(left, count, panel, step, self.sums, rows, columns, more, start)

        # At least once, so that sums over nothing are zero.
        kb.loop(0, kb.max(self.depth, 1), block, step=plan.depth)

    def _left(self, at: dict[int, Int], row: Int) -> Rows:
        """The left factor from `row` on."""
        kb, factor = self.kb, self.product.lhs
        if self.plan.lhs is not None:
            data = Buffer(tensor_of(kb, factor.operand).data, self.tile.dtype)
            each = kb.mul(self.rows, self.depth)
            place = kb.add(kb.mul(packed_part(kb, factor, self.product.outer, self.extents, at), each), kb.mul(row, self.depth))
            return Rows(kb.at(data, place), Left(self.tile.dtype, 1, None), depth=self.depth)
        tensor = tensor_of(kb, factor.operand)
        row_step, k_step = step_of(kb, factor, last(self.product.m)), step_of(kb, factor, last(self.product.k))
        base = kb.at(tensor, kb.add(offset_of(kb, factor, at), kb.mul(row, row_step)))
        left = Left(tensor.dtype, _static(row_step), _static(k_step), factor.unsigned)
        return Rows(base, left, row_step, k_step)

    def _panel(
        self, at: dict[int, Int], start: Int, count: Int, rows: Int, column: Int, columns: Int
    ) -> tuple[ir.Value, Int]:
        """Pointer to the panel of this block of k, and the distance between its rows."""
        kb, factor, tile = self.kb, self.product.rhs, self.tile
        if self.plan.rhs is not None:
            data = Buffer(tensor_of(kb, factor.operand).data, tile.dtype)
            panels = kb.ceildiv(self.columns, tile.width)
            each = kb.mul(self.depth, tile.width)
            place = kb.mul(packed_part(kb, factor, self.product.outer, self.extents, at), kb.mul(panels, each))
            place = kb.add(place, kb.mul(kb.div(column, tile.width), each), kb.mul(start, tile.width))
            return kb.address(data, place), tile.width
        tensor = tensor_of(kb, factor.operand)
        k_step, n_step = step_of(kb, factor, last(self.product.k)), step_of(kb, factor, last(self.product.n))
        place = kb.add(offset_of(kb, factor, at), kb.mul(start, k_step), kb.mul(column, n_step))
        source = kb.address(tensor, place)
        pack = pack_panel(kb, tile, tensor.dtype, factor.unsigned, _static(k_step), _static(n_step))

        def packed() -> list[ir.Value]:
            pack(source, k_step, n_step, count, columns, self.scratch.data)
            return [self.scratch.data, kb.const(tile.width)]

        if tensor.dtype != tile.dtype or _static(n_step) != 1:
            pointer, step = packed()
            return pointer, tile.width
        few = kb.compare("slt", rows, _PACK_FROM_ROWS)
        whole = kb.compare("eq", columns, tile.width)
        direct = kb.select(few, whole, kb.const(0, "i1"))
        pointer, step = kb.branch(
            direct, lambda: [source, kb.value(k_step)], packed, results=[kb.ptr, kb.i64]
        )
        return pointer, step


def _static(step: Int) -> int | None:
    return step if isinstance(step, int) else None
