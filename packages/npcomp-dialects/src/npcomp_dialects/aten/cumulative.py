"""Running sums, products and extrema along a dim."""

from __future__ import annotations

from .abstract import TensorInfo
from .cases import bf16, case, f32, f64, i1, i64, u8
from .dims import wrap_dim
from .dtypes import DType, as_dtype
from .errors import InferError
from .families.ordering import Ordering
from .promotion import sum_of
from .registry import op


def scanned(b, kind, x, dim, dtype):
    """A running sum or product in the dtype asked for; integers become i64."""
    dim = wrap_dim(dim, x.rank)
    x = b.cast(x, dtype or sum_of(x.dtype))
    return b.scan(kind, x, dim) if x.rank else x


class Scan(Ordering):
    """The result has the dtype asked for."""

    def give_up(args):
        x, _, dtype = args
        return TensorInfo(None, as_dtype(dtype) or (None if x.dtype is None else sum_of(x.dtype)))


@op(
    "aten::cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor",
    inplace="aten::cumsum_",
    out="aten::cumsum.out",
)
class CumSum(Scan):
    """Running sums along a dim."""

    def lower(b, x, dim, dtype):
        return scanned(b, "sum", x, dim, dtype)

    cases = [
        case(f32(3, 4), 1),
        case(f32("?", 4), 0, at=[3, 1, 0]),
        case(i1(5), 0),
        case(i64(2, 3), -1),
        case(bf16(3, 4), 1),
        case(f32(5), 0, dtype=7),
        case(f32(), 0),
    ]


@op(
    "aten::cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor",
    inplace="aten::cumprod_",
    out="aten::cumprod.out",
)
class CumProd(Scan):
    """Running products along a dim."""

    def lower(b, x, dim, dtype):
        return scanned(b, "prod", x, dim, dtype)

    cases = [case(f32(3, 4), 1), case(i64("?", 4), 0, at=[3, 0]), case(u8(5), 0)]


EXTREMA_OUT = (
    "(Tensor self, int dim, *, Tensor(a!) values, Tensor(b!) indices) -> (Tensor(a!) values, Tensor(b!) indices)"
)


def extrema(b, kind, x, dim):
    dim = wrap_dim(dim, x.rank)
    if x.rank == 0:
        return x, b.full([], 0, DType.i64)
    return b.scan_indices(kind, x, dim)


@op("aten::cummax(Tensor self, int dim) -> (Tensor values, Tensor indices)", out=f"aten::cummax.out{EXTREMA_OUT}")
class CumMax(Ordering):
    """Running maxima along a dim and where they are, the last of equal ones."""

    makes = (None, DType.i64)

    def lower(b, x, dim):
        return extrema(b, "max", x, dim)

    cases = [case(f32(3, 9, special=True), 1), case(i64("?", 4), 0, at=[5, 1, 0]), case(i1(5), 0), case(f32(), 0)]


@op("aten::cummin(Tensor self, int dim) -> (Tensor values, Tensor indices)", out=f"aten::cummin.out{EXTREMA_OUT}")
class CumMin(Ordering):
    """Running minima along a dim and where they are, the last of equal ones."""

    makes = (None, DType.i64)

    def lower(b, x, dim):
        return extrema(b, "min", x, dim)

    cases = [case(f32(3, 9, special=True), 1), case(u8("?", 4), 0, at=[5, 1, 0])]


@op("aten::logcumsumexp(Tensor self, int dim) -> Tensor", out="aten::logcumsumexp.out")
@op("aten::_logcumsumexp(Tensor self, int dim) -> Tensor", out="aten::_logcumsumexp.out")
class LogCumSumExp(Ordering):
    """Running logarithms of sums of exponentials."""

    makes = (None,)

    def lower(b, x, dim):
        if not x.dtype.is_float:
            raise InferError(f"logcumsumexp: the elements must be floats, got {x.dtype}")
        dim = wrap_dim(dim, x.rank)
        return b.scan("logsumexp", x, dim) if x.rank else x

    cases = [case(f32(3, 4), 1), case(f64("?", 5, special=True), 1), case(f32(), 0)]
