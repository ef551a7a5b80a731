"""Where an extremum is."""

from __future__ import annotations

from .block import Block
from .cases import case, f32, i1, i64
from .dims import wrap_dim
from .dtypes import DType
from .errors import InferError
from .families.reduction import guard_nonempty
from .promotion import bool_as_u8, to_i64
from .registry import op


def with_dim(b, x):
    """A 0-d tensor as one of one element."""
    return x if x.rank else b.reshape(x, [1])


class ArgExtremum(Block):
    """The index of the first extremum along a dim, or in the flattened tensor; nan wins."""

    family = "reduction"
    dtype = to_i64
    extremum = "max"

    @classmethod
    def lower(cls, b, x, dim, keepdim):
        sizes, rank = x.sizes, x.rank
        if x.dtype is DType.bool:
            raise InferError(f"{cls.schema.base}(): does not support bool input")
        if dim is None or rank == 0:
            flat = b.reshape(x, [b.numel(x)])
            guard_nonempty(b, flat, [0], cls.schema.base)
            index = b.arg_reduce(cls.extremum, flat, 0)
            return b.reshape(index, [1] * rank) if keepdim else index
        dim = wrap_dim(dim, rank)
        guard_nonempty(b, x, [dim], cls.schema.base)
        index = b.arg_reduce(cls.extremum, x, dim, keepdim)
        return index if keepdim or rank else b.reshape(index, sizes)

    cases = [
        case(f32(3, 4, special=True), 1),
        case(f32("?", 4), 0, True, at=[3, 1]),
        case(i64(2, 9, low=0, high=3)),
        case(f32("?", 4), None, True),
        case(f32(), 0),
    ]


@op("aten::argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor", out="aten::argmax.out")
class ArgMax(ArgExtremum):
    """The index of the first largest element."""


@op("aten::argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor", out="aten::argmin.out")
class ArgMin(ArgExtremum):
    """The index of the first smallest element."""

    extremum = "min"


class ExtremumAlong(Block):
    """The extremum along a dim and its first index; nan wins."""

    family = "reduction"
    extremum = "max"

    @classmethod
    def lower(cls, b, x, dim, keepdim):
        dtype, rank, dim = x.dtype, x.rank, wrap_dim(dim, x.rank)
        x = with_dim(b, b.cast(x, bool_as_u8(dtype)))
        guard_nonempty(b, x, [dim], cls.schema.base)
        values = b.cast(b.reduce(cls.extremum, x, [dim], keepdim and rank > 0), dtype)
        return values, b.arg_reduce(cls.extremum, x, dim, keepdim and rank > 0)

    cases = [
        case(f32(3, 4, special=True), 1),
        case(f32("?", 4), 0, True, at=[3, 1]),
        case(i64(2, 9, low=0, high=3), -1),
        case(i1(5), 0),
        case(f32(), 0),
    ]


@op(
    "aten::max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
    out="aten::max.dim_max(Tensor self, int dim, bool keepdim=False, *, Tensor(a!) max, Tensor(b!) max_values) -> "
    "(Tensor(a!) values, Tensor(b!) indices)",
)
class MaxDim(ExtremumAlong):
    """The largest element along a dim and where it is."""


@op(
    "aten::min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
    out="aten::min.dim_min(Tensor self, int dim, bool keepdim=False, *, Tensor(a!) min, Tensor(b!) min_indices) -> "
    "(Tensor(a!) values, Tensor(b!) indices)",
)
class MinDim(ExtremumAlong):
    """The smallest element along a dim and where it is."""

    extremum = "min"
