"""The convolution family: products with a windowed factor, as a matrix product over packed windows (implicit GEMM).

    for each unit: a strip of pixels of one outer position (image, group) and a block of channels
      for each position of the loops that are reduced outside, for each block of k
        pack the strip's windows into scratch
        add weights x windows to the block's sums
      finish the sums: epilogue and stores

Two orientations share all of it. *Pixels across*: a sum is a row of channels by a vector of pixels, as results lie.
*Channels across*: a row of pixels by a vector of channels, for constant weights and images whose pixels do not fill
vectors; results are then stored transposed. Channels of their own (depthwise) are in depthwise.py. Images with channels
innermost need no windows packed: they are contractions whose rows are pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import contraction, depthwise
from .axes import Axis
from .dispatch import Dispatch, Schedule
from .epilogue import Block, Epilogue, Frame
from .kernel import KernelBuilder
from .memory import Buffer
from .microkernel import Left, Tile
from .packing import PackedLeft, PackedRight
from .placement import axis_extent, last, loop_extent, offset_of, over, packed_part, static_extent, step_of, tensor_of
from .product import Factor, Joins, accumulator_of, factors_of
from .target import BYTES, Target
from .tiles import Rows, Tiles, Work
from .windows import Steps, StepTable, WindowPanel

Int = Any
_DEPTH_BYTES = 2048
_BLOCK_CHANNELS = 258
_STRIPS_ACROSS = 4  # strips of channels that one packing of windows serves, with channels across
_TABLE = 8192
_POOR_FILL = 0.85


@dataclass(frozen=True)
class Windowed:
    """Roles of a convolution. `run` is the inner part of `pixels` that all memory but the input walks as one; `k` are
    the reduced loops that are one run in the weights, `rest` the others."""

    dispatch: Dispatch
    weights: Factor
    input: Factor
    outer: tuple[int, ...]
    channels: Axis
    pixels: Axis
    run: Axis
    k: Axis
    rest: tuple[int, ...]
    sums: str

    @property
    def root(self) -> Any:
        return self.dispatch.stages[0]


@dataclass(frozen=True)
class Plan:
    """What the family chose for one dispatch."""

    windowed: Windowed
    tile: Tile
    channels_across: bool
    pixels: int  # pixels of a unit
    channels: int  # channels of a unit
    depth: int
    packed: PackedLeft | PackedRight | None

    def __str__(self) -> str:
        side = "channels" if self.channels_across else "pixels"
        shape = f"{self.tile.heights[0]}x{self.tile.width} {self.tile.dtype} tiles, {side} across, "
        packed = ", weights packed at compile time" if self.packed else ""
        return f"{shape}{self.pixels} pixels x {self.channels} channels, k by {self.depth}{packed}"


def match(dispatch: Dispatch, target: Target) -> Plan | contraction.Plan | None:
    """The plan for a dispatch that is a convolution with pointwise stages after it, else None."""
    product = contraction.match(dispatch, target)
    if product is not None:
        return product
    windowed = read_windowed(dispatch)
    return None if windowed is None else _plan(windowed, target)


def emit(kb: KernelBuilder, dispatch: Dispatch, target: Target) -> Schedule:
    product = contraction.match(dispatch, target)
    if product is not None:
        return contraction.emit_plan(kb, dispatch, product)
    windowed = read_windowed(dispatch)
    assert windowed is not None, "dispatch formation gives this family convolutions only"
    if not windowed.channels:
        return depthwise.emit(kb, windowed, target)
    return _Convolution(kb, _plan(windowed, target)).write()


def read_windowed(dispatch: Dispatch) -> Windowed | None:
    """The roles of the dispatch, or None where it is no product with exactly one windowed factor."""
    root = dispatch.stages[0]
    factors = factors_of(root)
    if factors is None or any(stage.reduced for stage in dispatch.stages[1:]):
        return None
    if [f.is_plain for f in factors].count(True) != 1:
        return None
    weights, source = factors if factors[0].is_plain else factors[::-1]
    order = [i.loop for i in root.writes[0].indices if i.loop is not None]
    reduced = set(root.reduced)
    if not reduced <= weights.loops & source.loops or set(order) != (weights.loops | source.loops) - reduced:
        return None
    joins = Joins(dispatch)
    pixels = tuple(l for l in order if l in source.loops - weights.loops)
    run = joins.inner(list(pixels), joins.except_in(source))
    channels = joins.inner([l for l in order if l in weights.loops - source.loops], joins.everywhere)
    if not pixels:
        return None
    steps = [i.loop for i in weights.access.indices if i.loop in reduced]
    k = joins.inner(steps, lambda a, b: joins.within(weights, a, b))
    outer = tuple(l for l in order if l not in pixels + channels)
    rest = tuple(l for l in steps if l not in k)
    sums = accumulator_of(root.writes[0].dtype)
    return Windowed(dispatch, weights, source, outer, channels, pixels, run, k, rest, sums)


def _plan(windowed: Windowed, target: Target) -> Plan:
    dispatch, weights = windowed.dispatch, windowed.weights
    pixels, channels = static_extent(dispatch, windowed.pixels), static_extent(dispatch, windowed.channels)
    sums = windowed.sums
    lanes, depth = target.lanes(sums), _DEPTH_BYTES // BYTES[sums]
    constant = weights.operand.constant and not windowed.rest
    across = bool(constant and pixels and channels) and _fill(pixels, lanes) < _POOR_FILL <= _fill(channels, lanes)

    def dims(axis: Axis) -> tuple[int, ...]:
        found = (weights.dim_of(loop) for loop in axis)
        return tuple(dim for dim in found if dim is not None)

    outer, m, k = dims(windowed.outer), dims(windowed.channels), dims(windowed.k)
    dtype, unsigned = weights.operand.dtype, weights.unsigned
    if across:
        tile = Tile.choose(target, sums, channels)
        right = PackedRight(dtype, sums, unsigned, (outer, k, m), tile.width)
        return Plan(windowed, tile, True, tile.width, tile.width * _STRIPS_ACROSS, depth, right)
    tile = Tile.choose(target, sums, pixels)
    block = _BLOCK_CHANNELS // tile.heights[0] * tile.heights[0]
    left = PackedLeft(dtype, sums, unsigned, (outer, m, k), block, tile.heights) if constant else None
    return Plan(windowed, tile, False, tile.width, block, depth, left)


def _fill(count: int | None, lanes: int) -> float:
    """How much of its vectors an extent fills."""
    return count / (-(-count // lanes) * lanes) if count else 0.0


class _Convolution:
    def __init__(self, kb: KernelBuilder, plan: Plan):
        self.kb, self.plan, self.tile = kb, plan, plan.tile
        self.windowed, self.dispatch = plan.windowed, plan.windowed.dispatch

    def write(self) -> Schedule:
        kb, plan, tile, windowed = self.kb, self.plan, self.tile, self.windowed
        self.channels = axis_extent(kb, self.dispatch, windowed.channels)
        self.input = tensor_of(kb, windowed.input.operand)
        self.pixels, self.steps = self._steps(windowed.pixels), self._steps(windowed.k)
        self.total, self.depth = self.pixels.count(kb), self.steps.count(kb)
        self.table = StepTable(kb, self.steps, plan.depth, _TABLE)
        self.scratch = kb.stack(tile.dtype, plan.depth * tile.width)
        # Chunks of a run may read past the last row.
        self.sums = kb.stack(tile.dtype, plan.pixels * plan.channels + tile.width)
        columns = static_extent(self.dispatch, windowed.channels if plan.channels_across else windowed.pixels)
        self.tiles = Tiles(kb, tile, columns)
        self.extents = [kb.max(loop_extent(kb, self.dispatch, l), 1) for l in windowed.outer]
        down, across = kb.ceildiv(self.channels, plan.channels), kb.ceildiv(self.total, plan.pixels)
        self.boxes = [*self.extents, kb.max(down, 1), kb.max(across, 1)]
        kb.loop(kb.begin, kb.end, self._unit)
        units: list[tuple[Axis, int]] = [((loop,), 1) for loop in windowed.outer]
        units += [(windowed.channels, plan.channels), (windowed.pixels, plan.pixels)]
        packs = {windowed.weights.operand.index: plan.packed} if plan.packed else {}
        parameters = {"tile": f"{tile.heights[0]}x{tile.width}", "plan": str(plan)}
        return Schedule("convolution", tuple(units), 1, parameters, packs)

    def _steps(self, axis: Axis) -> Steps:
        extents = tuple(loop_extent(self.kb, self.dispatch, l) for l in axis)
        return Steps(axis, extents, tuple(step_of(self.kb, self.windowed.input, l) for l in axis))

    # -- one unit ------------------------------------------------------------------------------------------------

    def _unit(self, unit: Any) -> None:
        kb, plan = self.kb, self.plan
        *outer, block, strip = kb.delinearize(unit, self.boxes)
        at = dict(zip(self.windowed.outer, outer))
        channel, pixel = kb.mul(block, plan.channels), kb.mul(strip, plan.pixels)
        channels = kb.min(kb.sub(self.channels, channel), plan.channels)
        pixels = kb.min(kb.sub(self.total, pixel), plan.pixels)
        if self.windowed.rest:
            self._clear()
        over(
            kb, self.dispatch, self.windowed.rest, at, lambda now: self._products(now, channel, channels, pixel, pixels)
        )
        self._finish(at, channel, channels, pixel, pixels)

    def _clear(self) -> None:
        kb, tile = self.kb, self.tile
        zero = kb.const(0, tile.dtype, tile.lanes)
        count = self.plan.pixels * self.plan.channels
        kb.loop(0, count, lambda i: kb.store(zero, self.sums, i), step=tile.lanes)

    def _products(self, at: dict[int, Int], channel: Int, channels: Int, pixel: Int, pixels: Int) -> None:
        kb, plan, tile = self.kb, self.plan, self.tile
        source = kb.at(self.input, offset_of(kb, self.windowed.input, at))
        panel = WindowPanel(kb, tile, source, self.pixels, self.windowed.input.unsigned, self.scratch)

        def block(start: Any) -> None:
            count = kb.min(kb.sub(self.depth, start), plan.depth)
            panel.pack(pixel, pixels, self.table.block(start, count), count)
            more = 1 if self.windowed.rest else start
            if plan.channels_across:
                self._channels_across(at, channel, channels, pixels, start, count, more)
            else:
                work = Work(self.sums, channels, pixels, self.scratch.data, tile.width, count, more, start)
                self.tiles.run(self._weights(at, channel), work)

        # At least once, so that sums over nothing are zero.
        kb.loop(0, kb.max(self.depth, 1), block, step=plan.depth)

    def _channels_across(
        self, at: dict[int, Int], channel: Int, channels: Int, pixels: Int, start: Int, count: Int, more: Int
    ) -> None:
        """Windows are the left factor, as they were packed; strips of channels the right one."""
        kb, tile = self.kb, self.tile
        windows = Rows(self.scratch, Left(tile.dtype, (1, tile.width)), 1, tile.width)
        data = Buffer(tensor_of(kb, self.windowed.weights.operand).data, tile.dtype)
        each = kb.mul(self.depth, tile.width)
        first = kb.mul(
            packed_part(kb, self.windowed.weights, self.windowed.outer, self.extents, at),
            kb.mul(kb.ceildiv(self.channels, tile.width), each),
        )

        def strip(c: Any) -> None:
            number = kb.div(kb.add(channel, c), tile.width)
            place = kb.add(first, kb.mul(number, each), kb.mul(start, tile.width))
            sums = kb.at(self.sums, kb.mul(c, self.plan.pixels))
            columns = kb.min(kb.sub(channels, c), tile.width)
            self.tiles.run(windows, Work(sums, pixels, columns, kb.address(data, place), tile.width, count, more))

        kb.loop(0, channels, strip, step=tile.width)

    def _finish(self, at: dict[int, Int], channel: Int, channels: Int, pixel: Int, pixels: Int) -> None:
        kb, tile, windowed = self.kb, self.tile, self.windowed
        stages = self.dispatch.stages
        if not self.plan.channels_across:
            self._finish_runs(at, channel, channels, pixel, pixels)
            return
        finish = Epilogue(kb, self.dispatch, stages[0], stages[1:], Frame(at, windowed.pixels, windowed.channels))

        def strip(c: Any) -> None:
            sums = kb.at(self.sums, kb.mul(c, self.plan.pixels))
            columns = kb.min(kb.sub(channels, c), tile.width)
            finish.write(Block(sums, tile.width, pixel, pixels, kb.add(channel, c), columns))

        kb.loop(0, channels, strip, step=tile.width)

    def _finish_runs(self, at: dict[int, Int], channel: Int, channels: Int, pixel: Int, pixels: Int) -> None:
        """Pixels across: one block for each run that the strip touches."""
        kb, windowed, stages = self.kb, self.windowed, self.dispatch.stages
        length = kb.max(axis_extent(kb, self.dispatch, windowed.run), 1)
        heads = windowed.pixels[: -len(windowed.run)]
        extents = [kb.max(loop_extent(kb, self.dispatch, loop), 1) for loop in heads]
        end = kb.add(pixel, pixels)

        def run(number: Any) -> None:
            base = kb.mul(number, length)
            low, high = kb.max(base, pixel), kb.min(kb.add(base, length), end)
            place = dict(zip(heads, kb.delinearize(number, extents)))
            frame = Frame({**at, **place}, windowed.channels, windowed.run)
            sums = kb.at(self.sums, kb.sub(low, pixel))
            done = Block(sums, self.tile.width, channel, channels, kb.sub(low, base), kb.sub(high, low))
            Epilogue(kb, self.dispatch, stages[0], stages[1:], frame).write(done)

        if heads:
            kb.loop(kb.div(pixel, length), kb.ceildiv(end, length), run)
        else:
            run(0)

    def _weights(self, at: dict[int, Int], channel: Int) -> Rows:
        """The weights from `channel` on."""
        kb, factor = self.kb, self.windowed.weights
        tensor = tensor_of(kb, factor.operand)
        if self.plan.packed is not None:
            data = Buffer(tensor.data, self.tile.dtype)
            each = kb.mul(self.channels, self.depth)
            place = kb.add(
                kb.mul(packed_part(kb, self.windowed.weights, self.windowed.outer, self.extents, at), each),
                kb.mul(channel, self.depth),
            )
            return Rows(kb.at(data, place), Left(self.tile.dtype, (1, None)), depth=self.depth)
        row_step, k_step = (step_of(kb, factor, last(axis)) for axis in (self.windowed.channels, self.windowed.k))
        base = kb.at(tensor, kb.add(offset_of(kb, factor, at), kb.mul(channel, row_step)))
        unit = 1 if isinstance(k_step, int) and k_step == 1 else None
        return Rows(base, Left(tensor.dtype, (None, unit), factor.unsigned), row_step, k_step)
