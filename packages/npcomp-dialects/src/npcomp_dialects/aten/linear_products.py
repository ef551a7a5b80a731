"""Products written otherwise: with addends, over chains, crossed and Kronecker's."""

from __future__ import annotations

from .cases import bf16, case, f16, f32, f64, i1, i64
from .contraction import check_ranks, contract, with_addend
from .dims import wrap_dim
from .dtypes import DType
from .errors import InferError, NotStatic
from .families.contraction import Contraction
from .families.decomposed import Decomposed
from .promotion import opmath
from .registry import op
from .view_join import common_dtype


class Promoting(Contraction):
    """Operands promote to one dtype, so that one of them alone tells nothing."""

    @classmethod
    def give_up(cls, args):
        return cls.unknown_results()


@op(
    "aten::addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
    inplace="aten::addbmm_",
    out="aten::addbmm.out",
)
class AddBmm(Contraction):
    """beta * self + alpha * the sum of batch1[i] @ batch2[i]."""

    def lower(b, x, y, z, beta, alpha):
        check_ranks("addbmm", (y, 3), (z, 3))
        return with_addend(b, x, contract(b, "bmk,bkn->mn", y, z), beta, alpha, x.dtype)

    cases = [
        case(f32(3, 5), f32(2, 3, 4), f32(2, 4, 5)),
        case(f32(1, 5), f32("b", 3, "k"), f32("b", "k", 5), beta=0.5, alpha=2, at=[(2, 4), (0, 1)]),
        case(i64(5), i64(2, 3, 4), i64(2, 4, 5), beta=0, alpha=-1),
        case(bf16(3, 5), bf16(2, 3, 4), bf16(2, 4, 5)),
    ]


@op(
    "aten::addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
    inplace="aten::addr_",
    out="aten::addr.out",
)
class AddR(Promoting):
    """beta * self + alpha * the outer product of vec1 and vec2."""

    def lower(b, x, y, z, beta, alpha):
        check_ranks("addr", (y, 1), (z, 1))
        x, y, z = common_dtype(b, [x, y, z])
        wide = opmath(x.dtype)
        column = b.reshape(y, [y.sizes[0], 1])
        product = b.map(lambda b, e, f: b.cast(e, wide) * b.cast(f, wide), column, z, dtype=wide)
        return with_addend(b, x, product, beta, alpha, x.dtype)

    @classmethod
    def give_up(cls, args):
        return cls.unknown_results()

    cases = [
        case(f32(3, 4), f32(3), f32(4)),
        case(f32(1, 4), f32("?"), f32(4), beta=0, alpha=2.5, at=[3, 0]),
        case(i64(3, 4), i64(3), i64(4), beta=2, alpha=-3),
        case(f16(4), f16(3), f16(4)),
    ]


@op("aten::vdot(Tensor self, Tensor other) -> Tensor", out="aten::vdot.out")
class VDot(Decomposed):
    """dot, for real numbers."""

    def decompose(b, x, y):
        return b.aten.dot(x, y)

    cases = [case(f32(4), f32(4)), case(i64("k"), i64("k"), at=[4, 0])]


@op("aten::inner(Tensor self, Tensor other) -> Tensor", out="aten::inner.out")
class Inner(Decomposed):
    """Sums of products over the last dims."""

    def decompose(b, x, y):
        if x.rank == 0 or y.rank == 0:
            return b.aten.mul.Tensor(x, y)
        return b.aten.tensordot(x, y, [-1], [-1])

    cases = [case(f32(4), f32(4)), case(f32(2, "?", 4), f32(3, 4)), case(f32(), f32(3, 4))]


@op("aten::linalg_matmul(Tensor self, Tensor other) -> Tensor", out="aten::linalg_matmul.out")
class LinalgMatmul(Decomposed):
    """matmul."""

    def decompose(b, x, y):
        return b.aten.matmul(x, y)

    cases = [case(f32(3, 4), f32(4, 5)), case(f32("?", 3, 4), f32(4))]


@op("aten::linalg_vecdot(Tensor x, Tensor y, *, int dim=-1) -> Tensor", out="aten::linalg_vecdot.out")
class VecDot(Decomposed):
    """Sums of products along a dim; the others broadcast."""

    def decompose(b, x, y, dim):
        return b.aten.sum.dim_IntList(b.aten.mul.Tensor(x, y), [dim])

    cases = [case(f32(3, 4), f32(4)), case(f32("n", 4), f32("n", 4), dim=0)]


def chain(b, tensors):
    """The product of a chain of matrices, from left to right."""
    if not tensors:
        raise InferError("expected at least one matrix, got an empty list")
    total = tensors[0]
    for t in tensors[1:]:
        total = b.aten.matmul(total, t)
    return total


@op("aten::chain_matmul(Tensor[] matrices) -> Tensor", out="aten::chain_matmul.out")
@op(
    "aten::linalg_multi_dot(Tensor[] tensors) -> Tensor",
    out="aten::linalg_multi_dot.out",
    cases=[case([f32(3), f32(3, 5), f32(5)]), case([f32("?", 4), f32(4, 5), f32(5, 2)])],
)
class ChainMatmul(Decomposed):
    """The product of several matrices."""

    def decompose(b, tensors):
        return chain(b, tensors)

    cases = [case([f32(3, 4), f32(4, 5), f32(5, 2)]), case([f32("?", 4), f32(4, 5)])]


