"""torch.special's second names for ops."""

from __future__ import annotations

from functools import reduce
from typing import Any

from .cases import Case, as_case, case, f32, i64
from .families.decomposed import Decomposed
from .registry import op
from .schema import parse

UNIT = [f32(3, 4, low=0.1, high=0.9), f32("?", 5, low=0.1, high=0.9), i64(3, low=0, high=2)]
ALONG = [case(f32(3, 4), 1), case(f32("?", 4), 0)]

TABLE: dict[str, tuple[str, list[Any]]] = {
    "special_exp2(Tensor self)": ("exp2", UNIT),
    "special_expm1(Tensor self)": ("expm1", UNIT),
    "special_expit(Tensor self)": ("sigmoid", UNIT),
    "special_log1p(Tensor self)": ("log1p", UNIT),
    "special_erf(Tensor self)": ("erf", UNIT),
    "special_sinc(Tensor self)": ("sinc", UNIT),
    "special_logit(Tensor self, float? eps=None)": ("logit", UNIT[:2]),
    "special_logsumexp(Tensor self, int[1] dim, bool keepdim=False)": (
        "logsumexp",
        [case(f32(3, 4), [1]), case(f32("?", 4), [0])],
    ),
    "special_softmax(Tensor self, int dim, ScalarType? dtype=None)": ("softmax.int", ALONG),
    "special_log_softmax(Tensor self, int dim, *, ScalarType? dtype=None)": ("log_softmax.int", ALONG),
    "special_xlogy.other_scalar(Tensor self, Scalar other)": (
        "xlogy.Scalar_Other",
        [case(f32(3), 2), case(f32("?"), 2)],
    ),
    "special_xlogy.self_scalar(Scalar self, Tensor other)": ("xlogy.Scalar_Self", [case(2, f32(3)), case(2, f32("?"))]),
}
"""Schemas without `aten::` and `-> Tensor`, the op that they name again, and cases."""

NO_OUT = ("special_softmax", "special_log_softmax")
OUT = {
    "special_xlogy.other_scalar": "special_xlogy.other_scalar_out",
    "special_xlogy.self_scalar": "special_xlogy.self_scalar_out",
}


class Alias(Decomposed):
    """Another name of an op."""

    base = ""

    @classmethod
    def decompose(cls, b: Any, *args: Any) -> Any:
        return reduce(getattr, cls.base.split("."), b.aten)(*args)


def register(signature: str, base: str, cases: list[Case]) -> None:
    schema = f"aten::{signature} -> Tensor"
    name = signature.partition("(")[0]
    out: str | tuple[str, ...] = () if name in NO_OUT else f"aten::{name}{'_out' if '.' in name else '.out'}"
    title = "".join(part.title() for part in parse(schema).name.replace(".", "_").split("_"))
    fields = {"__doc__": f"Another name of aten.{base}.", "__module__": __name__, "base": base}
    op(schema, out=out, cases=cases)(type(title, (Alias,), fields))


for _signature, (_base, _cases) in TABLE.items():
    register(_signature, _base, [as_case(c) for c in _cases])


@op("aten::special_round(Tensor self, *, int decimals=0) -> Tensor", out="aten::special_round.out")
class SpecialRound(Decomposed):
    """The nearest multiple of a power of ten."""

    def decompose(b, x, decimals):
        return b.aten.round.decimals(x, decimals=decimals)

    cases = [f32(3, 4), case(f32("?", 5), decimals=1)]


@op("aten::special_ndtr(Tensor self) -> Tensor", out="aten::special_ndtr.out")
class SpecialNdtr(Decomposed):
    """The normal distribution: erfc(-x / sqrt(2)) / 2."""

    def decompose(b, x):
        scaled = b.aten.mul.Scalar(x, -0.7071067811865476)
        return b.aten.mul.Scalar(b.aten.erfc(scaled), 0.5)

    cases = [f32(3, 4, special=True), f32("?", 5, low=-9, high=9), i64(3)]
