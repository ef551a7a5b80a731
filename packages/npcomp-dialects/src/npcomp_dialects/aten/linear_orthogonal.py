"""Orthogonal factors by Householder reflections."""

from __future__ import annotations

from .abstract import TensorInfo
from .cases import case, f32, f64
from .families.kernel import replaced, smaller
from .linear_factor import householder, identity, matrices, reflect, transposed, triangle
from .linear_solve import Factored
from .registry import op


@op("aten::geqrf(Tensor self) -> (Tensor a, Tensor tau)")
class Geqrf(Factored):
    """R above the reflectors, and their weights."""

    def infer(x):
        if x.sizes is None:
            return x, x
        return x, TensorInfo((*x.sizes[:-2], smaller(*x.sizes[-2:])), x.dtype)

    def lower(b, x):
        matrices(b, "torch.geqrf", x)
        return householder(b, x)

    cases = [f32(4, 3), f32("?", 2, 3), f64(3, 3)]


@op('aten::linalg_qr(Tensor A, str mode="reduced") -> (Tensor Q, Tensor R)')
class Qr(Factored):
    """An orthogonal and a triangular factor."""

    def infer(x, mode):
        if x.sizes is None or not isinstance(mode, str):
            return TensorInfo(None, x.dtype), TensorInfo(None, x.dtype)
        rows, columns = x.sizes[-2:]
        k = rows if mode == "complete" else smaller(rows, columns)
        return TensorInfo((0,), x.dtype) if mode == "r" else replaced(x, {-1: k}), replaced(x, {-2: k})

    def lower(b, x, mode):
        matrices(b, "linalg.qr", x)
        if mode not in ("reduced", "complete", "r"):
            b.error(
                f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
            )
        factors, tau = householder(b, x)
        n, m = x.sizes[-2:]
        k = n if mode == "complete" else min(n, m)
        upper = triangle(b, b.slice(factors, x.rank - 2, 0, k, 1), upper=True)
        if mode == "r":
            return b.full([0], 0, x.dtype), upper
        return reflect(b, factors, tau, identity(b, x, n, k), forward=False), upper

    cases = [f32(4, 3), case(f32("?", 3, 2), "complete", at=[2, 1]), case(f64(2, 3), "r"), f32(3, 3)]


@op("aten::linalg_householder_product(Tensor input, Tensor tau) -> Tensor", out="aten::linalg_householder_product.out")
@op("aten::orgqr(Tensor self, Tensor input2) -> Tensor", out="aten::orgqr.out")
class HouseholderProduct(Factored):
    """The leading columns of the product of reflectors."""

    def infer(x, tau):
        return x

    def lower(b, x, tau):
        matrices(b, "torch.linalg.householder_product", x)
        return reflect(b, x, tau, identity(b, x, *x.sizes[-2:]), forward=False)

    cases = [case(f32(4, 3), f32(3)), case(f32("?", 3, 3), f32("?", 2), at=[(2, 2), (1, 1)])]


@op(
    "aten::ormqr(Tensor self, Tensor input2, Tensor input3, bool left=True, bool transpose=False) -> Tensor",
    out="aten::ormqr.out",
)
class Ormqr(Factored):
    """A matrix multiplied by the product of reflectors, or by its transpose."""

    def infer(x, tau, other, *_):
        return other

    def lower(b, x, tau, other, left, transpose):
        matrices(b, "torch.ormqr", x, other)
        if left:
            return reflect(b, x, tau, other, forward=transpose)
        return transposed(b, reflect(b, x, tau, transposed(b, other), forward=not transpose))

    cases = [case(f32(4, 3), f32(3), f32(4, 2)), case(f32("n", 4, 3), f32("n", 3), f32("n", 2, 4), False, True)]
