"""Integer arithmetic."""

from __future__ import annotations

from .cases import case
from .families.scalar import Scalar
from .registry import op


@op("aten::add.int(int a, int b) -> int")
class AddInt(Scalar):
    """a + b."""

    def lower(b, x, y):
        return x + y

    cases = [case(2, 3)]


@op("aten::mul.int(int a, int b) -> int")
class MulInt(Scalar):
    """a * b."""

    def lower(b, x, y):
        return x * y

    cases = [case(2, -3)]
