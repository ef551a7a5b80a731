"""Level 4: batch and layer normalization, softmax."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from npcomp_curriculum.registry import f32, program

ROWS = [{"n": 4, "m": 16}, {"n": 1, "m": 1}, {"n": 9, "m": 100}, {"n": 0, "m": 3}]


def _trained(norm: Any) -> nn.Module:
    """Running statistics and affine parameters as training would leave them: not zeros and ones."""
    for tensor in (norm.running_mean, norm.weight, norm.bias):
        nn.init.normal_(tensor)
    nn.init.uniform_(norm.running_var, 0.5, 2.0)
    return norm


@program("batch_norm1d", f32("n", 10), level=4, sizes=[{"n": 3}, {"n": 1}, {"n": 0}])
class BatchNorm1d(nn.Module):
    """Batch normalization of vectors, in inference."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = _trained(nn.BatchNorm1d(10))

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x)


@program("batch_norm2d", f32("n", 4, "h", "w"), level=4, sizes=[{"n": 2, "h": 3, "w": 5}, {"n": 1, "h": 8, "w": 1}])
class BatchNorm2d(nn.Module):
    """Batch normalization of images, in inference."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = _trained(nn.BatchNorm2d(4))

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x)


@program(
    "batch_norm3d", f32("n", 4, "d", "h", "w"), level=4,
    sizes=[{"n": 2, "d": 2, "h": 3, "w": 5}, {"n": 1, "d": 3, "h": 1, "w": 7}],
)  # fmt: skip
class BatchNorm3d(nn.Module):
    """Batch normalization of volumes, in inference."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = _trained(nn.BatchNorm3d(4))

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x)


@program("layer_norm", f32("n", 24), level=4, sizes=[{"n": 4}, {"n": 1}, {"n": 31}, {"n": 0}])
class LayerNorm(nn.Module):
    """Normalization of each row, with scale and shift."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(24)
        nn.init.normal_(self.norm.weight)
        nn.init.normal_(self.norm.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x)


@program("softmax", f32("n", "m"), level=4, sizes=ROWS)
class Softmax(nn.Module):
    """Softmax of each row."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(x, dim=-1)
