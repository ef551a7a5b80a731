"""Sizes of tensors as numbers."""

from __future__ import annotations

from .cases import case, f32
from .dims import wrap_dim
from .families.scalar import Scalar
from .registry import op


@op("aten::size.int(Tensor self, int dim) -> int")
@op("aten::sym_size.int(Tensor self, int dim) -> SymInt")
class SizeInt(Scalar):
    """The size of one dim."""

    def lower(b, x, dim):
        return x.sizes[wrap_dim(dim, x.rank)]

    cases = [case(f32(3, 4), -1), case(f32("?", 4), 0, at=[3, 0])]
