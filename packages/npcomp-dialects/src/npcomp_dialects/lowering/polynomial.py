"""Polynomials with integer coefficients over numbered atoms: the normal form of symbolic integers.

A polynomial is a sorted tuple of `(monomial, coefficient)` pairs without zeros, a monomial a sorted tuple of atoms.
Equal expressions are equal tuples, so `s + 1 - 1` *is* `s` and `b * s` is `s * b`.
"""

from __future__ import annotations

from collections.abc import Callable

Monomial = tuple[int, ...]
Poly = tuple[tuple[Monomial, int], ...]

ZERO: Poly = ()
ONE: Poly = (((), 1),)


def constant(value: int) -> Poly:
    return (((), value),) if value else ZERO


def atom(number: int) -> Poly:
    return (((number,), 1),)


def as_constant(p: Poly) -> int | None:
    """The value of a polynomial without atoms."""
    if not p:
        return 0
    return p[0][1] if len(p) == 1 and not p[0][0] else None


def as_atom(p: Poly) -> int | None:
    """The atom of a polynomial that is exactly one atom."""
    if len(p) == 1 and p[0][1] == 1 and len(p[0][0]) == 1:
        return p[0][0][0]
    return None


def _from_terms(terms: dict[Monomial, int]) -> Poly:
    return tuple(sorted((m, c) for m, c in terms.items() if c))


def add(p: Poly, q: Poly) -> Poly:
    if not q:
        return p
    terms = dict(p)
    for monomial, coefficient in q:
        terms[monomial] = terms.get(monomial, 0) + coefficient
    return _from_terms(terms)


def negate(p: Poly) -> Poly:
    return tuple((monomial, -coefficient) for monomial, coefficient in p)


def subtract(p: Poly, q: Poly) -> Poly:
    return ZERO if p == q else add(p, negate(q))


def multiply(p: Poly, q: Poly) -> Poly:
    if p == ONE:
        return q
    if q == ONE:
        return p
    terms: dict[Monomial, int] = {}
    for m, c in p:
        for n, d in q:
            monomial = tuple(sorted(m + n))
            terms[monomial] = terms.get(monomial, 0) + c * d
    return _from_terms(terms)


def divide_exactly(p: Poly, q: Poly) -> Poly | None:
    """`p / q` when q is one term that divides every term of p."""
    if len(q) != 1:
        return ONE if p == q and p else None
    (divisor, factor), terms = q[0], []
    for monomial, coefficient in p:
        rest = _without(monomial, divisor)
        if rest is None or coefficient % factor:
            return None
        terms.append((rest, coefficient // factor))
    return tuple(sorted(terms))


def _without(monomial: Monomial, divisor: Monomial) -> Monomial | None:
    rest = list(monomial)
    for a in divisor:
        if a not in rest:
            return None
        rest.remove(a)
    return tuple(rest)


def atoms_of(p: Poly) -> set[int]:
    return {a for monomial, _ in p for a in monomial}


def substitute(p: Poly, value_of: Callable[[int], Poly | None]) -> Poly:
    """Replaces every atom that `value_of` knows."""
    result = ZERO
    for monomial, coefficient in p:
        term = constant(coefficient)
        for a in monomial:
            known = value_of(a)
            term = multiply(term, atom(a) if known is None else known)
        result = add(result, term)
    return result
