"""Norms of matrices and of differences, and slices kept below a norm."""

from __future__ import annotations

import math

from .cases import case, f32, f64
from .dims import wrap_dim
from .errors import InferError, NotStatic
from .families.decomposed import Decomposed
from .promotion import opmath
from .registry import op


@op("aten::dist(Tensor self, Tensor other, Scalar p=2) -> Tensor", out="aten::dist.out")
class Dist(Decomposed):
    """The p-norm of the difference of two tensors."""

    def decompose(b, x, y, p):
        return b.aten.linalg_vector_norm(b.aten.sub.Tensor(x, y), p)

    cases = [case(f32(3, 4), f32(3, 4)), case(f32("n", 4), f32(4), 1), case(f32(3), f32(3), math.inf)]


@op(
    "aten::renorm(Tensor self, Scalar p, int dim, Scalar maxnorm) -> Tensor",
    inplace="aten::renorm_",
    out="aten::renorm.out",
)
class Renorm(Decomposed):
    """Slices along a dim made smaller where their p-norm is above a limit."""

    def decompose(b, x, p, dim, limit):
        if x.rank < 2:
            raise InferError(f"renorm: input needs at least 2 dimensions, got {x.rank} dimensions")
        dim = wrap_dim(dim, x.rank)
        wide = b.aten.to.dtype(x, opmath(x.dtype))
        norms = b.aten.linalg_vector_norm(wide, p, [d for d in range(x.rank) if d != dim], True)
        factor = b.aten.mul.Scalar(b.aten.reciprocal(b.aten.add.Scalar(norms, 1e-7)), limit)
        kept = b.aten.where.self(b.aten.gt.Scalar(norms, limit), factor, b.aten.ones_like(factor))
        return b.aten.mul.Tensor(x, b.aten.to.dtype(kept, x.dtype))

    cases = [case(f32(3, 4), 2, 0, 1.0), case(f32("?", 4, 2), 1, 1, 3.5, at=[3, 1]), case(f64(3, 4), 3, -1, 2)]


def matrix_norm(b, x, order, dims, keepdim):
    """Frobenius' norm, or the largest or smallest sum of a row (inf) or a column (1)."""
    if len(dims) != 2:
        raise InferError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {dims}")
    rows, columns = (wrap_dim(d, x.rank) for d in dims)
    if rows == columns:
        raise InferError(f"linalg.matrix_norm: dims must be different. Got ({dims[0]}, {dims[1]})")
    if order == "fro":
        return b.aten.linalg_vector_norm(x, 2, [rows, columns], keepdim)
    if order not in (1, -1, math.inf, -math.inf):
        raise NotStatic("a matrix norm by singular values has no decomposition")
    summed, other = (rows, columns) if abs(order) == 1 else (columns, rows)
    sums = b.aten.linalg_vector_norm(x, 1, [summed], True)
    top = (b.aten.amax if order > 0 else b.aten.amin)(sums, [other], True)
    return top if keepdim else b.aten.squeeze.dims(top, [rows, columns])


@op(
    "aten::linalg_matrix_norm(Tensor self, Scalar ord, int[] dim=[-2, -1], bool keepdim=False, *, "
    "ScalarType? dtype=None) -> Tensor",
    cases=[case(f32(3, 4), p) for p in (1, -1, math.inf, -math.inf)] + [case(f32("?", 3, 4), 1, [0, 2], True)],
)
@op(
    'aten::linalg_matrix_norm.str_ord(Tensor self, str ord="fro", int[] dim=[-2, -1], bool keepdim=False, *, '
    "ScalarType? dtype=None) -> Tensor"
)
class MatrixNorm(Decomposed):
    """A norm of each matrix."""

    def decompose(b, x, order, dims, keepdim, dtype):
        return matrix_norm(b, x if dtype is None else b.aten.to.dtype(x, dtype), order, dims, keepdim)

    cases = [f32(3, 4), case(f32("?", 3, 4), "fro", [0, -1], True)]


@op(
    "aten::linalg_norm(Tensor self, Scalar? ord=None, int[1]? dim=None, bool keepdim=False, *, "
    "ScalarType? dtype=None) -> Tensor"
)
@op(
    "aten::linalg_norm.ord_str(Tensor self, str ord, int[1]? dim=None, bool keepdim=False, *, "
    "ScalarType? dtype=None) -> Tensor",
    cases=[case(f32(3, 4), "fro"), case(f32("?", 3, 4), "fro", [1, 2], True)],
)
class LinalgNorm(Decomposed):
    """A norm of vectors or matrices, as dims and order say."""

    def decompose(b, x, order, dims, keepdim, dtype):
        x = x if dtype is None else b.aten.to.dtype(x, dtype)
        if order is None:
            return b.aten.linalg_vector_norm(x, 2, dims, keepdim)
        count = x.rank if dims is None else len(dims)
        if count not in (1, 2):
            raise InferError(f"linalg.norm: an order needs one or two dims, got {count}")
        if count == 2:
            return matrix_norm(b, x, order, [-2, -1] if dims is None else dims, keepdim)
        return b.aten.linalg_vector_norm(x, order, dims, keepdim)

    cases = [f32(3, 4), case(f32("?"), 1), case(f32(3, 4), math.inf), case(f32("?", 4), 3, [1], True)]


@op("aten::frobenius_norm.dim(Tensor self, int[1] dim, bool keepdim=False) -> Tensor", out="aten::frobenius_norm.out")
class FrobeniusNorm(Decomposed):
    """The root of the sum of squares over one or two dims."""

    def decompose(b, x, dims, keepdim):
        return b.aten.linalg_vector_norm(x, 2, dims, keepdim)

    cases = [case(f32(3, 4), [0, 1]), case(f32("?", 4), [1], True)]
