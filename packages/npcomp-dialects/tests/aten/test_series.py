"""The Chebyshev series of special functions, against mpmath at points of their intervals."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import pytest
import torch
from aten.eager_builder import EagerBuilder, S
from npcomp_dialects.aten import series_tables
from npcomp_dialects.aten.series import Series

FUNCTIONS = {
    "I0": lambda x: mp.exp(-x) * mp.besseli(0, x),
    "I1": lambda x: mp.exp(-x) * mp.besseli(1, x) / x,
    "J0": lambda u: mp.besselj(0, mp.sqrt(u)),
    "J1": lambda u: mp.besselj(1, mp.sqrt(u)) / mp.sqrt(u),
    "AIRY": mp.airyai,
    "LGAMMA": lambda x: mp.loggamma(x) / ((x - 1) * (x - 2)),
    "K0_TAIL": lambda u: mp.sqrt(2 / u) * mp.exp(2 / u) * mp.besselk(0, 2 / u),
    "ERFCX": lambda u: (1 + 2 * (x := 4 * (1 + u) / (1 - u))) * mp.exp(x * x) * mp.erfc(x),
}


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 4e-15), (torch.float32, 3e-6)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_series_is_its_function(name: str, dtype: torch.dtype, bound: float):
    series = getattr(series_tables, name)
    points = torch.linspace(0.01, 0.97, 40, dtype=torch.float64) * (series.high - series.low) + series.low
    points = points.to(dtype)
    got = series.at(EagerBuilder(), S(points)).value
    with mp.workdps(40):
        want = torch.tensor([float(FUNCTIONS[name](mp.mpf(p))) for p in points.double().tolist()], dtype=torch.float64)
    assert float((got.double() - want).abs().max() / want.abs().max()) < bound


def tables() -> list[Any]:
    return [v for v in vars(series_tables).values() if isinstance(v, Series)]


def test_every_series_has_converged():
    assert len(tables()) >= 28
    for series in tables():
        assert series.low < series.high
        assert abs(series.coefficients[-1]) < 1e-15 * max(map(abs, series.coefficients))
