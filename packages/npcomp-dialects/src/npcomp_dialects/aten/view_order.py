"""Views that reorder dims or elements."""

from __future__ import annotations

from .cases import case, f32
from .dims import wrap_dim, wrap_dims
from .dtypes import DType
from .errors import InferError
from .families.view import View
from .registry import op


def swap(b, x, first, second):
    """Two dims exchanged."""
    dims = list(range(x.rank))
    if not dims:
        return x
    i, j = wrap_dim(first, x.rank), wrap_dim(second, x.rank)
    dims[i], dims[j] = dims[j], dims[i]
    return b.permute(x, dims)


@op("aten::permute(Tensor(a) self, int[] dims) -> Tensor(a)")
@op("aten::permute_copy(Tensor self, int[] dims) -> Tensor", out="aten::permute_copy.out")
class Permute(View):
    """The dims in the order given."""

    def lower(b, x, dims):
        if len(dims) != x.rank:
            raise InferError(f"permute: {dims} orders {len(dims)} dims of a tensor of rank {x.rank}")
        order = [wrap_dim(d, x.rank) for d in dims]
        if sorted(order) != list(range(x.rank)):
            raise InferError(f"permute: {dims} is no permutation of the dims of a tensor of rank {x.rank}")
        return b.permute(x, order)

    cases = [case(f32(3, 4, 5), [2, 0, 1]), case(f32("?", 4), [-1, 0], at=[3, 0])]


@op("aten::transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)")
@op("aten::swapaxes(Tensor(a) self, int axis0, int axis1) -> Tensor(a)")
@op("aten::swapdims(Tensor(a) self, int dim0, int dim1) -> Tensor(a)")
@op("aten::transpose_copy.int(Tensor self, int dim0, int dim1) -> Tensor", out="aten::transpose_copy.int_out")
class Transpose(View):
    """Two dims exchanged."""

    lower = swap
    cases = [case(f32(3, 4, 5), 0, 2), case(f32("?", 4), -1, 0, at=[3, 0])]


@op("aten::t(Tensor(a) self) -> Tensor(a)")
@op("aten::t_copy(Tensor self) -> Tensor", out="aten::t_copy.out")
class T(View):
    """The transpose of a matrix; a vector stays."""

    def lower(b, x):
        if x.rank > 2:
            raise InferError(f"t() expects a tensor with <= 2 dimensions, but self is {x.rank}D")
        return x if x.rank < 2 else b.permute(x, [1, 0])

    cases = [f32(3, 4), f32("?", 4), f32(3)]


@op("aten::numpy_T(Tensor(a) self) -> Tensor(a)")
class NumpyT(View):
    """All dims in reverse."""

    def lower(b, x):
        return b.permute(x, list(reversed(range(x.rank))))

    cases = [f32(3, 4), f32("?", 4)]


@op("aten::mT(Tensor(a) self) -> Tensor(a)")
@op("aten::adjoint(Tensor(a) self) -> Tensor(a)")
@op("aten::mH(Tensor(a) self) -> Tensor(a)")
class MatrixT(View):
    """The last two dims exchanged."""

    def lower(b, x):
        return swap(b, x, -2, -1)

    cases = [f32(3, 4, 5), f32("?", 4)]


@op("aten::movedim.int(Tensor(a) self, int source, int destination) -> Tensor(a)")
@op(
    "aten::movedim.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)",
    cases=[case(f32(3, 4, 5), [0, 1], [-1, 0]), case(f32("?", 4), [0], [1])],
)
@op("aten::moveaxis.int(Tensor(a) self, int source, int destination) -> Tensor(a)")
@op(
    "aten::moveaxis.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)",
    cases=[case(f32(3, 4, 5), [0, 1], [-1, 0]), case(f32("?", 4), [1], [0])],
)
class MoveDim(View):
    """Dims moved to other places; the rest keep their order."""

    def lower(b, x, source, destination):
        froms, tos = ([wrap_dim(d, x.rank) for d in ([v] if isinstance(v, int) else v)] for v in (source, destination))
        if len(froms) != len(tos) or len(set(froms)) != len(froms) or len(set(tos)) != len(tos):
            raise InferError(f"movedim: {source} to {destination} is no one-to-one move of dims")
        rest = iter(d for d in range(x.rank) if d not in froms)
        placed = dict(zip(tos, froms, strict=True))
        return b.permute(x, [placed[d] if d in placed else next(rest) for d in range(x.rank)])

    cases = [case(f32(3, 4, 5), 0, 2), case(f32("?", 4), -1, 0)]


def reverse(b, x, dim):
    """The order of elements reversed along a dim."""
    last = x.sizes[dim] - 1
    index = b.map(lambda b, i: last - i, b.iota(last + 1, DType.i64), dtype=DType.i64)
    return b.index_select(x, dim, index, error=None)


