"""The handwritten digits that ship with scikit-learn: 1,797 images of 8 × 8 pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from npcomp_curriculum.programs.training import Classifier

EPOCHS = 40
BATCH = 32


@dataclass
class Digits:
    """Pixels in [0, 1] as f32[n, 64], labels as i64[n]; the last fifth is held out."""

    train_pixels: torch.Tensor
    train_labels: torch.Tensor
    test_pixels: torch.Tensor
    test_labels: torch.Tensor


def load() -> Digits:
    from sklearn.datasets import load_digits

    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    pixels = torch.from_numpy((data.data[order] / 16.0).astype(np.float32))
    labels = torch.from_numpy(data.target[order].astype(np.int64))
    held_out = len(labels) // 5
    return Digits(pixels[:-held_out], labels[:-held_out], pixels[-held_out:], labels[-held_out:])


def train(digits: Digits) -> Classifier:
    """Plain SGD in eager torch, a few seconds."""
    torch.manual_seed(0)
    model = Classifier()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(digits.train_labels)).split(BATCH):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(digits.train_pixels[batch]), digits.train_labels[batch])
            loss.backward()
            optimizer.step()
    return model.eval()


def draw(pixels: torch.Tensor, captions: list[str]) -> str:
    """Digits side by side in text, each above its caption."""
    shades = " .:-=+*#%@"
    images = (pixels.reshape(-1, 8, 8) * (len(shades) - 1)).round().int().tolist()
    rows = ["   ".join("".join(shades[v] * 2 for v in image[row]) for image in images) for row in range(8)]
    return "\n".join([*rows, "   ".join(caption.ljust(16) for caption in captions)])
