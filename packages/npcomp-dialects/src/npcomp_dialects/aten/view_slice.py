"""Views of a part of a tensor."""

from __future__ import annotations

from .cases import case, f32, i64
from .dims import wrap_dim
from .dtypes import DType
from .errors import InferError, NotStatic
from .families.view import View
from .registry import op

NO_END = 1 << 62


def wrap_index(b, index, n):
    """A negative index counted from the end."""
    if isinstance(index, int):
        return index if index >= 0 else n + index
    return b.select(index < 0, index + n, index)


def bound(b, value, n, default):
    """A slice bound between 0 and n, as Python reads it."""
    if value is None or (isinstance(value, int) and value >= NO_END):
        return default if value is None else n
    if isinstance(value, int) and value == 0:
        return 0
    if isinstance(value, int):
        return b.minimum(value, n) if value > 0 else b.maximum(n + value, 0)
    return b.minimum(b.maximum(wrap_index(b, value, n), 0), n)


def slice_bounds(b, x, dim, start, end):
    """Where a slice starts and stops; never before it starts."""
    n = x.sizes[dim]
    first = bound(b, start, n, 0)
    last = bound(b, end, n, n)
    return first, last if isinstance(first, int) and first == 0 else b.maximum(last, first)


@op(
    "aten::slice.Tensor(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor(a)",
)
@op(
    "aten::slice_copy.Tensor(Tensor self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor",
    out="aten::slice_copy.Tensor_out",
)
class Slice(View):
    """Every step-th element from start up to end along a dim."""

    runtime = ("start", "end")

    def lower(b, x, dim, start, end, step):
        if step <= 0:
            raise InferError("slice step must be positive")
        if x.rank == 0:
            raise InferError("slice() cannot be applied to a 0-dim tensor.")
        dim = wrap_dim(dim, x.rank)
        return b.slice(x, dim, *slice_bounds(b, x, dim, start, end), step)

    cases = [
        case(f32(3, 4), 1, 1, 3),
        case(f32(3, 4), 0, -2, 9223372036854775807),
        case(f32("?", 4), 0, 1, -1, at=[5, 1, 0]),
        case(f32("?", 4), 0, None, 2, at=[5, 1]),
        case(f32(7), 0, 5, 2),
        case(f32("?"), 0, 1, None, 3, at=[7, 0]),
        case(f32(7), 0, -100, 100, 2),
    ]


def drop_dim(b, x, dim):
    """A dim of size 1 removed."""
    return b.reshape(x, [*x.sizes[:dim], *x.sizes[dim + 1 :]])


@op("aten::select.int(Tensor(a) self, int dim, SymInt index) -> Tensor(a)")
@op("aten::select_copy.int(Tensor self, int dim, SymInt index) -> Tensor", out="aten::select_copy.int_out")
class Select(View):
    """The tensor at one index of a dim."""

    runtime = ("index",)

    def lower(b, x, dim, index):
        if x.rank == 0:
            raise InferError("select() cannot be applied to a 0-dim tensor.", "IndexError")
        dim = wrap_dim(dim, x.rank)
        at = checked_index(b, x, dim, index)
        return drop_dim(b, b.slice(x, dim, at, at + 1, 1), dim)

    cases = [case(f32(3, 4), 1, -1), case(f32("?", 4), 0, 0, at=[3, 1]), case(f32("?", 4), 0, -1), case(i64(3), 0, 2)]


def checked_index(b, x, dim, index):
    """An index counted from the front, guarded to lie inside."""
    n = x.sizes[dim]
    at = wrap_index(b, index, n)
    message = f"select(): index {{0}} out of range for tensor of size {{1}} at dimension {dim}"
    b.guard(at >= 0, message, index, n, error="IndexError")
    b.guard(at < n, message, index, n, error="IndexError")
    return at


@op("aten::narrow(Tensor(a) self, int dim, SymInt start, SymInt length) -> Tensor(a)")
@op("aten::narrow_copy(Tensor self, int dim, SymInt start, SymInt length) -> Tensor", out="aten::narrow_copy.out")
class Narrow(View):
    """`length` elements from start along a dim."""

    runtime = ("start", "length")

    def lower(b, x, dim, start, length):
        dim = wrap_dim(dim, x.rank)
        n = x.sizes[dim]
        first = wrap_index(b, start, n)
        message = "start ({0}) + length ({1}) exceeds dimension size ({2})."
        inside = "start out of range (expected to be at most {1} in size, but got {0})"
        b.guard(first >= 0, inside, start, n, error="IndexError")
        b.guard(first <= n, inside, start, n, error="IndexError")
        b.guard(length >= 0, "narrow(): length must be non-negative, got {0}", length)
        b.guard(first + length <= n, message, start, length, n)
        return b.slice(x, dim, first, first + length, 1)

    cases = [case(f32(3, 4), 1, 1, 2), case(f32("?", 4), 0, -2, 2, at=[3, 2]), case(f32("?", 4), 0, 0, 0)]


def static_size(x, dim, what):
    """A size that decides how many results there are."""
    n = x.sizes[dim]
    if not isinstance(n, int):
        raise NotStatic(f"{what} of dim {dim}, whose size only run time knows, has no number of results")
    return n


