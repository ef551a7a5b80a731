"""Distances of every row to every other, and their gradients."""

from __future__ import annotations

import math

from .cases import case, f32, f64
from .dtypes import DType
from .errors import InferError
from .families.backward import Backward
from .families.contraction import Contraction
from .promotion import opmath
from .registry import op


def check_norm(p, name):
    """Norms have an order that is not negative."""
    if p < 0:
        raise InferError(f"{name} only supports non-negative p values, got {p}")


def norm_over_last(b, difference, p):
    """The p-norm over the last dim, which is reduced."""
    last, dtype = [difference.rank - 1], difference.dtype

    def each(fn):
        return b.map(fn, difference, dtype=dtype)

    if p == 0:
        return b.reduce("sum", each(lambda b, e: b.cast(e != 0.0, dtype)), last)
    sizes = each(lambda b, e: b.math.abs(e))
    if p == 1:
        return b.reduce("sum", sizes, last)
    if p == math.inf:
        padded = b.pad(sizes, [0] * sizes.rank, [0] * (sizes.rank - 1) + [1], 0.0)
        return b.reduce("max", padded, last)
    if p == 2:
        squares = b.reduce("sum", each(lambda b, e: e * e), last)
        return b.map(lambda b, e: b.math.sqrt(e), squares, dtype=dtype)
    powers = b.map(lambda b, e: b.math.pow(e, b.const(p, dtype)), sizes, dtype=dtype)
    total = b.reduce("sum", powers, last)
    return b.map(lambda b, e: b.math.pow(e, b.const(1.0 / p, dtype)), total, dtype=dtype)


def all_differences(b, x, y):
    """x[…, i, :] - y[…, j, :] with broadcast batch dims."""
    if x.rank < 2 or y.rank < 2:
        raise InferError(f"cdist only supports at least 2D tensors, got ranks {x.rank} and {y.rank}")
    b.guard(
        x.sizes[-1] == y.sizes[-1],
        "X1 and X2 must have the same number of columns. X1: {0} X2: {1}",
        x.sizes[-1],
        y.sizes[-1],
    )
    rows = b.reshape(x, [*x.sizes[:-1], 1, x.sizes[-1]])
    columns = b.reshape(y, [*y.sizes[:-2], 1, *y.sizes[-2:]])
    return b.map(lambda b, e, f: e - f, rows, columns, dtype=x.dtype)


@op("aten::cdist(Tensor x1, Tensor x2, float p=2., int? compute_mode=None) -> Tensor")
@op(
    "aten::_cdist_forward(Tensor x1, Tensor x2, float p, int? compute_mode) -> Tensor",
    out="aten::_cdist_forward.out",
    cases=[
        case(f32(3, 4), f32(5, 4), 2.0, None),
        case(f64(2, 3, 4), f64(2, 5, 4), 1.0, None),
        case(f32(3, 4), f32(5, 4), math.inf, None),
        case(f32("?", "k"), f32("?", "k"), 0.0, None, at=[(3, 4, 2), (2, 0, 2), (0, 2, 3)]),
        case(f32(3, 4), f32(5, 4), 3.5, None),
    ],
)
class CDist(Contraction):
    """The p-norm of the difference of every two rows."""

    def lower(b, x, y, p, mode):
        check_norm(p, "cdist")
        if x.dtype is not y.dtype or not x.dtype.is_float:
            raise InferError(f"cdist only supports floating-point dtypes that agree, got {x.dtype} and {y.dtype}")
        wide = opmath(x.dtype)
        return b.cast(norm_over_last(b, all_differences(b, b.cast(x, wide), b.cast(y, wide)), p), x.dtype)

    cases = [
        case(f32(3, 4), f32(5, 4)),
        case(f32("?", 4), f32("?", 4), at=[(3, 2), (0, 1)]),
        case(f64(2, 1, 3, 4), f64(5, 2, 4), 3.0),
    ]


@op("aten::_euclidean_dist(Tensor x1, Tensor x2) -> Tensor", out="aten::_euclidean_dist.out")
class EuclideanDistance(Contraction):
    """The length of the difference of every two rows."""

    def lower(b, x, y):
        return norm_over_last(b, all_differences(b, x, y), 2.0)

    cases = [case(f64(3, 4), f64(5, 4)), case(f64("?", 4), f64("?", 4), at=[(3, 2), (1, 1)])]


@op("aten::pdist(Tensor self, float p=2.) -> Tensor")
@op("aten::_pdist_forward(Tensor self, float p=2.) -> Tensor", out="aten::_pdist_forward.out")
class PDist(Contraction):
    """The p-norm of the difference of every row and each later one."""

    def lower(b, x, p):
        check_norm(p, "pdist")
        if x.rank != 2:
            raise InferError(f"pdist only supports 2D tensors, got: {x.rank}D")
        first, second = pairs(b, x.sizes[0])
        wide = b.cast(x, opmath(x.dtype))
        rows, others = (b.index_select(wide, 0, i, error=None) for i in (first, second))
        return b.cast(norm_over_last(b, b.map(lambda b, e, f: e - f, rows, others, dtype=wide.dtype), p), x.dtype)

    cases = [
        f32(4, 3),
        case(f32("?", 3), 1.0, at=[5, 1, 0]),
        case(f64(4, 3), 2.5),
        case(f32(3, 0)),
        case(f32(2, 3), 0.0),
    ]


