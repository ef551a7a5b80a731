"""Level 3: linear layers with parameters."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from npcomp_curriculum.registry import f32, program

BATCHES = [{"batch": 5}, {"batch": 1}, {"batch": 32}, {"batch": 0}]


@program("mlp.one_layer", f32("batch", 3), level=3, sizes=BATCHES)
class OneLayer(nn.Module):
    """One linear layer and tanh."""

    def __init__(self) -> None:
        super().__init__()
        self.fc0 = nn.Linear(3, 5)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.fc0(x))


@program("mlp.two_layer", f32("batch", 784), level=3, sizes=BATCHES)
class TwoLayer(nn.Module):
    """Two linear layers, tanh after each."""

    def __init__(self) -> None:
        super().__init__()
        self.fc0 = nn.Linear(784, 512)
        self.fc1 = nn.Linear(512, 10)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.fc1(torch.tanh(self.fc0(x))))
