"""Positive matrices: triangular roots, and equations by them."""

from __future__ import annotations

from .abstract import TensorInfo
from .cases import case, f32
from .dtypes import DType
from .linear_factor import cholesky, identity, matrices, square, substitute, transposed
from .linear_solve import Factored, batch_of, check_info, same_batch
from .registry import op


@op("aten::linalg_cholesky_ex(Tensor self, *, bool upper=False, bool check_errors=False) -> (Tensor L, Tensor info)")
class CholeskyEx(Factored):
    """The triangular root of positive matrices, and whether there is one."""

    def infer(x, *_):
        return x, TensorInfo(batch_of(x), DType.i32)

    def lower(b, x, upper, check):
        square(b, "linalg.cholesky", x)
        factor, info = cholesky(b, transposed(b, x) if upper else x)
        if check:
            check_info(b, info, "linalg.cholesky_ex")
        return transposed(b, factor) if upper else factor, info

    cases = [case(f32(1, 1, low=1, high=2)), case(f32("?", 1, 1, low=1, high=2), upper=True)]


@op("aten::linalg_cholesky(Tensor self, *, bool upper=False) -> Tensor", out="aten::linalg_cholesky.out")
@op("aten::cholesky(Tensor self, bool upper=False) -> Tensor", out="aten::cholesky.out")
class Cholesky(Factored):
    """The triangular root of positive matrices."""

    def infer(x, upper):
        return x

    def lower(b, x, upper):
        square(b, "linalg.cholesky", x)
        factor, info = cholesky(b, transposed(b, x) if upper else x)
        check_info(b, info, "linalg.cholesky")
        return transposed(b, factor) if upper else factor

    cases = [case(f32(1, 1, low=1, high=2)), case(f32("?", 1, 1, low=1, high=2), upper=True)]


@op("aten::cholesky_solve(Tensor self, Tensor input2, bool upper=False) -> Tensor", out="aten::cholesky_solve.out")
class CholeskySolve(Factored):
    """The solution of equations from a triangular root."""

    def lower(b, x, factor, upper):
        square(b, "cholesky_solve", factor)
        matrices(b, "cholesky_solve", x)
        low, x = same_batch(b, "cholesky_solve", transposed(b, factor) if upper else factor, x)
        return substitute(b, transposed(b, low), substitute(b, low, x, upper=False), upper=True)

    cases = [case(f32(3, 2), f32(3, 3, low=1, high=2)), case(f32("?", 3, 1), f32(3, 3, low=1, high=2), True, at=[2, 1])]


@op("aten::cholesky_inverse(Tensor self, bool upper=False) -> Tensor", out="aten::cholesky_inverse.out")
class CholeskyInverse(Factored):
    """The inverse from a triangular root."""

    def infer(x, upper):
        return x

    def lower(b, factor, upper):
        square(b, "cholesky_inverse", factor)
        low = transposed(b, factor) if upper else factor
        ones = identity(b, factor, *factor.sizes[-2:])
        return substitute(b, transposed(b, low), substitute(b, low, ones, upper=False), upper=True)

    cases = [f32(3, 3, low=1, high=2), case(f32("?", 2, 2, low=1, high=2), True)]
