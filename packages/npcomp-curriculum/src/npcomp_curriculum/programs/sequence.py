"""Level 5: recurrence and embeddings."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from npcomp_curriculum.registry import f32, i64, program


@program("lstm_cell_loop", f32(6, "batch", 8), level=5, sizes=[{"batch": 3}, {"batch": 1}, {"batch": 17}])
class LstmCellLoop(nn.Module):
    """An LSTM cell called in a Python loop over time; the last hidden state."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(8, 12)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros(x.size(1), 12)
        c = torch.zeros(x.size(1), 12)
        for t in range(x.size(0)):
            h, c = self.cell(x[t], (h, c))
        return h


@program(
    "embedding_mean", i64("batch", "time", high=50), level=5, sizes=[{"batch": 3, "time": 5}, {"batch": 1, "time": 1}]
)
class EmbeddingMean(nn.Module):
    """A bag of words: the mean of the words' vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(50, 16)

    def forward(self, words: Tensor) -> Tensor:
        return self.embedding(words).mean(dim=1)
