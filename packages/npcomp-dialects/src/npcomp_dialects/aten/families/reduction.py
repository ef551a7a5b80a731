"""Reduction: dims collapse into one value each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..abstract import TensorInfo
from ..block import Block
from ..dims import wrap_dims
from ..dtypes import DType, as_dtype
from ..promotion import Operand, Rule, opmath, promote


class Reduction(Block):
    """`reduce(b, x, dims, keepdim, **rest)` over `x` cast to the computing dtype; results are cast to the rule's.

    A `dtype` argument replaces the rule. 16-bit floats compute in f32 unless `exact`.
    """

    family = "reduction"
    dtype: ClassVar[Rule] = promote
    exact: ClassVar[bool] = False
    no_dims_is_all: ClassVar[bool] = True
    """What an empty list of dims means: every dim, or none."""
    reduce: ClassVar[Any] = None

    @classmethod
    def give_up(cls, args: Any) -> Any:
        asked = as_dtype(cls.named(args).get("dtype"))
        return super().give_up(args) if asked is None else TensorInfo(None, asked)

    @classmethod
    def lower(cls, b: Any, *args: Any) -> Any:
        named = cls.named(args)
        x = named.pop("self")
        given = named.pop("dim", None)
        dims = [] if given == [] and not cls.no_dims_is_all else wrap_dims(given, x.rank)
        keepdim = named.pop("keepdim", False)
        asked: DType | None = named.pop("dtype", None)
        operand = [Operand(asked or x.dtype)]
        compute, result = (asked, asked) if asked else (cls.dtype.compute(operand), cls.dtype.result(operand))
        assert compute is not None
        x = b.cast(x, compute if cls.exact else opmath(compute))
        reduced = cls.reduce(b, x, dims, keepdim, **named)
        return tuple(b.cast(r, result) for r in reduced) if isinstance(reduced, tuple) else b.cast(reduced, result)


def count_of(x: Any, dims: Sequence[int]) -> Any:
    """How many elements fall together, an int or a run-time number."""
    count: Any = 1
    for d in dims:
        count = count * x.sizes[d]
    return count


def divide_by(b: Any, x: Any, count: Any) -> Any:
    """Each element of a float tensor divided by a count."""
    divisor = float(count) if isinstance(count, (int, float)) else b.cast(count, x.dtype)
    return b.map(lambda b, e: e / divisor, x, dtype=x.dtype)


def guard_nonempty(b: Any, x: Any, dims: Sequence[int], name: str) -> None:
    """An extremum of nothing does not exist."""
    for d in dims:
        b.guard(x.sizes[d] != 0, f"{name}(): Expected reduction dim {d} to have non-zero size.", error="IndexError")
