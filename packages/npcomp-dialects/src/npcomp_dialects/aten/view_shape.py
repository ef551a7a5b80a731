"""Views that split, merge, add or drop dims."""

from __future__ import annotations

from .cases import case, f32, i64
from .dims import wrap_dim, wrap_dims
from .errors import InferError, NotStatic
from .families.decomposed import Decomposed
from .families.view import View
from .registry import op


def product(sizes):
    """The product of sizes, ints or run-time numbers."""
    total = 1
    for s in sizes:
        total = total * s
    return total


def fill_hole(b, count, sizes):
    """The sizes with their -1 filled so that they hold `count` elements, and guards that they do."""
    for i, s in enumerate(sizes):
        if isinstance(s, int) and s < -1:
            raise InferError(f"invalid shape dimension {s} at index {i} of shape {list(sizes)}")
    holes = [i for i, s in enumerate(sizes) if isinstance(s, int) and s == -1]
    if len(holes) > 1:
        raise InferError("only one dimension can be inferred")
    known = product(s for i, s in enumerate(sizes) if i not in holes)
    shape = "[" + ", ".join(f"{{{i}}}" for i in range(len(sizes))) + "]"
    message = f"shape '{shape}' is invalid for input of size {{{len(sizes)}}}"
    if not holes:
        b.guard(known == count, message, *sizes, count)
        return list(sizes)
    b.guard(
        known != 0,
        f"cannot reshape tensor of 0 elements into shape {shape} because the unspecified dimension size -1 can be"
        " any value and is ambiguous",
        *sizes,
    )
    hole = count // b.maximum(known, 1)
    b.guard(hole * known == count, message, *sizes, count)
    return [hole if i in holes else s for i, s in enumerate(sizes)]


@op("aten::view(Tensor(a) self, SymInt[] size) -> Tensor(a)")
@op("aten::reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)")
@op("aten::_unsafe_view(Tensor self, SymInt[] size) -> Tensor")
@op("aten::view_copy(Tensor self, SymInt[] size) -> Tensor")
@op("aten::_reshape_copy(Tensor self, SymInt[] size) -> Tensor")
class Reshape(View):
    """The elements in row-major order under new sizes; one size may be -1."""

    runtime = ("size", "shape")

    def lower(b, x, sizes):
        return b.reshape(x, fill_hole(b, b.numel(x), sizes))

    cases = [
        case(f32(3, 4), [2, 6]),
        case(f32(3, 4), [-1]),
        case(f32("?", 4), [-1, 2], at=[3, 1, 0]),
        case(f32(0, 4), [2, 0]),
        case(f32(1), []),
    ]


@op("aten::view_as(Tensor(a) self, Tensor other) -> Tensor(a)")
@op("aten::reshape_as(Tensor(a) self, Tensor other) -> Tensor(a)")
class ReshapeAs(View):
    """The elements under another tensor's sizes."""

    def lower(b, x, other):
        return b.reshape(x, fill_hole(b, b.numel(x), other.sizes))

    cases = [case(f32(3, 4), i64(2, 6)), case(f32("n", 4), i64("n", 2, 2), at=[3, 0])]


@op("aten::flatten.using_ints(Tensor(a) self, int start_dim=0, int end_dim=-1) -> Tensor(a)")
class Flatten(View):
    """Neighbouring dims merged into one."""

    def lower(b, x, start, end):
        first, last = wrap_dim(start, x.rank), wrap_dim(end, x.rank)
        if first > last:
            raise InferError("flatten() has invalid args: start_dim cannot come after end_dim")
        sizes = x.sizes
        return b.reshape(x, [*sizes[:first], product(sizes[first : last + 1]), *sizes[last + 1 :]])

    cases = [f32(3, 4), case(f32("?", 4, 5), 1, at=[3, 0]), case(f32("?", 4, 2), 0, 1), f32()]


@op("aten::ravel(Tensor(a) self) -> Tensor(a)")
class Ravel(Decomposed):
    """All dims merged into one."""

    def decompose(b, x):
        return b.aten.reshape(x, [-1])

    cases = [f32(3, 4), f32("?", 4)]


@op("aten::unflatten.int(Tensor(a) self, int dim, SymInt[] sizes) -> Tensor(a)")
class Unflatten(View):
    """One dim split into several; one of their sizes may be -1."""

    runtime = ("sizes",)

    def lower(b, x, dim, sizes):
        dim = wrap_dim(dim, x.rank)
        return b.reshape(x, [*x.sizes[:dim], *fill_hole(b, x.sizes[dim], sizes), *x.sizes[dim + 1 :]])

    cases = [case(f32(3, 4), 1, [2, 2]), case(f32("?", 6), -1, [3, -1], at=[3, 0])]


@op("aten::unsqueeze(Tensor(a) self, int dim) -> Tensor(a)")
@op("aten::unsqueeze_copy(Tensor self, int dim) -> Tensor", out="aten::unsqueeze_copy.out")
class Unsqueeze(View):
    """A dim of size 1 inserted."""

    def lower(b, x, dim):
        dim = wrap_dim(dim, x.rank + 1)
        return b.reshape(x, [*x.sizes[:dim], 1, *x.sizes[dim:]])

    cases = [case(f32(3, 4), 1), case(f32("?", 4), -1, at=[3, 0]), case(f32(), 0)]


def drop_ones(b, x, dims):
    """The dims of size 1 among `dims` removed; a size known only at run time would leave the rank unknown."""
    for d in dims:
        if not isinstance(x.sizes[d], int):
            raise NotStatic(f"squeeze of dim {d}, whose size only run time knows, has no rank")
    return b.reshape(x, [s for d, s in enumerate(x.sizes) if d not in dims or s != 1])


