"""Factorizations and solvers of matrices."""

from __future__ import annotations

from .abstract import TensorInfo
from .cases import case, f32
from .dtypes import DType
from .families.kernel import Kernel, replaced, smaller
from .registry import op


class SameMatrix(Kernel):
    """A matrix of the same sizes."""

    def infer(x, *_):
        return x

    cases = [f32(3, 3)]


@op("aten::linalg_inv(Tensor A) -> Tensor", out="aten::linalg_inv.out")
@op("aten::inverse(Tensor self) -> Tensor", out="aten::inverse.out")
@op("aten::linalg_matrix_exp(Tensor self) -> Tensor")
class Inverse(SameMatrix):
    """The inverse or the exponential of a matrix."""


@op("aten::linalg_cholesky(Tensor self, *, bool upper=False) -> Tensor", out="aten::linalg_cholesky.out")
class Cholesky(SameMatrix):
    """The triangular root of a positive matrix."""

    cases = []


@op("aten::linalg_det(Tensor A) -> Tensor", out="aten::linalg_det.out")
@op("aten::det(Tensor self) -> Tensor")
class Determinant(Kernel):
    """The determinant of each matrix."""

    def infer(x):
        return TensorInfo(None if x.sizes is None else x.sizes[:-2], x.dtype)

    cases = [f32(3, 3), f32("?", 2, 2)]


@op("aten::linalg_solve(Tensor A, Tensor B, *, bool left=True) -> Tensor", out="aten::linalg_solve.out")
class Solve(Kernel):
    """The solution of linear equations; for matrices of one batch shape."""

    def infer(a, c, left):
        plain = a.sizes is not None and c.sizes is not None and len(a.sizes) == len(c.sizes) == 2
        return c if plain else TensorInfo(None, c.dtype)

    cases = [case(f32(3, 3), f32(3, 2))]


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


@op('aten::linalg_qr(Tensor A, str mode="reduced") -> (Tensor Q, Tensor R)')
class Qr(Kernel):
    """An orthogonal and a triangular factor."""

    def infer(x, mode):
        if x.sizes is None or mode not in ("reduced", "complete"):
            return TensorInfo(None, x.dtype), TensorInfo(None, x.dtype)
        rows, columns = x.sizes[-2:]
        k = smaller(rows, columns) if mode == "reduced" else rows
        return replaced(x, {-1: k}), replaced(x, {-2: k})

    cases = [f32(4, 3), case(f32("?", 3), "complete", at=[5, 2])]


@op('aten::linalg_eigh(Tensor self, str UPLO="L") -> (Tensor eigenvalues, Tensor eigenvectors)')
class Eigh(Kernel):
    """Eigenvalues and vectors of a symmetric matrix."""

    def infer(x, part):
        return TensorInfo(None if x.sizes is None else x.sizes[:-1], x.dtype), x

    cases = [f32(3, 3), f32("?", 2, 2)]


@op(
    "aten::ctc_loss.IntList(Tensor log_probs, Tensor targets, int[] input_lengths, int[] target_lengths, int blank=0, "
    "int reduction=1, bool zero_infinity=False) -> Tensor"
)
@op(
    "aten::ctc_loss.Tensor(Tensor log_probs, Tensor targets, Tensor input_lengths, Tensor target_lengths, int blank=0, "
    "int reduction=1, bool zero_infinity=False) -> Tensor"
)
class CtcLoss(Kernel):
    """The loss of a sequence under all its alignments."""

    def infer(x, targets, lengths, target_lengths, blank, reduction, *_):
        if reduction in (1, 2):
            return TensorInfo((), x.dtype)
        return TensorInfo(None, x.dtype)


@op("aten::bincount(Tensor self, Tensor? weights=None, SymInt minlength=0) -> Tensor", out="aten::bincount.out")
class BinCount(Kernel):
    """How often each number occurs."""

    def infer(x, weights, least):
        return TensorInfo((None,), DType.i64 if weights is None else None)
