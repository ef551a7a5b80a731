"""Level 1: one result element depends on one element of each operand."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from npcomp_curriculum.registry import f32, program

MATRICES = [{"n": 3, "m": 4}, {"n": 7, "m": 65}, {"n": 1, "m": 1}, {"n": 0, "m": 5}]


@program("elementwise.unary", f32("n", "m"), level=1, sizes=MATRICES)
class Unary(nn.Module):
    """tanh of a matrix."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x)


@program("elementwise.binary", f32("n", "m"), f32("n", "m"), level=1, sizes=MATRICES)
class Binary(nn.Module):
    """Product of two matrices, element by element."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x * y


@program("elementwise.ternary", f32("n", "m"), f32("n", "m"), f32("n", "m"), level=1, sizes=MATRICES)
class Ternary(nn.Module):
    """Linear interpolation between two matrices by a third."""

    def forward(self, x: Tensor, y: Tensor, w: Tensor) -> Tensor:
        return torch.lerp(x, y, w)


@program("elementwise.add", f32("n"), f32("n"), level=1, sizes=[{"n": 1}, {"n": 5}, {"n": 1000}, {"n": 0}])
class Add(nn.Module):
    """Sum of two vectors."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y


@program("elementwise.unsqueeze_broadcast", f32("m"), f32("n", "m"), level=1, sizes=MATRICES)
class UnsqueezeBroadcast(nn.Module):
    """A vector turned into a row and added to every row of a matrix."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.unsqueeze(0) + y


@program("elementwise.relu", f32("n", "m"), level=1, sizes=MATRICES)
class Relu(nn.Module):
    """Rectified linear unit."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x)


@program("elementwise.gelu", f32("n", "m"), level=1, sizes=MATRICES)
class Gelu(nn.Module):
    """Gaussian error linear unit, the exact form."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.nn.functional.gelu(x)
