"""Fusion, the nest family and the placement of results against numpy on random programs."""

from __future__ import annotations

import numpy as np
import pytest
from harness import compile_text
from random_placements import RandomPlacements
from random_programs import RandomProgram


@pytest.mark.parametrize("seed", range(30))
def test_random_program(seed):
    text, arguments, expected = RandomProgram(seed).build()
    for found, wanted in zip(compile_text(text)(*arguments), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("seed", range(40))
def test_random_placements(seed):
    text, arguments, expected = RandomPlacements(seed).build()
    kept = [a.copy() for a in arguments]
    results = compile_text(text)(*arguments)
    for found, wanted in zip(results if len(expected) > 1 else [results], expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-3)
    for argument, before in zip(arguments, kept, strict=True):
        np.testing.assert_array_equal(argument, before)
