"""Distances and similarities of rows."""

from __future__ import annotations

from .cases import case, f32
from .families.decomposed import Decomposed
from .registry import op


@op("aten::cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor")
class CosineSimilarity(Decomposed):
    """The product of rows over the product of their lengths, which are at least eps."""

    def decompose(b, x, y, dim, eps):
        lengths = [b.aten.clamp_min(b.aten.linalg_vector_norm(t, 2, [dim], True), eps) for t in (x, y)]
        units = [b.aten.div.Tensor(t, n) for t, n in zip((x, y), lengths, strict=True)]
        return b.aten.sum.dim_IntList(b.aten.mul.Tensor(*units), [dim])

    cases = [case(f32(3, 4), f32(3, 4)), case(f32("n", 4), f32("n", 4), -1)]


@op(
    "aten::pairwise_distance(Tensor x1, Tensor x2, float p=2., float eps=9.9999999999999995e-07, "
    "bool keepdim=False) -> Tensor"
)
class PairwiseDistance(Decomposed):
    """The norm of the difference of rows, moved by eps."""

    def decompose(b, x, y, p, eps, keepdim):
        difference = b.aten.add.Scalar(b.aten.sub.Tensor(x, y), eps)
        return b.aten.linalg_vector_norm(difference, p, [-1], keepdim)

    cases = [case(f32(3, 4), f32(3, 4)), case(f32("n", 4), f32("n", 4), 1.0, keepdim=True)]


@op("aten::sum_to_size(Tensor self, SymInt[] size) -> Tensor")
class SumToSize(Decomposed):
    """Summed over the dims that broadcasting from the size given would repeat."""

    def decompose(b, x, sizes):
        lead = x.rank - len(sizes)
        dims = list(range(lead)) + [d for d, s in enumerate(sizes, lead) if isinstance(s, int) and s == 1]
        total = b.aten.sum.dim_IntList(x, dims, True) if dims else b.aten.alias(x)
        return b.aten.view(total, sizes) if lead else total

    cases = [case(f32(3, 4), [4]), case(f32("?", 4), [1, 4]), case(f32(2, 3, 4), [3, 1]), case(f32(3), [3])]
