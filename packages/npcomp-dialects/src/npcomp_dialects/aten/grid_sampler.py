"""Images read at the places of a grid."""

from __future__ import annotations

from .cases import case, f32, f64
from .dtypes import DType
from .errors import InferError
from .families.decomposed import Decomposed
from .families.indexing import Indexing
from .promotion import opmath
from .registry import op
from .upsample_smooth import SHARP, far, near

LINEAR, NEAREST, CUBIC = 0, 1, 2
ZEROS, BORDER, REFLECTION = 0, 1, 2
TAPS = {LINEAR: 2, NEAREST: 1, CUBIC: 4}
"""How many pixels a dim contributes."""


def unnormalized(b, c, size, align_corners, dtype):
    """A coordinate in [-1, 1] as a place among `size` pixels, every step rounded to the grid's dtype as torch does."""

    def rounded(v):
        return b.cast(b.cast(v, dtype), c.dtype)

    size = float(size) if isinstance(size, int) else b.cast(size, c.dtype)
    from_zero = rounded(c + 1.0)
    if align_corners:
        return rounded(from_zero * ((size - 1.0) * 0.5))
    return rounded(rounded(from_zero * size) - 1.0) * 0.5


def clipped(b, c, size):
    """The nearest place inside."""
    last = b.cast(size - 1, c.dtype) if not isinstance(size, int) else b.const(float(size - 1), c.dtype)
    return b.minimum(b.maximum(c, b.const(0.0, c.dtype)), last)


def reflected(b, c, size, align_corners):
    """Mirrored at the corners of the outermost pixels, or at their middles."""
    size = b.const(float(size), c.dtype) if isinstance(size, int) else b.cast(size, c.dtype)
    low, span = (0.0, size - 1.0) if align_corners else (-0.5, size)
    span = b.maximum(span, b.const(0.5, c.dtype))
    away = b.math.abs(c - low)
    flips = b.math.floor(away / span)
    rest = away % span
    return b.select(flips % 2.0 == 0.0, rest, span - rest) + low


def inside(b, c, size, padding, align_corners):
    """A place moved inside as the padding says; zeros leave it where it is."""
    if padding == BORDER:
        return clipped(b, c, size)
    if padding == REFLECTION:
        return clipped(b, reflected(b, c, size, align_corners), size)
    return c


def tap_of(b, place, k, size, mode, padding, align_corners):
    """Tap k of a dim: the pixel's number, its weight, and whether there is such a pixel."""
    dtype = place.dtype
    one = b.const(1.0, dtype)
    if mode == CUBIC:
        low = b.math.floor(place)
        share = place - low
        distance = b.select(k < 2, share, 1.0 - share)
        weight = b.select((k == 0) | (k == 3), far(distance + 1.0, SHARP), near(distance, SHARP))
        pixel = inside(b, low + b.cast(k - 1, dtype), size, padding, align_corners)
    elif mode == NEAREST:
        pixel, weight = b.math.round(inside(b, place, size, padding, align_corners)), one
    else:
        place = inside(b, place, size, padding, align_corners)
        low = b.math.floor(place)
        pixel = low + b.cast(k, dtype)
        weight = b.select(k == 0, 1.0 - (place - low), place - low)
    last = b.const(float(size - 1), dtype) if isinstance(size, int) else b.cast(size - 1, dtype)
    exists = (pixel >= 0.0) & (pixel <= last)
    safe = b.select(exists, pixel, b.const(0.0, dtype))
    return b.maximum(b.minimum(b.cast(safe, DType.i64), size - 1), 0), weight, exists


