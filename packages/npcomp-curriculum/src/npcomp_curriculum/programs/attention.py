"""Level 6: attention."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from npcomp_curriculum.registry import f32, program


@program(
    "encoder_layer", f32("batch", "time", 32), level=6, rtol=1e-3,
    sizes=[{"batch": 2, "time": 7}, {"batch": 1, "time": 1}, {"batch": 3, "time": 16}],
)  # fmt: skip
class EncoderLayer(nn.Module):
    """A transformer encoder layer: self-attention with 4 heads and a feed-forward block, normalization before each."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(32, 96)
        self.out = nn.Linear(32, 32)
        self.norm1 = nn.LayerNorm(32)
        self.norm2 = nn.LayerNorm(32)
        self.up = nn.Linear(32, 64)
        self.down = nn.Linear(64, 32)

    def forward(self, x: Tensor) -> Tensor:
        batch, time = x.size(0), x.size(1)
        qkv = self.qkv(self.norm1(x)).view(batch, time, 3, 4, 8).permute(2, 0, 3, 1, 4)
        scores = torch.matmul(qkv[0], qkv[1].transpose(-2, -1)) / math.sqrt(8.0)
        mixed = torch.matmul(torch.softmax(scores, dim=-1), qkv[2])
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, time, 32))
        return x + self.down(torch.nn.functional.gelu(self.up(self.norm2(x))))
