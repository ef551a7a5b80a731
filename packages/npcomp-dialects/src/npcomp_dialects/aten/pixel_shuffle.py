"""Channels traded for pixels, and channels of groups interleaved."""

from __future__ import annotations

from .cases import case, f32, i64
from .errors import InferError
from .families.view import View
from .registry import op


def check_factor(r, name):
    """The factor is positive."""
    if r <= 0:
        raise InferError(f"{name} expects a positive factor, but got {r}")


@op("aten::pixel_shuffle(Tensor self, int upscale_factor) -> Tensor", out="aten::pixel_shuffle.out")
class PixelShuffle(View):
    """(…, C r², H, W) → (…, C, H r, W r)."""

    def lower(b, x, r):
        if x.rank < 3:
            raise InferError(f"pixel_shuffle expects input to have at least 3 dimensions, got {x.rank}")
        check_factor(r, "pixel_shuffle")
        *lead, channels, height, width = x.sizes
        b.guard(channels % (r * r) == 0, "pixel_shuffle: {0} channels are not a multiple of {1}", channels, r * r)
        n, apart = len(lead), b.reshape(x, [*lead, channels // (r * r), r, r, height, width])
        turned = b.permute(apart, [*range(n + 1), n + 3, n + 1, n + 4, n + 2])
        return b.reshape(turned, [*lead, channels // (r * r), height * r, width * r])

    cases = [case(f32(2, 8, 3, 4), 2), case(f32("?", 9, 2, "?"), 3)]


@op("aten::pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor", out="aten::pixel_unshuffle.out")
class PixelUnshuffle(View):
    """(…, C, H r, W r) → (…, C r², H, W)."""

    def lower(b, x, r):
        if x.rank < 3:
            raise InferError(f"pixel_unshuffle expects input to have at least 3 dimensions, got {x.rank}")
        check_factor(r, "pixel_unshuffle")
        *lead, channels, height, width = x.sizes
        for s in (height, width):
            b.guard(s % r == 0, "pixel_unshuffle: size {0} is not a multiple of {1}", s, r)
        n, apart = len(lead), b.reshape(x, [*lead, channels, height // r, r, width // r, r])
        turned = b.permute(apart, [*range(n + 1), n + 2, n + 4, n + 1, n + 3])
        return b.reshape(turned, [*lead, channels * r * r, height // r, width // r])

    cases = [case(f32(2, 3, 4, 6), 2), case(f32("?", 3, 6, 3), 3)]


@op("aten::channel_shuffle(Tensor self, SymInt groups) -> Tensor", out="aten::channel_shuffle.out")
@op("aten::native_channel_shuffle(Tensor self, SymInt groups) -> Tensor")
class ChannelShuffle(View):
    """The first channel of each group, then the second of each, and so on."""

    def lower(b, x, groups):
        if x.rank < 3:
            raise InferError(f"channel_shuffle expects input with > 2 dims, but got input with {x.rank} dims")
        check_factor(groups, "channel_shuffle")
        n, channels, *rest = x.sizes
        message = "Number of channels must be divisible by groups. Got {0} channels and {1} groups."
        b.guard(channels % groups == 0, message, channels, groups)
        apart = b.reshape(x, [n, groups, channels // groups, *rest])
        return b.reshape(b.permute(apart, [0, 2, 1, *range(3, apart.rank)]), x.sizes)

    cases = [case(f32(2, 6, 3), 2), case(i64("?", 6, "?", 2), 3, at=[(2, 3), (1, 1)])]
