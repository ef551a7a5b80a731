"""Fusion and the nest family against numpy on random programs."""

from __future__ import annotations

import numpy as np
import pytest
from harness import compile_text
from random_programs import RandomProgram


@pytest.mark.parametrize("seed", range(30))
def test_random_program(seed):
    text, arguments, expected = RandomProgram(seed).build()
    for found, wanted in zip(compile_text(text)(*arguments), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)
