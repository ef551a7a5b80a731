"""Factorizations of small matrices, column by column, as LAPACK's unblocked routines do them (Golub and Van Loan,
Matrix Computations, 4th edition, algorithms 3.4.1, 4.2.2, 5.1.1 and 5.2.1). Matrices are the last two dims; every step
works on whole matrices of the batch, so it costs O(n²) memory traffic: large ones are left to torch's LAPACK.
"""

from __future__ import annotations

from . import factory_range
from .dtypes import DType
from .errors import InferError, NotStatic
from .factory_range import grid
from .matmul import matmul

MOST_ROWS = 64
"""Sizes up to this are factored in the tensor language."""


def matrices(b, name, *tensors):
    """Checks that the tensors are batches of float matrices of a size for us."""
    for x in tensors:
        if x.rank < 2:
            raise InferError(f"{name}: The input tensor A must have at least 2 dimensions.")
        if x.dtype not in (DType.f32, DType.f64):
            b.error(f"{name}: Low precision and integer dtypes not supported, got {x.dtype}")
        if not all(isinstance(n, int) and n <= MOST_ROWS for n in x.sizes[-2:]):
            raise NotStatic(f"{name} of matrices {x.sizes} goes to torch's kernel")


def square(b, name, x):
    """Checks that a batch of matrices is square."""
    matrices(b, name, x)
    if x.sizes[-1] != x.sizes[-2]:
        b.error(f"{name}: A must be batches of square matrices, but they are {x.sizes[-2]} by {x.sizes[-1]} matrices")


def row(b, x, k):
    return b.slice(x, x.rank - 2, k, k + 1, 1)


def column(b, x, k):
    return b.slice(x, x.rank - 1, k, k + 1, 1)


def transposed(b, x):
    return b.permute(x, [*range(x.rank - 2), x.rank - 1, x.rank - 2])


def identity(b, like, rows, columns):
    """Identity matrices for the batch of another tensor."""
    return b.broadcast(factory_range.identity(b, rows, columns, like.dtype), [*like.sizes[:-2], rows, columns])


def triangle(b, x, upper, unit=False):
    """One triangle of the matrices, the other 0, the diagonal 1 if asked for."""
    i, j = grid(b, *x.sizes[-2:])

    def body(b, i, j, e):
        kept = b.select((i <= j) if upper else (i >= j), e, b.const(0, e.dtype))
        return b.select(i == j, b.const(1, e.dtype), kept) if unit else kept

    return b.map(body, i, j, x, dtype=x.dtype)


def lu(b, x, pivoting=True):
    """(LU in one matrix, i32 row exchanges, i32 number of the first zero pivot or 0); numbers count from 1."""
    *batch, n, m = x.sizes
    i, j = grid(b, n, m)
    zero = [b.full([*batch, min(n, m)], 0, DType.i32), b.full(batch, 0, DType.i32)]

    def step(b, k, a, pivots, info):
        if pivoting:

            def size(b, i, e):
                return b.select(i >= k, b.math.abs(e), b.const(-1, e.dtype))

            sizes = b.map(size, i, column(b, a, k), dtype=x.dtype)
            best = b.arg_reduce("max", sizes, a.rank - 2, True)
            a = exchanged(b, a, i, k, best)
            chosen = b.map(lambda b, p: b.cast(p + 1, DType.i32), b.reshape(best, [*batch, 1]), dtype=DType.i32)
        else:
            chosen = b.broadcast(b.from_scalar(b.cast(k + 1, DType.i32), DType.i32), [*batch, 1])
        pivot = column(b, row(b, a, k), k)
        info = b.map(failing(k), info, b.reshape(pivot, batch), dtype=DType.i32)

        def eliminate(b, i, j, e, left, top, d):
            factor = b.select(d == 0, left, left / d)
            inner = b.select((i > k) & (j > k), e - factor * top, e)
            return b.select((i > k) & (j == k), factor, inner)

        a = b.map(eliminate, i, j, a, column(b, a, k), row(b, a, k), pivot, dtype=x.dtype)
        return a, b.update(pivots, len(batch), k, chosen), info

    return b.repeat(min(n, m), step, x, *zero)


def exchanged(b, a, i, k, other):
    """The matrices with row k and another row exchanged."""

    def source(b, i, p):
        return b.select(i == k, p, b.select(i == p, k + i * 0, i))

    index = b.map(source, i, other, dtype=DType.i64)
    return b.gather(a, a.rank - 2, b.broadcast(index, a.sizes), error=None)


def failing(k):
    """The number of the first step that met a pivot of 0."""
    return lambda b, seen, d: b.select((seen == 0) & (d == 0), b.cast(k + 1, DType.i32), seen)


def permutation(b, pivots, n):
    """The order of rows, i64 of the batch and n, that a sequence of row exchanges makes."""
    *batch, steps = pivots.sizes
    i = b.iota(n, DType.i64)

    def step(b, k, order):
        last = order.rank - 1
        other = b.map(lambda b, p: b.cast(p, DType.i64) - 1, b.slice(pivots, last, k, k + 1, 1), dtype=DType.i64)
        here, there = b.slice(order, last, k, k + 1, 1), b.gather(order, last, other)

        def swap(b, i, e, p, here, there):
            return b.select(i == k, there, b.select(i == p, here, e))

        return (b.map(swap, i, order, other, here, there, dtype=DType.i64),)

    (order,) = b.repeat(steps, step, b.broadcast(i, [*batch, n]))
    return order


