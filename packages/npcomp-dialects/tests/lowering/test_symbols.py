"""Symbolic integers: equal expressions are equal, bounds decide comparisons, guards teach."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from npcomp_dialects.lowering import polynomial as poly
from npcomp_dialects.lowering.grouping import group, singles
from npcomp_dialects.lowering.polynomial import ONE, Poly, add, constant, multiply, subtract
from npcomp_dialects.lowering.symbols import LARGEST, Symbols


@pytest.fixture
def symbols() -> Symbols:
    return Symbols()


def size(symbols: Symbols) -> Poly:
    return symbols.size("tensor", 0, None)


def test_equal_expressions_are_equal(symbols: Symbols):
    a, b = size(symbols), size(symbols)
    assert subtract(add(a, ONE), ONE) == a
    assert multiply(a, b) == multiply(b, a)
    assert symbols.floordiv(multiply(a, constant(6)), constant(2)) == multiply(a, constant(3))
    assert symbols.floordiv(multiply(a, multiply(b, constant(8))), multiply(b, constant(4))) == multiply(a, constant(2))
    assert symbols.floordiv(add(multiply(a, constant(2)), ONE), constant(2)) == a
    assert symbols.modulo(multiply(a, constant(4)), constant(2)) == poly.ZERO


def test_bounds_decide(symbols: Symbols):
    n = size(symbols)
    assert symbols.less(n, poly.ZERO) is False
    assert symbols.at_most(poly.ZERO, n) is True
    assert symbols.equal(n, constant(-1)) is False
    assert symbols.equal(n, ONE) is None
    assert symbols.minimum(n, constant(LARGEST)) == n
    assert symbols.maximum(n, poly.ZERO) == n


def test_a_slice_from_one_to_the_end_has_one_name_for_its_stop(symbols: Symbols):
    n = size(symbols)
    start = symbols.minimum(ONE, n)
    assert symbols.maximum(start, n) == n
    assert symbols.minimum(start, n) == start


def test_what_is_learned_is_forgotten_at_the_end_of_the_region(symbols: Symbols):
    a, b = size(symbols), size(symbols)
    mark = symbols.mark()
    symbols.learn_equal(a, b)
    assert symbols.equal(add(a, ONE), add(b, ONE)) is True
    symbols.learn_nonzero(multiply(a, b))
    assert symbols.less(poly.ZERO, b) is True
    symbols.forget(mark)
    assert symbols.equal(a, b) is None
    assert symbols.less(poly.ZERO, a) is None


def test_an_equality_that_would_define_a_size_by_itself_is_not_learned(symbols: Symbols):
    a = size(symbols)
    symbols.learn_equal(a, symbols.floordiv(add(a, ONE), constant(2)))
    assert symbols.canonical(a) == a


def test_broadcasting_sizes(symbols: Symbols):
    a, b = size(symbols), size(symbols)
    both = symbols.broadcast(a, b)
    assert symbols.broadcast(a, ONE) == a
    assert symbols.broadcast(a, constant(4)) == constant(4)
    assert symbols.broadcast(both, a) == both
    assert symbols.fits(b, both)


@given(st.lists(st.tuples(st.integers(-4, 4), st.integers(0, 3), st.integers(0, 3)), max_size=5), st.data())
def test_polynomials_compute_what_they_say(terms: list[tuple[int, int, int]], data: st.DataObject):
    values = [data.draw(st.integers(-5, 5)), data.draw(st.integers(-5, 5))]
    built, want = poly.ZERO, 0
    for coefficient, i, j in terms:
        term = constant(coefficient)
        for number, power in ((0, i), (1, j)):
            for _ in range(power):
                term = multiply(term, poly.atom(number))
        built = add(built, term)
        want += coefficient * values[0] ** i * values[1] ** j
    got = poly.substitute(built, lambda a: constant(values[a]) or None)
    if all(values):
        assert poly.as_constant(got) == want


@pytest.mark.parametrize(
    ("before", "after", "pairs"),
    [
        ("ab", "ab", [([0], [0]), ([1], [1])]),
        ("a6", "a23", [([0], [0]), ([1], [1, 2])]),
        ("ab23", "ab6", [([0], [0]), ([1], [1]), ([2, 3], [2])]),
        ("a1b", "ab", [([0, 1], [0]), ([2], [1])]),
        ("1", "", []),
        ("11", "1", [([0, 1], [0])]),
        ("46", "38", [([0, 1], [0, 1])]),
        ("ab", "c", None),
    ],
)
def test_reshape_groups(before: str, after: str, pairs: object):
    names = {letter: poly.atom(i) for i, letter in enumerate("abc")}
    shapes = [[names[c] if c in names else constant(int(c)) for c in text] for text in (before, after)]
    assert group(*shapes) == pairs


def test_only_ones_come_and_go():
    a, b = poly.atom(0), poly.atom(1)
    assert singles([a, b], [ONE, a, ONE, b]) == [1, 3]
    assert singles([a, ONE], [a]) == [0, None]
    assert singles([a, b], [b, a]) is None