def check_grid(b, x, grid, spatial):
    """Batch, channels and pixels beside a grid of coordinates."""
    if x.rank != spatial + 2 or grid.rank != x.rank:
        raise InferError(
            f"grid_sampler(): expected input and grid of rank {spatial + 2}, got ranks {x.rank} and {grid.rank}"
        )
    if x.dtype is not grid.dtype:
        raise InferError(f"grid_sampler(): expected input and grid to have same dtype, got {x.dtype} and {grid.dtype}")
    message = "grid_sampler(): expected grid and input to have same batch size, got input {0} and grid {1}"
    b.guard(x.sizes[0] == grid.sizes[0], message, x.sizes[0], grid.sizes[0])
    message = "grid_sampler(): expected grid to have size {1} in last dimension, but got {0}"
    b.guard(grid.sizes[-1] == spatial, message, grid.sizes[-1], spatial)
    for d in range(2, x.rank):
        message = (
            f"grid_sampler(): expected input to have non-empty spatial dimensions, but dimension {d} has size {{0}}"
        )
        b.guard(x.sizes[d] > 0, message, x.sizes[d])


def rows_of(b, x):
    """The pixels as rows of channels: [N, C, …] → [N * …, C]."""
    last = b.permute(x, [0, *range(2, x.rank), 1])
    total = 1
    for s in last.sizes[:-1]:
        total = total * s
    return b.reshape(last, [total, last.sizes[-1]])


def coordinates(b, grid):
    """The columns of the grid, each [N, …, 1]; the first belongs to the last dim of the image."""
    last = grid.rank - 1
    return [b.slice(grid, last, d, d + 1, 1) for d in range(last - 1)]


def taps(b, x, grid, mode, padding, align_corners, wide):
    """For each point of the grid and each pixel that it touches: the pixel's row, its weight and whether it exists."""
    sizes = x.sizes[2:][::-1]
    count = TAPS[mode]
    batch = b.reshape(b.iota(x.sizes[0], DType.i64), [x.sizes[0]] + [1] * (grid.rank - 1))

    def body(b, n, t, *columns):
        row, weight, exists = n, None, None
        found = []
        for c, size in zip(columns, sizes, strict=True):
            place = unnormalized(b, b.cast(c, wide), size, align_corners, c.dtype)
            found.append(tap_of(b, place, t % count, size, mode, padding, align_corners))
            t = t // count
        for (pixel, share, ok), size in zip(reversed(found), reversed(sizes), strict=True):
            row = row * size + pixel
            weight = share if weight is None else weight * share
            exists = ok if exists is None else exists & ok
        return row, weight, exists

    numbers = b.iota(count ** len(sizes), DType.i64)
    return b.map(body, batch, numbers, *coordinates(b, grid), dtype=(DType.i64, wide, DType.bool))


def sample(b, x, grid, mode, padding, align_corners, spatial):
    """The weighted sum of the pixels that each point of the grid touches."""
    if mode not in TAPS or padding not in (ZEROS, BORDER, REFLECTION) or (mode == CUBIC and spatial == 3):
        raise InferError(
            f"grid_sampler(): no interpolation mode {mode} with padding mode {padding} over {spatial} dims"
        )
    check_grid(b, x, grid, spatial)
    wide = opmath(x.dtype)
    row, weight, exists = taps(b, x, grid, mode, padding, align_corners, wide)
    picked = b.index_select(rows_of(b, x), 0, row, error=None)
    weight, exists = (b.reshape(t, [*t.sizes, 1]) for t in (weight, exists))

    def body(b, e, w, ok):
        return b.select(ok, b.cast(e, wide) * w, b.const(0.0, wide))

    values = b.map(body, picked, weight, exists, dtype=wide)
    summed = b.reduce("sum", values, [values.rank - 2])
    return b.cast(b.permute(summed, [0, summed.rank - 1, *range(1, summed.rank - 1)]), x.dtype)


ARGUMENTS = "Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners"
CASES_2D = [
    case(f32(2, 3, 4, 5), f32(2, 3, 2, 2), mode, padding, align)
    for mode in (LINEAR, NEAREST, CUBIC)
    for padding in (ZEROS, BORDER, REFLECTION)
    for align in (False, True)
] + [case(f64("?", 3, "?", 5), f64("?", 3, 2, 2), 0, 0, False, at=[(2, 4, 2), (1, 1, 1)])]
CASES_3D = [
    case(f32(2, 3, 4, 5, 2), f32(2, 3, 2, 2, 3), mode, padding, align)
    for mode in (LINEAR, NEAREST)
    for padding in (ZEROS, BORDER, REFLECTION)
    for align in (False, True)
] + [case(f32("n", 3, 4, 5, 2), f32("n", 3, 2, 2, 3), 0, 0, False)]


