"""Tensors whose values follow from their place: ranges, identities, triangles, one-hot rows."""

from __future__ import annotations

import math

from .cases import case, f32, i1, i64
from .dtypes import DType
from .errors import InferError
from .factory import OPTIONS
from .families.factory import Factory
from .promotion import operand_of
from .registry import op


def is_number(value):
    return isinstance(value, (bool, int, float))


def as_i64(b, v):
    return int(v) if is_number(v) else b.cast(v, DType.i64)


def as_f64(b, v):
    return float(v) if is_number(v) else b.cast(v, DType.f64)


def arange(b, start, end, step, dtype):
    """start, start + step, … before end; integers alone give i64."""
    whole = not any(operand_of(v).dtype is DType.f64 for v in (start, end, step))
    dtype = dtype or (DType.i64 if whole else DType.f32)
    if is_number(step) and step == 0:
        raise InferError("step must be nonzero")
    start, end, step = (as_i64(b, v) if whole else as_f64(b, v) for v in (start, end, step))
    count = int_count(b, start, end, step) if whole else float_count(b, start, end, step)
    b.guard(count >= 0, "upper bound and lower bound inconsistent with step sign")

    def body(b, i):
        i = i if whole else b.cast(i, DType.f64)
        return b.cast(i * step + start, dtype)

    return b.map(body, b.iota(count, DType.i64), dtype=dtype)


