"""Products of matrices, vectors and batches of them."""

from __future__ import annotations

from .cases import bf16, case, f16, f32, i64
from .checks import same_dtype
from .dtypes import DType
from .errors import InferError
from .families.contraction import Contraction
from .promotion import opmath
from .registry import op


def contract(b, spec, x, y):
    """`b.contract` over operands of one dtype, accumulating 16-bit floats in f32; the result is not rounded back."""
    if x.dtype is not y.dtype:
        raise InferError(f"expected operands of one dtype, got {x.dtype} and {y.dtype}; do: cast one of them")
    if x.dtype is DType.bool:
        raise InferError("products of bool matrices are not implemented; do: cast them to a number dtype")
    wide = opmath(x.dtype)
    return b.contract(spec, b.cast(x, wide), b.cast(y, wide))


def check_ranks(name, *pairs):
    """Each (tensor, rank) must match."""
    for x, rank in pairs:
        if x.rank != rank:
            raise InferError(f"{name}: expected a tensor of rank {rank}, got rank {x.rank}")


def with_addend(b, addend, product, beta, alpha, dtype):
    """beta * addend + alpha * product in dtype; a beta of 0 ignores the addend, even its nan."""
    wide = product.dtype

    def number(v):
        if not isinstance(v, (bool, int, float)):
            return b.cast(v, wide)
        return float(v) if wide.is_float else int(v)

    beta, alpha = number(beta), number(alpha)

    def body(b, a, p):
        scaled = p if isinstance(alpha, (int, float)) and alpha == 1 else p * alpha
        if isinstance(beta, (int, float)) and beta == 0:
            return b.cast(scaled, dtype)
        a = b.cast(a, wide)
        return b.cast((a if isinstance(beta, (int, float)) and beta == 1 else a * beta) + scaled, dtype)

    return b.map(body, b.broadcast(addend, product.sizes), product, dtype=dtype)


@op("aten::mm(Tensor self, Tensor mat2) -> Tensor", out="aten::mm.out")
class Mm(Contraction):
    """Matrix product of two matrices."""

    def lower(b, x, y):
        check_ranks("mm", (x, 2), (y, 2))
        return b.cast(contract(b, "mk,kn->mn", x, y), x.dtype)

    cases = [
        case(f32(3, 4), f32(4, 5)),
        case(f32("m", "k"), f32("k", "n"), at=[(3, 4, 5), (1, 0, 2), (0, 3, 2)]),
        case(i64(2, 3), i64(3, 1)),
        case(bf16(2, 3), bf16(3, 4)),
    ]


@op("aten::bmm(Tensor self, Tensor mat2) -> Tensor", out="aten::bmm.out")
class Bmm(Contraction):
    """Matrix products of two batches."""

    def lower(b, x, y):
        check_ranks("bmm", (x, 3), (y, 3))
        return b.cast(contract(b, "bmk,bkn->bmn", x, y), x.dtype)

    cases = [
        case(f32(2, 3, 4), f32(2, 4, 5)),
        case(f32("b", 3, "k"), f32("b", "k", 2), at=[(3, 4), (1, 0), (0, 2)]),
    ]


@op("aten::mv(Tensor self, Tensor vec) -> Tensor", out="aten::mv.out")
class Mv(Contraction):
    """A matrix times a vector."""

    def lower(b, x, y):
        check_ranks("mv", (x, 2), (y, 1))
        return b.cast(contract(b, "mk,k->m", x, y), x.dtype)

    cases = [case(f32(3, 4), f32(4)), case(f32("?", "k"), f32("k"), at=[(3, 4), (1, 0)])]


@op("aten::dot(Tensor self, Tensor tensor) -> Tensor", out="aten::dot.out")
class Dot(Contraction):
    """The sum of products of two vectors."""

    def lower(b, x, y):
        check_ranks("dot", (x, 1), (y, 1))
        return b.cast(contract(b, "k,k->", x, y), x.dtype)

    cases = [case(f32(4), f32(4)), case(f32("k"), f32("k"), at=[4, 0])]


