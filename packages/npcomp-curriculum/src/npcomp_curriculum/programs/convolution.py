"""Level 4: convolution and pooling."""

from __future__ import annotations

from torch import Tensor, nn

from npcomp_curriculum.registry import f32, program

IMAGES = [{"n": 2, "h": 9, "w": 11}, {"n": 1, "h": 32, "w": 17}]


@program("conv2d.no_padding", f32("n", 3, "h", "w"), level=4, sizes=IMAGES)
class NoPadding(nn.Module):
    """3 × 3 convolution without padding."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 10, 3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


@program("conv2d.padding", f32("n", 3, "h", "w"), level=4, sizes=IMAGES)
class Padding(nn.Module):
    """3 × 3 convolution with padding, stride and bias."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 10, 3, padding=1, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


@program("adaptive_avg_pool2d", f32("n", 4, "h", "w"), level=4, sizes=IMAGES)
class AdaptiveAvgPool(nn.Module):
    """Mean of each channel, whatever the image's size."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d((1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x)
