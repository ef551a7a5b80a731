"""Chebyshev series: the functions of series_tables.py as scalar code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .dtypes import DType


@dataclass(frozen=True)
class Series:
    """c0 + c1 T1(t) + c2 T2(t) + …, t running from -1 to 1 over [low, high]."""

    low: float
    high: float
    coefficients: tuple[float, ...]

    def at(self, b: Any, u: Any) -> Any:
        """The sum at `u`, by Clenshaw's recurrence; f32 leaves out the terms that it cannot see."""
        terms = self.terms(u.dtype)
        scale = 4.0 / (self.high - self.low)
        twice = u * scale - (self.high + self.low) * 0.5 * scale  # 2 t
        ahead, after = b.const(terms[-1], u.dtype), b.const(0.0, u.dtype)
        for c in reversed(terms[1:-1]):
            ahead, after = twice * ahead - after + c, ahead
        return twice * ahead * 0.5 - after + terms[0]

    def terms(self, dtype: DType) -> tuple[float, ...]:
        if dtype is DType.f64:
            return self.coefficients
        least = 2e-9 * max(map(abs, self.coefficients))
        last = max(i for i, c in enumerate(self.coefficients) if abs(c) > least)
        return self.coefficients[: max(last, 1) + 1]
