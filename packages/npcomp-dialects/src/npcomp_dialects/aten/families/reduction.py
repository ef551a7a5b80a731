"""Reduction: dims collapse into one value each."""

from __future__ import annotations

from typing import Any, ClassVar

from ..block import Block
from ..dims import wrap_dims
from ..dtypes import DType
from ..promotion import Operand, Rule, opmath, promote


class Reduction(Block):
    """`reduce(b, x, dims, keepdim, **rest)` over `x` cast to the computing dtype; the result is cast to the rule's.

    A `dtype` argument replaces the rule. 16-bit floats compute in f32 unless `exact`.
    """

    family = "reduction"
    dtype: ClassVar[Rule] = promote
    exact: ClassVar[bool] = False
    reduce: ClassVar[Any] = None

    @classmethod
    def lower(cls, b: Any, *args: Any) -> Any:
        named = cls.named(args)
        x = named.pop("self")
        dims = wrap_dims(named.pop("dim", None), x.rank)
        keepdim = named.pop("keepdim", False)
        asked: DType | None = named.pop("dtype", None)
        operand = [Operand(asked or x.dtype)]
        compute, result = (asked, asked) if asked else (cls.dtype.compute(operand), cls.dtype.result(operand))
        assert compute is not None
        x = b.cast(x, compute if cls.exact else opmath(compute))
        return b.cast(cls.reduce(b, x, dims, keepdim, **named), result)
