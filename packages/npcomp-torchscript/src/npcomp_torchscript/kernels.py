"""What torch's own kernels give: result types of the ops that the op library leaves to torch, by torch's fake tensors.

The answer holds for every size that the compiler does not know: such sizes get stand-ins, and of the result only rank
and dtype are believed, unless all sizes were known."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from npcomp_dialects.aten.abstract import TensorInfo, Unknown
from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.aten.errors import InferError
from torch._subclasses.fake_tensor import DynamicOutputShapeException, FakeTensorMode
from torch.fx.experimental.symbolic_shapes import ShapeEnv

from npcomp_torchscript.specs import DTYPE_CODES, DTYPES

STAND_INS = (4, 2, 1)  # for unknown sizes, one for all of them; then sizes that the other arguments show
NUMBERS: dict[str, Any] = {"int": 1, "SymInt": 1, "float": 1.0, "bool": True, "Scalar": 1.0, "number": 1.0, "str": ""}
QUANTIZED = ("quantized.", "aten.quantize_", "aten.dequantize", "aten._make_per_", "aten.int_repr", "aten.q_")
"""Ops on quantized tensors, which the pass `lower-quantized-tensors` follows: types know no such tensor."""


class _NoStandIn(Exception):
    """An argument of which only run time knows what it is."""


def results(name: str, arguments: Sequence[Any]) -> Sequence[Any] | None:
    """Abstract results of an op, in the order of its schema; None where torch cannot tell without running it.

    Raises `InferError` when this torch has no such op, or refuses the arguments whatever the unknown sizes are."""
    schema = _schema(name)
    if schema is None:
        raise InferError(f"torch {torch.__version__} has no op of this name")
    if not schema.returns:
        return []
    if name.startswith(QUANTIZED):
        return None
    exact = all(_is_exact(argument) for argument in arguments)
    failure: Exception | None = None
    for size in _stand_ins(arguments):
        try:
            return [_abstract(value, exact) for value in _run(name, schema, arguments, size)]
        except _NoStandIn:
            return None
        except (NotImplementedError, DynamicOutputShapeException):
            return None
        except Exception as error:  # whatever a shape function raises is its word on the arguments
            failure = failure or error
    if exact and failure is not None:
        raise InferError(str(failure).partition("\n")[0], _kind(failure))
    return None


def _kind(failure: Exception) -> str:
    name = type(failure).__name__
    return name if name in ("IndexError", "ValueError", "TypeError") else "RuntimeError"


@functools.cache
def _schema(name: str) -> Any:
    namespace, base, *overload = name.split(".")
    found = torch._C._jit_get_schemas_for_operator(f"{namespace}::{base}")
    return next((s for s in found if s.overload_name == "".join(overload)), None)


def _run(name: str, schema: Any, arguments: Sequence[Any], size: int) -> Sequence[Any]:
    namespace, base, *overload = name.split(".")
    op = getattr(getattr(getattr(torch.ops, namespace), base), overload[0] if overload else "default")
    shapes = ShapeEnv(allow_scalar_outputs=True, allow_dynamic_output_shape_ops=True)
    with warnings.catch_warnings(), FakeTensorMode(shape_env=shapes), torch.no_grad():
        warnings.simplefilter("ignore")
        given = [_concrete(v, a.real_type, size) for v, a in zip(arguments, schema.arguments)]
        count = sum(not a.kwarg_only for a in schema.arguments)
        named = {a.name: v for a, v in zip(schema.arguments[count:], given[count:])}
        found = op(*given[:count], **named)
    return [found] if len(schema.returns) == 1 else list(found)


def _stand_ins(arguments: Sequence[Any]) -> Iterator[int]:
    yield from STAND_INS
    sizes = {s for info in _tensors(arguments) for s in info.sizes or () if s is not None}
    yield from sorted(sizes - set(STAND_INS), reverse=True)


def _tensors(values: Sequence[Any]) -> Iterator[TensorInfo]:
    for value in values:
        if isinstance(value, TensorInfo):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)


def _is_exact(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_exact, value))
    if isinstance(value, TensorInfo):
        return value.sizes is not None and None not in value.sizes
    return not isinstance(value, Unknown)


def _concrete(value: Any, type: Any, size: int) -> Any:
    """A fake tensor, a number or a constant in the place of an abstract argument."""
    if isinstance(value, TensorInfo):
        if value.sizes is None or value.dtype is None:
            raise _NoStandIn
        return torch.empty([size if s is None else s for s in value.sizes], dtype=DTYPES[value.dtype.name])
    if isinstance(value, Unknown):
        if value.type not in NUMBERS:
            raise _NoStandIn
        return NUMBERS[value.type]
    inner = type.getElementType() if type.kind() in ("OptionalType", "ListType") else None
    if isinstance(value, (list, tuple)):
        element = inner.getElementType() if inner is not None and inner.kind() == "ListType" else inner
        return [_concrete(item, element, size) for item in value]
    kind = inner.kind() if inner is not None else type.kind()
    if isinstance(value, int) and kind == "ScalarTypeType":
        return DTYPES[DType(value).name]
    if isinstance(value, int) and kind == "LayoutType":
        return torch.strided
    if isinstance(value, int) and kind == "MemoryFormatType":
        return (torch.contiguous_format, torch.preserve_format, torch.channels_last, torch.channels_last_3d)[value]
    return value


def _abstract(value: Any, exact: bool) -> Any:
    if isinstance(value, torch.Tensor):
        if value.dtype not in DTYPE_CODES:
            raise InferError(f"it gives a tensor of {value.dtype}, which programs cannot hold")
        sizes = tuple(s if exact and isinstance(s, int) else None for s in value.shape)
        return TensorInfo(sizes, DType(DTYPE_CODES[value.dtype]))
    if isinstance(value, (list, tuple)):
        return [_abstract(item, exact) for item in value]
    if isinstance(value, bool | torch.SymBool):
        return Unknown("bool")
    return Unknown("int" if isinstance(value, int | torch.SymInt) else "float")
