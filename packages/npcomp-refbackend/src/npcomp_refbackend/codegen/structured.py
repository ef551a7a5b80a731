"""`linalg.generic` read once into plain Python: what fusion and kernel building reason about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from npcomp_dialects.mlir import ir

from .dispatch import PARALLEL, REDUCTION, Index

_MULTIPLY = {"arith.mulf", "arith.muli"}
_ADD = {"arith.addf", "arith.addi"}
_WIDEN = {"arith.extf", "arith.extsi", "arith.extui"}


@dataclass(eq=False)
class Generic:
    """One `linalg.generic`: maps and kinds as tuples, in its loops without those of static extent 1."""

    op: Any
    inputs: list[Any]
    outs: list[Any]
    kinds: tuple[str, ...]
    maps: list[tuple[Index, ...]]  # one an operand: inputs, then outs
    sizes: tuple[int | None, ...]  # static extent of each loop
    dims: tuple[int | None, ...]  # the loop behind each loop of the op itself: what `linalg.index d` means
    body: Any

    @classmethod
    def of(cls, op: Any) -> Generic:
        attributes = op.attributes
        maps = [tuple(index_of(e) for e in m.value.results) for m in attributes["indexing_maps"]]
        kinds = tuple(REDUCTION if "reduction" in str(k) else PARALLEL for k in attributes["iterator_types"])
        operands = list(op.operands)
        split = len(operands) - len(op.results)
        extents = _static_extents(operands, maps, len(kinds))
        kept = [d for d, size in enumerate(extents) if size != 1]
        dims = tuple(kept.index(d) if d in kept else None for d in range(len(kinds)))
        return cls(
            op,
            operands[:split],
            operands[split:],
            tuple(kinds[d] for d in kept),
            [tuple(_renumber(i, dims) for i in m) for m in maps],
            tuple(extents[d] for d in kept),
            dims,
            op.regions[0].blocks[0],
        )

    def refresh(self) -> None:
        """Read the operands again: they change when other ops are rewritten."""
        operands = list(self.op.operands)
        self.inputs, self.outs = operands[: len(self.inputs)], operands[len(self.inputs) :]

    @property
    def in_maps(self) -> list[tuple[Index, ...]]:
        return self.maps[: len(self.inputs)]

    @property
    def out_maps(self) -> list[tuple[Index, ...]]:
        return self.maps[len(self.inputs) :]

    @property
    def is_pointwise(self) -> bool:
        return REDUCTION not in self.kinds

    @property
    def is_plain(self) -> bool:
        """Every index is one loop or zero: no windows."""
        return all(i.loop is not None or i.is_zero for m in self.maps for i in m)

    @property
    def accumulators(self) -> list[Any]:
        """Body arguments of the results."""
        return list(self.body.arguments)[len(self.inputs) :]

    def captured(self) -> list[Any]:
        """Values that the body takes from outside, each once, in order of use."""
        seen: list[Any] = []
        for inner in nested(self.body):
            for operand in inner.operands:
                if not _inside(operand, self.body) and operand not in seen:
                    seen.append(operand)
        return seen

    @property
    def is_multiply_add(self) -> bool:
        """`acc + a * b` of two inputs, perhaps widened first."""
        if len(self.inputs) != 2 or len(self.outs) != 1:
            return False
        ops = [o for o in self.body.operations if o.operation.name not in _WIDEN]
        names = [o.operation.name for o in ops]
        return len(names) == 3 and names[0] in _MULTIPLY and names[1] in _ADD and names[2] == "linalg.yield"

    @property
    def body_names(self) -> list[str]:
        return [o.operation.name for o in self.body.operations]


def _static_extents(operands: list[Any], maps: list[tuple[Index, ...]], count: int) -> list[int | None]:
    extents: list[int | None] = [None] * count
    for value, indices in zip(operands, maps):
        for index, size in zip(indices, value.type.shape):
            if index.loop is not None and size >= 0:
                extents[index.loop] = size
    return extents


def _renumber(index: Index, dims: tuple[int | None, ...]) -> Index:
    terms = ((dims[d], c) for d, c in index.terms)
    return Index(tuple((d, c) for d, c in terms if d is not None), index.constant)


def nested(block: Any) -> Iterator[Any]:
    """The ops of a body, those in its loops too."""
    for op in block.operations:
        yield op.operation
        for region in op.operation.regions:
            for inner in region.blocks:
                yield from nested(inner)


def _inside(value: Any, block: Any) -> bool:
    owner = value.owner
    at = owner if isinstance(owner, ir.Block) else owner.operation.block
    while at != block:
        op = at.owner.operation
        if not op.name.startswith("scf."):
            return False
        at = op.block
    return True


def is_copy(op: Any) -> bool:
    """A permute or broadcast: one input, moved unchanged through plain indices."""
    operation = op.operation
    if len(operation.operands) != 2 or len(operation.results) != 1:
        return False
    body = operation.regions[0].blocks[0]
    ops = list(body.operations)
    if len(ops) != 1 or ops[0].operation.operands[0] != body.arguments[0]:
        return False
    source, target = (tuple(index_of(e) for e in m.value.results) for m in operation.attributes["indexing_maps"])
    return all(i.loop is not None or i.is_zero for i in source) and all(i.loop is not None for i in target)


def index_of(expr: Any) -> Index:
    """An affine expression of dimensions (no symbols, no division) as an `Index`."""
    terms: dict[int, int] = {}
    constant = _collect(expr, 1, terms)
    return Index(tuple(sorted((d, c) for d, c in terms.items() if c)), constant)


def _collect(expr: Any, scale: int, terms: dict[int, int]) -> int:
    expr = expr.maybe_downcast() if type(expr) is ir.AffineExpr else expr
    if isinstance(expr, ir.AffineConstantExpr):
        return scale * expr.value
    if isinstance(expr, ir.AffineDimExpr):
        terms[expr.position] = terms.get(expr.position, 0) + scale
        return 0
    if isinstance(expr, ir.AffineAddExpr):
        return _collect(expr.lhs, scale, terms) + _collect(expr.rhs, scale, terms)
    if isinstance(expr, ir.AffineMulExpr):
        left, right = (e.maybe_downcast() if type(e) is ir.AffineExpr else e for e in (expr.lhs, expr.rhs))
        if isinstance(right, ir.AffineConstantExpr):
            return _collect(left, scale * right.value, terms)
        if isinstance(left, ir.AffineConstantExpr):
            return _collect(right, scale * left.value, terms)
    raise ValueError(f"index {expr} is not a sum of loops times constants")
