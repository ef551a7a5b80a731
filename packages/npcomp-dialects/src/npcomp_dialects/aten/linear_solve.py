"""Linear equations and inverses by LU."""

from __future__ import annotations

from .abstract import TensorInfo
from .block import Block
from .cases import case, f32, f64, i32
from .dtypes import DType
from .families.kernel import Kernel, replaced, smaller
from .linear_factor import (
    identity,
    lu,
    lu_solve,
    lu_solve_adjoint,
    matrices,
    permutation_matrix,
    square,
    substitute,
    transposed,
    triangle,
)
from .matmul import common_size
from .registry import op

SINGULAR = "The diagonal element {} is zero, the inversion could not be completed because the input matrix is singular."
UNSOLVABLE = "The solver failed because the input matrix is singular."
INDEFINITE = (
    "The factorization could not be completed because the input is not positive-definite "
    "(the leading minor of order {} is not positive-definite)."
)
REASONS = {"linalg.inv": SINGULAR, "linalg.solve": UNSOLVABLE, "linalg.cholesky": INDEFINITE}


def batch_of(x):
    """Sizes without the matrix dims."""
    return None if x.sizes is None else x.sizes[:-2]


def check_info(b, info, name):
    """LinAlgError if the factorization of a matrix failed; the first of a batch is told."""
    reason = REASONS.get(name.removesuffix("_ex"), "The algorithm failed (error code {}).")
    count = b.numel(info)
    flat = b.reshape(info, [count])
    bad = b.map(lambda b, e: b.cast(e != 0, DType.i8), flat, dtype=DType.i8)
    fine = ~b.cast(b.item(b.reduce("max", b.pad(bad, [1], [0], 0), [0])), DType.bool)
    if info.rank == 0:
        b.guard(fine, f"{name}: {reason}".replace("{}", "{0}"), b.item(info), error="_LinAlgError")
        return
    first = b.arg_reduce("max", b.pad(bad, [0], [1], 0), 0, False)
    code = b.item(b.index_select(b.pad(flat, [0], [1], 0), 0, first, error=None))
    text = f"{name}: (Batch element {{0}}): {reason}".replace("{}", "{1}")
    b.guard(fine, text, b.item(first), code, error="_LinAlgError")


def same_batch(b, name, a, x):
    """Two batches of matrices whose batch dims are broadcast to one shape."""
    rank = max(a.rank, x.rank)
    ones = [[1] * (rank - t.rank) + list(t.sizes[:-2]) for t in (a, x)]
    shape = []
    for p, q in zip(*ones, strict=True):
        same = (p == q) is True
        shape.append(p if same or (isinstance(q, int) and q == 1) else q if isinstance(p, int) and p == 1 else None)
        if shape[-1] is None:
            shape[-1] = common_size(b, p, q)
            for size in (p, q):
                b.guard((size == shape[-1]) | (size == 1), f"{name}: batch sizes {{0}} and {{1}} differ", p, q)
    return tuple(b.broadcast(t, [*shape, *t.sizes[-2:]]) for t in (a, x))


class Factored(Kernel):
    """Small matrices are factored here, large ones by torch's LAPACK."""


@op("aten::_linalg_check_errors(Tensor info, str api_name, *, bool is_matrix) -> ()")
class CheckErrors(Block):
    """The factorization succeeded."""

    family = "assertion"
    effects = ("check",)

    def lower(b, info, name, is_matrix):
        check_info(b, info, name)
        return ()

    cases = [
        case(i32(low=0, high=1), "linalg.inv", is_matrix=True),
        case(i32("?", low=0, high=1), "linalg.solve", is_matrix=False),
    ]


@op(
    "aten::linalg_lu_factor_ex(Tensor A, *, bool pivot=True, bool check_errors=False) -> "
    "(Tensor LU, Tensor pivots, Tensor info)"
)
class LuFactor(Factored):
    """L and U in one matrix, row exchanges, and the first zero pivot."""

    def infer(x, *_):
        batch = batch_of(x)
        if batch is None:
            return x, TensorInfo(None, DType.i32), TensorInfo(None, DType.i32)
        return x, TensorInfo((*batch, smaller(*x.sizes[-2:])), DType.i32), TensorInfo(batch, DType.i32)

    def lower(b, x, pivot, check):
        matrices(b, "linalg.lu_factor", x)
        factors, pivots, info = lu(b, x, pivot)
        if check:
            check_info(b, info, "linalg.lu_factor_ex")
        return factors, pivots, info

    cases = [f32(3, 3), f32("?", 4, 2), case(f32(2, 3)), f64(2, 2, 2)]


