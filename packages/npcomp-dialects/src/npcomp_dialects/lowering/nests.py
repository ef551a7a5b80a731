"""Nests of scf loops over elements: what linalg cannot say, because an element depends on those before it.

A nest carries tensors and numbers; every trip reads with tensor.extract and writes with tensor.insert. A tensor that
was written is never read again in its old state, so that each carried tensor can be one buffer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from npcomp_dialects.mlir import ir

from .emitter import Emitter, Scope

Values = list[ir.Value]


class Nests:
    """Creates loops and the scalar operations within."""

    def __init__(self, emitter: Emitter):
        self.emitter = emitter
        self.index = emitter.index

    # -- loops

    def loop(self, start: ir.Value, stop: ir.Value, carried: Sequence[ir.Value], body: Callable[..., Values]) -> Values:
        """`body(i, *carried)` gives the next carried values."""
        types = [v.type for v in carried]
        bounds = [start, stop, self.number(1)]
        op = self.emitter.op("scf.for", [*bounds, *carried], types, regions=1)
        block = ir.Block.create_at_start(op.regions[0], [self.index, *types], [self.emitter.loc] * (1 + len(types)))
        with self.emitter.scope(Scope(block)):
            self.emitter.op("scf.yield", body(*block.arguments))
        return list(op.results)

    def over(
        self,
        extents: Sequence[ir.Value],
        carried: Sequence[ir.Value],
        body: Callable[..., Values],
        parallel: bool = False,
    ) -> Values:
        """A loop for each extent, at least one; `body(indices, *carried)`.

        `parallel` promises that trips of the outermost loop write and read disjoint places of what is carried.
        """
        if not extents:
            return self.loop(self.number(0), self.number(1), carried, lambda _, *values: body([], *values))

        def level(indices: Values, *values: ir.Value) -> Values:
            depth = len(indices)
            if depth == len(extents):
                return body(indices, *values)
            return self.loop(self.number(0), extents[depth], values, lambda i, *inner: level([*indices, i], *inner))

        made = level([], *carried)
        if parallel:
            made[0].owner.attributes["npcomp.parallel"] = ir.UnitAttr.get()
        return made

    def while_(
        self, carried: Sequence[ir.Value], condition: Callable[..., ir.Value], body: Callable[..., Values]
    ) -> Values:
        """Repeats `body(*carried)` while `condition(*carried)`."""
        types = [v.type for v in carried]
        op = self.emitter.op("scf.while", list(carried), types, regions=2)
        before, after = (ir.Block.create_at_start(r, types, [self.emitter.loc] * len(types)) for r in op.regions)
        with self.emitter.scope(Scope(before)):
            self.emitter.op("scf.condition", [condition(*before.arguments), *before.arguments])
        with self.emitter.scope(Scope(after)):
            self.emitter.op("scf.yield", body(*after.arguments))
        return list(op.results)

    # -- elements

    def extract(self, tensor: ir.Value, where: Sequence[ir.Value]) -> ir.Value:
        return self.emitter.value("tensor.extract", [tensor, *where], ir.RankedTensorType(tensor.type).element_type)

    def insert(self, element: ir.Value, tensor: ir.Value, where: Sequence[ir.Value]) -> ir.Value:
        return self.emitter.value("tensor.insert", [element, tensor, *where], tensor.type)

    # -- numbers

    def number(self, value: int) -> ir.Value:
        return self.emitter.constant(value, self.index)

    def apply(self, name: str, x: ir.Value, y: ir.Value) -> ir.Value:
        """A binary operation on numbers of one type."""
        return self.emitter.value(name, [x, y], x.type)

    def add(self, x: ir.Value, y: ir.Value) -> ir.Value:
        return self.apply("arith.addi", x, y)

    def convert(self, name: str, x: ir.Value, type: ir.Type) -> ir.Value:
        return x if x.type == type else self.emitter.value(name, [x], type)

    def cast_index(self, x: ir.Value, type: ir.Type) -> ir.Value:
        return self.convert("arith.index_cast", x, type)

    def select(self, condition: ir.Value, x: ir.Value, y: ir.Value) -> ir.Value:
        return self.emitter.value("arith.select", [condition, x, y], x.type)

    def compare(self, predicate: str, x: ir.Value, y: ir.Value) -> ir.Value:
        """`slt` and its like on integers, `olt` and its like on floats."""
        floats = predicate in _FLOATS
        number = (_FLOATS if floats else _INTEGERS).index(predicate)
        attribute: Any = ir.IntegerAttr.get(self.emitter.i64, number)
        name = "arith.cmpf" if floats else "arith.cmpi"
        return self.emitter.value(name, [x, y], self.emitter.i1, {"predicate": attribute})

    def invert(self, condition: ir.Value) -> ir.Value:
        return self.apply("arith.xori", condition, self.emitter.constant(True, self.emitter.i1))

    def both(self, x: ir.Value, y: ir.Value) -> ir.Value:
        return self.apply("arith.andi", x, y)

    def either(self, x: ir.Value, y: ir.Value) -> ir.Value:
        return self.apply("arith.ori", x, y)


_INTEGERS = ["eq", "ne", "slt", "sle", "sgt", "sge"]
_FLOATS = ["false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord", "ueq", "ugt", "uge", "ult", "ule", "une", "uno"]
