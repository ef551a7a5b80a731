"""Sizes, ranks and dtypes of tensors as numbers, and numbers out of tensors."""

from __future__ import annotations

from .abstract import Unknown
from .cases import case, f32, i1, i64
from .dims import wrap_dim
from .dtypes import DType
from .errors import InferError
from .families.scalar import Scalar
from .registry import op


@op("aten::size.int(Tensor self, int dim) -> int")
@op("aten::sym_size.int(Tensor self, int dim) -> SymInt")
class SizeInt(Scalar):
    """The size of one dim."""

    takes_opaque = True
    constant = ("dim",)

    def lower(b, x, dim):
        if x.rank == 0:
            raise InferError("Dimension specified as 0 but tensor has no dimensions")
        return x.sizes[wrap_dim(dim, x.rank)]

    cases = [case(f32(3, 4), -1), case(f32("?", 4), 0, at=[3, 0])]


@op("aten::size(Tensor self) -> int[]")
@op("aten::sym_size(Tensor self) -> SymInt[]")
class Size(Scalar):
    """All sizes."""

    takes_opaque = True

    def lower(b, x):
        return x.sizes

    cases = [f32(3, 4), f32("?", 4), f32()]


@op("aten::dim(Tensor self) -> int")
class Dim(Scalar):
    """The number of dims."""

    takes_opaque = True

    def lower(b, x):
        return x.rank

    def infer(x):
        return Unknown("int") if x.rank is None else x.rank

    cases = [f32(3, 4), f32("?")]


@op("aten::numel(Tensor self) -> int")
@op("aten::sym_numel(Tensor self) -> SymInt")
class Numel(Scalar):
    """The number of elements."""

    takes_opaque = True

    def lower(b, x):
        return b.numel(x)

    cases = [f32(3, 4), case(f32("?", 4), at=[3, 0]), f32()]


@op("aten::len.Tensor(Tensor t) -> int")
class LenTensor(Scalar):
    """The size of the first dim."""

    takes_opaque = True

    def lower(b, x):
        if x.rank == 0:
            raise InferError("len() of a 0-d tensor")
        return x.sizes[0]

    cases = [f32(3, 4), case(f32("?", 4), at=[3, 0])]


class DTypeFact(Scalar):
    """A fact that the dtype tells."""

    takes_opaque = True
    fact = None

    @classmethod
    def lower(cls, b, x):
        return cls.fact(x.dtype)

    @classmethod
    def infer(cls, x):
        return cls.unknown_results() if x.dtype is None else cls.fact(x.dtype)

    cases = [f32(3, 4), i64("?")]


@op("aten::is_floating_point(Tensor self) -> bool")
class IsFloatingPoint(DTypeFact):
    """True for float dtypes."""

    def fact(dtype):
        return dtype.is_float


@op("aten::is_signed(Tensor self) -> bool")
class IsSigned(DTypeFact):
    """True for dtypes with negative values."""

    def fact(dtype):
        return dtype.is_signed


@op("aten::element_size(Tensor self) -> int")
class ElementSize(DTypeFact):
    """The bytes of an element."""

    def fact(dtype):
        return dtype.bytes


@op("aten::is_complex(Tensor self) -> bool")
class IsComplex(DTypeFact):
    """True for complex dtypes."""

    def fact(dtype):
        return dtype.is_complex


def single(b, x):
    """The one element of a tensor."""
    b.guard(b.numel(x) == 1, "a Tensor with {0} elements cannot be converted to Scalar", b.numel(x))
    return b.item(b.reshape(x, []) if x.rank else x)


def widened(b, number):
    """An element as a Python number: i64, f64 or bool."""
    dtype = number.dtype
    if dtype is None:
        return number
    return b.cast(number, DType.f64 if dtype.is_float else dtype if dtype is DType.bool else DType.i64)


@op("aten::item(Tensor self) -> Scalar")
@op("aten::_local_scalar_dense(Tensor self) -> Scalar")
@op("aten::ScalarImplicit(Tensor a) -> Scalar", cases=[f32(), i64()])
class Item(Scalar):
    """The one element of a tensor as a number."""

    def lower(b, x):
        return widened(b, single(b, x))

    def infer(x):
        if x.dtype is None:
            return Unknown("Scalar")
        return Unknown("float" if x.dtype.is_float else "bool" if x.dtype is DType.bool else "int")

    cases = [f32(), i64(1), i1(1, 1), case(f32("?"), at=[1])]


@op("aten::Int.Tensor(Tensor a) -> int", cases=[i64(), case(f32(1), rtol=0), case(i64("?"), at=[1])])
@op("aten::IntImplicit(Tensor a) -> int", cases=[i64()])
class IntTensor(Scalar):
    """The one element as an integer."""

    def lower(b, x):
        return b.cast(single(b, x), DType.i64)


@op("aten::Float.Tensor(Tensor a) -> float", cases=[f32(), i64(1), case(f32("?"), at=[1])])
@op("aten::FloatImplicit(Tensor a) -> float", cases=[f32()])
class FloatTensor(Scalar):
    """The one element as a float."""

    def lower(b, x):
        return b.cast(single(b, x), DType.f64)


@op("aten::Bool.Tensor(Tensor a) -> bool")
@op("aten::is_nonzero(Tensor self) -> bool")
class BoolTensor(Scalar):
    """True unless the one element is 0."""

    def lower(b, x):
        return b.cast(single(b, x), DType.bool)

    cases = [f32(), i1(1), case(i64("?", low=0, high=2), at=[1])]
