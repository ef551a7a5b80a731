"""Copies and conversions: values with another dtype, or the same."""

from __future__ import annotations

from .abstract import TensorInfo
from .cases import case, f16, f32, i1, i64, u8
from .dtypes import as_dtype
from .families.view import View
from .registry import op


class Identity(View):
    """The same value: storage, layout and device mean nothing for values."""

    def lower(b, x, *_):
        return x

    cases = [f32(3, 4), f32("?", 4), i64(0, 1)]


@op("aten::clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor", out="aten::clone.out")
class Clone(Identity):
    """A copy."""


@op("aten::contiguous(Tensor(a) self, *, MemoryFormat memory_format=0) -> Tensor(a)")
class Contiguous(Identity):
    """The tensor in row-major order; values have no other."""


@op("aten::detach(Tensor(a) self) -> Tensor(a)", inplace="aten::detach_")
@op("aten::alias(Tensor(a) self) -> Tensor(a)")
@op("aten::lift_fresh(Tensor(a) self) -> Tensor(a)")
@op("aten::lift_fresh_copy(Tensor self) -> Tensor")
@op("aten::detach_copy(Tensor self) -> Tensor")
@op("aten::alias_copy(Tensor self) -> Tensor")
@op("aten::data(Tensor self) -> Tensor")
@op("aten::resolve_conj(Tensor(a) self) -> Tensor(a)")
@op("aten::resolve_neg(Tensor(a) self) -> Tensor(a)")
@op("aten::positive(Tensor(a) self) -> Tensor(a)")
@op("aten::cpu(Tensor(a) self) -> Tensor(b|a)")
class Detach(Identity):
    """The tensor without its history."""


class Convert(View):
    """The values in the dtype asked for: `dtype`, or that of `other`; the same value when neither is given."""

    @classmethod
    def target(cls, args):
        """The dtype to convert to; None when it is not known."""
        named = cls.named(args)
        if "other" in named:
            return named["other"].dtype
        return as_dtype(named.get("dtype")) or args[0].dtype

    @classmethod
    def infer(cls, *args):
        return TensorInfo(args[0].sizes, cls.target(args))

    @classmethod
    def lower(cls, b, *args):
        return b.cast(args[0], cls.target(args))


@op(
    "aten::to.dtype(Tensor(a) self, ScalarType dtype, bool non_blocking=False, bool copy=False, "
    "MemoryFormat? memory_format=None) -> Tensor(a)",
)
@op(
    "aten::to.dtype_layout(Tensor(a) self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
    "bool? pin_memory=None, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)",
    cases=[case(f32(3, 4), dtype=4), case(f32("?", 4))],
)
@op(
    "aten::to.device(Tensor(a) self, Device device, ScalarType dtype, bool non_blocking=False, bool copy=False, "
    "MemoryFormat? memory_format=None) -> Tensor(a)",
    cases=[case(f32(3, 4), "cpu", 5), case(f32("?"), "cpu", 7)],
)
@op(
    "aten::to.prim_Device(Tensor(a) self, Device? device, int? dtype=None, bool non_blocking=False, "
    "bool copy=False) -> Tensor(b|a)",
    cases=[case(f32(3, 4), "cpu", 7), case(f32("?"), "cpu")],
)
@op(
    "aten::to.prim_dtype(Tensor(a) self, int? dtype=None, bool non_blocking=False, bool copy=False) -> Tensor(b|a)",
    cases=[case(f32(3, 4), 4), case(f32("?"))],
)
@op(
    "aten::_to_copy(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
    "bool? pin_memory=None, bool non_blocking=False, MemoryFormat? memory_format=None) -> Tensor",
    out="aten::_to_copy.out(Tensor self, *, bool non_blocking=False, MemoryFormat? memory_format=None, "
    "Tensor(a!) out) -> Tensor(a!)",
    cases=[case(f32(3, 4), dtype=4), case(f32("?", 4))],
)
class ToDtype(Convert):
    """The values as another dtype; floats to integers drop the fraction, anything but 0 is True."""

    cases = [
        case(f32(3, 4, low=-9, high=9), 4),
        case(f32("?", 4), 11, at=[3, 0]),
        case(f32(3), 5),
        case(f32(3), 15),
        case(i64(3), 6),
        case(i64(5, low=-300, high=300), 0),
        case(u8(5, high=256), 1),
        case(i1(3), 6),
        case(f16(3), 7),
        case(f32(4, low=-9, high=9), 2),
    ]


@op("aten::type_as(Tensor self, Tensor other) -> Tensor")
@op(
    "aten::to.other(Tensor(a) self, Tensor other, bool non_blocking=False, bool copy=False, "
    "MemoryFormat? memory_format=None) -> Tensor(a)"
)
class ToOther(Convert):
    """The values in the dtype of another tensor."""

    cases = [case(f32(3, 4), i64(2)), case(i64("?"), f32("?", 2))]


@op(
    "aten::copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor",
    inplace="aten::copy_",
    out="aten::copy.out",
)
class Copy(View):
    """src broadcast to self's sizes, in self's dtype: the value that self has after copy_."""

    def lower(b, x, src, non_blocking):
        return b.broadcast(b.cast(src, x.dtype), x.sizes)

    cases = [
        case(f32(3, 4), f32(4)),
        case(f32("?", 4), i64("?", 1), at=[(3, 3), (3, 1), (0, 1)]),
        case(i64(2), f32()),
    ]
