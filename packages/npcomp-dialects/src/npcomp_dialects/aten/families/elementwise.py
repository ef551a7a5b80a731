"""Elementwise: one scalar function over broadcast tensors."""

from __future__ import annotations

from typing import Any, ClassVar

from ..abstract import TensorInfo, broadcast
from ..block import Block
from ..dtypes import DType
from ..promotion import Operand, Rule, operand_of, opmath, promote
from ..schema import Argument

_PROMOTING_SCALARS = ("self", "other", "exponent")


class Elementwise(Block):
    """`scalar(b, …)` takes the schema's arguments with an element in the place of each tensor.

    Elements and numbers that take part in promotion arrive in the computing dtype (f32 for 16-bit floats unless
    `exact`), the result is cast to the rule's result dtype.
    """

    family = "elementwise"
    dtype: ClassVar[Rule] = promote
    promoting: ClassVar[tuple[str, ...] | None] = None
    """Arguments that decide the dtype; by default all tensors and the numbers named self, other, exponent."""
    raw: ClassVar[tuple[str, ...]] = ()
    """Numbers that reach `scalar` as they are."""
    exact: ClassVar[bool] = False
    """True when 16-bit floats need no f32: the op selects or compares and does not round."""

    @classmethod
    def takes_part(cls, argument: Argument) -> bool:
        if cls.promoting is not None:
            return argument.name in cls.promoting
        is_number = argument.type.inner.name == "Scalar" and argument.name in _PROMOTING_SCALARS
        return argument.type.is_tensor or is_number

    @classmethod
    def operands(cls, args: Any) -> list[Operand]:
        pairs = zip(cls.schema.arguments, args, strict=True)
        return [operand_of(v) for a, v in pairs if v is not None and cls.takes_part(a)]

    @classmethod
    def rule(cls, args: Any) -> Rule:
        """The dtype rule; an op whose rule depends on its arguments overrides this."""
        return cls.dtype

    @classmethod
    def infer(cls, *args: Any) -> TensorInfo:
        tensors = [v for v in args if isinstance(v, TensorInfo)]
        return TensorInfo(broadcast(t.sizes for t in tensors), cls.rule(args).result(cls.operands(args)))

    @classmethod
    def lower(cls, b: Any, *args: Any) -> Any:
        if cls.preconditions is not None:
            cls.preconditions(b, *args)
        operands = cls.operands(args)
        compute, result = cls.rule(args).compute(operands), cls.rule(args).result(operands)
        assert compute is not None
        if not cls.exact:
            compute = opmath(compute)
        arguments = cls.schema.arguments
        is_tensor = [a.type.is_tensor and v is not None for a, v in zip(arguments, args, strict=True)]
        values = [v if t else cls.number(b, a, v, compute) for a, v, t in zip(arguments, args, is_tensor, strict=True)]

        def body(b: Any, *elements: Any) -> Any:
            queue = iter(elements)
            filled = [
                (b.cast(next(queue), compute) if cls.takes_part(a) else next(queue)) if t else v
                for a, v, t in zip(arguments, values, is_tensor, strict=True)
            ]
            return b.cast(cls.scalar(b, *filled), result)

        return b.map(body, *(v for v, t in zip(args, is_tensor, strict=True) if t), dtype=result)

    @classmethod
    def number(cls, b: Any, argument: Argument, value: Any, compute: DType) -> Any:
        """A number argument in the computing dtype; constants stay Python numbers."""
        if argument.type.leaf not in ("Scalar", "float") or argument.type.inner.is_list:
            return value
        if value is None or argument.name in cls.raw:
            return value
        if not isinstance(value, (bool, int, float)):
            return b.cast(value, compute)
        return float(value) if compute.is_float else bool(value) if compute is DType.bool else int(value)