@op(f"aten::grid_sampler_2d({ARGUMENTS}) -> Tensor", out="aten::grid_sampler_2d.out", cases=CASES_2D)
class GridSampler2d(Indexing):
    """An image read at points."""

    def lower(b, x, grid, mode, padding, align_corners):
        return sample(b, x, grid, mode, padding, align_corners, 2)


@op(f"aten::grid_sampler_3d({ARGUMENTS}) -> Tensor", out="aten::grid_sampler_3d.out", cases=CASES_3D)
class GridSampler3d(Indexing):
    """A volume read at points."""

    def lower(b, x, grid, mode, padding, align_corners):
        return sample(b, x, grid, mode, padding, align_corners, 3)


@op(f"aten::grid_sampler({ARGUMENTS}) -> Tensor")
class GridSampler(Decomposed):
    """An image or a volume read at points."""

    def decompose(b, x, grid, mode, padding, align_corners):
        read = b.aten.grid_sampler_3d if x.rank == 5 else b.aten.grid_sampler_2d
        return read(x, grid, mode, padding, align_corners)

    cases = [CASES_2D[-1], CASES_3D[0]]


@op(
    "aten::affine_grid_generator(Tensor theta, SymInt[] size, bool align_corners) -> Tensor",
    out="aten::affine_grid_generator.out",
)
class AffineGrid(Indexing):
    """The grid of an affine map: coordinates in [-1, 1] and 1, times the transposed matrix."""

    runtime = ("size",)

    def lower(b, theta, size, align_corners):
        if len(size) not in (4, 5) or theta.rank != 3:
            raise InferError(f"AffineGridGenerator needs 4d or 5d (spatial) input, got sizes {size}")
        extents = size[2:]
        spatial, dtype = len(extents), theta.dtype
        for d, want in ((0, size[0]), (1, spatial), (2, spatial + 1)):
            message = (
                f"Expected a batch of {spatial}D affine matrices, but dimension {d} has size {{0}} instead of {{1}}"
            )
            b.guard(theta.sizes[d] == want, message, theta.sizes[d], want)
        wide = opmath(dtype)
        total = b.full([], 0.0, wide)
        matrix = b.cast(theta, wide)

        def column(c):
            part = b.slice(matrix, 2, c, c + 1, 1)
            return b.reshape(part, [size[0], *[1] * spatial, spatial])

        for c, extent in enumerate(reversed(extents)):
            places = base(b, extent, align_corners, wide)
            line = b.reshape(places, [extent] + [1] * (c + 1))
            total = b.map(lambda b, t, p, m: t + p * m, total, line, column(c), dtype=wide)
        total = b.map(lambda b, t, m: t + m, total, column(spatial), dtype=wide)
        return b.cast(total, dtype)

    cases = [
        case(f32(2, 2, 3), [2, 3, 4, 5], False),
        case(f32("?", 2, 3), [3, 1, 4, 1], True, at=[3]),
        case(f64(2, 3, 4), [2, 3, 4, 5, 2], False),
    ]


def base(b, extent, align_corners, dtype):
    """`extent` coordinates over [-1, 1], at the ends or in the middles of pixels."""
    count = float(extent) if isinstance(extent, int) else b.cast(extent, dtype)

    def body(b, i):
        i = b.cast(i, dtype)
        if align_corners:
            steps = b.maximum(b.const(count, dtype) - 1.0, b.const(1.0, dtype))
            return b.select(b.const(count, dtype) > 1.0, i * (2.0 / steps) - 1.0, b.const(0.0, dtype))
        return (i * 2.0 + 1.0) / count - 1.0

    return b.map(body, b.iota(extent, DType.i64), dtype=dtype)
