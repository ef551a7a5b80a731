"""Gradients of pooling."""

from __future__ import annotations

from .cases import case, f32, f64, i64
from .dtypes import DType
from .errors import InferError
from .families.backward import Backward
from .families.ordering import guarded
from .families.reduction import count_of
from .pooling import covered, divided, window_of
from .pooling_adaptive import part_bounds
from .promotion import opmath
from .registry import op
from .window_columns import along, covering, weighted


def to_maxima(b, grad, x, indices, spatial):
    """Zeros in the sizes of x, with the gradient added up at the places that the indices name in each plane."""
    for t, name in ((grad, "grad_output"), (indices, "indices")):
        if t.rank != x.rank:
            raise InferError(f"expected {name} of the input's rank {x.rank}, got rank {t.rank}")
    for d, (have, want) in enumerate(zip(indices.sizes, grad.sizes, strict=True)):
        b.guard(
            have == want, f"expected indices to have size {{1}} at dimension {d}, as grad_output, got {{0}}", have, want
        )
    lead = x.rank - spatial
    spatial_dims = range(lead, x.rank)
    rows, total = x.sizes[:lead], count_of(x, spatial_dims)
    for d in range(lead):
        b.guard(
            grad.sizes[d] == x.sizes[d],
            f"expected grad_output to have size {{1}} at dimension {d}, got {{0}}",
            grad.sizes[d],
            x.sizes[d],
        )
    count, wide = count_of(grad, spatial_dims), opmath(x.dtype)
    text = "Found an invalid max index: {0} (input plane of {1} elements)"
    index = guarded(b, b.reshape(indices, [*rows, count]), total, lead, "RuntimeError", text)
    zeros = b.full([*rows, total], 0, wide)
    flat = b.scatter("add", zeros, lead, index, b.reshape(b.cast(grad, wide), [*rows, count]))
    return b.cast(b.reshape(flat, x.sizes), x.dtype)


class MaximumBackward(Backward):
    """The gradient goes to the place of each window's maximum."""

    spatial = 2

    @classmethod
    def lower(cls, b, grad, x, *rest):
        return to_maxima(b, grad, x, rest[-1], cls.spatial)


def max_pool_backward(spatial):
    """Schema text of a maximum pool's gradient."""
    window = ", ".join(f"int[{spatial}] {name}" for name in ("kernel_size", "stride", "padding", "dilation"))
    return (
        f"aten::max_pool{spatial}d_with_indices_backward(Tensor grad_output, Tensor self, {window}, bool ceil_mode, "
        "Tensor indices) -> Tensor"
    )


def adaptive_backward(spatial):
    """Schema text of an adaptive maximum pool's gradient."""
    return f"aten::adaptive_max_pool{spatial}d_backward(Tensor grad_output, Tensor self, Tensor indices) -> Tensor"


def fractional_backward(spatial):
    """Schema text of a fractional maximum pool's gradient."""
    return (
        f"aten::fractional_max_pool{spatial}d_backward(Tensor grad_output, Tensor self, int[{spatial}] kernel_size, "
        f"int[{spatial}] output_size, Tensor indices) -> Tensor"
    )


@op(
    max_pool_backward(2),
    cases=[
        case(f32(1, 1, 1, 1), f32(1, 1, 2, 2), [2, 2], [2, 2], [0, 0], [1, 1], False, i64(1, 1, 1, 1, low=0, high=4)),
        case(
            f32("n", 3, 2, 2),
            f32("n", 3, 2, 2),
            [3, 3],
            [1, 1],
            [1, 1],
            [1, 1],
            False,
            i64("n", 3, 2, 2, low=0, high=4),
        ),
    ],
)
@op(
    adaptive_backward(2),
    cases=[case(f32(b, 3, 2, 2), f32(b, 3, 4, 5), i64(b, 3, 2, 2, low=0, high=20)) for b in (2, "n")],
)
@op(
    fractional_backward(2),
    cases=[case(f32(b, 3, 2, 2), f32(b, 3, 4, 5), [2, 2], [2, 2], i64(b, 3, 2, 2, low=0, high=20)) for b in (2, "n")],
)
class MaximumBackward2d(MaximumBackward):
    """The gradient goes to the place of each window's maximum."""


