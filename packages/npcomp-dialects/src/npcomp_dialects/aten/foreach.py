"""_foreach_*: an op on every tensor of a list, made from the op on one tensor.

`FOREACH` is the table: a schema, then the op on one tensor. A list argument gives one item to each call, any other
argument is the same for all of them. An op on one tensor needs no edit here to get a better lowering.
"""

from __future__ import annotations

import operator
from functools import reduce
from typing import Any

from .cases import Case, case, f32
from .errors import InferError
from .families.decomposed import Decomposed
from .registry import op
from .schema import Schema, parse

UNARY = (
    "abs acos asin atan ceil cos cosh erf erfc exp expm1 floor frac lgamma log log10 log1p log2 max neg reciprocal "
    "round rsqrt sigmoid sign sin sinh sqrt tan tanh trunc"
)
"""Ops of one tensor and nothing else."""

TABLE = """
add.List(Tensor[] self, Tensor[] other, *, Scalar alpha=1) add.Tensor
add.Scalar(Tensor[] self, Scalar scalar) add.Scalar
add.ScalarList(Tensor[] self, Scalar[] scalars) add.Scalar
add.Tensor(Tensor[] self, Tensor other, *, Scalar alpha=1) add.Tensor
sub.List(Tensor[] self, Tensor[] other, *, Scalar alpha=1) sub.Tensor
sub.Scalar(Tensor[] self, Scalar scalar) sub.Scalar
sub.ScalarList(Tensor[] self, Scalar[] scalars) sub.Scalar
mul.List(Tensor[] self, Tensor[] other) mul.Tensor
mul.Scalar(Tensor[] self, Scalar scalar) mul.Scalar
mul.ScalarList(Tensor[] self, Scalar[] scalars) mul.Scalar
mul.Tensor(Tensor[] self, Tensor other) mul.Tensor
div.List(Tensor[] self, Tensor[] other) div.Tensor
div.Scalar(Tensor[] self, Scalar scalar) div.Scalar
div.ScalarList(Tensor[] self, Scalar[] scalars) div.Scalar
div.Tensor(Tensor[] self, Tensor other) div.Tensor
clamp_min.List(Tensor[] self, Tensor[] other) clamp_min.Tensor
clamp_min.Scalar(Tensor[] self, Scalar scalar) clamp_min
clamp_min.ScalarList(Tensor[] self, Scalar[] scalars) clamp_min
clamp_max.List(Tensor[] self, Tensor[] other) clamp_max.Tensor
clamp_max.Scalar(Tensor[] self, Scalar scalar) clamp_max
clamp_max.ScalarList(Tensor[] self, Scalar[] scalars) clamp_max
maximum.List(Tensor[] self, Tensor[] other) clamp_min.Tensor
maximum.Scalar(Tensor[] self, Scalar scalar) clamp_min
maximum.ScalarList(Tensor[] self, Scalar[] scalars) clamp_min
minimum.List(Tensor[] self, Tensor[] other) clamp_max.Tensor
minimum.Scalar(Tensor[] self, Scalar scalar) clamp_max
minimum.ScalarList(Tensor[] self, Scalar[] scalars) clamp_max
pow.List(Tensor[] self, Tensor[] exponent) pow.Tensor_Tensor
pow.Scalar(Tensor[] self, Scalar exponent) pow.Tensor_Scalar
pow.ScalarList(Tensor[] self, Scalar[] exponent) pow.Tensor_Scalar
pow.ScalarAndTensor(Scalar self, Tensor[] exponent) pow.Scalar
addcdiv.Scalar(Tensor[] self, Tensor[] tensor1, Tensor[] tensor2, Scalar value=1) addcdiv
addcdiv.ScalarList(Tensor[] self, Tensor[] tensor1, Tensor[] tensor2, Scalar[] scalars) addcdiv
addcmul.Scalar(Tensor[] self, Tensor[] tensor1, Tensor[] tensor2, Scalar value=1) addcmul
addcmul.ScalarList(Tensor[] self, Tensor[] tensor1, Tensor[] tensor2, Scalar[] scalars) addcmul
lerp.List(Tensor[] self, Tensor[] tensors1, Tensor[] weights) lerp.Tensor
lerp.Scalar(Tensor[] self, Tensor[] tensors1, Scalar weight) lerp.Scalar
lerp.ScalarList(Tensor[] self, Tensor[] tensors1, Scalar[] weight) lerp.Scalar
clone(Tensor[] self, *, MemoryFormat? memory_format=None) clone
copy(Tensor[] self, Tensor[] src, bool non_blocking=False) copy
zero(Tensor[] self) zeros_like
"""
"""Schemas without `aten::_foreach_` and `-> Tensor[]`, and the op on one tensor."""

NAMED_RESULTS = ("copy", "zero")
RENAMED = {"scalar": "value", "scalars": "value"}
"""Keyword arguments of the op on one tensor that the list form calls otherwise."""


class Foreach(Decomposed):
    """A list of the results for each item."""

    base = ""

    @classmethod
    def decompose(cls, b: Any, *args: Any) -> Any:
        count = length(cls.schema, args)
        target = reduce(getattr, cls.base.split("."), b.aten)
        return b.list([target(*cls.positional(args, i), **cls.keywords(args, i)) for i in range(count)])

    @classmethod
    def positional(cls, args: Any, i: int) -> list[Any]:
        pairs = zip(cls.schema.arguments, args, strict=True)
        return [item(v, i) for a, v in pairs if not cls.by_name(a)]

    @classmethod
    def keywords(cls, args: Any, i: int) -> dict[str, Any]:
        pairs = zip(cls.schema.arguments, args, strict=True)
        return {RENAMED.get(a.name, a.name): item(v, i) for a, v in pairs if cls.by_name(a)}

    @classmethod
    def by_name(cls, argument: Any) -> bool:
        """addcmul and addcdiv on one tensor take their factor by name."""
        factor = cls.base.startswith("addc") and argument.name in ("value", "scalars")
        return argument.keyword_only or factor


