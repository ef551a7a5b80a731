"""The sizes of every tensor of a function, as symbolic integers."""

from __future__ import annotations

from collections.abc import Sequence

from npcomp_dialects.mlir import ir

from . import polynomial
from .integers import Integers
from .polynomial import Poly
from .types import static_sizes, tensor_type


class Sizes:
    """Table from tensor values to sizes; a tensor nobody described is described by its type and `tensor.dim`."""

    def __init__(self, integers: Integers):
        self.integers = integers
        integers.sizes = self
        self._table: dict[ir.Value, list[Poly]] = {}

    def of(self, tensor: ir.Value) -> list[Poly]:
        found = self._table.get(tensor)
        if found is None:
            found = self._table[tensor] = self._from_type(tensor)
        return found

    def known(self, tensor: ir.Value) -> list[Poly] | None:
        """The sizes if somebody described the tensor."""
        return self._table.get(tensor)

    def _from_type(self, tensor: ir.Value) -> list[Poly]:
        owner = tensor.owner
        block = owner if isinstance(owner, ir.Block) else owner.operation.block
        symbols = self.integers.symbols
        return [
            symbols.size(tensor, d, block) if s is None else polynomial.constant(s)
            for d, s in enumerate(static_sizes(ir.RankedTensorType(tensor.type)))
        ]

    def define(self, tensor: ir.Value, sizes: Sequence[Poly]) -> ir.Value:
        self._table[tensor] = list(sizes)
        return tensor

    def type_of(self, sizes: Sequence[Poly], element: ir.Type) -> ir.RankedTensorType:
        """The tensor type that shows the sizes known at compile time."""
        return tensor_type(self.static(sizes), element)

    def static(self, sizes: Sequence[Poly]) -> list[int | None]:
        canonical = self.integers.symbols.canonical
        return [polynomial.as_constant(canonical(p)) for p in sizes]

    def dynamic_values(self, sizes: Sequence[Poly], type: ir.RankedTensorType) -> list[ir.Value]:
        """The index values of the dims that the type leaves open."""
        return [self.integers.index(p) for p, s in zip(sizes, static_sizes(type), strict=True) if s is None]

    def text(self, sizes: Sequence[Poly]) -> str:
        """`[?, 3]` for messages."""
        return "[" + ", ".join("?" if s is None else str(s) for s in self.static(sizes)) + "]"