@op(
    "aten::lu_unpack(Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool unpack_pivots=True) -> "
    "(Tensor P, Tensor L, Tensor U)"
)
class LuUnpack(Factored):
    """P, L and U as matrices of their own; what is not asked for is empty."""

    def infer(x, pivots, data, order):
        if x.sizes is None or not isinstance(data, bool) or not isinstance(order, bool):
            return (TensorInfo(None, x.dtype),) * 3
        n, m = x.sizes[-2:]
        k, nothing = smaller(n, m), TensorInfo((0,), x.dtype)
        parts = (replaced(x, {-1: k}), replaced(x, {-2: k})) if data else (nothing, nothing)
        return (replaced(x, {-1: n}) if order else nothing, *parts)

    def lower(b, x, pivots, data, order):
        matrices(b, "lu_unpack", x)
        return unpacked(b, x, pivots, data, order)

    cases = [
        case(f32(3, 3), i32(3, low=3, high=4)),
        case(f32("n", 3, 2), i32("n", 2, low=3, high=4), unpack_pivots=False),
    ]


def unpacked(b, x, pivots, data=True, order=True):
    """P, L and U from the factors in one matrix."""
    n, m = x.sizes[-2:]
    k = min(n, m)
    nothing = b.full([0], 0, x.dtype)
    low = triangle(b, b.slice(x, x.rank - 1, 0, k, 1), upper=False, unit=True) if data else nothing
    high = triangle(b, b.slice(x, x.rank - 2, 0, k, 1), upper=True) if data else nothing
    return permutation_matrix(b, pivots, x) if order else nothing, low, high


@op("aten::linalg_lu(Tensor A, *, bool pivot=True) -> (Tensor P, Tensor L, Tensor U)")
class Lu(Factored):
    """P, L and U of each matrix."""

    def infer(x, pivot):
        if x.sizes is None:
            return (x, x, x)
        n, m = x.sizes[-2:]
        first = replaced(x, {-1: n}) if pivot is True else TensorInfo(None, x.dtype)
        return first, replaced(x, {-1: smaller(n, m)}), replaced(x, {-2: smaller(n, m)})

    def lower(b, x, pivot):
        matrices(b, "linalg.lu", x)
        factors, pivots, _ = lu(b, x, pivot)
        return unpacked(b, factors, pivots, order=pivot)

    cases = [f32(3, 3), f32("?", 4, 2), f64(2, 3)]


@op("aten::linalg_lu_solve(Tensor LU, Tensor pivots, Tensor B, *, bool left=True, bool adjoint=False) -> Tensor")
class LuSolve(Factored):
    """The solution of equations from an LU factorization."""

    def lower(b, factors, pivots, x, left, adjoint):
        square(b, "linalg.lu_solve", factors)
        matrices(b, "linalg.lu_solve", x)
        x = x if left else transposed(b, x)
        factors, x = same_batch(b, "linalg.lu_solve", factors, x)
        pivots = b.broadcast(pivots, [*x.sizes[:-2], pivots.sizes[-1]])
        y = (lu_solve_adjoint if adjoint is left else lu_solve)(b, factors, pivots, x)
        return y if left else transposed(b, y)

    cases = [
        case(f32(3, 3, low=1, high=2), i32(3, low=3, high=4), f32(3, 2)),
        case(f32("n", 3, 3, low=1, high=2), i32("n", 3, low=3, high=4), f32("n", 2, 3), left=False, adjoint=True),
    ]


@op(
    "aten::_linalg_solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False) -> "
    "(Tensor result, Tensor LU, Tensor pivots, Tensor info)"
)
class SolveEx(Factored):
    """The solution of linear equations, with the factors that the gradient uses."""

    def infer(a, x, left, check):
        if a.sizes is None:
            return TensorInfo(None, x.dtype), a, TensorInfo(None, DType.i32), TensorInfo(None, DType.i32)
        return solution_info(a, x), a, TensorInfo(a.sizes[:-1], DType.i32), TensorInfo(a.sizes[:-2], DType.i32)

    def lower(b, a, x, left, check):
        square(b, "linalg.solve", a)
        factors, pivots, info = lu(b, a)
        if check:
            check_info(b, info, "linalg.solve_ex")
        return solution(b, a, factors, pivots, x, left), factors, pivots, info

    cases = [case(f32(3, 3), f32(3, 2)), case(f32("?", 3, 3), f32(1, 2, 3), left=False, at=[2, 1])]


def solution_info(a, x):
    """What is known of the solution: the sizes of x, with the batch of A where both have as many dims."""
    if a.sizes is None or x.sizes is None:
        return TensorInfo(None, x.dtype)
    if len(a.sizes) != len(x.sizes) or a.sizes[:-2] == x.sizes[:-2]:
        return x if len(x.sizes) <= len(a.sizes) else TensorInfo(None, x.dtype)
    pairs = zip(a.sizes[:-2], x.sizes[:-2], strict=True)
    return TensorInfo((*(p if q == 1 else q if p == 1 else None for p, q in pairs), *x.sizes[-2:]), x.dtype)


