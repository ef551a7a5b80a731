"""The `npcomp.signature` of a captured program: the pytree structures of arguments and results, as JSON-ready data."""

from __future__ import annotations

import math
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
import torch.utils._pytree as pytree
from npcomp_dialects.aten.dtypes import DType

from npcomp_acap.errors import CaptureError

DTYPE_CODES = {
    torch.complex32: 8, torch.uint16: 27, torch.uint32: 28, torch.uint64: 29,
    torch.uint8: 0, torch.int8: 1, torch.int16: 2, torch.int32: 3, torch.int64: 4, torch.float16: 5,
    torch.float32: 6, torch.float64: 7, torch.complex64: 9, torch.complex128: 10, torch.bool: 11, torch.bfloat16: 15,
}  # fmt: skip
DTYPES = {dtype: DType(code).name for dtype, code in DTYPE_CODES.items()}
SPELLED: dict[type, Callable[[Any], Any]] = {
    torch.dtype: str,
    torch.device: str,
    torch.layout: str,
    torch.memory_format: str,
    complex: lambda v: [v.real, v.imag],
    slice: lambda v: [v.start, v.stop, v.step],
    range: lambda v: [v.start, v.stop, v.step],
    type(...): lambda v: "Ellipsis",
}
"""How constants that JSON lacks are written; npcomp_refbackend.python_values reads them."""
TORCHS = ("dtype", "device", "layout", "memory_format")
Dims = Mapping[int, str]
Json = dict[str, Any]


def dtype_name(tensor: torch.Tensor) -> str:
    if tensor.dtype not in DTYPES:
        raise CaptureError(f"{tensor.dtype} tensors are not supported", do=f"use one of {', '.join(DTYPES.values())}")
    return DTYPES[tensor.dtype]


def tensor(value: torch.Tensor, dims: Dims) -> Json:
    return {
        "kind": "tensor",
        "dtype": dtype_name(value),
        "dims": [dims.get(d, size) for d, size in enumerate(value.shape)],
    }


def constant(value: Any) -> Json:
    if value is None:
        return {"kind": "none"}
    if isinstance(value, float) and not math.isfinite(value):
        return {"kind": "const", "of": "float", "value": str(value)}
    if isinstance(value, bool | int | float | str):
        return {"kind": "const", "value": value}
    if type(value) in SPELLED:
        of = type(value).__name__
        return {"kind": "const", "of": f"torch.{of}" if of in TORCHS else of, "value": SPELLED[type(value)](value)}
    raise CaptureError(
        f"a {type(value).__name__} cannot cross the boundary of a program",
        do="pass and return tensors, numbers, strings and None, in lists, tuples, dicts and named tuples",
    )


def structure(spec: pytree.TreeSpec, leaf: Callable[[], Json]) -> Json:
    """The JSON of a pytree; `leaf()` gives its leaves in depth-first order."""
    if spec.is_leaf():
        return leaf()
    items = [structure(child, leaf) for child in spec.children()]
    if spec.type is list or spec.type is tuple:
        return {"kind": spec.type.__name__, "items": items}
    if spec.type is torch.Size:
        return {"kind": "tuple", "items": items}
    if spec.type in (dict, OrderedDict):
        return {"kind": "dict", "keys": list(spec.context), "items": items}
    if spec.type is namedtuple:
        cls = spec.context
        return {"kind": "namedtuple", "name": cls.__name__, "fields": list(cls._fields), "items": items}
    if getattr(spec.type, "__module__", "") == "torch.return_types":
        name, fields = spec.type.__name__, list(spec.type.__match_args__)
        return {"kind": "namedtuple", "name": name, "module": "torch.return_types", "fields": fields, "items": items}
    raise CaptureError(
        f"a {getattr(spec.type, '__name__', spec.type)} cannot cross the boundary of a program",
        do="use lists, tuples, dicts and named tuples",
    )


def arguments(
    names: Sequence[str], args_spec: pytree.TreeSpec, leaves: Sequence[Any], dims_of_leaf: Sequence[Dims]
) -> list[Json]:
    """One entry an argument. `args_spec` is the spec of `(args, kwargs)`; `names` are the names in that order."""
    pending: Iterator[tuple[Any, Dims]] = iter(zip(leaves, dims_of_leaf, strict=True))

    def leaf() -> Json:
        value, dims = next(pending)
        return tensor(value, dims) if isinstance(value, torch.Tensor) else constant(value)

    positional, keywords = args_spec.children()
    specs = [*positional.children(), *keywords.children()]
    return [{"name": name, **structure(spec, leaf)} for name, spec in zip(names, specs, strict=True)]


def result(spec: pytree.TreeSpec, constants: Sequence[Any], computed: Sequence[Json]) -> Json:
    """`constants[i]` is leaf i, a Python value or `Computed`; `computed` describes the computed leaves in order."""
    pending, described = iter(constants), iter(computed)

    def leaf() -> Json:
        value = next(pending)
        return next(described) if isinstance(value, Computed) else constant(value)

    return structure(spec, leaf)


class Computed:
    """Stands for a result that the program computes, among results that are Python constants."""
