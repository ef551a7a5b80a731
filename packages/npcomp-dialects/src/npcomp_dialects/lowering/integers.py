"""Symbolic integers and the SSA values they stand for.

Arithmetic on sizes builds no IR. A number becomes operations where an op needs it, once a region.
"""

from __future__ import annotations

from typing import Any

from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.mlir import ir

from . import polynomial
from .emitter import Emitter
from .polynomial import Poly
from .symbols import Atom, Symbols
from .values import Scalar

_LONGEST, _STEEPEST = 16, 6


class Integers:
    """Turns SSA integers into polynomials and back."""

    def __init__(self, emitter: Emitter, symbols: Symbols):
        self.emitter = emitter
        self.symbols = symbols
        self.arithmetic: Any = None
        self.sizes: Any = None
        self._polys: dict[ir.Value, Poly] = {}

    def from_poly(self, p: Poly) -> int | Scalar:
        """The number as op blocks see it: a Python int where it is known."""
        p = self.symbols.canonical(p)
        known = polynomial.as_constant(p)
        if known is not None:
            return known
        if len(p) > _LONGEST or any(len(monomial) > _STEEPEST for monomial, _ in p):
            p = self.of_value(self.value(p, self.emitter.i64), opaque=True)
        return Scalar(self.arithmetic, DType.i64, poly=p, weak=True)

    def of(self, number: Any) -> Poly:
        """The polynomial of a Python int or an integer Scalar."""
        if isinstance(number, (int, bool)):
            return polynomial.constant(int(number))
        if number.poly is not None:
            return self.symbols.canonical(number.poly)
        return self.of_value(number.value)

    def of_value(self, value: ir.Value, opaque: bool = False) -> Poly:
        """The polynomial of an SSA integer, as far as the operations that make it tell."""
        found = None if opaque else self._polys.get(value)
        if found is None:
            found = None if opaque else self._read(value)
            if found is None:
                block = value.owner if isinstance(value.owner, ir.Block) else value.owner.operation.block
                found = self.symbols.number(value, block)
            self._polys[value] = found
        return self.symbols.canonical(found)

    def _read(self, value: ir.Value) -> Poly | None:
        owner = value.owner
        if isinstance(owner, ir.Block):
            return None
        name, operands = owner.name, owner.operands
        if name == "arith.constant":
            return polynomial.constant(ir.IntegerAttr(owner.attributes["value"]).value)
        if name == "arith.index_cast":
            return self.of_value(operands[0])
        if name == "tensor.dim":
            dim = polynomial.as_constant(self.of_value(operands[1]))
            return None if dim is None else self.sizes.of(operands[0])[dim]
        combine = {"arith.addi": polynomial.add, "arith.subi": polynomial.subtract, "arith.muli": polynomial.multiply}
        if name in combine:
            return combine[name](self.of_value(operands[0]), self.of_value(operands[1]))
        return None

    def index(self, p: Poly) -> ir.Value:
        return self.value(p, self.emitter.index)

    def value(self, p: Poly, type: ir.Type) -> ir.Value:
        """The SSA value of a number, as index or i64, at the current place."""
        p = self.symbols.canonical(p)
        known = polynomial.as_constant(p)
        if known is not None:
            return self.emitter.constant(known, type)
        for scope in reversed(self.emitter.scopes):
            found = scope.values.get((p, type))
            if found is not None:
                return found
        made = self._cast(self._build(p), type)
        self._polys[made] = p
        self.emitter.scopes[-1].values[p, type] = made
        return made

    def visible(self, p: Poly) -> bool:
        """True when the number can be computed at the current place."""
        blocks = [scope.block for scope in self.emitter.scopes]
        atoms = (self.symbols.atoms[a] for a in self.symbols.reach(self.symbols.canonical(p)))
        return all(a.scope in blocks for a in atoms if not a.args)

    def _build(self, p: Poly) -> ir.Value:
        name = polynomial.as_atom(p)
        if name is not None:
            return self._atom(self.symbols.atoms[name])
        type = self._home(p)
        total: ir.Value | None = None
        for monomial, coefficient in sorted(p, key=lambda term: term[1] < 0):
            term = self._product(monomial, abs(coefficient) if total is not None else coefficient, type)
            if total is None:
                total = term
            else:
                total = self.emitter.value("arith.subi" if coefficient < 0 else "arith.addi", [total, term], type)
        assert total is not None
        return total

    def _product(self, monomial: polynomial.Monomial, coefficient: int, type: ir.Type) -> ir.Value:
        factors = [self.value(polynomial.atom(a), type) for a in monomial]
        if coefficient != 1 or not factors:
            factors.append(self.emitter.constant(coefficient, type))
        product = factors[0]
        for factor in factors[1:]:
            product = self.emitter.value("arith.muli", [product, factor], type)
        return product

    def _home(self, *parts: Poly) -> ir.Type:
        """The type to compute in: i64 when every part is one already."""
        atoms = [self.symbols.atoms[a] for p in parts for a in self.symbols.reach(p)]
        is_i64 = all(a.value is not None and a.value.type == self.emitter.i64 for a in atoms if not a.args)
        return self.emitter.i64 if is_i64 else self.emitter.index

    def _cast(self, value: ir.Value, type: ir.Type) -> ir.Value:
        return value if value.type == type else self.emitter.value("arith.index_cast", [value], type)

    def _atom(self, a: Atom) -> ir.Value:
        if a.args:
            return self._operation(a)
        if a.value is None:
            a.value = self.emitter.dim(*a.source)
        return a.value

    def _operation(self, a: Atom) -> ir.Value:
        x, y = a.args
        type = self._home(x, y)
        left, right = self.value(x, type), self.value(y, type)
        if a.kind in ("min", "max"):
            return self.emitter.value(f"arith.{a.kind}si", [left, right], type)
        if a.kind == "broadcast":
            is_one = self.compare(0, left, self.emitter.constant(1, type))
            return self.emitter.value("arith.select", [is_one, right, left], type)
        low = self.symbols.bounds(y)[0]
        if low <= 0:
            right = self._nonzero(right, type)
        signed = low < 0 or self.symbols.bounds(x)[0] < 0
        if a.kind == "floordiv":
            return self.emitter.value("arith.floordivsi" if signed else "arith.divsi", [left, right], type)
        return self._modulo(left, right, type, signed)

    def _nonzero(self, divisor: ir.Value, type: ir.Type) -> ir.Value:
        """The divisor, or 1 instead of 0: the hardware traps on a division by zero."""
        is_zero = self.compare(0, divisor, self.emitter.constant(0, type))
        return self.emitter.value("arith.select", [is_zero, self.emitter.constant(1, type), divisor], type)

    def _modulo(self, left: ir.Value, right: ir.Value, type: ir.Type, signed: bool) -> ir.Value:
        rest = self.emitter.value("arith.remsi", [left, right], type)
        if not signed:
            return rest
        zero = self.emitter.constant(0, type)
        crosses = self.compare(2, self.emitter.value("arith.xori", [rest, right], type), zero)
        wrong = self.emitter.value("arith.andi", [crosses, self.compare(1, rest, zero)], self.emitter.i1)
        shifted = self.emitter.value("arith.addi", [rest, right], type)
        return self.emitter.value("arith.select", [wrong, shifted, rest], type)

    def compare(self, predicate: int, left: ir.Value, right: ir.Value) -> ir.Value:
        """`arith.cmpi` with MLIR's number of the predicate (0 eq, 1 ne, 2 slt, 3 sle, 4 sgt, 5 sge)."""
        attribute = ir.IntegerAttr.get(self.emitter.i64, predicate)
        return self.emitter.value("arith.cmpi", [left, right], self.emitter.i1, {"predicate": attribute})