def solution(b, a, factors, pivots, x, left):
    """A · y = x, or y · A = x, from the LU of A; x is a batch of vectors when its shape is A's without a dim."""
    vector = x.rank == 1 or (x.rank == a.rank - 1 and all((p == q) is not False for p, q in zip(x.sizes, a.sizes)))
    if vector:
        x = b.reshape(x, [*x.sizes, 1] if left else [*x.sizes[:-1], 1, x.sizes[-1]])
    matrices(b, "linalg.solve", x)
    side = x.sizes[-2] if left else x.sizes[-1]
    b.guard(side == a.sizes[-1], "linalg.solve: Incompatible shapes of A and B: {0} and {1}", a.sizes[-1], side)
    x = x if left else transposed(b, x)
    wide, x = same_batch(b, "linalg.solve", factors, x)
    pivots = b.broadcast(pivots, [*x.sizes[:-2], pivots.sizes[-1]])
    y = (lu_solve if left else lu_solve_adjoint)(b, wide, pivots, x)
    y = y if left else transposed(b, y)
    if not vector:
        return y
    return b.reshape(y, y.sizes[:-1] if left else [*y.sizes[:-2], y.sizes[-1]])


@op("aten::linalg_solve(Tensor A, Tensor B, *, bool left=True) -> Tensor", out="aten::linalg_solve.out")
class Solve(Factored):
    """The solution of linear equations."""

    def infer(a, x, left):
        return solution_info(a, x)

    def lower(b, a, x, left):
        square(b, "linalg.solve", a)
        factors, pivots, info = lu(b, a)
        check_info(b, info, "linalg.solve")
        return solution(b, a, factors, pivots, x, left)

    cases = [case(f32(3, 3), f32(3, 2)), case(f64("n", 2, 2), f64("n", 2, 3))]


def inverse(b, x):
    """(inverse, info)."""
    factors, pivots, info = lu(b, x)
    return lu_solve(b, factors, pivots, identity(b, x, *x.sizes[-2:])), info


@op("aten::linalg_inv_ex(Tensor A, *, bool check_errors=False) -> (Tensor inverse, Tensor info)")
class InverseEx(Factored):
    """The inverse, and whether there is one."""

    def infer(x, check):
        return x, TensorInfo(batch_of(x), DType.i32)

    def lower(b, x, check):
        square(b, "linalg.inv", x)
        result, info = inverse(b, x)
        if check:
            check_info(b, info, "linalg.inv_ex")
        return result, info

    cases = [f32(3, 3), f32("?", 2, 2)]


@op("aten::linalg_inv(Tensor A) -> Tensor", out="aten::linalg_inv.out")
@op("aten::inverse(Tensor self) -> Tensor", out="aten::inverse.out")
class Inverse(Factored):
    """The inverse of each matrix."""

    def infer(x):
        return x

    def lower(b, x):
        square(b, "linalg.inv", x)
        result, info = inverse(b, x)
        check_info(b, info, "linalg.inv")
        return result

    cases = [f32(3, 3), f64("?", 2, 2)]


@op(
    "aten::linalg_solve_triangular(Tensor self, Tensor B, *, bool upper, bool left=True, bool unitriangular=False) -> "
    "Tensor",
    out="aten::linalg_solve_triangular.out",
)
class SolveTriangular(Factored):
    """The solution of equations with triangular matrices."""

    def lower(b, a, x, upper, left, unit):
        square(b, "linalg.solve_triangular", a)
        matrices(b, "linalg.solve_triangular", x)
        if not left:
            a, x, upper = transposed(b, a), transposed(b, x), not upper
        a, x = same_batch(b, "linalg.solve_triangular", a, x)
        y = substitute(b, a, x, upper, unit)
        return y if left else transposed(b, y)

    cases = [
        case(f32(3, 3, low=1, high=2), f32(3, 2), upper=True),
        case(f32(3, 3, low=1, high=2), f32("?", 2, 3), upper=False, left=False, at=[2, 1]),
    ]


@op(
    "aten::triangular_solve(Tensor self, Tensor A, bool upper=True, bool transpose=False, bool unitriangular=False) -> "
    "(Tensor solution, Tensor cloned_coefficient)"
)
class OldSolveTriangular(Factored):
    """linalg.solve_triangular with its operands exchanged, and A again."""

    def lower(b, x, a, upper, transpose, unit):
        square(b, "triangular_solve", a)
        matrices(b, "triangular_solve", x)
        a, x = same_batch(b, "triangular_solve", a, x)
        if transpose:
            return substitute(b, transposed(b, a), x, not upper, unit), a
        return substitute(b, a, x, upper, unit), a

    cases = [
        case(f32(3, 2), f32(3, 3, low=1, high=2)),
        case(f32("n", 3, 2), f32("n", 3, 3, low=1, high=2), False, True, True),
    ]
