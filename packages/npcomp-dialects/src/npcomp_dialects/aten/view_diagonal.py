"""Diagonals put into matrices, and what is made of them."""

from __future__ import annotations

from .cases import case, f32, i1, i64
from .dims import wrap_dim
from .dtypes import DType
from .errors import InferError
from .factory_range import grid
from .families.decomposed import Decomposed
from .families.view import View
from .registry import op
from .view_join import common_dtype
from .view_scatter import with_one_more


def to_back(x, dim1, dim2):
    """The order of dims with the two last, and the order that undoes it."""
    first, second = wrap_dim(dim1, x.rank), wrap_dim(dim2, x.rank)
    if first == second:
        raise InferError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    order = [d for d in range(x.rank) if d not in (first, second)] + [first, second]
    return order, [order.index(d) for d in range(x.rank)]


def with_diagonal(b, x, src, offset):
    """The matrices of the last two dims of x with src on a diagonal; src has been checked to fit."""
    down = max(-offset, 0)
    rows = b.reshape(b.iota(x.sizes[-2], DType.i64), [x.sizes[-2], 1])
    columns = b.iota(x.sizes[-1], DType.i64)
    length = src.sizes[-1]
    places = b.map(lambda b, i: b.minimum(b.maximum(i - down, 0), length), rows, dtype=DType.i64)
    spread = b.index_select(with_one_more(b, src, src.rank - 1), src.rank - 1, places, error=None)

    def body(b, e, s, i, j):
        return b.select(j - i == offset, s, e)

    return b.map(body, x, spread, rows, columns, dtype=x.dtype)


def diagonal_length(b, rows, columns, offset):
    """How many elements a diagonal has."""
    return b.maximum(b.minimum(rows - max(-offset, 0), columns - max(offset, 0)), 0)


def put_diagonal(b, x, src, offset, dim1, dim2):
    """x with src in the place of a diagonal."""
    order, back = to_back(x, dim1, dim2)
    turned = b.permute(x, order)
    want = [*turned.sizes[:-2], diagonal_length(b, *turned.sizes[-2:], offset)]
    if src.rank != len(want):
        raise InferError(f"expected src of rank {len(want)}, as the diagonal of self has, got rank {src.rank}")
    for d, (have, size) in enumerate(zip(src.sizes, want, strict=True)):
        message = f"expected src to have the sizes of the diagonal of self: dim {d} is {{0}}, of the diagonal {{1}}"
        b.guard(have == size, message, have, size)
    return b.permute(with_diagonal(b, turned, b.cast(src, x.dtype), offset), back)


@op(
    "aten::diagonal_scatter(Tensor self, Tensor src, int offset=0, int dim1=0, int dim2=1) -> Tensor",
    out="aten::diagonal_scatter.out",
)
class DiagonalScatter(View):
    """self with src in the place of a diagonal."""

    def lower(b, x, src, offset, dim1, dim2):
        return put_diagonal(b, x, src, offset, dim1, dim2)

    cases = [
        case(f32(3, 4), f32(3)),
        case(f32("?", 4), f32("?"), 1, at=[(3, 3), (1, 1), (0, 0)]),
        case(f32(2, 3, 4), i64(3, 2), -1, 2, 0),
        case(f32(2, 3), f32(0), 5),
    ]


@op(
    "aten::diagonal_backward(Tensor grad_output, SymInt[] input_sizes, int offset, int dim1, int dim2) -> Tensor",
    out="aten::diagonal_backward.out",
)
class DiagonalBackward(View):
    """The gradient of diagonal."""

    runtime = ("input_sizes",)

    def lower(b, grad, sizes, offset, dim1, dim2):
        return put_diagonal(b, b.full(sizes, 0, grad.dtype), grad, offset, dim1, dim2)

    cases = [case(f32(3), [3, 4], 0, 0, 1), case(f32(2, "?"), [4, 2, 5], -1, 0, 2, at=[3])]


