"""Numbers at equal distances, or with equal ratios, between two ends."""

from __future__ import annotations

from .cases import case, f32, i64
from .dtypes import DType
from .factory import OPTIONS
from .factory_range import Range, as_f64, as_i64, is_number
from .registry import op


def end_point(b, value, dtype):
    """An end as an f64 number; a tensor must be 0-d, and a result of integers starts and ends with integers."""
    if hasattr(value, "rank"):
        if value.rank != 0:
            b.error(f"linspace only supports 0-dimensional start and end tensors, but got one of rank {value.rank}")
        value = b.item(value)
    return as_f64(b, as_i64(b, value)) if not dtype.is_float else as_f64(b, value)


def space(b, start, end, steps, dtype, element):
    """`steps` numbers from start to end, counted from the nearer end as torch does; `element(b, x)` of each."""
    b.guard(steps >= 0, "number of steps must be non-negative, got {0}", steps)
    start, end = end_point(b, start, dtype), end_point(b, end, dtype)
    gap = (end - start) / (max(steps - 1, 1) if is_number(steps) else as_f64(b, b.maximum(steps - 1, 1)))

    def body(b, i):
        front = b.cast(i, DType.f64) * gap + start
        back = end - b.cast(steps - 1 - i, DType.f64) * gap
        return b.cast(element(b, b.select(i < steps // 2, front, back)), dtype)

    if steps == 1:
        return b.map(
            lambda b, i: b.cast(element(b, b.cast(start, DType.f64)), dtype), b.iota(1, DType.i64), dtype=dtype
        )
    return b.map(body, b.iota(steps, DType.i64), dtype=dtype)


@op(f"aten::linspace(Scalar start, Scalar end, int steps, *, {OPTIONS}) -> Tensor")
@op(
    f"aten::linspace.Tensor_Tensor(Tensor start, Tensor end, int steps, *, {OPTIONS}) -> Tensor",
    cases=[case(f32(), f32(), 5), case(i64(), f32(), 4, dtype=4), case(f32(), f32(), 1)],
)
@op(
    f"aten::linspace.Tensor_Scalar(Tensor start, Scalar end, int steps, *, {OPTIONS}) -> Tensor",
    cases=[case(f32(), 3, 5)],
)
@op(
    f"aten::linspace.Scalar_Tensor(Scalar start, Tensor end, int steps, *, {OPTIONS}) -> Tensor",
    cases=[case(0, f32(), 5)],
)
class Linspace(Range):
    """`steps` numbers from start to end at equal distances."""

    def lower(b, start, end, steps, dtype, *_):
        return space(b, start, end, steps, dtype or DType.f32, lambda b, x: x)

    cases = [case(0, 1, 5), case(-1.5, 2, 4), case(3, 4, 1), case(0, 1, 0), case(0.5, 9.5, 4, dtype=4)]


@op(f"aten::logspace(Scalar start, Scalar end, int steps, float base=10., *, {OPTIONS}) -> Tensor")
@op(
    f"aten::logspace.Tensor_Tensor(Tensor start, Tensor end, int steps, float base=10., *, {OPTIONS}) -> Tensor",
    cases=[case(f32(), f32(), 5), case(f32(), f32(), 4, 2.0, dtype=7)],
)
@op(
    f"aten::logspace.Tensor_Scalar(Tensor start, Scalar end, int steps, float base=10., *, {OPTIONS}) -> Tensor",
    cases=[case(f32(), 3, 5)],
)
@op(
    f"aten::logspace.Scalar_Tensor(Scalar start, Tensor end, int steps, float base=10., *, {OPTIONS}) -> Tensor",
    cases=[case(0, f32(), 5)],
)
class Logspace(Range):
    """base to the power of `steps` numbers from start to end at equal distances."""

    def lower(b, start, end, steps, base, dtype, *_):
        return space(b, start, end, steps, dtype or DType.f32, lambda b, x: b.math.pow(b.const(base, DType.f64), x))

    cases = [case(0, 1, 5), case(-1.5, 2, 4, 2.0), case(3, 4, 1), case(0, 1, 0), case(0, 4, 5, 2.0, dtype=4)]