def int_count(b, start, end, step):
    """ceil((end - start) / step) for integers."""
    if is_number(step):
        return (end - start + step - 1) // step if step > 0 else (start - end - step - 1) // -step
    return -((start - end) // step)


def float_count(b, start, end, step):
    """ceil((end - start) / step) for floats."""
    span = (end - start) / step
    return math.ceil(span) if is_number(span) else b.cast(b.math.ceil(span), DType.i64)


class Range(Factory):
    """Numbers at equal distances."""

    @classmethod
    def give_up(cls, args):
        return cls.unknown_results()


@op(f"aten::arange(Scalar end, *, {OPTIONS}) -> Tensor")
class Arange(Range):
    """0, 1, … before end."""

    def lower(b, end, dtype, *_):
        return arange(b, 0, end, 1, dtype)

    cases = [case(5), case(2.5), case(0), case(3, dtype=6)]


@op(f"aten::arange.start(Scalar start, Scalar end, *, {OPTIONS}) -> Tensor")
class ArangeStart(Range):
    """start, start + 1, … before end."""

    def lower(b, start, end, dtype, *_):
        return arange(b, start, end, 1, dtype)

    cases = [case(2, 5), case(0.5, 2.0), case(3, 3)]


@op(f"aten::arange.start_step(Scalar start, Scalar end, Scalar step=1, *, {OPTIONS}) -> Tensor")
class ArangeStep(Range):
    """start, start + step, … before end."""

    def lower(b, start, end, step, dtype, *_):
        return arange(b, start, end, step, dtype)

    cases = [case(2, 9, 3), case(9, 2, -3), case(0, 1, 0.1), case(1, 2, 0.25, dtype=7)]


def grid(b, rows, columns):
    """Row and column numbers that broadcast to a matrix."""
    return b.reshape(b.iota(rows, DType.i64), [rows, 1]), b.iota(columns, DType.i64)


def identity(b, rows, columns, dtype):
    """Ones where row and column agree."""
    dtype = dtype or DType.f32
    return b.map(lambda b, i, j: b.cast(i == j, dtype), *grid(b, rows, columns), dtype=dtype)


@op(f"aten::eye(SymInt n, *, {OPTIONS}) -> Tensor")
class Eye(Range):
    """The identity matrix."""

    def lower(b, n, dtype, *_):
        return identity(b, n, n, dtype)

    cases = [case(3), case(0, dtype=4)]


@op(f"aten::eye.m(SymInt n, SymInt m, *, {OPTIONS}) -> Tensor")
class EyeM(Range):
    """Ones on the diagonal of a matrix."""

    def lower(b, n, m, dtype, *_):
        return identity(b, n, m, dtype)

    cases = [case(3, 2), case(1, 4, dtype=11)]


class Triangle(Factory):
    """One side of the diagonal kept, the other 0."""

    upper = False

    @classmethod
    def infer(cls, x, diagonal):
        return x

    @classmethod
    def lower(cls, b, x, diagonal):
        if x.rank < 2:
            raise InferError("tril and triu need a tensor of at least 2 dimensions")
        rows, columns = grid(b, *x.sizes[-2:])

        def body(b, e, i, j):
            keep = j - i >= diagonal if cls.upper else j - i <= diagonal
            return b.select(keep, e, b.const(0, e.dtype))

        return b.map(body, x, rows, columns, dtype=x.dtype)

    cases = [f32(3, 4), case(f32("?", "?", 4), 1, at=[(2, 3), (0, 1)]), case(i64(3, 3), -1), i1(2, 2)]


@op("aten::tril(Tensor self, SymInt diagonal=0) -> Tensor", inplace="aten::tril_", out="aten::tril.out")
class Tril(Triangle):
    """The part on and below a diagonal."""


@op("aten::triu(Tensor self, SymInt diagonal=0) -> Tensor", inplace="aten::triu_", out="aten::triu.out")
class Triu(Triangle):
    """The part on and above a diagonal."""

    upper = True


@op("aten::one_hot(Tensor self, int num_classes=-1) -> Tensor")
class OneHot(Factory):
    """A row of zeros with a one at each index."""

    def lower(b, x, classes):
        if x.dtype is not DType.i64:
            raise InferError(f"one_hot is only applicable to index tensor of type i64, got {x.dtype}")
        if classes == -1:
            top = b.item(b.reduce("max", x, list(range(x.rank))))
            classes = top + 1
        apart = b.reshape(x, [*x.sizes, 1])
        inside = b.map(lambda b, i: (i >= 0) & (i < classes), x, dtype=DType.bool)
        b.guard(b.item(b.reduce("all", inside, list(range(x.rank)))), "Class values must lie in [0, {0})", classes)
        return b.map(lambda b, i, j: b.cast(i == j, DType.i64), apart, b.iota(classes, DType.i64), dtype=DType.i64)

    cases = [case(i64(5, low=0, high=3), 3), case(i64("?", 2, low=0, high=3), 4, at=[3, 0]), case(i64(5, low=0))]


def window(b, length, periodic, dtype, shape):
    """`shape(b, t)` at `length` places of one period, or up to its end when it is not to be repeated."""
    dtype = dtype or DType.f32
    if length <= 1:
        return b.full([length], 1.0, dtype)
    span = 2 * math.pi / (length if periodic else length - 1)
    places = b.iota(length, DType.i64)
    return b.map(lambda b, i: b.cast(shape(b, b.cast(i, DType.f64) * span), dtype), places, dtype=dtype)


WINDOW_CASES = [case(8), case(1), case(9, dtype=7)]


class Window(Range):
    """A symmetric bell over a number of places."""

    shape = None
    runtime = ("pin_memory",)

    @classmethod
    def lower(cls, b, length, *rest):
        named = cls.named((length, *rest))
        return window(b, length, named.get("periodic", True), named["dtype"], cls.shape)

    cases = WINDOW_CASES


@op(f"aten::hann_window(int window_length, *, {OPTIONS}) -> Tensor")
@op(f"aten::hann_window.periodic(int window_length, bool periodic, *, {OPTIONS}) -> Tensor", cases=[case(8, False)])
class HannWindow(Window):
    """(1 - cos) / 2."""

    def shape(b, t):
        return 0.5 - b.math.cos(t) * 0.5


@op(f"aten::hamming_window(int window_length, *, {OPTIONS}) -> Tensor")
@op(f"aten::hamming_window.periodic(int window_length, bool periodic, *, {OPTIONS}) -> Tensor", cases=[case(8, False)])
class HammingWindow(Window):
    """0.54 - 0.46 cos."""

    def shape(b, t):
        return 0.54 - b.math.cos(t) * 0.46
