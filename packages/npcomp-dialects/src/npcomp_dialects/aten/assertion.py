"""Checks that a program states itself: they become guards."""

from __future__ import annotations

from .block import Block
from .cases import case, f32, i1, i64
from .dtypes import DType
from .registry import op

UNSTATED = "Expected Tensor with single nonzero value, but got zero"


class Assertion(Block):
    """No result, one guard."""

    family = "assertion"
    effects = ("check",)


def nonzero(b, x):
    """The one element of a tensor as a truth value."""
    count = b.numel(x)
    b.guard(count == 1, "Boolean value of Tensor with {0} values is ambiguous", count)
    return b.item(b.cast(b.reshape(x, []), DType.bool))


@op("aten::_assert_async(Tensor self) -> ()")
@op(
    "aten::_assert_async.msg(Tensor self, str assert_msg) -> ()",
    cases=[case(f32(low=1, high=2), "it is zero"), case(f32("?", low=1, high=2), "it is zero", at=[1])],
)
class AssertAsync(Assertion):
    """The one element is not zero."""

    def lower(b, x, message=UNSTATED):
        b.guard(nonzero(b, x), message)
        return ()

    cases = [case(f32(1, low=1, high=2)), case(i64(low=1, high=3)), case(i1("?", low=1, high=2), at=[1])]


@op("aten::_assert_scalar(Scalar self, str assert_msg) -> ()")
class AssertScalar(Assertion):
    """The number is not zero."""

    def lower(b, value, message):
        b.guard(value != 0, message)
        return ()

    cases = [case(1, "it is zero")]


@op("aten::sym_constrain_range(Scalar size, *, int? min=None, int? max=None) -> ()")
@op("aten::sym_constrain_range_for_size(Scalar size, *, int? min=None, int? max=None) -> ()")
class ConstrainRange(Assertion):
    """The number lies between two bounds."""

    def lower(b, size, least, most):
        if least is not None:
            b.guard(size >= least, f"Invalid value range for {{0}} between [{least}, {most}].", size)
        if most is not None:
            b.guard(size <= most, f"Invalid value range for {{0}} between [{least}, {most}].", size)
        return ()

    cases = [case(3, min=0, max=5)]
