"""Padding."""

from __future__ import annotations

from .cases import case, f32, f64, i64
from .dtypes import DType
from .errors import InferError
from .families.factory import constant
from .families.view import View
from .registry import op


def split_pads(x, pads):
    """torch's pad list, last dim first, as (low, high) for each dim."""
    if len(pads) % 2 or len(pads) > 2 * x.rank:
        raise InferError(f"pad of length {len(pads)} does not fit a tensor of rank {x.rank}")
    pairs = [(pads[i], pads[i + 1]) for i in range(0, len(pads), 2)]
    return [(0, 0)] * (x.rank - len(pairs)) + pairs[::-1]


def pad_constant(b, x, pads, value):
    """Elements of one value added around; negative counts take elements away."""
    pairs = split_pads(x, pads)
    for d, (low, high) in enumerate(pairs):
        x = crop(b, x, d, low, high)
    kept = [[b.maximum(p, 0) for p in side] for side in zip(*pairs, strict=True)] or [[], []]
    return b.pad(x, *kept, constant(b, value, x.dtype))


def crop(b, x, dim, low, high):
    """The elements that negative pads take away."""
    if all(isinstance(p, int) and p >= 0 for p in (low, high)):
        return x
    start, stop = b.maximum(-low, 0), x.sizes[dim] - b.maximum(-high, 0)
    b.guard(start <= stop, "pad: taking {0} and {1} elements away leaves none of {2}", low, high, x.sizes[dim])
    return b.slice(x, dim, start, stop, 1)


def pad_by_index(b, x, pads, source):
    """Each padded dim read through `source(i, n)`, where i runs from -low to n + high."""
    for d, (low, high) in enumerate(split_pads(x, pads)):
        if isinstance(low, int) and low == 0 and isinstance(high, int) and high == 0:
            continue
        n = x.sizes[d]
        guard_reach(b, source, low, high, n)
        x = b.index_select(x, d, sources(b, low, high, n, source))
    return x


def sources(b, low, high, n, source):
    """For each place of a padded dim, which element it shows."""
    places = b.iota(n + low + high, DType.i64)
    return b.map(lambda b, i: source(b, i - low, n), places, dtype=DType.i64)


def guard_reach(b, source, low, high, n):
    """The pads that a mode allows; negative ones take elements away, of which one stays."""
    reach = {reflect: n - 1, circular: n}.get(source)
    for p in (low, high):
        if reach is not None:
            b.guard(p <= reach, "Padding size {0} should be less than the corresponding input dimension {1}", p, n)
    least = 0 if source is circular else 1
    b.guard(n + low + high >= least, "pad: {1} and {2} elements added to dimension of size {0}", n, low, high)
    if source is not circular:
        b.guard(n >= 1, "pad: expected a non-empty dimension to take elements from, got size {0}", n)


def reflect(b, i, n):
    """Mirrored at the first and the last element."""
    last = n - 1
    return last - b.math.abs(last - b.math.abs(i))


def replicate(b, i, n):
    """The nearest element."""
    return b.minimum(b.maximum(i, 0), n - 1)


def circular(b, i, n):
    """The elements again from the other end."""
    return i % n


MODES = {"reflect": reflect, "replicate": replicate, "circular": circular}


@op("aten::constant_pad_nd(Tensor self, SymInt[] pad, Scalar value=0) -> Tensor", out="aten::constant_pad_nd.out")
class ConstantPad(View):
    """A value added around; negative counts take elements away."""

    runtime = ("pad",)

    def lower(b, x, pads, value):
        return pad_constant(b, x, pads, value)

    cases = [
        case(f32(3, 4), [1, 2], 1.5),
        case(f32("?", 4), [0, 0, 2, -1], at=[3, 1]),
        case(i64(3), [1, 1], 2.7),
        case(f32(0, 2), [1, 0, 1, 1]),
    ]


@op('aten::pad(Tensor self, SymInt[] pad, str mode="constant", float? value=None) -> Tensor')
class Pad(View):
    """Elements added around: a constant, or the tensor's own, mirrored, repeated or wrapped around."""

    runtime = ("pad", "value")

    def lower(b, x, pads, mode, value):
        if mode == "constant":
            return pad_constant(b, x, pads, 0 if value is None else value)
        if mode not in MODES:
            raise InferError(f"Unrecognised padding mode {mode}")
        return pad_by_index(b, x, pads, MODES[mode])

    cases = [
        case(f32(3, 4), [1, 2]),
        case(f32(2, 3, 4), [1, 2], "reflect"),
        case(f32(2, 3, "?"), [1, 2], "replicate", at=[3, 1]),
        case(f32(2, 3, 4), [1, 2], "circular"),
        case(f32(1, 2, 3, "?"), [1, 2, 1, 0], "reflect", at=[3]),
    ]


@op("aten::reflection_pad1d(Tensor self, SymInt[2] padding) -> Tensor", out="aten::reflection_pad1d.out")
@op(
    "aten::reflection_pad2d(Tensor self, SymInt[4] padding) -> Tensor",
    out="aten::reflection_pad2d.out",
    cases=[case(f32(2, 3, 4), [1, 2, 0, 1]), case(f32(2, 1, "?", 4), [1, 1, 1, 1]), case(f32(2, 3, 4), [-1, 2, 1, -2])],
)
@op(
    "aten::reflection_pad3d(Tensor self, SymInt[6] padding) -> Tensor",
    out="aten::reflection_pad3d.out",
    cases=[case(f32(2, 3, 4, 5), [1, 2, 0, 1, 2, 1]), case(f64(2, 1, 3, "?", 4), [1, 1, 1, 1, 2, 0])],
)
class ReflectionPad(View):
    """The tensor mirrored at its borders."""

    runtime = ("padding",)

    def lower(b, x, pads):
        return pad_by_index(b, x, pads, reflect)

    cases = [case(f32(2, 4), [1, 2]), case(f32(2, 3, "?"), [1, 1])]


@op("aten::replication_pad1d(Tensor self, SymInt[2] padding) -> Tensor", out="aten::replication_pad1d.out")
@op(
    "aten::replication_pad2d(Tensor self, SymInt[4] padding) -> Tensor",
    out="aten::replication_pad2d.out",
    cases=[case(f32(2, 3, 4), [1, 2, 0, 1]), case(f32(2, 1, "?", 4), [1, 1, 1, 1]), case(f32(2, 3, 4), [-1, 2, 1, -2])],
)
@op(
    "aten::replication_pad3d(Tensor self, SymInt[6] padding) -> Tensor",
    out="aten::replication_pad3d.out",
    cases=[case(f32(2, 3, 4, 5), [1, 2, 0, 1, 2, 1]), case(f64(2, 1, 3, "?", 4), [1, 5, 1, 1, 2, 0])],
)
class ReplicationPad(View):
    """The border elements repeated outwards."""

    runtime = ("padding",)

    def lower(b, x, pads):
        return pad_by_index(b, x, pads, replicate)

    cases = [case(f32(2, 4), [1, 2]), case(f32(2, 3, "?"), [1, 1])]
