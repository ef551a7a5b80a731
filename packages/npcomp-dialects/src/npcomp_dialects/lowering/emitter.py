"""Creates operations at the current place of a function, with the location of the op being lowered.

A scope stands for a region of the program: what is computed in it is reused inside it and forgotten at its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from npcomp_dialects.mlir import ir


class Scope:
    """A region of the program and the integers already computed in it."""

    __slots__ = ("block", "values")

    def __init__(self, block: ir.Block):
        self.block = block
        self.values: dict[Any, ir.Value] = {}


class Emitter:
    """The one place that calls `Operation.create`."""

    def __init__(self, entry: ir.Block):
        self.entry = entry
        self.loc = ir.Location.unknown()
        self.ip = ir.InsertionPoint(entry)
        self.scopes = [Scope(entry)]
        self.body: ir.InsertionPoint | None = None
        self.index = ir.IndexType.get()
        self.i64 = ir.IntegerType.get_signless(64)
        self.i1 = ir.IntegerType.get_signless(1)
        self._constants: dict[tuple[Any, ir.Type], ir.Value] = {}
        self._scratch: ir.Operation | None = None
        self._discarded: list[ir.Operation] = []

    def op(
        self,
        name: str,
        operands: Sequence[ir.Value] = (),
        results: Sequence[ir.Type] = (),
        attributes: dict[str, ir.Attribute] | None = None,
        regions: int = 0,
    ) -> ir.Operation:
        """Creates an operation at the current place."""
        return ir.Operation.create(
            name,
            results=list(results),
            operands=list(operands),
            attributes=attributes,
            regions=regions,
            loc=self.loc,
            ip=self.ip,
        )

    def value(
        self,
        name: str,
        operands: Sequence[ir.Value],
        result: ir.Type,
        attributes: dict[str, ir.Attribute] | None = None,
    ) -> ir.Value:
        """Creates an operation of one result and returns that."""
        return self.op(name, operands, [result], attributes).result

    def constant(self, value: int | float | bool, type: ir.Type) -> ir.Value:
        """A number; each is made once, at the top of the function."""
        key = (repr(value), type)
        found = self._constants.get(key)
        if found is None:
            is_float = isinstance(type, (ir.F32Type, ir.F64Type, ir.F16Type, ir.BF16Type))
            attribute = ir.FloatAttr.get(type, float(value)) if is_float else _integer(type, int(value))
            found = self._at_top("arith.constant", [], type, {"value": attribute})
            self._constants[key] = found
        return found

    def _at_top(self, name: str, operands: list[ir.Value], type: ir.Type, attributes: dict[str, Any]) -> ir.Value:
        place = ir.InsertionPoint.at_block_begin(self.entry)
        return ir.Operation.create(
            name, results=[type], operands=operands, attributes=attributes, loc=self.loc, ip=place
        ).result

    def dim(self, tensor: ir.Value, dim: int) -> ir.Value:
        """`tensor.dim` right below the tensor's definition, so that it can be used wherever the tensor can."""
        number = self.constant(dim, self.index)
        owner = tensor.owner
        if not isinstance(owner, ir.Block):
            place = ir.InsertionPoint.after(owner)
        elif owner == self.entry:
            place = ir.InsertionPoint.after(number.owner)
        else:
            place = ir.InsertionPoint.at_block_begin(owner)
        return ir.Operation.create(
            "tensor.dim", results=[self.index], operands=[tensor, number], loc=self.loc, ip=place
        ).result

    @contextmanager
    def at(self, ip: ir.InsertionPoint) -> Iterator[None]:
        """Creates operations somewhere else for a while."""
        before, self.ip = self.ip, ip
        try:
            yield
        finally:
            self.ip = before

    @contextmanager
    def scope(self, scope: Scope) -> Iterator[None]:
        """Creates operations at the end of a block of a nested region."""
        self.scopes.append(scope)
        try:
            with self.at(ir.InsertionPoint(scope.block)):
                yield
        finally:
            self.scopes.pop()

    def scratch_block(self, arguments: Sequence[ir.Type]) -> ir.Block:
        """A block in no program yet; it is moved to its op once the op's types are known."""
        if self._scratch is None:
            self._scratch = ir.Operation.create("builtin.module", regions=1, loc=ir.Location.unknown())
        region = self._scratch.regions[0]
        return ir.Block.create_at_start(region, list(arguments), [self.loc] * len(arguments))

    def discard(self, op: ir.Operation) -> None:
        """Removes an operation at the end, so that no new one can take its address while tables name it."""
        self._discarded.append(op)

    def finish(self) -> None:
        """Erases what was discarded, last first, and bodies that found no op."""
        for op in reversed(self._discarded):
            op.erase()
        self._discarded.clear()
        if self._scratch is not None:
            self._scratch.erase()
            self._scratch = None


def _integer(type: ir.Type, value: int) -> ir.Attribute:
    if isinstance(type, ir.IndexType):
        return ir.IntegerAttr.get(type, value)
    width = ir.IntegerType(type).width
    if width == 1:
        return ir.IntegerAttr.get(type, int(value) & 1)
    half = 1 << (width - 1)
    return ir.IntegerAttr.get(type, (value + half) % (2 * half) - half)
