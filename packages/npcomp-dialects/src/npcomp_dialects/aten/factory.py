"""Tensors of one value."""

from __future__ import annotations

from .abstract import TensorInfo, Unknown
from .cases import case, f32, i64
from .dtypes import DType, as_dtype
from .errors import NotStatic
from .families.factory import Filled, constant
from .promotion import operand_of
from .registry import op

OPTIONS = "ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None"
"""The keyword arguments of every factory."""

LIKE_OPTIONS = OPTIONS + ", MemoryFormat? memory_format=None"
SIZES = [case([2, 3]), case([0, 2], dtype=4), case([]), case([3], dtype=11)]
LIKE = [f32(3, 4), case(f32("?", 4), dtype=4, at=[3, 0]), i64(2)]
NEW = [case(f32(3), [2, 3]), case(i64("?"), [2], dtype=6)]


class Zeros(Filled):
    """Zeros."""

    def value(named):
        return 0


class Ones(Filled):
    """Ones."""

    def value(named):
        return 1


class Uninitialised(Zeros):
    """Values that nobody may rely on; here zeros."""

    compare = "type"


@op(f"aten::zeros(SymInt[] size, *, {OPTIONS}) -> Tensor", cases=SIZES)
@op(f"aten::zeros_like(Tensor self, *, {LIKE_OPTIONS}) -> Tensor", cases=LIKE)
@op(f"aten::new_zeros(Tensor self, SymInt[] size, *, {OPTIONS}) -> Tensor", cases=NEW)
@op("aten::zero(Tensor self) -> Tensor", inplace="aten::zero_", cases=[f32(3, 4), f32("?")])
class ZerosOp(Zeros):
    """A tensor of zeros."""


@op(f"aten::ones(SymInt[] size, *, {OPTIONS}) -> Tensor", cases=SIZES)
@op(f"aten::ones_like(Tensor self, *, {LIKE_OPTIONS}) -> Tensor", cases=LIKE)
@op(f"aten::new_ones(Tensor self, SymInt[] size, *, {OPTIONS}) -> Tensor", cases=NEW)
class OnesOp(Ones):
    """A tensor of ones."""


@op(f"aten::empty.memory_format(SymInt[] size, *, {LIKE_OPTIONS}) -> Tensor", cases=SIZES)
@op(f"aten::empty_like(Tensor self, *, {LIKE_OPTIONS}) -> Tensor", cases=LIKE)
@op(f"aten::new_empty(Tensor self, SymInt[] size, *, {OPTIONS}) -> Tensor", cases=NEW)
@op(
    f"aten::empty_strided(SymInt[] size, SymInt[] stride, *, {OPTIONS}) -> Tensor",
    cases=[case([2, 3], [3, 1]), case([2, 3], [1, 2], dtype=4)],
)
@op(
    f"aten::new_empty_strided(Tensor self, SymInt[] size, SymInt[] stride, *, {OPTIONS}) -> Tensor",
    cases=[case(f32(2), [2, 3], [1, 2]), case(i64("?"), [2], [1], dtype=6)],
)
@op(
    f"aten::empty_permuted(SymInt[] size, int[] physical_layout, *, {OPTIONS}) -> Tensor",
    cases=[case([2, 3], [1, 0]), case([2, 3], [0, 1], dtype=4)],
)
class EmptyOp(Uninitialised):
    """A tensor of any values."""

    runtime = (*Filled.runtime, "stride", "physical_layout")


@op(
    f"aten::full_like(Tensor self, Scalar fill_value, *, {LIKE_OPTIONS}) -> Tensor",
    cases=[case(f32(3, 4), 2), case(i64("?"), 2.5, dtype=6)],
)
@op(
    f"aten::new_full(Tensor self, SymInt[] size, Scalar fill_value, *, {OPTIONS}) -> Tensor",
    cases=[case(f32(3), [2, 3], 2), case(i64("?"), [2], 2, dtype=6)],
)
class FullLike(Filled):
    """A tensor of the value given, in the dtype of another one."""


@op(f"aten::full(SymInt[] size, Scalar fill_value, *, {OPTIONS}) -> Tensor")
class Full(Filled):
    """A tensor of the value given, whose kind decides the dtype."""

    @classmethod
    def result_dtype(cls, named, like):
        if named["dtype"] is not None:
            return super().result_dtype(named, None)
        kind = operand_of(named["fill_value"]).dtype
        return DType.f32 if kind is DType.f64 else kind

    cases = [case([2, 3], 1.5), case([0, 2], 3), case([2], True), case([], 1, dtype=7)]


@op(
    "aten::fill.Scalar(Tensor self, Scalar value) -> Tensor",
    inplace="aten::fill_.Scalar",
    out="aten::fill.Scalar_out",
)
class FillScalar(Filled):
    """A tensor of the value given, like self."""

    def value(named):
        return named["value"]

    cases = [case(f32(3, 4), 2), case(i64("?"), 2)]


