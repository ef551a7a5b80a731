"""Determinants by LU, and the exponential of matrices."""

from __future__ import annotations

from .abstract import TensorInfo
from .cases import f32, f64
from .dtypes import DType
from .errors import NotStatic
from .factory_range import grid
from .linear_factor import identity, lu, square, transposed
from .linear_solve import Factored, batch_of
from .matmul import matmul
from .registry import op


def determinant_sign(b, pivots, dtype):
    """-1 for an odd number of row exchanges."""
    steps = b.map(lambda b, k: b.cast(k + 1, DType.i32), b.iota(pivots.sizes[-1], DType.i64), dtype=DType.i32)
    signs = b.map(lambda b, p, k: b.select(p == k, b.const(1, dtype), b.const(-1, dtype)), pivots, steps, dtype=dtype)
    return b.reduce("prod", signs, [pivots.rank - 1])


def diagonal(b, x):
    """The diagonals of square matrices."""
    i, j = grid(b, *x.sizes[-2:])
    kept = b.map(lambda b, i, j, e: b.select(i == j, e, b.const(0, e.dtype)), i, j, x, dtype=x.dtype)
    return b.reduce("sum", kept, [x.rank - 2])


def determinant(b, factors, pivots):
    """The determinant from LU factors."""
    product = b.reduce("prod", diagonal(b, factors), [factors.rank - 2])
    return b.map(lambda b, p, s: p * s, product, determinant_sign(b, pivots, factors.dtype), dtype=factors.dtype)


@op("aten::_linalg_det(Tensor A) -> (Tensor result, Tensor LU, Tensor pivots)")
class InnerDeterminant(Factored):
    """The determinant, with the factors of Aᵀ that the gradient uses."""

    def infer(x):
        return TensorInfo(batch_of(x), x.dtype), x, TensorInfo(None if x.sizes is None else x.sizes[:-1], DType.i32)

    def lower(b, x):
        square(b, "linalg.det", x)
        factors, pivots, _ = lu(b, transposed(b, x))
        return determinant(b, factors, pivots), factors, pivots

    cases = [f32(3, 3), f32("?", 2, 2)]


@op("aten::linalg_det(Tensor A) -> Tensor", out="aten::linalg_det.out")
@op("aten::det(Tensor self) -> Tensor")
class Determinant(Factored):
    """The determinant of each matrix."""

    def infer(x):
        return TensorInfo(batch_of(x), x.dtype)

    def lower(b, x):
        square(b, "linalg.det", x)
        factors, pivots, _ = lu(b, x)
        return determinant(b, factors, pivots)

    cases = [f32(3, 3), f32("?", 2, 2)]


@op("aten::_linalg_slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet, Tensor LU, Tensor pivots)")
class InnerLogDeterminant(Factored):
    """Sign and logarithm of the determinant, with the factors of Aᵀ that the gradient uses."""

    def infer(x):
        value = TensorInfo(batch_of(x), x.dtype)
        return value, value, x, TensorInfo(None if x.sizes is None else x.sizes[:-1], DType.i32)

    def lower(b, x):
        square(b, "linalg.slogdet", x)
        factors, pivots, _ = lu(b, transposed(b, x))
        entries = diagonal(b, factors)

        def sign(b, e):
            return b.select(e < 0, b.const(-1, e.dtype), b.select(e > 0, b.const(1, e.dtype), e))

        signs = b.reduce("prod", b.map(sign, entries, dtype=x.dtype), [x.rank - 2])
        signs = b.map(lambda b, p, s: p * s, signs, determinant_sign(b, pivots, x.dtype), dtype=x.dtype)
        logs = b.map(lambda b, e: b.math.log(b.math.abs(e)), entries, dtype=x.dtype)
        return signs, b.reduce("sum", logs, [x.rank - 2]), factors, pivots

    cases = [f32(3, 3), f32("?", 2, 2)]


@op("aten::linalg_matrix_exp(Tensor self) -> Tensor")
@op("aten::matrix_exp(Tensor self) -> Tensor")
class MatrixExp(Factored):
    """The exponential of square matrices: a Taylor polynomial of degree 18 of the matrix scaled to a small norm, then
    squared again (Bader, Blanes, Casas: Computing the Matrix Exponential with an Optimized Taylor Polynomial
    Approximation, 2019, table of bounds)."""

    def infer(x):
        return x

    def lower(b, x):
        wanted, x = x.dtype, b.cast(x, DType.f64) if x.dtype.is_float else x
        square(b, "linalg.matrix_exp", x)
        if not x.sizes[-1]:
            raise NotStatic("the exponential of nothing is left to torch")
        size = b.reduce("sum", b.map(lambda b, e: b.math.abs(e), x, dtype=x.dtype), [x.rank - 2], True)
        size = b.reduce("max", size, [x.rank - 1], True)

        def halvings(b, s):
            return b.maximum(b.math.ceil(b.math.log2(s / 1.09)), b.const(0, s.dtype))

        count = b.map(halvings, size, dtype=x.dtype)
        scaled = b.map(lambda b, e, k: e * b.math.exp2(-k), x, count, dtype=x.dtype)
        one = identity(b, x, *x.sizes[-2:])
        power = one
        for k in range(18, 0, -1):
            power = b.map(lambda b, e, o, k=k: o + e / k, matmul(b, scaled, power), one, dtype=x.dtype)

        most = b.reduce("max", b.reshape(count, [b.numel(count)]), [0])

        def squared(b, trip, p):
            return (
                b.map(
                    lambda b, e, s, k: b.select(b.cast(trip, k.dtype) < k, s, e),
                    p,
                    matmul(b, p, p),
                    count,
                    dtype=x.dtype,
                ),
            )

        (result,) = b.repeat(b.cast(b.item(most), DType.i64), squared, power)
        return b.cast(result, wanted)

    cases = [f32(3, 3), f64("?", 2, 2, low=-3, high=3)]