def pieces(b, x, dim, lengths):
    """Consecutive parts of the given lengths."""
    parts, at = [], 0
    for length in lengths:
        parts.append(b.slice(x, dim, at, at + length, 1))
        at = at + length
    return parts


@op("aten::unsafe_split.Tensor(Tensor self, SymInt split_size, int dim=0) -> Tensor[]")
@op("aten::split.Tensor(Tensor(a -> *) self, SymInt split_size, int dim=0) -> Tensor(a)[]")
@op("aten::split_copy.Tensor(Tensor self, SymInt split_size, int dim=0) -> Tensor[]")
class Split(View):
    """Parts of one length, the last one shorter when it does not fit."""

    def lower(b, x, length, dim):
        dim = wrap_dim(dim, x.rank)
        n = static_size(x, dim, "split")
        if length < 0 or (length == 0 and n):
            raise InferError(f"split expects a positive split_size, got {length}")
        lengths = [min(length, n - at) for at in range(0, n, length)] if n else [0]
        return pieces(b, x, dim, lengths)

    cases = [case(f32(5, 4), 2), case(f32("?", 5), 3, 1), case(f32(0, 4), 2)]


@op("aten::unsafe_split_with_sizes(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]")
@op("aten::split_with_sizes(Tensor(a -> *) self, SymInt[] split_sizes, int dim=0) -> Tensor(a)[]")
@op("aten::split.sizes(Tensor(a -> *) self, SymInt[] split_size, int dim=0) -> Tensor(a)[]")
@op("aten::split_with_sizes_copy(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]")
class SplitWithSizes(View):
    """Parts of the given lengths, which must add up."""

    runtime = ("split_sizes", "split_size")

    def lower(b, x, lengths, dim):
        dim = wrap_dim(dim, x.rank)
        total = 0
        for length in lengths:
            b.guard(length >= 0, "split_with_sizes expects non-negative sizes, got {0}", length)
            total = total + length
        b.guard(
            x.sizes[dim] == total,
            "split_with_sizes expects split_sizes to sum exactly to {0}, but they sum to {1}",
            x.sizes[dim],
            total,
        )
        return pieces(b, x, dim, lengths)

    cases = [case(f32(5, 4), [1, 4]), case(f32("?", 5), [2, 0, 3], 1), case(f32("?", 4), [1, 2], at=[3])]


@op("aten::unsafe_chunk(Tensor self, int chunks, int dim=0) -> Tensor[]")
@op("aten::chunk(Tensor(a -> *) self, int chunks, int dim=0) -> Tensor(a)[]")
class Chunk(View):
    """At most `chunks` parts of one length."""

    def lower(b, x, chunks, dim):
        dim = wrap_dim(dim, x.rank)
        n = static_size(x, dim, "chunk")
        if chunks <= 0:
            raise InferError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
        length = -(-n // chunks)
        lengths = [min(length, n - at) for at in range(0, n, length)] if n else [0] * chunks
        return pieces(b, x, dim, lengths)

    cases = [case(f32(5, 4), 2), case(f32("?", 5), 4, 1), case(f32(0, 4), 3)]


@op("aten::unbind.int(Tensor(a -> *) self, int dim=0) -> Tensor(a)[]")
@op("aten::unbind_copy.int(Tensor self, int dim=0) -> Tensor[]")
class Unbind(View):
    """The tensors along a dim."""

    def lower(b, x, dim):
        dim = wrap_dim(dim, x.rank)
        parts = pieces(b, x, dim, [1] * static_size(x, dim, "unbind"))
        return [drop_dim(b, p, dim) for p in parts]

    cases = [f32(3, 4), case(f32("?", 3), 1), case(f32(0, 3))]


@op("aten::unfold(Tensor(a) self, int dimension, int size, int step) -> Tensor(a)")
@op("aten::unfold_copy(Tensor self, int dimension, int size, int step) -> Tensor", out="aten::unfold_copy.out")
class Unfold(View):
    """Windows of a dim: their elements become the last dim."""

    def lower(b, x, dim, size, step):
        dim = wrap_dim(dim, x.rank)
        if step <= 0 or size < 0:
            raise InferError(f"unfold: expected size >= 0 and step > 0, got size {size} and step {step}")
        if x.rank == 0:
            b.guard(size <= 1, "maximum size for tensor at dimension 0 is 1 but size is {0}", size)
            return b.slice(b.reshape(x, [1]), 0, 0, size, 1)
        n = x.sizes[dim]
        b.guard(size <= n, "maximum size for tensor at dimension is {1} but size is {0}", size, n)
        count = (n - size) // step + 1
        starts, offsets = b.reshape(b.iota(count, DType.i64), [count, 1]), b.iota(size, DType.i64)
        index = b.map(lambda b, i, j: i * step + j, starts, offsets, dtype=DType.i64)
        windows = b.index_select(x, dim, index)
        order = [d for d in range(windows.rank) if d != dim + 1]
        return b.permute(windows, [*order, dim + 1])

    cases = [
        case(f32(7), 0, 3, 2),
        case(f32("?", 4), 0, 2, 1, at=[5, 2]),
        case(f32(2, 9), 1, 4, 3),
        case(f32(), 0, 1, 1),
        case(f32(3), 0, 0, 2),
    ]