@op(
    "aten::fill.Tensor(Tensor self, Tensor value) -> Tensor",
    inplace="aten::fill_.Tensor",
    out="aten::fill.Tensor_out",
)
class FillTensor(Filled):
    """A tensor of the one element of another, like self."""

    def lower(b, x, value):
        return b.broadcast(b.cast(b.reshape(value, []) if value.rank else value, x.dtype), x.sizes)

    cases = [case(f32(3, 4), f32()), case(i64("?"), f32())]


@op(f"aten::scalar_tensor(Scalar s, *, {OPTIONS}) -> Tensor")
class ScalarTensor(Filled):
    """A number as a 0-d tensor."""

    def infer(s, dtype, *_):
        return TensorInfo((), as_dtype(dtype) or DType.f32)

    def lower(b, s, dtype, *_):
        dtype = dtype or DType.f32
        return b.from_scalar(constant(b, s, dtype), dtype)

    cases = [case(2), case(2.5, dtype=7), case(True, dtype=11)]


TENSOR_OPTIONS = "ScalarType? dtype=None, Device? device=None, bool requires_grad=False"
AS_TENSOR_OPTIONS = "ScalarType? dtype=None, Device? device=None"


class TensorOf(Filled):
    """A number as a 0-d tensor of its own kind."""

    runtime = (*Filled.runtime, "t")

    @classmethod
    def own_dtype(cls):
        return {"int": DType.i64, "float": DType.f32, "bool": DType.bool}[cls.schema.arguments[0].type.name]

    @classmethod
    def infer(cls, t, dtype, *_):
        return TensorInfo((), as_dtype(dtype) or cls.own_dtype())

    @classmethod
    def lower(cls, b, t, dtype, *_):
        dtype = dtype or cls.own_dtype()
        return b.from_scalar(constant(b, t, dtype), dtype)


@op(f"aten::tensor.int(int t, *, {TENSOR_OPTIONS}) -> Tensor", cases=[case(2), case(2, dtype=6)])
@op(f"aten::tensor.float(float t, *, {TENSOR_OPTIONS}) -> Tensor", cases=[case(2.5), case(2.5, dtype=7)])
@op(f"aten::tensor.bool(bool t, *, {TENSOR_OPTIONS}) -> Tensor", cases=[case(True)])
@op(f"aten::as_tensor.int(int t, *, {AS_TENSOR_OPTIONS}) -> Tensor", cases=[case(2)])
@op(f"aten::as_tensor.float(float t, *, {AS_TENSOR_OPTIONS}) -> Tensor", cases=[case(2.5)])
@op(f"aten::as_tensor.bool(bool t, *, {AS_TENSOR_OPTIONS}) -> Tensor", cases=[case(True)])
class TensorFromNumber(TensorOf):
    """torch.tensor of a number."""


@op(f"aten::tensor(t[] data, *, {TENSOR_OPTIONS}) -> Tensor")
@op(f"aten::as_tensor.list(t[] data, *, {AS_TENSOR_OPTIONS}) -> Tensor")
class TensorFromList(Filled):
    """torch.tensor of a list of numbers, or of lists of them."""

    def infer(data, dtype, *_):
        flat = flat_numbers(data)
        if flat is None:
            return TensorInfo(None, as_dtype(dtype))
        return TensorInfo(list_sizes(data), as_dtype(dtype) or kind_of_numbers(flat))

    def lower(b, data, dtype, *_):
        flat = flat_numbers(data)
        if flat is None:
            raise NotStatic("torch.tensor of a list that only run time knows")
        dtype = dtype or kind_of_numbers(flat)
        if not flat:
            return b.full(list_sizes(data), constant(b, 0, dtype), dtype)
        parts = [b.reshape(b.from_scalar(constant(b, v, dtype), dtype), [1]) for v in flat]
        row = parts[0] if len(parts) == 1 else b.concat(parts, 0)
        return b.reshape(row, list(list_sizes(data)))

    cases = [case([1, 2, 3]), case([1.5, 2.0]), case([[1, 2], [3, 4]], dtype=6), case([True, False])]


def list_sizes(data):
    """The sizes that nested lists have as a tensor."""
    return (len(data), *list_sizes(data[0])) if isinstance(data, list) and data else (0,) if data == [] else ()


def flat_numbers(data):
    """The numbers of nested lists in order; None when a list is not known."""
    if not isinstance(data, list):
        return None if isinstance(data, Unknown) and data.type.endswith("]") else [data]
    parts = [flat_numbers(v) for v in data]
    return None if any(p is None for p in parts) else [v for p in parts for v in p]


def kind_of_numbers(numbers):
    """The dtype of a tensor of numbers: the kind that holds them all, f32 for none."""
    kinds = [operand_of(v).dtype for v in numbers]
    if None in kinds:
        return None
    return (
        DType.i64
        if DType.i64 in kinds and DType.f64 not in kinds
        else DType.bool
        if set(kinds) == {DType.bool}
        else DType.f32
    )
