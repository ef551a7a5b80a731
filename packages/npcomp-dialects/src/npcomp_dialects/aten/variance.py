"""Variance and standard deviation."""

from __future__ import annotations

from .cases import case, f16, f32
from .dtypes import DType
from .families.reduction import Reduction, count_of, divide_by
from .promotion import promote_floats
from .registry import op


def moments(b, x, dims, correction, keepdim):
    """Variance and mean over dims of a float tensor, in two passes; `correction` is taken off the count."""
    count = count_of(x, dims)
    mean = divide_by(b, b.reduce("sum", x, dims, True), count)
    squares = b.map(lambda b, e, m: (e - m) * (e - m), x, mean, dtype=x.dtype)
    left = degrees_of_freedom(b, count, 1 if correction is None else correction)
    variance = divide_by(b, b.reduce("sum", squares, dims, keepdim), left)
    return variance, mean if keepdim else b.reshape(mean, [s for d, s in enumerate(x.sizes) if d not in dims])


def degrees_of_freedom(b, count, correction):
    """max(count - correction, 0)."""
    if isinstance(correction, float) and correction.is_integer():
        correction = int(correction)
    if isinstance(correction, float) or not isinstance(correction, int):
        count = float(count) if isinstance(count, int) else b.cast(count, DType.f64)
        correction = correction if isinstance(correction, float) else b.cast(correction, DType.f64)
    return b.maximum(count - correction, 0)


class Spread(Reduction):
    """A function of the variance over dims, which `finish` names; `unbiased` is a correction of 1."""

    dtype = promote_floats
    finish = None

    @classmethod
    def reduce(cls, b, x, dims, keepdim, correction=None, unbiased=True):
        correction = correction if unbiased else 0
        return cls.finish(b, *moments(b, x, dims, correction, keepdim))


def root(b, variance):
    """The square root of each element."""
    return b.map(lambda b, e: b.math.sqrt(e), variance, dtype=variance.dtype)


SPREAD_CASES = [
    case(f32(3, 4), [1]),
    case(f32("?", 4), [0], correction=0, keepdim=True, at=[3, 1]),
    case(f32(3, 4), correction=2),
    case(f32(3, 4), [0], correction=0.5),
    case(f16(3, 4), [1]),
]


@op(
    "aten::var.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor",
    out="aten::var.correction_out",
)
@op(
    "aten::var.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor",
    out="aten::var.out",
    cases=[case(f32(3, 4), [1]), case(f32("?", 4), [0, 1], False, True)],
)
@op("aten::var(Tensor self, bool unbiased=True) -> Tensor", cases=[f32(3, 4), case(f32("?", 4), False)])
class Var(Spread):
    """Variance over dims."""

    def finish(b, variance, mean):
        return variance

    cases = SPREAD_CASES


@op(
    "aten::std.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor",
    out="aten::std.correction_out",
)
@op(
    "aten::std.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor",
    out="aten::std.out",
    cases=[case(f32(3, 4), [1]), case(f32("?", 4), [0, 1], False, True)],
)
@op("aten::std(Tensor self, bool unbiased=True) -> Tensor", cases=[f32(3, 4), case(f32("?", 4), False)])
class Std(Spread):
    """Standard deviation over dims."""

    def finish(b, variance, mean):
        return root(b, variance)

    cases = SPREAD_CASES


@op(
    "aten::var_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> "
    "(Tensor, Tensor)",
)
@op(
    "aten::var_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)",
    cases=[case(f32(3, 4), [1]), case(f32("?", 4), [0, 1], False, True)],
)
@op("aten::var_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)", cases=[f32(3, 4), case(f32("?", 4), False)])
class VarMean(Spread):
    """Variance and mean over dims."""

    def finish(b, variance, mean):
        return variance, mean

    cases = SPREAD_CASES


@op(
    "aten::std_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> "
    "(Tensor, Tensor)",
)
@op(
    "aten::std_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)",
    cases=[case(f32(3, 4), [1]), case(f32("?", 4), [0, 1], False, True)],
)
@op("aten::std_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)", cases=[f32(3, 4), case(f32("?", 4), False)])
class StdMean(Spread):
    """Standard deviation and mean over dims."""

    def finish(b, variance, mean):
        return root(b, variance), mean

    cases = SPREAD_CASES
