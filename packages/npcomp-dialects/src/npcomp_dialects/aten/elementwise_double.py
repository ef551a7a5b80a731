"""Elementwise ops of double precision, and of one number."""

from __future__ import annotations

from .cases import bf16, case, f32, i64
from .dtypes import DType
from .families.decomposed import Decomposed
from .families.elementwise import Elementwise
from .promotion import Rule
from .registry import op

always_f64 = Rule("always_f64", lambda _: DType.f64, lambda _: DType.f64, DType.f64)


@op(
    "aten::float_power.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor",
    inplace="aten::float_power_.Tensor",
    out="aten::float_power.Tensor_Tensor_out",
)
class FloatPower(Elementwise):
    """self ** exponent in double precision."""

    dtype = always_f64

    def scalar(b, x, exponent):
        return b.math.pow(x, exponent)

    cases = [case(f32(3, 4, low=0.1), f32(3, 4)), case(i64("?", 4), bf16(4), at=[3, 1, 0])]


@op(
    "aten::isin.Tensor_Scalar(Tensor elements, Scalar test_element, *, bool assume_unique=False, bool invert=False)"
    " -> Tensor",
    out="aten::isin.Tensor_Scalar_out",
)
class IsInNumber(Decomposed):
    """Which elements are the number, or are not with `invert`."""

    def decompose(b, x, number, assume_unique, invert):
        if x.dtype is DType.bool:
            b.error("Unsupported input type encountered for isin(): Bool")
        return b.aten.ne.Scalar(x, number) if invert else b.aten.eq.Scalar(x, number)

    cases = [case(i64(3, 4), 2), case(f32("?", 5), 2.0, invert=True, at=[3, 0])]
