"""Softmax and its logarithm, as one reduction for the maximum and one for the sum."""

from __future__ import annotations

from .block import Block
from .cases import case, f16, f32, i64
from .dims import wrap_dims
from .dtypes import DType
from .promotion import opmath, promote_floats
from .registry import op


def softmax(b, x, dims):
    """exp(x - max) over its sum, for a float tensor in its computing dtype."""
    top = b.reduce("max", x, dims, True)
    powers = b.map(lambda b, e, m: b.math.exp(e - m), x, top, dtype=x.dtype)
    total = b.reduce("sum", powers, dims, True)
    return b.map(lambda b, e, s: e / s, powers, total, dtype=x.dtype)


def log_softmax(b, x, dims):
    """x - max - log(sum(exp(x - max))), for a float tensor in its computing dtype."""
    top = b.reduce("max", x, dims, True)
    shifted = b.map(lambda b, e, m: e - m, x, top, dtype=x.dtype)
    total = b.reduce("sum", b.map(lambda b, e: b.math.exp(e), shifted, dtype=x.dtype), dims, True)
    return b.map(lambda b, e, s: e - b.math.log(s), shifted, total, dtype=x.dtype)


class SoftmaxLike(Block):
    """A function of rows along a dim; 16-bit floats compute in f32."""

    family = "reduction"
    dtype = promote_floats
    rows = None

    @classmethod
    def lower(cls, b, x, dim, convert=None):
        result = convert if isinstance(convert, DType) else DType.f32 if convert else cls.dtype.result_of(x.dtype)
        y = cls.rows(b, b.cast(x, opmath(result)), wrap_dims(dim, x.rank))
        return b.cast(y, result)

    @classmethod
    def give_up(cls, args):
        return cls.unknown_results()


INT_CASES = [
    case(f32(3, 4), 1),
    case(f32("?", 4, low=-200, high=200), 0, at=[3, 1, 0]),
    case(i64(3, 4), -1, 6),
    case(f16(3, 4), -1),
    case(f32(), 0),
]
CORE_CASES = [case(f32(3, 4), 1, False), case(f32("?", 4), 0, False, at=[3, 1, 0]), case(f16(3, 4), -1, False)]


@op("aten::softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", out="aten::softmax.int_out")
@op("aten::_softmax(Tensor self, int dim, bool half_to_float) -> Tensor", out="aten::_softmax.out", cases=CORE_CASES)
class Softmax(SoftmaxLike):
    """exp(x) over its sum along a dim."""

    rows = softmax
    cases = INT_CASES


@op("aten::log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", out="aten::log_softmax.int_out")
@op(
    "aten::_log_softmax(Tensor self, int dim, bool half_to_float) -> Tensor",
    out="aten::_log_softmax.out",
    cases=CORE_CASES,
)
class LogSoftmax(SoftmaxLike):
    """The logarithm of softmax."""

    rows = log_softmax
    cases = INT_CASES