@op("aten::squeeze(Tensor(a) self) -> Tensor(a)")
@op("aten::squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)", cases=[case(f32(1, 4), 0), case(f32("?", 1), -1)])
@op(
    "aten::squeeze.dims(Tensor(a) self, int[] dim) -> Tensor(a)",
    cases=[case(f32(1, 4, 1), [0, 1, 2]), case(f32("?", 1, 1), [1, -1])],
)
@op("aten::squeeze_copy(Tensor self) -> Tensor", out="aten::squeeze_copy.out")
@op(
    "aten::squeeze_copy.dim(Tensor self, int dim) -> Tensor",
    out="aten::squeeze_copy.dim_out",
    cases=[case(f32(1, 4), 0), case(f32("?", 1), 1)],
)
@op(
    "aten::squeeze_copy.dims(Tensor self, int[] dim) -> Tensor",
    out="aten::squeeze_copy.dims_out",
    cases=[case(f32(1, 4, 1), [0, 2]), case(f32("?", 1, 1), [1, 2])],
)
class Squeeze(View):
    """Dims of size 1 removed."""

    def lower(b, x, dims=None):
        wrapped = [] if isinstance(dims, list) and not dims else wrap_dims(dims, x.rank)
        return drop_ones(b, x, wrapped)

    cases = [f32(1, 4, 1), f32(3), f32()]


@op("aten::expand(Tensor(a) self, SymInt[] size, *, bool implicit=False) -> Tensor(a)")
@op(
    "aten::broadcast_to(Tensor(a) self, SymInt[] size) -> Tensor(a)",
    cases=[case(f32(3, 1), [3, 4]), case(f32("?", 1), [2, -1, 4], at=[3, 0])],
)
@op("aten::expand_copy(Tensor self, SymInt[] size, *, bool implicit=False) -> Tensor", out="aten::expand_copy.out")
class Expand(View):
    """Dims of size 1 repeated to the size asked, new ones in front; -1 keeps a size."""

    runtime = ("size",)

    def lower(b, x, sizes, *_):
        lead = len(sizes) - x.rank
        if lead < 0:
            raise InferError(f"expand to {len(sizes)} dims of a tensor with {x.rank}")
        if any(isinstance(s, int) and s == -1 for s in sizes[:lead]):
            raise InferError("expand: -1 is no size for a dim that does not exist")
        keep = [None] * lead + x.sizes
        return b.broadcast(x, [k if isinstance(s, int) and s == -1 else s for s, k in zip(sizes, keep, strict=True)])

    cases = [
        case(f32(3, 1), [2, 3, 4]),
        case(f32("?", 1), [-1, 4], at=[3, 0]),
        case(f32(1, 4), [0, 4]),
        case(f32(), [2]),
    ]


@op("aten::expand_as(Tensor(a) self, Tensor other) -> Tensor(a)")
class ExpandAs(View):
    """Broadcast to another tensor's sizes."""

    def lower(b, x, other):
        return b.broadcast(x, other.sizes)

    cases = [case(f32(3, 1), i64(3, 4)), case(f32(4), i64("?", 4), at=[3, 0])]


@op("aten::repeat(Tensor self, SymInt[] repeats) -> Tensor", out="aten::repeat.out")
class Repeat(View):
    """The tensor laid out several times along each dim."""

    runtime = ("repeats",)

    def lower(b, x, repeats):
        return repeat(b, x, repeats)

    cases = [case(f32(3, 4), [2, 1]), case(f32("?", 4), [2, 1, 3], at=[3, 0]), case(f32(3), [0]), case(f32(), [2])]


def repeat(b, x, repeats):
    """Each dim repeated: [a] → [1, a] → [r, a] → [r * a]."""
    lead = len(repeats) - x.rank
    if lead < 0:
        raise InferError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    sizes = [1] * lead + x.sizes
    apart = b.reshape(x, [v for s in sizes for v in (1, s)])
    spread = b.broadcast(apart, [v for r, s in zip(repeats, sizes, strict=True) for v in (r, s)])
    return b.reshape(spread, [r * s for r, s in zip(repeats, sizes, strict=True)])


@op(
    "aten::repeat_interleave.self_int(Tensor self, SymInt repeats, int? dim=None, *, "
    "SymInt? output_size=None) -> Tensor"
)
class RepeatInterleave(View):
    """Each element of a dim several times in a row; without dim, of the flattened tensor."""

    runtime = ("repeats", "output_size")

    def lower(b, x, repeats, dim, _):
        if dim is None:
            x, dim = b.reshape(x, [b.numel(x)]), 0
        dim = wrap_dim(dim, x.rank)
        before, n, after = x.sizes[:dim], x.sizes[dim], x.sizes[dim + 1 :]
        apart = b.broadcast(b.reshape(x, [*before, n, 1, *after]), [*before, n, repeats, *after])
        return b.reshape(apart, [*before, n * repeats, *after])

    cases = [case(f32(3, 4), 2, 1), case(f32("?", 4), 3, 0, at=[3, 0]), case(f32(3, 4), 2)]


@op("aten::tile(Tensor self, SymInt[] dims) -> Tensor")
class Tile(View):
    """repeat, with missing counts in front taken as 1."""

    runtime = ("dims",)

    def lower(b, x, dims):
        return repeat(b, x, [1] * (x.rank - len(dims)) + list(dims))

    cases = [case(f32(3, 4), [2]), case(f32("?", 4), [2, 1, 3])]
