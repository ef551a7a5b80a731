"""Level 7: forward, backward and optimizer as one program."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from npcomp_curriculum.registry import f32, i64, program


class Classifier(nn.Module):
    """The demo's classifier of handwritten digits: 8 × 8 pixels, one hidden layer."""

    def __init__(self, hidden: int = 64) -> None:
        super().__init__()
        self.hidden = nn.Linear(64, hidden)
        self.scores = nn.Linear(hidden, 10)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.scores(torch.relu(self.hidden(pixels)))


@program(
    "train.classifier_sgd", f32("batch", 64), i64("batch"), level=7, train=True, frontends=("acap",),
    sizes=[{"batch": 16}] * 9 + [{"batch": 7}], rtol=1e-4,
)  # fmt: skip
class ClassifierSgd(nn.Module):
    """Ten steps of gradient descent; each call returns the loss before the step and updates the parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Classifier()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)

    def forward(self, pixels: Tensor, labels: Tensor) -> Tensor:
        self.optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(self.model(pixels), labels)
        loss.backward()
        self.optimizer.step()
        return loss.detach()
