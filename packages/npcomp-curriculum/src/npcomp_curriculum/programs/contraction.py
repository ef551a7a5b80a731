"""Level 2: matrix products, alone, chained, and in a graph."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from npcomp_curriculum.registry import f32, program

SHAPES = [{"m": 4, "k": 5, "n": 6}, {"m": 33, "k": 17, "n": 65}, {"m": 1, "k": 1, "n": 1}, {"m": 3, "k": 0, "n": 2}]
SQUARES = [{"n": 4}, {"n": 33}, {"n": 1}]


@program("mm.basic", f32("m", "k"), f32("k", "n"), level=2, sizes=SHAPES)
class Basic(nn.Module):
    """One matrix product."""

    def forward(self, lhs: Tensor, rhs: Tensor) -> Tensor:
        return torch.mm(lhs, rhs)


@program("mm.chained", f32("n", "n"), f32("n", "n"), f32("n", "n"), level=2, sizes=SQUARES, atol=1e-3)
class Chained(nn.Module):
    """A product of a product."""

    def forward(self, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        return torch.mm(torch.mm(a, b), c)


@program("mm.dag", f32("n", "n"), f32("n", "n"), level=2, sizes=SQUARES, atol=1e-3)
class Dag(nn.Module):
    """One product used twice by another."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        product = torch.mm(a, b)
        return torch.mm(product, product)


@program("mm.tanh", f32("m", "k"), f32("k", "n"), level=2, sizes=SHAPES)
class Tanh(nn.Module):
    """A product with an epilogue."""

    def forward(self, lhs: Tensor, rhs: Tensor) -> Tensor:
        return torch.tanh(torch.mm(lhs, rhs))