def cholesky(b, x):
    """(L, info i32: the first minor that is not positive, counted from 1) from the lower triangles."""
    *batch, n, _ = x.sizes
    i, j = grid(b, n, n)

    def step(b, k, a, info):
        pivot, left = column(b, row(b, a, k), k), column(b, a, k)

        def eliminate(b, i, j, e, low, right, d):
            inner = b.select((i > k) & (j > k), e - low * right / d, e)
            return b.select(j == k, b.select(i == k, b.math.sqrt(d), low / b.math.sqrt(d)), inner)

        a = b.map(eliminate, i, j, a, left, transposed(b, left), pivot, dtype=x.dtype)

        def note(b, seen, d):
            return b.select((seen == 0) & ~(d > 0), b.cast(k + 1, DType.i32), seen)

        return a, b.map(note, info, b.reshape(pivot, batch), dtype=DType.i32)

    factor, info = b.repeat(n, step, x, b.full(batch, 0, DType.i32))
    return triangle(b, factor, upper=False), info


def householder(b, x):
    """(R above reflectors, tau): LAPACK's geqrf."""
    *batch, n, m = x.sizes
    i, j = grid(b, n, m)

    def step(b, k, a, taus):
        left, alpha = column(b, a, k), column(b, row(b, a, k), k)
        below = b.map(lambda b, i, e: b.select(i > k, e * e, b.const(0, e.dtype)), i, left, dtype=x.dtype)
        rest = b.reduce("sum", below, [x.rank - 2], True)

        def reflected(b, alpha, rest):
            length = b.math.sqrt(alpha * alpha + rest)
            return b.select(rest == 0, alpha, b.select(alpha < 0, length, -length))

        def weight(b, alpha, beta, rest):
            return b.select(rest == 0, b.const(0, alpha.dtype), (beta - alpha) / beta)

        def direction(b, i, e, alpha, beta, rest):
            tail = b.select((i > k) & (rest != 0), e / (alpha - beta), b.const(0, e.dtype))
            return b.select(i == k, b.const(1, e.dtype), tail)

        beta = b.map(reflected, alpha, rest, dtype=x.dtype)
        tau = b.map(weight, alpha, beta, rest, dtype=x.dtype)
        v = b.map(direction, i, left, alpha, beta, rest, dtype=x.dtype)
        w = b.reduce("sum", b.map(lambda b, v, e: v * e, v, a, dtype=x.dtype), [x.rank - 2], True)

        def apply(b, i, j, e, v, w, tau, beta):
            here = b.select(i == k, beta, b.select(i > k, v, e))
            return b.select(j == k, here, b.select(j > k, e - tau * v * w, e))

        a = b.map(apply, i, j, a, v, w, tau, beta, dtype=x.dtype)
        return a, b.update(taus, len(batch), k, b.reshape(tau, [*batch, 1]))

    return b.repeat(min(n, m), step, x, b.full([*batch, min(n, m)], 0, x.dtype))


def reflect(b, reflectors, tau, x, forward):
    """The product of the reflectors and x: the first reflector leftmost, or its transpose with `forward`."""
    steps = tau.sizes[-1]
    tau = b.broadcast(tau, [*x.sizes[:-2], steps])
    i, _ = grid(b, reflectors.sizes[-2], 1)

    def step(b, trip, c):
        k = trip if forward else steps - 1 - trip
        weight = b.reshape(b.slice(tau, tau.rank - 1, k, k + 1, 1), [*tau.sizes[:-1], 1, 1])

        def direction(b, i, e):
            return b.select(i == k, b.const(1, e.dtype), b.select(i > k, e, b.const(0, e.dtype)))

        v = b.map(direction, i, column(b, reflectors, k), dtype=x.dtype)
        w = b.reduce("sum", b.map(lambda b, v, e: v * e, v, c, dtype=x.dtype), [c.rank - 2], True)
        return (b.map(lambda b, e, v, w, t: e - t * v * w, c, v, w, weight, dtype=x.dtype),)

    (product,) = b.repeat(steps, step, x)
    return product


def substitute(b, a, x, upper, unit=False):
    """The solution of a · y = x for triangular matrices of one batch."""
    n = a.sizes[-1]
    i, _ = grid(b, n, 1)

    def step(b, trip, y):
        k = n - 1 - trip if upper else trip
        pivot = column(b, row(b, a, k), k)
        found = row(b, y, k)
        if not unit:
            found = b.map(lambda b, e, d: e / d, found, pivot, dtype=x.dtype)

        def eliminate(b, i, e, left, found):
            open = i < k if upper else i > k
            return b.select(i == k, found, b.select(open, e - left * found, e))

        return (b.map(eliminate, i, y, column(b, a, k), found, dtype=x.dtype),)

    (solution,) = b.repeat(n, step, x)
    return solution


def lu_solve(b, factors, pivots, x):
    """The solution of A · y = x from A's LU."""
    order = permutation(b, pivots, factors.sizes[-1])
    index = b.broadcast(b.reshape(order, [*order.sizes, 1]), x.sizes)
    y = substitute(b, factors, b.gather(x, x.rank - 2, index, error=None), upper=False, unit=True)
    return substitute(b, factors, y, upper=True)


def lu_solve_adjoint(b, factors, pivots, x):
    """The solution of Aᵀ · y = x from A's LU."""
    adjoint = transposed(b, factors)
    y = substitute(b, adjoint, substitute(b, adjoint, x, upper=False), upper=True, unit=True)
    return matmul(b, permutation_matrix(b, pivots, factors), y)


def permutation_matrix(b, pivots, like):
    """P of P · L · U, in the dtype of another tensor."""
    n = like.sizes[-2]
    order = permutation(b, pivots, n)
    i, _ = grid(b, n, 1)
    across = b.reshape(order, [*order.sizes[:-1], 1, n])
    return b.map(lambda b, i, p: b.cast(i == p, like.dtype), i, across, dtype=like.dtype)
