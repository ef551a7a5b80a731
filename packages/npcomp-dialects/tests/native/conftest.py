"""A context, made current with an unknown location, for tests that only parse and build."""

from __future__ import annotations

from collections.abc import Iterator

import npcomp_dialects
import pytest
from npcomp_dialects.mlir import ir


@pytest.fixture
def context() -> Iterator[ir.Context]:
    with npcomp_dialects.context() as made, ir.Location.unknown():
        yield made