def item(value: Any, i: int) -> Any:
    return value[i] if isinstance(value, list) else value


def length(schema: Schema, args: Any) -> int:
    """How many items the lists have, all of them the same."""
    lists = [v for a, v in zip(schema.arguments, args, strict=True) if a.type.is_list]
    for other in lists[1:]:
        if len(other) != len(lists[0]):
            raise InferError(f"Tensor lists must have the same number of tensors, got {len(lists[0])} and {len(other)}")
    return operator.index(len(lists[0]))


def cases_of(schema: Schema) -> list[Case]:
    """A static and a dynamic case: lists of two tensors, lists of numbers, numbers."""

    def value(argument: Any, dims: list[tuple[Any, ...]]) -> Any:
        kind = str(argument.type)
        if kind == "Tensor[]":
            return [f32(*d, low=0.1, high=0.9) for d in dims]
        return {"Scalar[]": [0.5, 2], "Scalar": 0.5, "Tensor": f32(low=0.5, high=2)}[kind]

    asked = [a for a in schema.arguments if a.default_text is None]
    return [case(*(value(a, dims) for a in asked)) for dims in ([(3, 4), (2,)], [("n", 4), ("m",)])]


def register(line: str) -> None:
    text, _, base = line.rpartition(" ")
    result = " self_out" if text.startswith(NAMED_RESULTS) else ""
    schema = f"aten::_foreach_{text} -> Tensor[]{result}"
    fields = {"__doc__": f"{base} of every tensor of a list.", "__module__": __name__, "base": base}
    name = "".join(part.title() for part in text.partition("(")[0].replace(".", "_").split("_"))
    op(schema, cases=cases_of(parse(schema)))(type(f"Foreach{name}", (Foreach,), fields))


for _line in [*(f"{name}(Tensor[] self) {name}" for name in UNARY.split()), *TABLE.strip().splitlines()]:
    register(_line)


class ForeachNorm(Decomposed):
    """A norm of every tensor of a list, by `of(b, x, ord, dtype)`."""

    of = None

    @classmethod
    def decompose(cls, b, xs, ord, dtype):
        return b.list([cls.of(b, x, ord, dtype) for x in xs])

    cases = [
        case([f32(3, 4), f32(2)]),
        case([f32("n", 4), f32(2)], 1),
        case([f32(3), f32(2, 2)], 3, 7),
    ]


@op("aten::_foreach_norm.Scalar(Tensor[] self, Scalar ord=2, ScalarType? dtype=None) -> Tensor[]")
class ForeachVectorNorm(ForeachNorm):
    """The vector norm of every tensor of a list."""

    def of(b, x, ord, dtype):
        return b.aten.linalg_vector_norm(x, ord, None, False, dtype=dtype)


@op("aten::_foreach_powsum.Scalar(Tensor[] self, Scalar ord=2, ScalarType? dtype=None) -> Tensor[]")
class ForeachPowerSum(ForeachNorm):
    """The sum of |x|^ord for every tensor of a list."""

    def of(b, x, ord, dtype):
        x = x if dtype is None else b.aten.to.dtype(x, dtype)
        return b.aten.sum(b.aten.pow.Tensor_Scalar(b.aten.abs(x), ord))


class ForeachFactors(Decomposed):
    """Tensors, and the factors of their second operands in one vector."""

    op_name = ""

    @classmethod
    def decompose(cls, b, xs, firsts, seconds, scalars):
        made = []
        for i, (x, y, z) in enumerate(zip(xs, firsts, seconds, strict=True)):
            scaled = b.aten.mul.Tensor(y, b.aten.select.int(scalars, 0, i))
            product = b.aten.div.Tensor(scaled, z) if cls.op_name == "div" else b.aten.mul.Tensor(scaled, z)
            made.append(b.aten.add.Tensor(x, product))
        return b.list(made)

    cases = [
        case(*([f32(3, 4, low=1), f32(2, low=1)] for _ in range(3)), f32(2)),
        case(*([f32("n", 4, low=1), f32("m", low=1)] for _ in range(3)), f32(2)),
    ]


@op("aten::_foreach_addcdiv.Tensor(Tensor[] self, Tensor[] tensor1, Tensor[] tensor2, Tensor scalars) -> Tensor[]")
class ForeachAddCDivTensor(ForeachFactors):
    """self + scalars[i] * tensor1 / tensor2 for every item of the lists."""

    op_name = "div"


@op("aten::_foreach_addcmul.Tensor(Tensor[] self, Tensor[] tensor1, Tensor[] tensor2, Tensor scalars) -> Tensor[]")
class ForeachAddCMulTensor(ForeachFactors):
    """self + scalars[i] * tensor1 * tensor2 for every item of the lists."""

    op_name = "mul"


@op("aten::_foreach_mm(Tensor[] self, Tensor[] mat2) -> Tensor[]")
class ForeachMm(Decomposed):
    """The matrix product of every pair."""

    def decompose(b, xs, ys):
        return b.list([b.aten.mm(x, y) for x, y in zip(xs, ys, strict=True)])

    cases = [case([f32(3, 4), f32(2, 2)], [f32(4, 2), f32(2, 3)]), case([f32("n", 4)], [f32(4, "m")])]
