"""Sums, means, products and extrema over dims."""

from __future__ import annotations

from .cases import bf16, case, f16, f32, i1, i64, u8
from .dtypes import DType
from .families.reduction import Reduction, count_of, divide_by, guard_nonempty
from .promotion import (
    integers_to_i64,
    promote_floats,
    promote_to_float,
    to_bool_but_u8,
    to_i64,
)
from .registry import op


@op(
    "aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
    out="aten::sum.IntList_out",
)
@op(
    "aten::sum(Tensor self, *, ScalarType? dtype=None) -> Tensor",
    out="aten::sum.out",
    cases=[f32(3, 4), f32("?", 4), i1(5), f32(0), f32()],
)
class Sum(Reduction):
    """Sum over dims; integers and bool add up in i64."""

    dtype = integers_to_i64

    def reduce(b, x, dims, keepdim):
        return b.reduce("sum", x, dims, keepdim)

    cases = [
        case(f32(3, 4), [1]),
        case(f32("?", 4), [0], True, at=[3, 1, 0]),
        case(i64(2, 3), None),
        case(f16(3, 4), [-1], dtype=6),
        case(u8(3, 4), [0, 1]),
    ]


@op(
    "aten::mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
    out="aten::mean.out",
)
@op(
    "aten::mean(Tensor self, *, ScalarType? dtype=None) -> Tensor",
    out="aten::mean.dtype_out",
    cases=[f32(3, 4), f32("?", 4), f32(0), case(i64(3), dtype=6)],
)
class Mean(Reduction):
    """Mean over dims; 16-bit floats accumulate in f32."""

    dtype = promote_floats

    def reduce(b, x, dims, keepdim):
        return divide_by(b, b.reduce("sum", x, dims, keepdim), count_of(x, dims))

    cases = [
        case(f32(3, 4), [1]),
        case(f32("?", 4), [0], True, at=[3, 1, 0]),
        case(f16(3, 4), [-1]),
        case(bf16(3, "?"), [-1]),
    ]


@op(
    "aten::prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
    out="aten::prod.int_out",
)
@op(
    "aten::prod(Tensor self, *, ScalarType? dtype=None) -> Tensor",
    out="aten::prod.out",
    cases=[f32(3, 4), f32("?", 4), i1(5), f32(0)],
)
class Prod(Reduction):
    """Product over dims; integers and bool multiply in i64."""

    dtype = integers_to_i64

    def reduce(b, x, dims, keepdim):
        return b.reduce("prod", x, dims, keepdim)

    cases = [case(f32(3, 4), 1), case(f32("?", 4), 0, True, at=[3, 1, 0]), case(i64(2, 3), 0)]


class Extremum(Reduction):
    """The largest or smallest element over dims; nan wins."""

    exact = True
    kind_of_extremum = "max"

    @classmethod
    def reduce(cls, b, x, dims, keepdim):
        guard_nonempty(b, x, dims, cls.schema.base)
        kind = cls.kind_of_extremum
        return b.reduce(kind, x, dims, keepdim)

    cases = [
        case(f32(3, 4, special=True), [1]),
        case(f32("?", 4), [0], True, at=[3, 1]),
        case(i64(2, 3), [0, 1]),
        case(u8(5, high=256), [0]),
        case(f32(0, 3), [1]),
    ]


WHOLE_EXTREMUM_CASES = [f32(3, 4, special=True), f32("?", 4), i64(5), i1(3), f32()]


@op("aten::amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor", out="aten::amax.out")
@op("aten::max(Tensor self) -> Tensor", out="aten::max.unary_out", cases=WHOLE_EXTREMUM_CASES)
class AMax(Extremum):
    """The largest element over dims."""


@op("aten::amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor", out="aten::amin.out")
@op("aten::min(Tensor self) -> Tensor", out="aten::min.unary_out", cases=WHOLE_EXTREMUM_CASES)
class AMin(Extremum):
    """The smallest element over dims."""

    kind_of_extremum = "min"


@op("aten::any.dim(Tensor self, int dim, bool keepdim=False) -> Tensor", out="aten::any.out")
@op(
    "aten::any.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor",
    out="aten::any.dims_out",
    cases=[case(f32(3, 4, low=-1, high=1), [0, 1]), case(i1("?", 4), [0], True), case(f32(3, 4, high=1), [])],
)
@op("aten::any(Tensor self) -> Tensor", out="aten::any.all_out", cases=[f32(3, 4), i1("?", 4), u8(3, high=2), i1(0)])
class Any(Reduction):
    """True where any element is nonzero."""

    dtype = to_bool_but_u8
    exact = True
    no_dims_is_all = False

    def reduce(b, x, dims, keepdim):
        return b.reduce("any", b.cast(x, DType.bool), dims, keepdim)

    cases = [case(i1(3, 4), 1), case(f32("?", 4), 0, True, at=[3, 0]), case(u8(3, high=2), 0)]