@op(
    max_pool_backward(3),
    cases=[
        case(
            f32("n", 3, 2, 2, 1),
            f32("n", 3, 4, 5, 2),
            [2, 2, 2],
            [2, 2, 2],
            [0, 0, 0],
            [1, 1, 1],
            False,
            i64("n", 3, 2, 2, 1, low=0, high=40),
        ),
        case(
            f32(1, 1, 1, 1, 1),
            f32(1, 1, 2, 2, 2),
            [2, 2, 2],
            [2, 2, 2],
            [0, 0, 0],
            [1, 1, 1],
            False,
            i64(1, 1, 1, 1, 1, low=0, high=8),
        ),
    ],
)
@op(
    adaptive_backward(3),
    cases=[case(f32(b, 3, 2, 2, 1), f32(b, 3, 4, 5, 2), i64(b, 3, 2, 2, 1, low=0, high=40)) for b in (2, "n")],
)
@op(
    fractional_backward(3),
    cases=[
        case(f32(b, 3, 2, 2, 1), f32(b, 3, 4, 5, 3), [2, 2, 2], [2, 2, 1], i64(b, 3, 2, 2, 1, low=0, high=40))
        for b in (2, "n")
    ],
)
class MaximumBackward3d(MaximumBackward):
    """The gradient goes to the place of each window's maximum."""

    spatial = 3


def share_windows(b, grad, dim, size, kernel, stride, padding):
    """Each place of a dim gets the sum over the windows that contain it."""
    window, _, holds = covering(b, size, grad.sizes[dim], kernel, stride, padding, 1)
    picked = b.index_select(grad, dim, window, error=None)
    shaped = along(b, holds, dim, picked.rank)
    kept = b.map(lambda b, e, ok: b.select(ok, e, b.const(0, e.dtype)), picked, shaped, dtype=grad.dtype)
    return b.reduce("sum", kept, [dim + 1])


def average_backward(b, grad, x, kernel, stride, padding, include_pad, divisor, spatial):
    """The gradient of each window shared out over its elements."""
    kernel, stride, padding, _ = window_of(x, kernel, stride, padding, (1,), spatial)
    if divisor == 0:
        raise InferError("divisor must be not zero")
    wide, lead = opmath(x.dtype), x.rank - spatial
    share = b.cast(grad, wide)
    if divisor is not None:
        share = b.map(lambda b, g: divided(b, g, divisor), share, dtype=wide)
    else:
        places = None
        for d in range(spatial):
            count = grad.sizes[lead + d]
            line = covered(b, x.sizes[lead + d], kernel[d], stride[d], padding[d], count, include_pad)
            shaped = b.reshape(line, [count] + [1] * (spatial - d - 1))
            places = shaped if places is None else b.map(lambda b, p, n: p * n, places, shaped, dtype=DType.i64)
        share = b.map(lambda b, g, n: divided(b, g, b.cast(n, wide)), share, places, dtype=wide)
    for d in range(spatial):
        share = share_windows(b, share, lead + d, x.sizes[lead + d], kernel[d], stride[d], padding[d])
    return b.cast(share, x.dtype)


def average_schema(spatial):
    """Schema text of an average pool's gradient."""
    window = ", ".join(f"int[{spatial}] {name}" for name in ("kernel_size", "stride", "padding"))
    return (
        f"aten::avg_pool{spatial}d_backward(Tensor grad_output, Tensor self, {window}, bool ceil_mode, "
        "bool count_include_pad, int? divisor_override) -> Tensor"
    )


