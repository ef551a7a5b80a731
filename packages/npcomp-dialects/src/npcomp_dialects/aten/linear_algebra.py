"""Factorizations and solvers of matrices."""

from __future__ import annotations

from .abstract import TensorInfo
from .cases import case, f32
from .families.kernel import Kernel, smaller
from .registry import op


def svd_sizes(x, full):
    """U, S and V sizes from the matrix; None where they are not known."""
    if x.sizes is None or not isinstance(full, bool):
        return tuple(TensorInfo(None, x.dtype) for _ in range(3))
    *lead, rows, columns = x.sizes
    k = smaller(rows, columns)
    left, right = (rows, columns) if full else (k, k)
    return (
        TensorInfo((*lead, rows, left), x.dtype),
        TensorInfo((*lead, k), x.dtype),
        TensorInfo((*lead, right, columns), x.dtype),
    )


@op(
    "aten::linalg_svd(Tensor A, bool full_matrices=True, *, str? driver=None) -> (Tensor U, Tensor S, Tensor Vh)",
    out="aten::linalg_svd.U(Tensor A, bool full_matrices=True, *, str? driver=None, Tensor(a!) U, Tensor(b!) S, "
    "Tensor(c!) Vh) -> (Tensor(a!) U, Tensor(b!) S, Tensor(c!) Vh)",
)
class Svd(Kernel):
    """The singular values of each matrix and their vectors."""

    def infer(x, full, driver):
        return svd_sizes(x, full)

    cases = [f32(3, 4), case(f32("?", 4), False, at=[6, 2])]


@op(
    "aten::_linalg_svd(Tensor A, bool full_matrices=False, bool compute_uv=True, *, str? driver=None) -> "
    "(Tensor U, Tensor S, Tensor Vh)"
)
class InnerSvd(Kernel):
    """linalg_svd as autograd calls it."""

    def infer(x, full, vectors, driver):
        left, values, right = svd_sizes(x, full)
        return (
            (left, values, right) if vectors is True else (TensorInfo(None, x.dtype), values, TensorInfo(None, x.dtype))
        )

    cases = [f32(3, 4), case(f32("?", 4), True, True)]


@op('aten::linalg_eigh(Tensor self, str UPLO="L") -> (Tensor eigenvalues, Tensor eigenvectors)')
class Eigh(Kernel):
    """Eigenvalues and vectors of a symmetric matrix."""

    def infer(x, part):
        return TensorInfo(None if x.sizes is None else x.sizes[:-1], x.dtype), x

    cases = [f32(3, 3), f32("?", 2, 2)]
