"""What is known of the integers of a program: sizes of tensors and run-time ints, as polynomials over atoms.

Equal polynomials are equal numbers, so chains, residual connections and reshapes need no run-time check. Bounds decide
comparisons (a size is never negative), and a guard that held teaches an equality until the region it stands in ends.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from . import polynomial as poly
from .polynomial import Poly

LARGEST = (1 << 63) - 1


@dataclass(eq=False)
class Atom:
    """An integer that only run time knows. `kind` is `dim`, `value`, or the operation on `args` that makes it;
    a dim is read from `source`, a tensor and a dimension. `value` is its SSA value, `scope` the block it lives in."""

    kind: str
    args: tuple[Poly, ...]
    low: float
    high: float
    source: Any = None
    value: Any = None
    scope: Any = None


class Symbols:
    """Makes and compares symbolic integers."""

    def __init__(self) -> None:
        self.atoms: list[Atom] = []
        self._interned: dict[tuple[str, tuple[Poly, ...]], Poly] = {}
        self._known: dict[int, Poly] = {}
        self._log: list[tuple[int, float | None]] = []

    def number(self, value: Any, scope: Any) -> Poly:
        """A new atom for an SSA value."""
        self.atoms.append(Atom("value", (), -math.inf, math.inf, value=value, scope=scope))
        return poly.atom(len(self.atoms) - 1)

    def size(self, tensor: Any, dim: int, scope: Any) -> Poly:
        """A new atom for the size of a dimension of a tensor."""
        self.atoms.append(Atom("dim", (), 0, LARGEST, source=(tensor, dim), scope=scope))
        return poly.atom(len(self.atoms) - 1)

    def _derived(self, kind: str, args: tuple[Poly, ...], low: float, high: float) -> Poly:
        """The atom of an operation; the same operation on the same numbers is the same atom."""
        found = self._interned.get((kind, args))
        if found is None:
            self.atoms.append(Atom(kind, args, low, high))
            found = self._interned[kind, args] = poly.atom(len(self.atoms) - 1)
        return found

    def canonical(self, p: Poly) -> Poly:
        """The polynomial after every equality that guards have taught."""
        if not self._known:
            return p
        while any(a in self._known for a in poly.atoms_of(p)):
            p = poly.substitute(p, self._known.get)
        return p

    def learn_equal(self, p: Poly, q: Poly) -> None:
        """From here to the end of the region, `p` and `q` are the same number."""
        p, q = self.canonical(p), self.canonical(q)
        for left, right in sorted([(p, q), (q, p)], key=lambda pair: -(poly.as_atom(pair[0]) or 0)):
            name = poly.as_atom(left)
            if name is not None and name not in self.reach(right):
                self._known[name] = right
                self._log.append((name, None))
                return

    def learn_nonzero(self, p: Poly) -> None:
        """From here to the end of the region, no size in this product is 0."""
        p = self.canonical(p)
        if len(p) != 1:
            return
        for name in set(p[0][0]):
            if self.atoms[name].low == 0:
                self._log.append((name, self.atoms[name].low))
                self.atoms[name].low = 1

    def reach(self, p: Poly) -> set[int]:
        """Every atom that the number depends on."""
        found: set[int] = set()
        stack = list(poly.atoms_of(p))
        while stack:
            name = stack.pop()
            if name not in found:
                found.add(name)
                stack.extend(a for arg in self.atoms[name].args for a in poly.atoms_of(arg))
        return found

    def mark(self) -> int:
        return len(self._log)

    def forget(self, mark: int) -> None:
        """Drops what was learned since `mark`."""
        for name, low in reversed(self._log[mark:]):
            if low is None:
                del self._known[name]
            else:
                self.atoms[name].low = low
        del self._log[mark:]

    def bounds(self, p: Poly) -> tuple[float, float]:
        """The least and the largest value that the polynomial can have."""
        low: float = 0
        high: float = 0
        for monomial, coefficient in p:
            least, most = self._monomial_bounds(monomial)
            if coefficient < 0:
                least, most = most, least
            low, high = low + coefficient * least, high + coefficient * most
        return low, high

    def _monomial_bounds(self, monomial: tuple[int, ...]) -> tuple[float, float]:
        if not monomial:
            return 1, 1
        if len(monomial) == 1:
            a = self.atoms[monomial[0]]
            return a.low, a.high
        factors = [self.atoms[a] for a in monomial]
        if any(a.low < 0 for a in factors):
            return -math.inf, math.inf
        return math.prod(a.low for a in factors), math.inf

    def equal(self, p: Poly, q: Poly) -> bool | None:
        """True or False when that is certain, else None."""
        difference = self.canonical(poly.subtract(p, q))
        if not difference:
            return True
        low, high = self.bounds(difference)
        return False if low > 0 or high < 0 else None

    def less(self, p: Poly, q: Poly) -> bool | None:
        low, high = self.bounds(self.canonical(poly.subtract(q, p)))
        if low > 0:
            return True
        return False if high <= 0 else None

    def at_most(self, p: Poly, q: Poly) -> bool | None:
        above = self.less(q, p)
        return None if above is None else not above

    def floordiv(self, p: Poly, q: Poly) -> Poly:
        x, y = poly.as_constant(p), poly.as_constant(q)
        if x is not None and y:
            return poly.constant(x // y)
        if y == 1:
            return p
        exact = poly.divide_exactly(p, q) if q else None
        if exact is not None:
            return exact
        if y and y > 0 and (split := self._split(p, y)):
            return split
        low, high = self.bounds(p)
        below = self.bounds(q)[0] > 0 and low >= 0
        return self._derived("floordiv", (p, q), 0 if below else -math.inf, high if below else math.inf)

    def _split(self, p: Poly, y: int) -> Poly | None:
        """`(y*k + r) // y == k` when `0 <= r < y`."""
        whole = tuple((m, c) for m, c in p if m and c % y == 0)
        rest = poly.subtract(p, whole)
        if not whole:
            return None
        offset = poly.as_constant(rest)
        if offset is not None:
            return poly.add(tuple((m, c // y) for m, c in whole), poly.constant(offset // y))
        low, high = self.bounds(rest)
        return tuple((m, c // y) for m, c in whole) if low >= 0 and high < y else None

    def modulo(self, p: Poly, q: Poly) -> Poly:
        x, y = poly.as_constant(p), poly.as_constant(q)
        if x is not None and y:
            return poly.constant(x % y)
        if y == 1 or (q and poly.divide_exactly(p, q) is not None):
            return poly.ZERO
        positive = y is not None and y > 0
        return self._derived("mod", (p, q), 0 if positive else -math.inf, y - 1 if positive and y else math.inf)

    def minimum(self, p: Poly, q: Poly) -> Poly:
        return self._extreme("min", p, q)

    def maximum(self, p: Poly, q: Poly) -> Poly:
        return self._extreme("max", p, q)

    def _extreme(self, kind: str, p: Poly, q: Poly) -> Poly:
        p, q = self.canonical(p), self.canonical(q)
        if self.at_most(p, q):
            return p if kind == "min" else q
        if self.at_most(q, p):
            return q if kind == "min" else p
        for one, other in ((p, q), (q, p)):
            name = poly.as_atom(one)
            made_by = self.atoms[name] if name is not None else None
            if made_by is not None and made_by.kind in ("min", "max") and other in made_by.args:
                return one if made_by.kind == kind else other
        (a, b), (c, d) = self.bounds(p), self.bounds(q)
        pick = min if kind == "min" else max
        return self._derived(kind, (p, q) if p < q else (q, p), pick(a, c), pick(b, d))

    def broadcast(self, p: Poly, q: Poly) -> Poly:
        """The size that dims of sizes `p` and `q` have together, given that they broadcast."""
        p, q = self.canonical(p), self.canonical(q)
        for one, other in ((p, q), (q, p)):
            if one == poly.ONE or self.fits(one, other):
                return other
            number = poly.as_constant(one)
            if number is not None and number != 1:
                return one
        return self._derived("broadcast", (p, q) if p < q else (q, p), 0, LARGEST)

    def fits(self, p: Poly, result: Poly) -> bool:
        """True when `p` is certainly 1 or `result`."""
        if p == poly.ONE or p == result:
            return True
        name = poly.as_atom(result)
        made_by = self.atoms[name] if name is not None else None
        return made_by is not None and made_by.kind == "broadcast" and any(self.fits(p, a) for a in made_by.args)
