"""Tensors put together."""

from __future__ import annotations

import functools
import operator

from .cases import case, f32, i64
from .dims import wrap_dim
from .errors import InferError
from .families.view import View
from .promotion import operand_of, result_type
from .registry import op


def common_dtype(b, tensors):
    """The tensors in the dtype they promote to."""
    dtype = result_type([operand_of(t) for t in tensors])
    return [b.cast(t, dtype) for t in tensors]


def without_legacy_empty(b, tensors):
    """torch.cat takes 1-d empty tensors among others of any rank and leaves them out."""
    rank = max(t.rank for t in tensors)
    kept = []
    for t in tensors:
        if t.rank == rank and not (rank == 1 and isinstance(t.sizes[0], int) and t.sizes[0] == 0):
            kept.append(t)
        elif t.rank == 1:
            b.guard(t.sizes[0] == 0, "Tensors must have same number of dimensions: got 1 and {0}", rank)
        else:
            raise InferError(f"Tensors must have same number of dimensions: got {t.rank} and {rank}")
    return kept or tensors[:1]


def concatenate(b, tensors, dim):
    """Tensors one after another along a dim, promoted to one dtype."""
    if not tensors:
        raise InferError("torch.cat(): expected a non-empty list of Tensors", "ValueError")
    tensors = without_legacy_empty(b, common_dtype(b, tensors))
    if tensors[0].rank == 0:
        raise InferError("zero-dimensional tensor (at position 0) cannot be concatenated")
    dim = wrap_dim(dim, tensors[0].rank)
    return tensors[0] if len(tensors) == 1 else b.concat(tensors, dim)


class Join(View):
    """A list of tensors becomes one."""

    @classmethod
    def give_up(cls, args):
        return cls.unknown_results()


@op("aten::cat(Tensor[] tensors, int dim=0) -> Tensor", out="aten::cat.out")
@op("aten::concat(Tensor[] tensors, int dim=0) -> Tensor", out="aten::concat.out")
@op("aten::concatenate(Tensor[] tensors, int dim=0) -> Tensor", out="aten::concatenate.out")
class Cat(Join):
    """Tensors one after another along a dim."""

    def lower(b, tensors, dim):
        return concatenate(b, tensors, dim)

    cases = [
        case([f32(3, 4), f32(3, 2)], -1),
        case([f32("?", 4), f32("?", 4), i64(1, 4)], 0, at=[(3, 2), (0, 1)]),
        case([f32(0), f32(3, 4)], 1),
        case([f32(3)]),
    ]


@op("aten::stack(Tensor[] tensors, int dim=0) -> Tensor", out="aten::stack.out")
class Stack(Join):
    """Tensors of one shape along a new dim."""

    def lower(b, tensors, dim):
        if not tensors:
            raise InferError("stack expects a non-empty TensorList")
        dim = wrap_dim(dim, tensors[0].rank + 1)
        shaped = [b.reshape(t, [*t.sizes[:dim], 1, *t.sizes[dim:]]) for t in common_dtype(b, tensors)]
        return concatenate(b, shaped, dim)

    cases = [case([f32(3, 4), f32(3, 4)], 1), case([f32("n", 4), f32("n", 4)], -1, at=[3, 0]), case([f32(), f32()])]


@op("aten::_chunk_cat(Tensor[] tensors, int dim, int num_chunks) -> Tensor", out="aten::_chunk_cat.out")
class ChunkCat(Join):
    """Tensors padded with zeros to `num_chunks` equal chunks along a dim, chunk k of all of them in row k."""

    def lower(b, tensors, dim, count):
        if not tensors or count < 1:
            raise InferError("_chunk_cat expects at least one tensor and num_chunks >= 1")
        dim = wrap_dim(dim, tensors[0].rank)
        rows = []
        for t in common_dtype(b, tensors):
            b.guard(b.numel(t) > 0, "_chunk_cat expects non-empty tensor")
            length = (t.sizes[dim] + count - 1) // count
            padded = b.pad(t, [0] * t.rank, [(length * count - n) * (d == dim) for d, n in enumerate(t.sizes)], 0)
            width = functools.reduce(operator.mul, t.sizes[dim + 1 :], length)
            rows.append(b.reshape(padded, [*t.sizes[:dim], count, width]))
        return b.concat(rows, dim + 1)

    cases = [
        case([f32(3, 4), f32(5, 2)], 0, 2),
        case([f32(2, 5), f32(2, 3, 2)], 1, 3),
        case([f32("?", 3)], 0, 2, at=[5, 1]),
        case([f32("?", 3)], 1, 2, at=[4, 1]),
    ]


@op("aten::hstack(Tensor[] tensors) -> Tensor", out="aten::hstack.out")
class HStack(Join):
    """Tensors side by side: along dim 1, or 0 for vectors."""

    def lower(b, tensors):
        shaped = [t if t.rank else b.reshape(t, [1]) for t in tensors]
        return concatenate(b, shaped, min(1, shaped[0].rank - 1))

    cases = [case([f32(3, 4), f32(3, 2)]), case([f32("?"), f32(2)])]


@op("aten::vstack(Tensor[] tensors) -> Tensor", out="aten::vstack.out")
class VStack(Join):
    """Tensors on top of each other: along dim 0, vectors as rows."""

    def lower(b, tensors):
        return concatenate(b, [t if t.rank > 1 else b.reshape(t, [1, b.numel(t)]) for t in tensors], 0)

    cases = [case([f32(3, 4), f32(2, 4)]), case([f32("n"), f32("n")])]


def common_shape(b, tensors):
    """The sizes that tensors broadcast to; sizes that only run time knows must be equal."""
    rank = max(t.rank for t in tensors)
    sizes = [1] * rank
    for t in tensors:
        for d, s in enumerate(t.sizes, rank - t.rank):
            if (s == 1) is not True and (sizes[d] == 1) is True:
                sizes[d] = s
    return sizes


@op("aten::broadcast_tensors(Tensor[] tensors) -> Tensor[]")
class BroadcastTensors(Join):
    """Tensors broadcast to one shape."""

    def lower(b, tensors):
        sizes = common_shape(b, tensors)
        return [b.broadcast(t, sizes) for t in tensors]

    cases = [case([f32(3, 1), f32(4)]), case([f32("n", 1), f32(4)])]


@op("aten::meshgrid(Tensor[] tensors) -> Tensor[]")
@op(
    "aten::meshgrid.indexing(Tensor[] tensors, *, str indexing) -> Tensor[]",
    cases=[case([f32(3), f32(4)], indexing="xy"), case([f32("?"), f32(4)], indexing="ij")],
)
class MeshGrid(Join):
    """The coordinates of a grid, one tensor for each axis."""

    def lower(b, tensors, indexing="ij"):
        vectors = [t if t.rank else b.reshape(t, [1]) for t in tensors]
        swapped = indexing == "xy" and len(vectors) > 1
        order = [1, 0, *range(2, len(vectors))] if swapped else list(range(len(vectors)))
        sizes = [vectors[i].sizes[0] for i in order]
        grids = []
        for i, v in enumerate(vectors):
            shape = [v.sizes[0] if axis == i else 1 for axis in order]
            grids.append(b.broadcast(b.reshape(v, shape), sizes))
        return grids

    cases = [case([f32(3), f32(4)]), case([f32("?"), f32(4), f32(2)])]