@op(
    "aten::diag_embed(Tensor self, int offset=0, int dim1=-2, int dim2=-1) -> Tensor",
    out="aten::diag_embed.out",
)
class DiagEmbed(View):
    """Matrices of zeros with the last dim on a diagonal."""

    def lower(b, x, offset, dim1, dim2):
        if x.rank == 0:
            raise InferError("diag_embed: expected a tensor with at least one dimension")
        n = x.sizes[-1] + abs(offset)
        zeros = b.full([*x.sizes[:-1], n, n], False if x.dtype is DType.bool else 0, x.dtype)
        _, back = to_back(zeros, dim1, dim2)
        return b.permute(with_diagonal(b, zeros, x, offset), back)

    cases = [f32(3), case(f32("?", 3), 1, at=[2, 0]), case(f32(2, "?"), -2, 0, 2, at=[3, 0]), case(i1(3), 0, 1, 0)]


@op("aten::diag(Tensor self, int diagonal=0) -> Tensor", out="aten::diag.out")
class Diag(Decomposed):
    """The diagonal of a matrix, or a matrix with a vector on its diagonal."""

    def decompose(b, x, offset):
        if x.rank not in (1, 2):
            raise InferError(f"diag(): Supports 1D or 2D tensors. Got {x.rank}D")
        return b.aten.diag_embed(x, offset) if x.rank == 1 else b.aten.diagonal_copy(x, offset)

    cases = [f32(3, 4), case(f32("?"), 1, at=[3, 0]), case(i64(2, "?"), -1)]


@op("aten::diagflat(Tensor self, int offset=0) -> Tensor")
class DiagFlat(Decomposed):
    """A matrix with all elements on its diagonal."""

    def decompose(b, x, offset):
        return b.aten.diag_embed(b.aten.reshape(x, [-1]), offset)

    cases = [f32(2, 3), case(f32("?"), -1), f32()]


@op("aten::linalg_diagonal(Tensor(a) A, *, int offset=0, int dim1=-2, int dim2=-1) -> Tensor(a)")
class LinalgDiagonal(Decomposed):
    """The diagonal of the last two dims."""

    def decompose(b, x, offset, dim1, dim2):
        return b.aten.diagonal(x, offset, dim1, dim2)

    cases = [f32(2, 3, 4), case(f32("?", 3), offset=1)]


@op("aten::trace(Tensor self) -> Tensor", out="aten::trace.out")
class Trace(Decomposed):
    """The sum of the diagonal of a matrix."""

    def decompose(b, x):
        if x.rank != 2:
            raise InferError(f"trace: expected a matrix, but got tensor with dim {x.rank}")
        return b.aten.sum(b.aten.diagonal(x))

    cases = [f32(3, 4), case(f32("?", 4), at=[3, 0]), i64(3, 3)]


@op("aten::trace_backward(Tensor grad, SymInt[] sizes) -> Tensor")
class TraceBackward(View):
    """The gradient of trace: on the diagonal, zeros elsewhere."""

    runtime = ("sizes",)

    def lower(b, grad, sizes):
        def body(b, g, i, j):
            return b.select(i == j, g, b.const(0, g.dtype))

        return b.map(body, grad, *grid(b, *sizes), dtype=grad.dtype)

    cases = [case(f32(), [3, 4]), case(f32(), [2, 2])]


@op("aten::block_diag(Tensor[] tensors) -> Tensor", out="aten::block_diag.out")
class BlockDiag(View):
    """Matrices along the diagonal of one matrix, zeros elsewhere."""

    @classmethod
    def give_up(cls, args):
        return cls.unknown_results()

    def lower(b, tensors):
        blocks = []
        for number, t in enumerate(common_dtype(b, tensors)):
            if t.rank > 2:
                message = "torch.block_diag: Input tensors must have 2 or fewer dimensions."
                raise InferError(f"{message} Input {number} has {t.rank} dimensions")
            blocks.append(b.reshape(t, [1] * (2 - t.rank) + t.sizes))
        if not blocks:
            return b.full([1, 0], 0.0, DType.f32)
        before, total = 0, 0
        for t in blocks:
            total = total + t.sizes[1]
        rows = []
        for t in blocks:
            after = total - before - t.sizes[1]
            rows.append(b.pad(t, [0, before], [0, after], False if t.dtype is DType.bool else 0))
            before = before + t.sizes[1]
        return b.concat(rows, 0)

    cases = [
        case([f32(2, 3), f32(3), f32(), f32(1, 1)]),
        case([f32("?", 2), i64(2, "?")], at=[(3, 2), (1, 0)]),
    ]