@op("aten::outer(Tensor self, Tensor vec2) -> Tensor", out="aten::outer.out")
@op("aten::ger(Tensor self, Tensor vec2) -> Tensor", out="aten::ger.out")
class Outer(Contraction):
    """All products of the elements of two vectors."""

    def lower(b, x, y):
        check_ranks("outer", (x, 1), (y, 1))
        return b.cast(contract(b, "m,n->mn", x, y), x.dtype)

    cases = [case(f32(3), f32(4)), case(f32("?"), f32("?"), at=[(3, 4), (0, 2)])]


@op(
    "aten::addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
    inplace="aten::addmm_",
    out="aten::addmm.out",
)
class AddMm(Contraction):
    """beta * self + alpha * (mat1 @ mat2)."""

    def lower(b, x, y, z, beta, alpha):
        check_ranks("addmm", (y, 2), (z, 2))
        same_dtype("addmm", x, y)
        return with_addend(b, x, contract(b, "mk,kn->mn", y, z), beta, alpha, x.dtype)

    cases = [
        case(f32(5), f32(3, 4), f32(4, 5)),
        case(f32("m", 5), f32("m", "k"), f32("k", 5), beta=0.5, alpha=2, at=[(3, 4), (1, 0)]),
        case(f16(5), f16(3, 4), f16(4, 5), beta=0),
    ]


@op(
    "aten::addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
    inplace="aten::addmv_",
    out="aten::addmv.out",
)
class AddMv(Contraction):
    """beta * self + alpha * (mat @ vec)."""

    def lower(b, x, y, z, beta, alpha):
        check_ranks("addmv", (y, 2), (z, 1))
        same_dtype("addmv", x, y)
        return with_addend(b, x, contract(b, "mk,k->m", y, z), beta, alpha, x.dtype)

    cases = [case(f32(3), f32(3, 4), f32(4)), case(f32(1), f32("m", "k"), f32("k"), alpha=2, at=[(3, 4), (1, 2)])]


@op(
    "aten::baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
    inplace="aten::baddbmm_",
    out="aten::baddbmm.out",
)
class BAddBmm(Contraction):
    """beta * self + alpha * (batch1 @ batch2)."""

    def lower(b, x, y, z, beta, alpha):
        check_ranks("baddbmm", (y, 3), (z, 3))
        same_dtype("baddbmm", x, y)
        return with_addend(b, x, contract(b, "bmk,bkn->bmn", y, z), beta, alpha, x.dtype)

    cases = [
        case(f32(2, 3, 5), f32(2, 3, 4), f32(2, 4, 5)),
        case(f32(1, 1, 5), f32("b", 3, "k"), f32("b", "k", 5), beta=2, alpha=0.5, at=[(2, 4), (1, 1)]),
    ]


@op("aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor", out="aten::linear.out")
class Linear(Contraction):
    """input @ weight.T + bias over the last dim."""

    def lower(b, x, weight, bias):
        if x.rank == 0 or weight.rank not in (1, 2):
            raise InferError(f"linear: no input of rank {x.rank} with a weight of rank {weight.rank}")
        same_dtype("linear", x, weight, bias)
        if bias is not None and (weight.rank == 1 or bias.rank > 1):
            raise InferError(f"linear: a weight of rank {weight.rank} takes no bias of rank {bias.rank}")
        batch = "abcdefgh"[: x.rank - 1]
        vector = weight.rank == 1
        spec = f"{batch}k,k->{batch}" if vector else f"{batch}k,nk->{batch}n"
        y = contract(b, spec, x, weight)
        if bias is None:
            return b.cast(y, x.dtype)
        bias = b.broadcast(bias, y.sizes)
        return b.map(lambda b, e, c: b.cast(e + b.cast(c, y.dtype), x.dtype), y, bias, dtype=x.dtype)

    cases = [
        case(f32(3, 4), f32(5, 4), f32(5)),
        case(f32("?", 2, "k"), f32(5, "k"), at=[(3, 4), (0, 1)]),
        case(f32(4), f32(5, 4), f32(5)),
        case(f16(3, 4), f16(5, 4), f16(5)),
    ]
