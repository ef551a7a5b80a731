"""Finishing a block of sums: initial values, the pointwise stages that consume them, and the stores.

A block is a rectangle of rows (axis m) and columns (axis n) of scratch, finished in chunks of a few vectors. What
depends on the column alone is read once a chunk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith

from .axes import Axis
from .body import inline
from .convert import from_f32
from .dispatch import Access, Dispatch, Index, Operand, Stage, Write
from .extremes import PREDICATES, extreme_in_body
from .kernel import KernelBuilder
from .memory import Buffer
from .memory import Operand as Tensor
from .microkernel import widen
from .placement import tensor_of, walk

Int = Any


@dataclass(frozen=True)
class Frame:
    """Where a block lies: positions of single loops, the loops of rows, and the axis of columns, which is one run."""

    outer: dict[int, Int]
    m: Axis
    n: Axis


@dataclass
class Block:
    """Sums of `rows` rows, `width` elements apart, that stand for result rows `row` … and columns `column` …"""

    sums: Buffer
    width: int
    row: Int
    rows: Int
    column: Int
    columns: Int


@dataclass
class _Place:
    """What can be read at one row of a chunk: `lanes` columns from `column` on."""

    block: Block
    column: Int
    lanes: int
    mask: ir.Value | None
    row: dict[int, Int] = field(default_factory=dict)  # position of each loop of m
    values: dict[Any, ir.Value] = field(default_factory=dict)


class Epilogue:
    def __init__(self, kb: KernelBuilder, dispatch: Dispatch, root: Stage, stages: Sequence[Stage], frame: Frame):
        self.kb, self.dispatch, self.root, self.stages, self.frame = kb, dispatch, root, stages, frame

    def write(self, block: Block) -> None:
        """Finish `block`. Whole blocks run without masks."""
        kb = self.kb
        lanes = _chunk(kb, block)

        def whole(start: Any) -> None:
            self._rows(_Place(block, kb.add(block.column, start), lanes, None), start)

        def cut(start: Any) -> None:
            mask = kb.tail_mask(kb.sub(block.columns, start), lanes)
            self._rows(_Place(block, kb.add(block.column, start), lanes, mask), start)

        def chunks(body: Any, end: Int) -> None:
            kb.loop(0, end, body, step=lanes) if lanes < block.width else body(0)

        if isinstance(block.columns, int) and block.columns == block.width:
            chunks(whole, block.width)
            return
        full = kb.compare("eq", block.columns, block.width)
        kb.branch(full, lambda: chunks(whole, block.width), lambda: chunks(cut, block.columns))

    def _rows(self, common: _Place, start: Int) -> None:
        """Every row of the chunk that starts `start` columns into the block."""
        block = common.block
        for stage in (self.root, *self.stages):
            for access in self._reads(stage):
                if isinstance(access.source, Operand) and not self._moves(access, self.frame.m):
                    common.values[access] = self._load(access, common)

        def row(r: Int, position: list[Int]) -> None:
            place = replace(common, row=dict(zip(self.frame.m, position)), values=dict(common.values))
            sums = self.kb.load(block.sums, self.kb.add(self.kb.mul(r, block.width), start), common.lanes)
            self._define(self.root, [self._rooted(sums, place)], place)
            for stage in self.stages:
                self._define(stage, self._evaluate(stage, place), place)

        walk(self.kb, self.dispatch, self.frame.m, block.row, block.rows, row)

    # -- stages --------------------------------------------------------------------------------------------------

    def _reads(self, stage: Stage) -> list[Access]:
        reads = [] if stage is self.root else list(stage.reads)
        return reads + [w.init for w in stage.writes if isinstance(w.init, Access)]

    def _rooted(self, sums: ir.Value, place: _Place) -> ir.Value:
        """The root's result: its sums, its initial value added, in its own dtype."""
        kb = self.kb
        write = self.root.writes[0]
        init = self._initial(write, place)
        if init is not None:
            wide = kb.broadcast(widen(kb, init, kb.dtype(sums), False), kb.lanes(sums))
            add = arith.AddFOp if kb.dtype(sums).startswith("f") else arith.AddIOp
            sums = add(sums, wide).result
        if write.dtype in ("f16", "bf16"):
            return from_f32(kb, sums, write.dtype)
        if write.dtype == kb.dtype(sums):
            return sums
        return arith.TruncIOp(kb.type(write.dtype, kb.lanes(sums)), sums).result

    def _initial(self, write: Write, place: _Place) -> ir.Value | None:
        """The initial value, or None for zero."""
        if write.init is None or _is_zero(write.init):
            return None
        return self._value(write.init, place) if isinstance(write.init, Access) else self._scalar(write.init)

    def _evaluate(self, stage: Stage, place: _Place) -> list[ir.Value]:
        kb = self.kb
        values = [self._value(access, place) for access in stage.reads]
        for write in stage.writes:
            init = write.init
            if isinstance(init, Access):
                values.append(self._value(init, place))
            else:
                values.append(self._scalar(init) if init is not None else kb.const(0, write.dtype))
        handlers = {
            "linalg.index": lambda op, operands: self._index(stage, op, place),
            "tensor.extract": lambda op, operands: self._extract(op, operands, place),
            **{name: lambda op, operands: extreme_in_body(kb, op, *operands) for name in PREDICATES},
        }
        return inline(kb, stage.body, values, place.lanes, self._scalar, handlers)

    def _define(self, stage: Stage, values: list[ir.Value], place: _Place) -> None:
        for result, (write, value) in enumerate(zip(stage.writes, values)):
            place.values[stage.position, result] = value
            if write.operand is None:
                continue
            to, offset, stride = self._position(write.operand, write.indices, place)
            if self._column_step(to, write.indices) == 0 and isinstance(stride, int):
                value, stride = self.kb.extract(value, 0), 1
            mask = place.mask if self.kb.lanes(value) > 1 else None
            self.kb.store(value, to, offset, mask=mask, stride=stride)

    # -- values --------------------------------------------------------------------------------------------------

    def _value(self, access: Access, place: _Place) -> ir.Value:
        if access in place.values:
            return place.values[access]
        if isinstance(access.source, Operand):
            return self._load(access, place)
        assert access.source is not None
        return place.values[access.source.stage, access.source.result]

    def _load(self, access: Access, place: _Place) -> ir.Value:
        assert isinstance(access.source, Operand)
        source, offset, stride = self._position(access.source, access.indices, place)
        if isinstance(stride, int) and stride == 0:
            return self.kb.load(source, offset)
        return self.kb.load(source, offset, place.lanes, mask=place.mask, stride=stride)

    def _position(self, operand: Operand, indices: tuple[Index, ...], place: _Place) -> tuple[Tensor, Int, Int]:
        """(tensor, offset of the place's first column, distance between columns)"""
        kb = self.kb
        tensor = tensor_of(kb, operand)
        offset: Int = 0
        for dim, index in enumerate(indices):
            offset = kb.add(offset, kb.mul(index.constant, tensor.stride(dim)) if index.constant else 0)
            for loop, coefficient in index.terms:
                step = kb.mul(coefficient, tensor.stride(dim))
                offset = kb.add(offset, kb.mul(self._start(loop, place), step))
        return tensor, offset, self._column_step(tensor, indices)

    def _start(self, loop: int, place: _Place) -> Int:
        """Position of a loop at the place's first column; the outer loops of the column's axis count as 0."""
        if loop in self.frame.outer:
            return self.frame.outer[loop]
        if loop in place.row:
            return place.row[loop]
        return place.column if self.frame.n and loop == self.frame.n[-1] else 0

    def _column_step(self, tensor: Tensor, indices: tuple[Index, ...]) -> Int:
        last = self.frame.n[-1] if self.frame.n else None
        kb = self.kb
        terms = [(d, c) for d, index in enumerate(indices) for loop, c in index.terms if loop == last]
        return kb.add(*(kb.mul(c, tensor.stride(d)) for d, c in terms))

    def _moves(self, access: Access, axis: Axis) -> bool:
        return any(loop in axis for index in access.indices for loop, _ in index.terms)

    def _scalar(self, value: ir.Value) -> ir.Value:
        """A captured scalar: a slot of the kernel, or a constant of the region."""
        slot = self.dispatch.scalar_slot(value)
        if slot is not None:
            return self.kb.scalar(slot, self.kb.dtype(value))
        attribute = value.owner.operation.attributes["value"]
        dtype = self.kb.dtype(value)
        number = ir.FloatAttr(attribute).value if not dtype.startswith("i") else int(ir.IntegerAttr(attribute).value)
        return self.kb.const(number, dtype)

    def _index(self, stage: Stage, op: ir.Operation, place: _Place) -> ir.Value:
        kb = self.kb
        loop = stage.dims[op.attributes["dim"].value]
        if loop is None:
            return kb.const(0)
        start = kb.value(self._start(loop, place))
        if not self.frame.n or loop != self.frame.n[-1]:
            return start
        lanes = place.lanes
        return arith.AddIOp(kb.broadcast(start, lanes), kb.iota(lanes)).result

    def _extract(self, op: ir.Operation, positions: list[ir.Value], place: _Place) -> ir.Value:
        kb = self.kb
        operand = self.dispatch.operand_of(op.operands[0])
        assert operand is not None, "tensor.extract reads an operand of the dispatch"
        tensor = tensor_of(kb, operand)
        lanes = max((kb.lanes(p) for p in positions), default=1)
        offsets = kb.const(0, "i64", lanes)
        for dim, position in enumerate(positions):
            step = kb.broadcast(kb.value(tensor.stride(dim)), lanes)
            offsets = arith.AddIOp(offsets, arith.MulIOp(kb.broadcast(position, lanes), step).result).result
        return kb.gather(tensor, offsets, place.mask if lanes > 1 else None)


def _chunk(kb: KernelBuilder, block: Block) -> int:
    """Lanes of a chunk: at most two vectors, and a power of two that divides the block's width."""
    lanes = 2 * kb.target.lanes(block.sums.dtype)
    while block.width % lanes:
        lanes //= 2
    return lanes


def _is_zero(init: Any) -> bool:
    if isinstance(init, Access) or isinstance(init.owner, ir.Block):
        return False
    op = init.owner.operation
    if op.name != "arith.constant":
        return False
    attribute = op.attributes["value"]
    return not attribute.value
