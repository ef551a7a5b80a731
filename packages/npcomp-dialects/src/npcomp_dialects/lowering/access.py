"""How structured ops read their operands.

A transposed, broadcast or unsqueezed tensor is read from its source through a map instead of being made. A dim that is
1 or N, and only run time knows which, is stretched first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from npcomp_dialects.mlir import ir

from . import polynomial
from .builder import Builder
from .guards import guard
from .linalg_ops import Expr, Linalg
from .polynomial import ONE, Poly
from .shape_rules import Requirement

# For each dim of the source: the dim of the view that it is, or None where the source has size 1.
View = tuple[ir.Value, list[int | None]]


class Access:
    """Remembers views and settles broadcasting."""

    def __init__(self, builder: Builder, linalg: Linalg):
        self.builder = builder
        self.linalg = linalg
        self._views: dict[ir.Value, View] = {}
        self._iotas: set[ir.Value] = set()

    def remember(self, view: ir.Value, source: ir.Value, dims: Sequence[int | None]) -> None:
        """`view[..]` is `source[..]` with `dims[j]` the view's dim for dim `j` of the source."""
        if view != source:
            self._views[view] = (source, list(dims))

    def remember_iota(self, tensor: ir.Value) -> None:
        """`tensor[i]` is `i`."""
        self._iotas.add(tensor)

    def is_iota(self, tensor: ir.Value) -> bool:
        return tensor in self._iotas

    def permutation(self, tensor: ir.Value) -> tuple[ir.Value, list[int]] | None:
        """The source of a transposed tensor, and the tensor's dim that each dim of the source is."""
        source, dims = self._views.get(tensor, (tensor, []))
        positions = [d for d in dims if d is not None]
        whole = len(positions) == len(dims) == len(self.builder.sizes.of(tensor))
        return (source, positions) if source != tensor and whole else None

    def read(self, tensor: ir.Value, exprs: Sequence[Expr], keep: Collection[int] = ()) -> tuple[ir.Value, list[Expr]]:
        """The value to read and the index of each of its dims, for a tensor read at `exprs`.

        The loops in `keep` get their extent from this operand alone, so no dim of theirs may disappear.
        """
        found = list(exprs)
        while (view := self._views.get(tensor)) is not None:
            source, dims = view
            through = [None if d is None else found[d] for d in dims]
            if any(loop in found and loop not in through for loop in keep):
                break
            tensor, found = source, through
        return tensor, found

    def require(self, requirements: Sequence[Requirement], op_name: str) -> None:
        """A guard for every requirement that is not certain."""
        for r in requirements:
            if r.holds(self.builder.symbols) is not True:
                self._guard(r, op_name)
            if r.relation == "equal":
                self.builder.symbols.learn_equal(r.left, r.right)

    def _guard(self, r: Requirement, op_name: str) -> None:
        integers, emitter = self.builder.integers, self.builder.emitter
        left, right = integers.index(r.left), integers.index(r.right)
        condition = integers.compare(3 if r.relation == "at_most" else 0, left, right)
        singles = {"broadcast": (r.left, r.right), "expand": (r.left,)}.get(r.relation, ())
        for p in singles:
            if self.builder.symbols.equal(p, ONE) is not False:
                single = integers.compare(0, integers.index(p), emitter.constant(1, emitter.index))
                condition = emitter.value("arith.ori", [condition, single], emitter.i1)
        prefix = f"{op_name}: " if op_name else ""
        message, values = self._fill(prefix + r.message, r.values)
        guard(emitter, condition, "RuntimeError", message, values)

    def _fill(self, message: str, numbers: Sequence[Poly]) -> tuple[str, list[ir.Value]]:
        values: list[ir.Value] = []
        for position, p in enumerate(numbers):
            known = polynomial.as_constant(self.builder.symbols.canonical(p))
            text = str(known) if known is not None else f"{{v{len(values)}}}"
            message = message.replace(f"{{{position}}}", text)
            if known is None:
                values.append(self.builder.integers.index(p))
        return message.replace("{v", "{"), values

    def broadcast(self, tensor: ir.Value, target: Sequence[Poly]) -> tuple[ir.Value, list[Expr]]:
        """How to read a tensor that broadcasts to `target`, at the loops of the target."""
        sizes = self.builder.sizes.of(tensor)
        offset = len(target) - len(sizes)
        symbols = self.builder.symbols
        unclear = [
            d
            for d, size in enumerate(sizes)
            if symbols.canonical(size) != ONE and not symbols.equal(size, target[offset + d])
        ]
        if unclear:
            wanted = [target[offset + d] if d in unclear else size for d, size in enumerate(sizes)]
            tensor, sizes = self._stretch(tensor, sizes, wanted, unclear), wanted
        exprs: list[Expr] = [
            None if symbols.canonical(size) == ONE and symbols.canonical(target[offset + d]) != ONE else offset + d
            for d, size in enumerate(sizes)
        ]
        return self.read(tensor, exprs)

    def _stretch(
        self, tensor: ir.Value, sizes: Sequence[Poly], wanted: Sequence[Poly], unclear: Sequence[int]
    ) -> ir.Value:
        """The tensor itself where its sizes are as wanted, else a copy that repeats the dims of size 1."""
        key = tensor, tuple(wanted)
        scopes = self.builder.emitter.scopes
        for scope in scopes:
            if key in scope.values:
                return scope.values[key]
        made = self._choose(tensor, sizes, wanted, unclear)
        scopes[-1].values[key] = made
        return self.builder.sizes.define(made, wanted)

    def _choose(
        self, tensor: ir.Value, sizes: Sequence[Poly], wanted: Sequence[Poly], unclear: Sequence[int]
    ) -> ir.Value:
        emitter, integers = self.builder.emitter, self.builder.integers
        type = self.builder.sizes.type_of(wanted, ir.RankedTensorType(tensor.type).element_type)
        extents = self.builder.sizes.dynamic_values(wanted, type)
        one = emitter.constant(1, emitter.index)
        fits: ir.Value | None = None
        single = {}
        for d in unclear:
            have = integers.index(sizes[d])
            single[d] = integers.compare(0, have, one)
            same = integers.compare(0, have, integers.index(wanted[d]))
            fits = same if fits is None else emitter.value("arith.andi", [fits, same], emitter.i1)
        assert fits is not None
        op = emitter.op("scf.if", [fits], [type], regions=2)
        blocks = [ir.Block.create_at_start(region, []) for region in op.regions]
        with emitter.at(ir.InsertionPoint(blocks[0])):
            emitter.op("scf.yield", [self.linalg.cast(tensor, type)])
        with emitter.at(ir.InsertionPoint(blocks[1])):
            out = emitter.value("tensor.empty", extents, type)
            emitter.op("scf.yield", [self._repeat(tensor, out, single)])
        return op.result

    def _repeat(self, tensor: ir.Value, out: ir.Value, single: dict[int, ir.Value]) -> ir.Value:
        emitter = self.builder.emitter
        type = ir.RankedTensorType(out.type)
        zero = emitter.constant(0, emitter.index)

        def body(_: ir.Value) -> list[ir.Value]:
            where = [self.linalg.loop_index(d) for d in range(type.rank)]
            for d, is_single in single.items():
                where[d] = emitter.value("arith.select", [is_single, zero, where[d]], emitter.index)
            return [emitter.value("tensor.extract", [tensor, *where], type.element_type)]

        return self.linalg.generic([], [out], [range(type.rank)], type.rank, body=body)[0]
