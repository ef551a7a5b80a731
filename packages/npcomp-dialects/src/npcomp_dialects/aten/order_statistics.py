"""Running extrema and products, medians, distinct values, places in sorted sequences."""

from __future__ import annotations

from .abstract import TensorInfo
from .cases import case, f32, i64
from .dtypes import DType, as_dtype
from .families.kernel import Kernel, reduced
from .promotion import sum_of
from .registry import op


def indices_like(x):
    """Indices of the same sizes."""
    return TensorInfo(x.sizes, DType.i64)


@op("aten::cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", out="aten::cumprod.out")
class CumProd(Kernel):
    """Running products along a dim."""

    def infer(x, dim, dtype):
        return TensorInfo(x.sizes, as_dtype(dtype) or (None if x.dtype is None else sum_of(x.dtype)))

    cases = [case(f32(3, 4), 1), case(i64("?", 4), 0)]


@op("aten::cummax(Tensor self, int dim) -> (Tensor values, Tensor indices)")
@op("aten::cummin(Tensor self, int dim) -> (Tensor values, Tensor indices)")
class CumExtremum(Kernel):
    """Running extrema along a dim and where they are."""

    def infer(x, dim):
        return x, indices_like(x)

    cases = [case(f32(3, 4), 1), case(f32("?", 4), 0)]


@op("aten::logcumsumexp(Tensor self, int dim) -> Tensor", out="aten::logcumsumexp.out")
class LogCumSumExp(Kernel):
    """Running logarithms of sums of exponentials."""

    def infer(x, dim):
        return x

    cases = [case(f32(3, 4), 1)]


@op("aten::median(Tensor self) -> Tensor", out="aten::median.out")
class Median(Kernel):
    """The middle element."""

    def infer(x):
        return TensorInfo((), x.dtype)

    cases = [f32(3, 4)]


@op("aten::median.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)")
@op(
    "aten::mode(Tensor self, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)",
    cases=[f32(3, 4), case(f32("?", 4), 0, True)],
)
class MedianDim(Kernel):
    """The middle or the commonest element along a dim and where it is."""

    def infer(x, dim, keepdim):
        values = reduced(x, dim, keepdim)
        return values, indices_like(values)

    cases = [case(f32(3, 4), 1), case(f32("?", 4), 0, True)]


@op("aten::kthvalue(Tensor self, SymInt k, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)")
class KthValue(Kernel):
    """The k-th smallest element along a dim and where it is."""

    def infer(x, k, dim, keepdim):
        values = reduced(x, dim, keepdim)
        return values, indices_like(values)

    cases = [case(f32(3, 4), 2), case(f32("?", 4), 1, 0, True)]


@op(
    "aten::_unique2(Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False) -> "
    "(Tensor, Tensor, Tensor)"
)
class Unique(Kernel):
    """The distinct elements, the place of each element among them, and how often each occurs."""

    def infer(x, in_order, inverse, counts):
        places = indices_like(x) if inverse is True else TensorInfo(None, DType.i64)
        return TensorInfo((None,), x.dtype), places, TensorInfo((None,), DType.i64)

    cases = [case(i64(7), True, True, True), i64("?")]


@op(
    "aten::searchsorted.Tensor(Tensor sorted_sequence, Tensor self, *, bool out_int32=False, bool right=False, "
    "str? side=None, Tensor? sorter=None) -> Tensor"
)
class SearchSorted(Kernel):
    """Where each element goes in a sorted sequence."""

    def infer(sequence, x, narrow, *_):
        return TensorInfo(x.sizes, DType.i32 if narrow is True else DType.i64 if narrow is False else None)

    cases = [case(f32(5), f32(3, 4)), case(f32("?"), f32("?"), out_int32=True)]


@op("aten::bucketize.Tensor(Tensor self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor")
class Bucketize(Kernel):
    """The bucket of each element between sorted boundaries."""

    def infer(x, boundaries, narrow, right):
        return TensorInfo(x.sizes, DType.i32 if narrow is True else DType.i64 if narrow is False else None)

    cases = [case(f32(3, 4), f32(5)), case(f32("?"), f32("?"), out_int32=True)]