@op("aten::all.dim(Tensor self, int dim, bool keepdim=False) -> Tensor", out="aten::all.out")
@op(
    "aten::all.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor",
    out="aten::all.dims_out",
    cases=[case(f32(3, 4, low=-1, high=1), [0, 1]), case(i1("?", 4), [0], True), case(f32(3, 4, high=1), [])],
)
@op("aten::all(Tensor self) -> Tensor", out="aten::all.all_out", cases=[f32(3, 4), i1("?", 4), u8(3, high=2), i1(0)])
class All(Reduction):
    """True where all elements are nonzero."""

    dtype = to_bool_but_u8
    exact = True
    no_dims_is_all = False

    def reduce(b, x, dims, keepdim):
        return b.reduce("all", b.cast(x, DType.bool), dims, keepdim)

    cases = [case(i1(3, 4), 1), case(f32("?", 4), 0, True, at=[3, 0]), case(u8(3, high=2), 0)]


@op("aten::count_nonzero(Tensor self, int? dim=None) -> Tensor", out="aten::count_nonzero.out")
@op(
    "aten::count_nonzero.dim_IntList(Tensor self, int[] dim) -> Tensor",
    out="aten::count_nonzero.dim_IntList_out",
    cases=[case(i64(3, 4, low=-1, high=2), [0, 1]), case(i1("?", 4), [0])],
)
class CountNonzero(Reduction):
    """How many elements are not 0."""

    dtype = to_i64
    exact = True

    def reduce(b, x, dims, keepdim):
        ones = b.map(lambda b, e: b.cast(e != 0, DType.i64), x, dtype=DType.i64)
        return b.reduce("sum", ones, dims, keepdim)

    cases = [i64(3, 4, low=-1, high=2), case(f32("?", 4), 0, at=[3, 0])]


@op("aten::logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor", out="aten::logsumexp.out")
class LogSumExp(Reduction):
    """log(sum(exp(x))) without overflow."""

    dtype = promote_to_float

    def reduce(b, x, dims, keepdim):
        top = b.reduce("max", x, dims, True)
        top = b.map(lambda b, m: b.select(b.math.abs(m) == float("inf"), b.cast(0.0, m.dtype), m), top, dtype=x.dtype)
        total = b.reduce("sum", b.map(lambda b, e, m: b.math.exp(e - m), x, top, dtype=x.dtype), dims, True)
        result = b.map(lambda b, s, m: b.math.log(s) + m, total, top, dtype=x.dtype)
        return result if keepdim else b.reshape(result, [s for d, s in enumerate(x.sizes) if d not in dims])

    cases = [case(f32(3, 4), [1]), case(f32("?", 4, low=-200, high=200), [0, 1], True), case(i64(3), [0])]


def power_sum(b, x, order, dims, keepdim):
    """The norm of the given order over dims of a float tensor."""
    size = b.map(lambda b, e: b.math.abs(e), x, dtype=x.dtype)
    if order == float("inf"):
        return b.reduce("max", size, dims, keepdim)
    if order == -float("inf"):
        return b.reduce("min", size, dims, keepdim)
    if order == 0:
        return b.reduce("sum", b.map(lambda b, e: b.cast(e != 0.0, e.dtype), x, dtype=x.dtype), dims, keepdim)
    if order == 1:
        return b.reduce("sum", size, dims, keepdim)
    if order == 2:
        squares = b.map(lambda b, e: e * e, x, dtype=x.dtype)
        return b.map(lambda b, e: b.math.sqrt(e), b.reduce("sum", squares, dims, keepdim), dtype=x.dtype)
    powers = b.map(lambda b, e: b.math.pow(e, b.const(float(order), e.dtype)), size, dtype=x.dtype)
    root = b.reduce("sum", powers, dims, keepdim)
    return b.map(lambda b, e: b.math.pow(e, b.const(1 / order, e.dtype)), root, dtype=x.dtype)


@op(
    "aten::linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, "
    "ScalarType? dtype=None) -> Tensor",
    out="aten::linalg_vector_norm.out",
)
class VectorNorm(Reduction):
    """The norm of order `ord`: (sum |x|^ord)^(1/ord)."""

    dtype = promote_floats
    constant = ("ord",)

    def reduce(b, x, dims, keepdim, ord):
        return power_sum(b, x, ord, dims, keepdim)

    cases = [
        *(case(f32(3, 4), p, [1]) for p in (0, 1, 2, 3, float("inf"), float("-inf"))),
        case(f32("?", 4), 2, None, True, at=[3, 0]),
        case(f16(3, 4), 2, [0]),
    ]


@op("aten::norm.ScalarOpt_dim(Tensor self, Scalar? p, int[1] dim, bool keepdim=False) -> Tensor", out="aten::norm.out")
@op(
    "aten::norm.Scalar(Tensor self, Scalar p=2) -> Tensor",
    out="aten::norm.Scalar_out",
    cases=[f32(3, 4), case(f32("?", 4), 1)],
)
class Norm(Reduction):
    """The p-norm, 2 by default."""

    dtype = promote_floats
    constant = ("p",)

    def reduce(b, x, dims, keepdim, p):
        return power_sum(b, x, 2 if p is None else p, dims, keepdim)

    cases = [case(f32(3, 4), None, [1]), case(f32("?", 4), 3, [0], True)]
