"""One step of a recurrent network: from the two products of a cell to its next states.

The product of the input with its weight does not depend on the states, so a layer makes it for all steps at once; each
step adds the product of the hidden state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from .promotion import opmath


@dataclass
class Weights:
    """What one cell has learned; biases and the projection may be None."""

    w_ih: Any
    w_hh: Any
    b_ih: Any = None
    b_hh: Any = None
    w_hr: Any = None


def product(b: Any, x: Any, weight: Any, *biases: Any) -> Any:
    """`x @ weight.T` plus the biases that there are, over the last dim."""
    letters = "abcd"[: x.rank - 1]
    result = b.contract(f"{letters}x,yx->{letters}y", x, weight)
    given = [bias for bias in biases if bias is not None]
    if not given:
        return result
    compute = opmath(x.dtype)

    def add(b: Any, *terms: Any) -> Any:
        total = b.cast(terms[0], compute)
        for term in terms[1:]:
            total = total + b.cast(term, compute)
        return b.cast(total, x.dtype)

    return b.map(add, result, *given, dtype=x.dtype)


def pieces(b: Any, x: Any, count: int, width: Any) -> list[Any]:
    """The gates that lie side by side in the last dim."""
    return [b.slice(x, x.rank - 1, i * width, (i + 1) * width, 1) for i in range(count)]


class Cell:
    """`gates` products of `width` lie side by side; `states` are carried, hidden first."""

    gates: ClassVar[int] = 1
    states: ClassVar[int] = 1

    @staticmethod
    def input_product(b: Any, x: Any, w: Weights) -> Any:
        """What does not depend on the states."""
        return product(b, x, w.w_ih, w.b_ih, w.b_hh)

    @staticmethod
    def step(b: Any, left: Any, states: Sequence[Any], w: Weights) -> list[Any]:
        raise NotImplementedError


class LstmCell(Cell):
    """Gates i, f, g, o; states hidden and cell; the hidden state may be projected."""

    gates, states = 4, 2

    @staticmethod
    def step(b: Any, left: Any, states: Sequence[Any], w: Weights) -> list[Any]:
        hidden, cell = states
        width, dtype = cell.sizes[-1], cell.dtype
        right = product(b, hidden, w.w_hh)

        def body(b: Any, c: Any, *parts: Any) -> Any:
            c, *values = (b.cast(v, opmath(dtype)) for v in (c, *parts))
            i, f, g, o = (values[n] + values[4 + n] for n in range(4))
            c = b.math.sigmoid(f) * c + b.math.sigmoid(i) * b.math.tanh(g)
            return b.cast(b.math.sigmoid(o) * b.math.tanh(c), dtype), b.cast(c, dtype)

        parts = [*pieces(b, left, 4, width), *pieces(b, right, 4, width)]
        hidden, cell = b.map(body, cell, *parts, dtype=(dtype, dtype))
        return [hidden if w.w_hr is None else product(b, hidden, w.w_hr), cell]


class GruCell(Cell):
    """Gates r, z, n, of which n takes the hidden product behind the reset gate."""

    gates = 3

    @staticmethod
    def input_product(b: Any, x: Any, w: Weights) -> Any:
        return product(b, x, w.w_ih, w.b_ih)

    @staticmethod
    def step(b: Any, left: Any, states: Sequence[Any], w: Weights) -> list[Any]:
        (hidden,) = states
        width, dtype = hidden.sizes[-1], hidden.dtype
        right = product(b, hidden, w.w_hh, w.b_hh)

        def body(b: Any, h: Any, *parts: Any) -> Any:
            h, r1, z1, n1, r2, z2, n2 = (b.cast(v, opmath(dtype)) for v in (h, *parts))
            new = b.math.tanh(n1 + b.math.sigmoid(r1 + r2) * n2)
            return b.cast(new + b.math.sigmoid(z1 + z2) * (h - new), dtype)

        return [b.map(body, hidden, *pieces(b, left, 3, width), *pieces(b, right, 3, width), dtype=dtype)]


class TanhCell(Cell):
    """tanh of the sum of both products."""

    @staticmethod
    def activation(b: Any, x: Any) -> Any:
        return b.math.tanh(x)

    @classmethod
    def step(cls, b: Any, left: Any, states: Sequence[Any], w: Weights) -> list[Any]:  # type: ignore[override]
        dtype = left.dtype
        compute = opmath(dtype)

        def body(b: Any, x: Any, y: Any) -> Any:
            return b.cast(cls.activation(b, b.cast(x, compute) + b.cast(y, compute)), dtype)

        return [b.map(body, left, product(b, states[0], w.w_hh), dtype=dtype)]


class ReluCell(TanhCell):
    """relu of the sum of both products."""

    @staticmethod
    def activation(b: Any, x: Any) -> Any:
        return b.maximum(x, 0.0)