def pairs(b, n):
    """The numbers i < j of all pairs of n, in order: two vectors.

    Pair k has i rows before it, i (2 n - 1 - i) / 2 pairs: a root in f64, put right by one where rounding errs.
    """
    count = n * (n - 1) // 2

    def before(i):
        return i * (2 * n - 1 - i) // 2

    def body(b, k):
        span = b.cast(2 * n - 1, DType.f64)
        root = b.math.sqrt(b.maximum(span * span - b.cast(k, DType.f64) * 8.0, b.const(0.0, DType.f64)))
        i = b.cast(b.math.floor((span - root) * 0.5), DType.i64)
        i = b.select(before(i) > k, i - 1, i)
        i = b.select(before(i + 1) <= k, i + 1, i)
        return i, k - before(i) + i + 1

    return b.map(body, b.iota(count, DType.i64), dtype=(DType.i64, DType.i64))


def slope(b, p):
    """The derivative of a p-norm of value `norm` by a difference: a function of (difference, gradient, norm)."""

    def sign(b, e):
        zero, one = b.const(0.0, e.dtype), b.const(1.0, e.dtype)
        return b.select(e > 0.0, one, b.select(e < 0.0, -one, zero))

    def body(b, e, g, norm):
        zero = b.const(0.0, e.dtype)
        if p == 0:
            return zero
        if p == 1:
            return g * sign(b, e)
        if p == 2:
            return b.select(norm == 0.0, zero, g * e / norm)
        if p == math.inf:
            return b.select(b.math.abs(e) == norm, g * sign(b, e), zero)
        size = b.math.abs(e)
        if p < 2:
            value = (
                sign(b, e)
                * b.math.pow(size, b.const(p - 1.0, e.dtype))
                * g
                / b.math.pow(norm, b.const(p - 1.0, e.dtype))
            )
            return b.select((norm == 0.0) | ((e == 0.0) if p < 1 else (norm == 0.0)), zero, value)
        value = e * b.math.pow(size, b.const(p - 2.0, e.dtype)) * g / b.math.pow(norm, b.const(p - 1.0, e.dtype))
        return b.select(norm == 0.0, zero, value)

    return body


@op(
    "aten::_cdist_backward(Tensor grad, Tensor x1, Tensor x2, float p, Tensor cdist) -> Tensor",
    out="aten::_cdist_backward.out",
)
class CDistBackward(Backward):
    """The gradient of cdist by its first rows."""

    def lower(b, grad, x, y, p, norms):
        wide = opmath(x.dtype)
        difference = all_differences(b, b.cast(x, wide), b.cast(y, wide))
        g, n = (b.reshape(b.cast(t, wide), [*t.sizes, 1]) for t in (grad, norms))
        slopes = b.map(slope(b, p), difference, g, n, dtype=wide)
        return b.cast(b.reduce("sum", slopes, [slopes.rank - 2]), x.dtype)

    cases = [case(f32(3, 5), f32(3, 4), f32(5, 4), p, f32(3, 5, low=0.5)) for p in (0.0, 1.0, 1.5, 2.0, 3.0)] + [
        case(f64(2, "?", 5), f64(2, "?", 4), f64(2, 5, 4), 2.0, f64(2, "?", 5, low=0.5), at=[(3, 3, 3)])
    ]


@op("aten::_pdist_backward(Tensor grad, Tensor self, float p, Tensor pdist) -> Tensor", out="aten::_pdist_backward.out")
class PDistBackward(Backward):
    """The gradient of pdist."""

    def lower(b, grad, x, p, norms):
        wide, n = opmath(x.dtype), x.sizes[0]
        rows = b.cast(x, wide)
        difference = all_differences(b, rows, rows)
        i, j = b.reshape(b.iota(n, DType.i64), [n, 1]), b.iota(n, DType.i64)

        def number(b, i, j):
            low, high = b.minimum(i, j), b.maximum(i, j)
            return b.select(i == j, b.const(0, DType.i64), low * (2 * n - 1 - low) // 2 + high - low)

        pair = b.map(number, i, j, dtype=DType.i64)
        g, norm = (
            b.reshape(b.index_select(b.pad(b.cast(t, wide), [1], [0], 0.0), 0, pair, error=None), [n, n, 1])
            for t in (grad, norms)
        )
        slopes = b.map(slope(b, p), difference, g, norm, dtype=wide)
        return b.cast(b.reduce("sum", slopes, [1]), x.dtype)

    cases = [case(f32(6), f32(4, 3), p, f32(6, low=0.5)) for p in (1.0, 1.5, 2.0, 3.0)] + [
        case(f64(3), f64(3, "?"), 2.0, f64(3, low=0.5), at=[4, 1])
    ]
