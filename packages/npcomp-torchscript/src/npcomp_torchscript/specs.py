"""What a user says about an argument: `TensorSpec`, an example, a Python type or value, or a nest of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch

from npcomp_torchscript.errors import refuse

DTYPES = {
    "f32": torch.float32, "f64": torch.float64, "f16": torch.float16, "bf16": torch.bfloat16, "i8": torch.int8,
    "u8": torch.uint8, "i16": torch.int16, "i32": torch.int32, "i64": torch.int64, "bool": torch.bool,
    "c64": torch.complex64, "c128": torch.complex128,
}  # fmt: skip
DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}
DTYPE_CODES = {
    torch.uint8: 0, torch.int8: 1, torch.int16: 2, torch.int32: 3, torch.int64: 4, torch.float16: 5,
    torch.float32: 6, torch.float64: 7, torch.complex64: 9, torch.complex128: 10, torch.bool: 11, torch.bfloat16: 15,
}  # fmt: skip
Dim = int | str | None
TEXT = re.compile(r"(?P<dtype>[A-Za-z0-9]+)\[(?P<dims>[^\]]*)\]")
FORM = "write it as dtype[dims], such as f32[batch,784], i64[?,3] or f32[*] for any rank"


class TensorSpec:
    """Dtype and dims of a tensor argument.

    A dim is an `int` (static), a name (dynamic; the same name twice is the same size, checked at run time) or `None`
    (dynamic). `dims=None` leaves the rank open and `dtype=None` the dtype, for import without compilation.
    """

    __slots__ = ("dims", "dtype")

    def __init__(self, dims: Sequence[Dim] | None, dtype: torch.dtype | None = torch.float32) -> None:
        if isinstance(dims, str) or not (dims is None or isinstance(dims, Sequence)):
            raise refuse(f"dims are {dims!r}, which is not a list", 'pass a list such as ["batch", 784], or None')
        if dtype is not None and dtype not in DTYPE_NAMES:
            raise refuse(f"dtype {dtype!r} is not supported", f"use one of {', '.join(map(str, DTYPE_NAMES))}")
        self.dims: tuple[Dim, ...] | None = None if dims is None else tuple(map(_dim, dims))
        self.dtype = dtype

    @classmethod
    def of(cls, example: torch.Tensor) -> TensorSpec:
        """The spec of one example: its dtype, and every size static."""
        return cls(list(example.shape), example.dtype)

    @classmethod
    def parse(cls, text: str) -> TensorSpec:
        """Reads `f32[batch,784]`: `?` is an anonymous dynamic dim, `[*]` any rank."""
        found = TEXT.fullmatch(text.strip())
        if not found:
            raise refuse(f"{text!r} is not the type of a tensor", FORM)
        dtype, dims = found["dtype"], found["dims"]
        if dtype not in DTYPES:
            raise refuse(f"{text!r} has the unknown dtype {dtype!r}", f"use one of {', '.join(DTYPES)}")
        if dims.strip() == "*":
            return cls(None, DTYPES[dtype])
        parts = dims.split(",") if dims.strip() else []
        return cls([_parse_dim(part.strip(), text) for part in parts], DTYPES[dtype])

    @property
    def complete(self) -> bool:
        """True when rank and dtype are known, which compilation needs."""
        return self.dims is not None and self.dtype is not None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpec) and (self.dims, self.dtype) == (other.dims, other.dtype)

    def __hash__(self) -> int:
        return hash((self.dims, self.dtype))

    def __repr__(self) -> str:
        return f"TensorSpec({None if self.dims is None else list(self.dims)!r}, {self.dtype})"


def _dim(dim: Any) -> Dim:
    if dim is None or (isinstance(dim, int) and not isinstance(dim, bool) and dim >= 0):
        return dim
    if isinstance(dim, str) and dim.isidentifier():
        return dim
    if dim == -1:
        return None
    raise refuse(f"dim {dim!r} is not a size", "use an int ≥ 0, a name such as 'batch', or None for any size")


def _parse_dim(part: str, text: str) -> Dim:
    if part == "?":
        return None
    if part.isdecimal():
        return int(part)
    if part.isidentifier():
        return part
    raise refuse(f"{text!r} has the dim {part!r}", FORM)


def parse(text: str) -> Any:
    """Reads one argument of the command line: a tensor type, `int`, `float`, `bool`, `none`, or a quoted string."""
    simple = {"int": int, "float": float, "bool": bool, "none": None}
    if text in simple:
        return simple[text]
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return TensorSpec.parse(text)
