"""Elementwise functions of one tensor."""

from __future__ import annotations

from .cases import case, f16, f32, i8, i64
from .families.elementwise import Elementwise
from .promotion import promote_numbers, promote_to_float
from .registry import op


@op("aten::abs(Tensor self) -> Tensor", inplace="aten::abs_", out="aten::abs.out")
class Abs(Elementwise):
    """Absolute value."""

    exact = True

    def scalar(b, x):
        return b.math.abs(x)

    cases = [f32(3, 4, special=True), f32("?", 5), i64(2), i8(0, 3), f16(3)]


@op("aten::neg(Tensor self) -> Tensor", inplace="aten::neg_", out="aten::neg.out")
class Neg(Elementwise):
    """Negation."""

    dtype = promote_numbers
    exact = True

    def scalar(b, x):
        return -x

    cases = [f32(3, 4, special=True), case(f32("?", 5), at=[1, 0]), i64(2)]


@op("aten::tanh(Tensor self) -> Tensor", inplace="aten::tanh_", out="aten::tanh.out")
class Tanh(Elementwise):
    """Hyperbolic tangent of each element."""

    dtype = promote_to_float

    def scalar(b, x):
        return b.math.tanh(x)

    cases = [f32(3, 4, special=True), f32("?", 5), i64(2)]


@op("aten::relu(Tensor self) -> Tensor", inplace="aten::relu_", out="aten::relu.out")
class Relu(Elementwise):
    """max(x, 0); nan stays nan."""

    dtype = promote_numbers
    exact = True

    def scalar(b, x):
        return b.maximum(x, 0)

    cases = [f32(3, 4, special=True), case(f32("?", 5), at=[1, 0]), i64(3)]
