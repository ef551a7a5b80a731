"""linalg.generic and its neighbours, built by hand: one generic costs a few tens of microseconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from npcomp_dialects.mlir import ir

from .builder import Builder
from .polynomial import Poly
from .types import DYNAMIC

# An index expression: a loop, None for 0, or a sum of (loop, coefficient).
Expr = int | None | tuple[tuple[int, int], ...]


class Linalg:
    """Creates tensor-level ops through the emitter of a function."""

    def __init__(self, builder: Builder):
        self.builder = builder
        self.emitter = builder.emitter
        self._maps: dict[tuple[int, tuple[Expr, ...]], ir.Attribute] = {}
        self._iterators = {
            kind: ir.Attribute.parse(f"#linalg.iterator_type<{kind}>") for kind in ("parallel", "reduction")
        }

    def map(self, loops: int, exprs: Sequence[Expr]) -> ir.Attribute:
        """An affine map attribute from loops to one expression a dimension."""
        key = loops, tuple(exprs)
        found = self._maps.get(key)
        if found is None:
            made = ir.AffineMap.get(loops, 0, [_affine(e) for e in exprs])
            found = self._maps[key] = ir.AffineMapAttr.get(made)
        return found

    def empty(self, sizes: Sequence[Poly], type: ir.RankedTensorType) -> ir.Value:
        return self.emitter.value("tensor.empty", self.builder.sizes.dynamic_values(sizes, type), type)

    def filled(self, sizes: Sequence[Poly], type: ir.RankedTensorType, value: ir.Value) -> ir.Value:
        """A tensor with one value everywhere."""
        target = self.empty(sizes, type)
        op = self.emitter.op("linalg.fill", [value, target], [type], _segments(1, 1), regions=1)
        block = self._block(op, [value.type, type.element_type])
        with self.emitter.at(ir.InsertionPoint(block)):
            self.emitter.op("linalg.yield", [block.arguments[0]])
        return op.result

    def generic(
        self,
        inputs: Sequence[ir.Value],
        outputs: Sequence[ir.Value],
        maps: Sequence[Sequence[Expr]],
        loops: int,
        reductions: Sequence[int] = (),
        body: Callable[..., Sequence[ir.Value]] | None = None,
        block: ir.Block | None = None,
    ) -> list[ir.Value]:
        """`body(*elements, *accumulators)` gives the results; or `block` is a finished body without accumulators."""
        kinds = ["reduction" if d in reductions else "parallel" for d in range(loops)]
        attributes = {
            "indexing_maps": ir.ArrayAttr.get([self.map(loops, exprs) for exprs in maps]),
            "iterator_types": ir.ArrayAttr.get([self._iterators[kind] for kind in kinds]),
            **_segments(len(inputs), len(outputs)),
        }
        types = [o.type for o in outputs]
        op = self.emitter.op("linalg.generic", [*inputs, *outputs], types, attributes, regions=1)
        if block is not None:
            block.append_to(op.regions[0])
            for type in types:
                block.add_argument(ir.RankedTensorType(type).element_type, self.emitter.loc)
            return list(op.results)
        block = self._block(op, [ir.RankedTensorType(o.type).element_type for o in (*inputs, *outputs)])
        assert body is not None
        with self.emitter.at(ir.InsertionPoint(block)):
            self.emitter.op("linalg.yield", body(*block.arguments))
        return list(op.results)

    def _block(self, op: ir.Operation, types: Sequence[ir.Type]) -> ir.Block:
        return ir.Block.create_at_start(op.regions[0], list(types), [self.emitter.loc] * len(types))

    def copy(self, source: ir.Value, exprs: Sequence[Expr], sizes: Sequence[Poly], type: Any) -> ir.Value:
        """A new tensor that reads the source through a map."""
        rank = len(sizes)
        out = self.empty(sizes, type)
        return self.generic([source], [out], [exprs, range(rank)], rank, body=lambda x, _: [x])[0]

    def loop_index(self, loop: int) -> ir.Value:
        """`linalg.index`, inside a body."""
        return self.emitter.value("linalg.index", [], self.emitter.index, {"dim": _i64(loop)})

    def cast(self, tensor: ir.Value, type: ir.Type) -> ir.Value:
        return tensor if tensor.type == type else self.emitter.value("tensor.cast", [tensor], type)


def _affine(expr: Expr) -> ir.AffineExpr:
    if expr is None:
        return ir.AffineConstantExpr.get(0)
    if isinstance(expr, int):
        return ir.AffineDimExpr.get(expr)
    terms = [ir.AffineDimExpr.get(loop) * factor for loop, factor in expr]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _segments(*counts: int) -> dict[str, ir.Attribute]:
    return {"operandSegmentSizes": ir.DenseI32ArrayAttr.get(list(counts))}


def _i64(value: int) -> ir.Attribute:
    return ir.IntegerAttr.get(ir.IntegerType.get_signless(64), value)


def mixed(builder: Builder, numbers: Sequence[Poly], static: Sequence[int | None]) -> tuple[ir.Attribute, list[Any]]:
    """The static_* attribute and the dynamic operands of a tensor op, where `static` is None."""
    shown = [DYNAMIC if s is None else s for s in static]
    operands = [builder.integers.index(p) for p, s in zip(numbers, static, strict=True) if s is None]
    return ir.DenseI64ArrayAttr.get(shown), operands