@op(average_schema(2))
class AvgPool2dBackward(Backward):
    """The gradient shared out over each window."""

    def lower(b, grad, x, kernel, stride, padding, ceil_mode, include_pad, divisor):
        return average_backward(b, grad, x, kernel, stride, padding, include_pad, divisor, 2)

    cases = [
        case(f32(2, 3, 2, 3), f32(2, 3, 4, 6), [2, 2], [2, 2], [0, 0], False, True, None),
        case(f32("n", 3, 3, 3), f32("n", 3, 5, 6), [3, 2], [2, 2], [1, 0], False, False, None),
        case(f32("n", 3, 3, 3), f32("n", 3, 5, 6), [3, 2], [2, 2], [1, 0], False, True, 5),
        case(f64(3, 3, 6), f64(3, 5, 6), [2, 3], [2, 1], [0, 1], True, True, None),
    ]


@op(average_schema(3))
class AvgPool3dBackward(Backward):
    """The gradient shared out over each window."""

    def lower(b, grad, x, kernel, stride, padding, ceil_mode, include_pad, divisor):
        return average_backward(b, grad, x, kernel, stride, padding, include_pad, divisor, 3)

    cases = [
        case(f32("n", 3, 2, 3, 2), f32("n", 3, 4, 6, 3), [2, 2, 2], [2, 2, 1], [0, 0, 0], False, True, None),
        case(f32(2, 3, 2, 3, 2), f32(2, 3, 3, 6, 4), [2, 2, 3], [2, 2, 2], [1, 0, 1], False, False, None),
    ]


def share_parts(b, grad, dim, size):
    """Each part's gradient divided over its elements; a place may belong to several parts."""
    n = grad.sizes[dim]
    if isinstance(n, int) and isinstance(size, int):
        firsts = [(y * n // size, ((y + 1) * n - 1) // size) for y in range(size)]
        most = max((high - low + 1 for low, high in firsts), default=1)
    else:
        most = n // b.maximum(size, 1) + 2

    def body(b, y, t):
        low, high = y * n // size, (y * n + n - 1) // size
        part = b.minimum(low + t, high)
        start, stop = part_bounds(part, n, size)
        weight = 1.0 / b.cast(stop - start, grad.dtype)
        return part, b.select(low + t <= high, weight, b.const(0.0, grad.dtype))

    places = b.reshape(b.iota(size, DType.i64), [size, 1])
    tables = b.map(body, places, b.iota(most, DType.i64), dtype=(DType.i64, grad.dtype))
    return weighted(b, grad, dim, *tables)


@op("aten::_adaptive_avg_pool2d_backward(Tensor grad_output, Tensor self) -> Tensor")
@op(
    "aten::_adaptive_avg_pool3d_backward(Tensor grad_output, Tensor self) -> Tensor",
    cases=[case(f32(2, 3, 2, 3, 1), f32(2, 3, 5, 7, 4)), case(f64("n", 3, 2, 3, 4), f64("n", 3, 5, 3, 3))],
)
class AdaptiveAvgPoolBackward(Backward):
    """The gradient shared out over each part."""

    @classmethod
    def lower(cls, b, grad, x):
        if grad.rank != x.rank:
            raise InferError(f"expected grad_output of the input's rank {x.rank}, got rank {grad.rank}")
        wide = opmath(x.dtype)
        y = b.cast(grad, wide)
        spatial = 3 if "3d" in cls.name() else 2
        for dim in range(x.rank - spatial, x.rank):
            y = share_parts(b, y, dim, x.sizes[dim])
        return b.cast(y, x.dtype)

    cases = [
        case(f32(2, 3, 1, 1), f32(2, 3, 4, 5)),
        case(f32("n", 3, 2, 3), f32("n", 3, 5, 7)),
        case(f32(3, 2, "a"), f32(3, "b", 7), at=[(3, 5), (1, 4)]),
    ]
