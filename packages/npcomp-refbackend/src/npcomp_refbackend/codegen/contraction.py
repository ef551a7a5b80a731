"""The contraction family: matrix products of any batch, transposition and dtype with their pointwise epilogue.

    for each unit: a block of up to 132 rows by one panel of columns, of one outer position
      for each position of the loops that are reduced outside, for each block of k
        take the panel as it lies, or pack it into scratch
        for each tile of rows: micro-kernel, into the block's sums
      finish the sums: epilogue and stores

The left factor is read where it lies, one broadcast element at a time; where its rows are not evenly spaced, through
a table of their places. So a convolution of images with channels innermost is a contraction too: its rows are pixels.
A left factor of another dtype than the sums is widened into scratch first, a block of k at a time. Panels of a constant
right factor are packed at compile time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from npcomp_dialects.mlir import ir

from .axes import Axis
from .dispatch import Dispatch, Schedule
from .dots import MOST_ROWS, dots
from .epilogue import Block, Epilogue, Frame
from .kernel import KernelBuilder
from .memory import Buffer
from .microkernel import Left, Tile, widen
from .packing import PackedLeft, PackedRight, pack_panel
from .placement import (
    axis_extent,
    last,
    loop_extent,
    offset_of,
    over,
    packed_part,
    static_extent,
    step_of,
    tensor_of,
    walk,
)
from .product import Factor, Product, read_product
from .target import BYTES, Target
from .tiles import Rows, Tiles, Work

Int = Any
_DEPTH_BYTES = 2560  # bytes of one column of a panel: how deep a block of k is
_BLOCK_ROWS = 132
_PACK_FROM_ROWS = 24  # with fewer rows a panel is read once or twice, where it lies


@dataclass(frozen=True)
class Plan:
    """What the family chose for one dispatch."""

    product: Product
    tile: Tile
    block: int  # rows of a unit
    depth: int  # steps of k in one go
    turns: int  # positions of the last loop of `rest` in one go; 0: one at a time
    lhs: PackedLeft | None
    rhs: PackedRight | None

    @property
    def widens(self) -> bool:
        """Whether the left factor is widened in scratch."""
        return self.lhs is None and self.product.lhs.operand.dtype != self.tile.dtype

    @property
    def rest(self) -> tuple[int, ...]:
        """Reduced loops around the micro-kernels."""
        return self.product.rest[:-1] if self.turns else self.product.rest

    def __str__(self) -> str:
        shape = (
            f"{self.tile.heights[0]}x{self.tile.width} {self.tile.dtype} tiles, {self.block} rows, k by {self.depth}"
        )
        table = "" if self.product.even else ", rows by table"
        packs = [name for name, pack in (("left", self.lhs), ("right", self.rhs)) if pack is not None]
        return shape + table + (f", {' and '.join(packs)} packed at compile time" if packs else "")


def match(dispatch: Dispatch, target: Target) -> Plan | None:
    """The plan for a dispatch that is a contraction with pointwise stages after it, else None."""
    product = read_product(dispatch)
    if product is None:
        return None
    sums = product.accumulator
    tile = Tile.choose(target, sums, static_extent(dispatch, product.n))
    widens = product.lhs.operand.dtype != sums
    most = _BLOCK_ROWS // 2 if widens else _BLOCK_ROWS
    block, depth = most // tile.heights[0] * tile.heights[0], _DEPTH_BYTES // BYTES[sums]
    lhs = rhs = None
    turns = 0
    if product.rhs.operand.constant:
        axes = _axes(product.rhs, product.outer, product.rest + product.k, product.n)
        rhs = PackedRight(product.rhs.operand.dtype, sums, product.rhs.unsigned, axes, tile.width)
        steps = static_extent(dispatch, product.k)
        if product.rest and steps is not None and 2 * steps <= depth and not widens:
            turns = depth // max(steps, 1)
    if product.lhs.operand.constant and product.lhs.is_plain and not product.rest:
        axes = _axes(product.lhs, product.outer, product.m, product.k)
        lhs = PackedLeft(product.lhs.operand.dtype, sums, product.lhs.unsigned, axes, block, tile.heights)
    return Plan(product, tile, block, depth, turns, lhs, rhs)


def emit(kb: KernelBuilder, dispatch: Dispatch, target: Target) -> Schedule:
    plan = match(dispatch, target)
    assert plan is not None, "dispatch formation gives this family contractions only"
    return emit_plan(kb, dispatch, plan)


def emit_plan(kb: KernelBuilder, dispatch: Dispatch, plan: Plan) -> Schedule:
    return _Contraction(kb, dispatch, plan).write()


def _axes(factor: Factor, *roles: Axis) -> Any:
    """The factor's dimensions behind each role's loops."""
    found = ([factor.dim_of(loop) for loop in role] for role in roles)
    return tuple(tuple(dim for dim in dims if dim is not None) for dims in found)


class _Contraction:
    def __init__(self, kb: KernelBuilder, dispatch: Dispatch, plan: Plan):
        self.kb, self.dispatch, self.plan = kb, dispatch, plan
        self.product, self.tile = plan.product, plan.tile

    def write(self) -> Schedule:
        kb, plan, tile, product = self.kb, self.plan, self.tile, self.product
        self.rows, self.columns, self.depth = (
            axis_extent(kb, self.dispatch, axis) for axis in (product.m, product.n, product.k)
        )
        self.sums = kb.stack(tile.dtype, plan.block * tile.width)
        self.scratch = kb.stack(tile.dtype, plan.depth * tile.width) if plan.rhs is None else None
        self.table = None if product.even or plan.lhs else kb.stack("i64", plan.block)
        self.wide = kb.stack(tile.dtype, plan.block * plan.depth) if plan.widens else None
        self.tiles = Tiles(kb, tile, static_extent(self.dispatch, product.n))
        self.extents = [kb.max(loop_extent(kb, self.dispatch, l), 1) for l in product.outer]
        down, across = kb.ceildiv(self.rows, plan.block), kb.ceildiv(self.columns, tile.width)
        self.boxes = [*self.extents, kb.max(down, 1), kb.max(across, 1)]
        kb.loop(kb.begin, kb.end, self._unit)
        units: list[tuple[Axis, int]] = [((loop,), 1) for loop in product.outer]
        units += [(product.m, plan.block), (product.n, tile.width)]
        packs = {f.operand.index: p for f, p in ((product.lhs, plan.lhs), (product.rhs, plan.rhs)) if p}
        parameters = {"tile": f"{tile.heights[0]}x{tile.width}", "plan": str(plan)}
        return Schedule("contraction", tuple(units), self._grain(), parameters, packs)

    def _grain(self) -> int:
        """Units worth about 40 microseconds, by what is known of the sizes."""
        rows = min(static_extent(self.dispatch, self.product.m) or self.plan.block, self.plan.block)
        depth = static_extent(self.dispatch, self.product.k + self.product.rest) or 256
        return max(1, (1 << 21) // max(1, rows * depth * self.tile.width))

    # -- one unit ------------------------------------------------------------------------------------------------

    def _unit(self, unit: Any) -> None:
        kb, plan, tile, product = self.kb, self.plan, self.tile, self.product
        *outer, block, panel = kb.delinearize(unit, self.boxes)
        frame = Frame(dict(zip(product.outer, outer)), product.m, product.n)
        row, column = kb.mul(block, plan.block), kb.mul(panel, tile.width)
        rows = kb.min(kb.sub(self.rows, row), plan.block)
        columns = kb.min(kb.sub(self.columns, column), tile.width)
        if self.table is not None:
            self._fill_table(self.table, row, rows)
        if plan.rest:
            self._clear(rows)
        over(kb, self.dispatch, plan.rest, frame.outer, lambda at: self._products(at, row, rows, column, columns))
        done = Block(self.sums, tile.width, row, rows, column, columns)
        Epilogue(kb, self.dispatch, product.root, product.epilogue, frame).write(done)

    def _fill_table(self, table: Buffer, row: Int, rows: Int) -> None:
        kb, product = self.kb, self.product

        def place(r: Int, position: list[Int]) -> None:
            offset = offset_of(kb, product.lhs, dict(zip(product.m, position)), constants=False)
            kb.store(kb.value(offset), table, r)

        walk(kb, self.dispatch, product.m, row, rows, place)

    def _clear(self, rows: Int) -> None:
        kb, tile = self.kb, self.tile
        zero = kb.const(0, tile.dtype, tile.lanes)
        kb.loop(0, kb.mul(rows, tile.width), lambda i: kb.store(zero, self.sums, i), step=tile.lanes)

    def _products(self, at: dict[int, Int], row: Int, rows: Int, column: Int, columns: Int) -> None:
        """Everything at one position of the loops around the micro-kernels."""
        kb, plan = self.kb, self.plan

        def block(start: Any) -> None:
            count = kb.min(kb.sub(self.depth, start), plan.depth)
            more = 1 if plan.rest else start
            left = self._left(at, row)

            def tiles() -> None:
                panel, step = self._panel(at, start, count, rows, column, columns)
                work = Work(self.sums, rows, columns, panel, step, count, more, start)
                if self.wide is None:
                    self.tiles.run(left, work)
                else:
                    widened = self._widened(left, self.wide, work)
                    self.tiles.run(widened, replace(work, start=0))

            if not self._has_dots(left):
                tiles()
                return
            source, _, n_step = self._right(at, start, column)
            work = Work(self.sums, rows, columns, source.data, n_step, count, more, start)
            few = kb.compare("sle", rows, MOST_ROWS)
            kb.branch(few, lambda: dots(kb, self.tile, left, source, n_step, work), tiles)

        def turns(first: Any) -> None:
            loop = self.product.rest[-1]
            here = {**at, loop: first}
            some = kb.min(kb.sub(loop_extent(kb, self.dispatch, loop), first), plan.turns)
            panel, step = self._panel(here, 0, self.depth, rows, column, columns)
            apart = step_of(kb, self.product.lhs, loop)
            more = 1 if plan.rest else first
            work = Work(self.sums, rows, columns, panel, step, self.depth, more, 0, some, apart)
            self.tiles.run(self._left(here, row), work)

        # At least once, so that sums over nothing are zero.
        if plan.turns:
            kb.loop(0, kb.max(loop_extent(kb, self.dispatch, self.product.rest[-1]), 1), turns, step=plan.turns)
        else:
            kb.loop(0, kb.max(self.depth, 1), block, step=plan.depth)

    def _left(self, at: dict[int, Int], row: Int) -> Rows:
        """The left factor from `row` on."""
        kb, factor = self.kb, self.product.lhs
        tensor = tensor_of(kb, factor.operand)
        if self.plan.lhs is not None:
            part = kb.mul(packed_part(kb, factor, self.product.outer, self.extents, at), kb.mul(self.rows, self.depth))
            base = kb.at(Buffer(tensor.data, self.tile.dtype), kb.add(part, kb.mul(row, self.depth)))
            return Rows(base, Left(self.tile.dtype, (1, None)), depth=self.depth)
        row_step, k_step = step_of(kb, factor, last(self.product.m)), step_of(kb, factor, last(self.product.k))
        if self.table is not None:
            row_step = 0
        base = kb.at(tensor, kb.add(offset_of(kb, factor, at), kb.mul(row, row_step)))
        unit = 1 if _static(k_step) == 1 else None
        left = Left(tensor.dtype, (None, unit), factor.unsigned, self.table is not None, self.plan.turns > 0)
        return Rows(base, left, row_step, k_step, table=self.table)

    def _widened(self, left: Rows, wide: Buffer, work: Work) -> Rows:
        """The rows' steps of k of `work`, copied into `wide`."""
        kb, plan, tile = self.kb, self.plan, self.tile
        lanes = tile.lanes

        def row(r: Any) -> None:
            along = kb.load(left.table, r) if left.table is not None else kb.mul(r, left.row_step)
            source = kb.at(left.base, kb.add(along, kb.mul(work.start, left.k_step)))
            to = kb.at(wide, kb.mul(r, plan.depth))

            def vector(k: Any) -> None:
                mask = kb.tail_mask(kb.sub(work.count, k), lanes)
                value = kb.load(source, kb.mul(k, left.k_step), lanes, mask, left.k_step)
                kb.store(widen(kb, value, tile.dtype, left.left.unsigned), to, k, mask)

            kb.loop(0, work.count, vector, step=lanes)

        kb.loop(0, work.rows, row)
        return Rows(wide, Left(tile.dtype, (None, 1)), plan.depth, 1)

    def _panel(
        self, at: dict[int, Int], start: Int, count: Int, rows: Int, column: Int, columns: Int
    ) -> tuple[ir.Value, Int]:
        """Pointer to the panel of this block of k, and the distance between its rows."""
        kb, factor, tile = self.kb, self.product.rhs, self.tile
        tensor = tensor_of(kb, factor.operand)
        if self.plan.rhs is not None:
            place = self._packed_place(at, kb.div(column, tile.width), start)
            return kb.address(Buffer(tensor.data, tile.dtype), place), tile.width
        begin, k_step, n_step = self._right(at, start, column)
        source = begin.data
        pack = pack_panel(kb, tile, tensor.dtype, factor.unsigned, _static(k_step), _static(n_step))
        assert self.scratch is not None
        scratch = self.scratch.data

        def packed() -> list[ir.Value]:
            pack(source, k_step, n_step, count, columns, scratch)
            return [scratch, kb.const(tile.width)]

        if tensor.dtype != tile.dtype or _static(n_step) != 1:
            packed()
            return scratch, tile.width
        few = kb.compare("slt", rows, _PACK_FROM_ROWS)
        direct = kb.select(few, kb.compare("eq", columns, tile.width), kb.const(0, "i1"))
        return tuple(kb.branch(direct, lambda: [source, kb.value(k_step)], packed, results=[kb.ptr, kb.i64]))

    def _right(self, at: dict[int, Int], start: Int, column: Int) -> tuple[Buffer, Int, Int]:
        """The right factor from a step of k and a column on, its step of k and its step of columns."""
        kb, factor = self.kb, self.product.rhs
        k_step, n_step = step_of(kb, factor, last(self.product.k)), step_of(kb, factor, last(self.product.n))
        place = kb.add(offset_of(kb, factor, at), kb.mul(start, k_step), kb.mul(column, n_step))
        return kb.at(tensor_of(kb, factor.operand), place), k_step, n_step

    def _has_dots(self, left: Rows) -> bool:
        """Whether both factors lie so that a few rows are best done as dot products."""
        factor, sums = self.product.rhs, self.tile.dtype
        if self.plan.rhs is not None or self.plan.lhs is not None or left.table is not None:
            return False
        if left.left.dtype != sums or factor.operand.dtype != sums or left.k_step != 1:
            return False
        n_step = step_of(self.kb, factor, last(self.product.n))
        return step_of(self.kb, factor, last(self.product.k)) == 1 and _static(n_step) != 1

    def _packed_place(self, at: dict[int, Int], panel: Int, start: Int) -> Int:
        """Element of the packed right factor where step `start` of a panel begins."""
        kb, tile, product = self.kb, self.tile, self.product
        rest: Int = 0
        for loop in product.rest:
            rest = kb.add(kb.mul(rest, loop_extent(kb, self.dispatch, loop)), at[loop])
        each = kb.mul(axis_extent(kb, self.dispatch, product.rest + product.k), tile.width)
        part = packed_part(kb, product.rhs, product.outer, self.extents, at)
        place = kb.mul(kb.add(kb.mul(part, kb.ceildiv(self.columns, tile.width)), panel), each)
        return kb.add(place, kb.mul(kb.add(kb.mul(rest, self.depth), start), tile.width))


def _static(step: Int) -> int | None:
    return step if isinstance(step, int) else None
