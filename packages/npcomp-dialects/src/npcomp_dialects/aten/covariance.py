"""Covariance and correlation of variables, one a row."""

from __future__ import annotations

from .block import Block
from .cases import case, f32, f64, i64
from .contraction import contract
from .dtypes import DType
from .errors import InferError, NotStatic
from .families.decomposed import Decomposed
from .families.reduction import divide_by
from .promotion import float_of, opmath, promote_to_float
from .registry import op


@op("aten::cov(Tensor self, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None) -> Tensor")
class Cov(Block):
    """The covariance of each pair of rows; of one row, its variance."""

    family = "reduction"
    dtype = promote_to_float

    def lower(b, x, correction, fweights, aweights):
        if x.rank > 2:
            raise InferError(f"cov(): expected input to have two or fewer dimensions but got an input with {x.rank}")
        if fweights is not None or aweights is not None:
            raise NotStatic("cov with weights has no lowering")
        rows = x.sizes[0] if x.rank == 2 else 1
        if not isinstance(rows, int):
            raise NotStatic("whether there is one row decides the rank of the result")
        if x.dtype is DType.bool:
            raise InferError("cov(): bool dtype is not supported for input")
        result = float_of(x.dtype)
        x = b.cast(x if x.rank == 2 else b.reshape(x, [1, b.numel(x)]), opmath(result))
        count = x.sizes[1]
        mean = divide_by(b, b.reduce("sum", x, [1], True), count)
        centered = b.map(lambda b, e, m: e - m, x, mean, dtype=x.dtype)
        products = contract(b, "mk,nk->mn", centered, centered)
        covariance = b.cast(divide_by(b, products, b.maximum(count - correction, 0)), result)
        return b.reshape(covariance, []) if rows == 1 else covariance

    cases = [f32(3, 4), case(f32(2, "?"), correction=0, at=[5, 1]), f32("?"), f64(1, 6), i64(2, 5)]

    @classmethod
    def give_up(cls, args):
        return cls.unknown_results()


@op("aten::corrcoef(Tensor self) -> Tensor")
class CorrCoef(Decomposed):
    """The correlation of each pair of rows: their covariance over both deviations."""

    def decompose(b, x):
        covariance = b.aten.cov(x)
        if covariance.rank == 0:
            return b.aten.div.Tensor(covariance, covariance)
        deviation = b.aten.sqrt(b.aten.diagonal(covariance))
        scaled = b.aten.div.Tensor(covariance, b.aten.unsqueeze(deviation, 1))
        return b.aten.clamp(b.aten.div.Tensor(scaled, b.aten.unsqueeze(deviation, 0)), -1, 1)

    cases = [f32(3, 4), f32(2, "?"), f32("?")]