@op("aten::flip(Tensor self, int[] dims) -> Tensor", out="aten::flip.out")
class Flip(View):
    """The order of elements reversed along dims."""

    def lower(b, x, dims):
        for d in wrap_dims(dims, x.rank) if dims else []:
            x = reverse(b, x, d)
        return x

    cases = [case(f32(3, 4), [0, 1]), case(f32("?", 4), [0], at=[3, 1, 0])]


@op("aten::fliplr(Tensor self) -> Tensor")
class FlipLeftRight(View):
    """The columns reversed."""

    def lower(b, x):
        if x.rank < 2:
            raise InferError("Input must be >= 2-d.")
        return reverse(b, x, 1)

    cases = [f32(3, 4), f32(2, "?", 3)]


@op("aten::flipud(Tensor self) -> Tensor")
class FlipUpDown(View):
    """The rows reversed."""

    def lower(b, x):
        if x.rank < 1:
            raise InferError("Input must be >= 1-d.")
        return reverse(b, x, 0)

    cases = [f32(3, 4), f32("?")]


@op("aten::rot90(Tensor self, int k=1, int[] dims=[0, 1]) -> Tensor", out="aten::rot90.out")
class Rot90(View):
    """The plane of two dims turned by k right angles."""

    def lower(b, x, k, dims):
        if len(dims) != 2 or x.rank < 2:
            raise InferError(f"expected total rotation dims == 2 of a tensor of rank >= 2, got {dims} of rank {x.rank}")
        first, second = (wrap_dim(d, x.rank) for d in dims)
        if first == second:
            raise InferError(f"expected rotation dims to be different, but got dim0 = {first} and dim1 = {second}")
        turns = k % 4
        if turns == 2:
            return reverse(b, reverse(b, x, first), second)
        if turns == 0:
            return x
        return swap(b, reverse(b, x, second if turns == 1 else first), first, second)

    cases = [
        case(f32(3, 4)),
        case(f32("?", 4), 2, at=[3, 0]),
        case(f32(2, "?", 3), -1, [2, 0]),
        case(f32(3, 4), 4),
    ]


def rotate(b, x, dim, shift):
    """The elements moved up by `shift` along a dim, those that fall off coming in at the front."""
    n = x.sizes[dim]
    if isinstance(n, int) and n == 0:
        return x
    cut = n - shift % b.maximum(n, 1)
    return b.concat([b.slice(x, dim, cut, n, 1), b.slice(x, dim, 0, cut, 1)], dim)


@op("aten::roll(Tensor self, SymInt[1] shifts, int[1] dims=[]) -> Tensor", out="aten::roll.out")
class Roll(View):
    """Elements shifted around along dims, or in the flattened tensor when no dim is given."""

    runtime = ("shifts",)

    def lower(b, x, shifts, dims):
        if len(shifts) != (len(dims) or 1):
            raise InferError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
        if not dims:
            return b.reshape(rotate(b, b.reshape(x, [b.numel(x)]), 0, shifts[0]), x.sizes)
        for d, shift in zip(dims, shifts, strict=True):
            x = rotate(b, x, wrap_dim(d, x.rank), shift)
        return x

    cases = [case(f32(3, 4), [1], [1]), case(f32("?", 4), [-2, 5], [0, 1], at=[3, 1, 0]), case(f32(3, 4), [5])]


@op("aten::diagonal(Tensor(a) self, int offset=0, int dim1=0, int dim2=1) -> Tensor(a)")
@op("aten::diagonal_copy(Tensor self, int offset=0, int dim1=0, int dim2=1) -> Tensor", out="aten::diagonal_copy.out")
class Diagonal(View):
    """The diagonal of two dims, as the last dim."""

    def lower(b, x, offset, dim1, dim2):
        i, j = wrap_dim(dim1, x.rank), wrap_dim(dim2, x.rank)
        if i == j:
            raise InferError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
        rest = [d for d in range(x.rank) if d not in (i, j)]
        x = b.permute(x, [*rest, i, j])
        rows, columns = x.sizes[-2], x.sizes[-1]
        down, right = max(-offset, 0), max(offset, 0)
        length = b.maximum(b.minimum(rows - down, columns - right), 0)
        flat = b.reshape(x, [*x.sizes[:-2], rows * columns])
        start = down * columns + right
        index = b.map(lambda b, k: k * (columns + 1) + start, b.iota(length, DType.i64), dtype=DType.i64)
        return b.index_select(flat, len(rest), index, error=None)

    cases = [f32(3, 4), case(f32("?", 4), 1, at=[3, 1, 0]), case(f32(2, 3, 4), -1, 2, 1), case(f32(2, 3), 5)]