@op("aten::linalg_matrix_power(Tensor self, int n) -> Tensor", out="aten::linalg_matrix_power.out")
@op("aten::matrix_power(Tensor self, int n) -> Tensor", out="aten::matrix_power.out")
class MatrixPower(Decomposed):
    """A matrix times itself, n times."""

    def decompose(b, x, n):
        if n < 1:
            raise NotStatic("a matrix power below 1 has no decomposition")
        power, square = None, x
        while n:
            if n & 1:
                power = square if power is None else b.aten.matmul(power, square)
            n >>= 1
            if n:
                square = b.aten.matmul(square, square)
        return power

    cases = [case(f32(3, 3), 2), case(f32("?", 3, 3), 5), case(f64(2, 2), 1)]


@op("aten::kron(Tensor self, Tensor other) -> Tensor", out="aten::kron.out")
class Kron(Promoting):
    """Every element of self times all of other, laid out as blocks."""

    def lower(b, x, y):
        x, y = common_dtype(b, [x, y])
        rank = max(x.rank, y.rank)
        xs, ys = ([1] * (rank - t.rank) + t.sizes for t in (x, y))
        left = b.reshape(x, [v for s in xs for v in (s, 1)])
        right = b.reshape(y, [v for s in ys for v in (1, s)])
        product = b.map(lambda b, e, f: e * f, left, right, dtype=x.dtype)
        return b.reshape(product, [p * q for p, q in zip(xs, ys, strict=True)])

    cases = [case(f32(2, 3), f32(3, 2)), case(f32("?"), i64(2, "?"), at=[(3, 2), (0, 1)]), case(i1(2), i64(3))]


def cross_of(b, x, y, dim):
    """x × y along a dim of size 3; the others broadcast."""
    x, y = common_dtype(b, [x, y])
    if x.rank != y.rank:
        raise InferError("linalg.cross: inputs must have the same number of dimensions.")
    dim = wrap_dim(dim, x.rank)
    for t in (x, y):
        b.guard(t.sizes[dim] == 3, "linalg.cross: inputs dimension {1} must have length 3. Got {0}", t.sizes[dim], dim)

    def rolled(t, by):
        index = b.map(lambda b, i: (i + by) % 3, b.iota(3, DType.i64), dtype=DType.i64)
        return b.index_select(t, dim, index, error=None)

    def body(b, x1, y2, x2, y1):
        return x1 * y2 - x2 * y1

    return b.map(body, rolled(x, 1), rolled(y, 2), rolled(x, 2), rolled(y, 1), dtype=x.dtype)


@op("aten::linalg_cross(Tensor self, Tensor other, *, int dim=-1) -> Tensor", out="aten::linalg_cross.out")
class LinalgCross(Promoting):
    """The cross product of vectors of three elements."""

    def lower(b, x, y, dim):
        return cross_of(b, x, y, dim)

    cases = [case(f32(4, 3), f32(4, 3)), case(f32(3, "?"), f32(3, 1), dim=0, at=[4, 0]), case(i64(2, 3), i64(1, 3))]


@op("aten::cross(Tensor self, Tensor other, int? dim=None) -> Tensor", out="aten::cross.out")
class Cross(Promoting):
    """The cross product along a dim, by default the first of size 3."""

    def lower(b, x, y, dim):
        for d, size in enumerate(x.sizes):
            if dim is None and not isinstance(size, int):
                raise NotStatic("cross without dim looks for a size of 3, which only run time knows")
            if dim is None and size == 3:
                dim = d
        if dim is None:
            raise InferError("no dimension of size 3 in input")
        return cross_of(b, x, y, dim)

    cases = [case(f32(4, 3), f32(4, 3)), case(f32(3, "n"), f32(3, "n"), 0, at=[4, 0])]


@op(
    "aten::_trilinear(Tensor i1, Tensor i2, Tensor i3, int[] expand1, int[] expand2, int[] expand3, int[] sumdim, "
    "int unroll_dim=1) -> Tensor",
    out="aten::_trilinear.out",
)
class Trilinear(Contraction):
    """The product of three tensors with dims of size 1 put in, summed over dims."""

    def lower(b, x, y, z, expand1, expand2, expand3, dims, _):
        dtype, shaped = x.dtype, []
        for t, places in ((x, expand1), (y, expand2), (z, expand3)):
            own = iter(t.sizes)
            shaped.append(b.reshape(t, [1 if d in places else next(own) for d in range(t.rank + len(places))]))
        wide = opmath(dtype)

        def body(b, e, f, g):
            return b.cast(e, wide) * b.cast(f, wide) * b.cast(g, wide)

        product = b.map(body, *shaped, dtype=wide)
        return b.cast(b.reduce("sum", product, [d % product.rank for d in dims]), dtype)

    cases = [
        case(f32(5, 3), f32(2, 3, 4), f32(5, 4), [1, 3], [0], [1, 2], [2, 3]),
        case(f32("n", 3), f32(2, 3, 4), f32("n", 4), [1, 3], [0], [1, 2], [2, 3], at=[5, 0]),
    ]


@op("aten::bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor")
class Bilinear(Decomposed):
    """input1 @ weight[o] @ input2 for each output o, and a bias."""

    def decompose(b, x, y, weight, bias):
        lead = [b.size(x, d) for d in range(x.rank - 1)]
        flat = [b.aten.reshape(t, [-1, b.size(t, t.rank - 1)]) for t in (x, y)]
        rows = b.aten._trilinear(flat[0], weight, flat[1], [1, 3], [0], [1, 2], [2, 3])
        total = b.aten.reshape(rows, [*lead, b.size(weight, 0)])
        return total if bias is None else b.aten.add.Tensor(total, bias)

    cases = [
        case(f32(5, 3), f32(5, 4), f32(2, 3, 4), f32(2)),
        case(f32("n", 6, 3), f32("n", 6, 4), f32(2, 3, 4), None, at=[2, 1]),
    ]
