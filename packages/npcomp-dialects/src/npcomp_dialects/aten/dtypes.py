"""Element types of tensors, with torch's numbering."""

from __future__ import annotations

import builtins
from enum import Enum


class DType(Enum):
    """An element type. The value is torch's ScalarType number, the name is how we spell it."""

    u8 = 0
    i8 = 1
    i16 = 2
    i32 = 3
    i64 = 4
    f16 = 5
    f32 = 6
    f64 = 7
    c32 = 8
    c64 = 9
    c128 = 10
    bool = 11
    bf16 = 15
    u16 = 27
    u32 = 28
    u64 = 29

    @property
    def torch_code(self) -> int:
        return self.value

    @property
    def bytes(self) -> int:
        return _BYTES[self.name]

    @property
    def is_float(self) -> builtins.bool:
        return self.name in ("f16", "bf16", "f32", "f64")

    @property
    def is_complex(self) -> builtins.bool:
        return self.name in ("c32", "c64", "c128")

    @property
    def is_opaque(self) -> builtins.bool:
        """True for elements that no block computes with: only torch's own kernels take them."""
        return self.is_complex or self.name in ("u16", "u32", "u64")

    @property
    def is_integer(self) -> builtins.bool:
        """True for the integers proper, not for bool."""
        return not self.is_float and not self.is_complex and self is not DType.bool

    @property
    def is_half(self) -> builtins.bool:
        """True for the 16-bit floats, which torch computes in f32."""
        return self in (DType.f16, DType.bf16)

    @property
    def is_signed(self) -> builtins.bool:
        return self is not DType.bool and not self.name.startswith("u")

    @property
    def lowest(self) -> float | int:
        """The smallest value: -inf for floats."""
        if self.is_float:
            return float("-inf")
        if self is DType.bool:
            return 0
        return -(1 << (8 * self.bytes - 1)) if self.is_signed else 0

    @property
    def highest(self) -> float | int:
        """The largest value: inf for floats."""
        if self.is_float:
            return float("inf")
        if self is DType.bool:
            return 1
        return (1 << (8 * self.bytes - (1 if self.is_signed else 0))) - 1

    def __repr__(self) -> str:
        return self.name

    __str__ = __repr__

    @staticmethod
    def from_torch_code(code: int) -> DType:
        """The dtype with torch's number; quantized and other rare numbers are refused."""
        try:
            return DType(code)
        except ValueError:
            raise ValueError(
                f"torch dtype number {code} has no counterpart here (quantized and 8-bit float element types"
                " are not supported); do: cast the tensor to one of " + ", ".join(d.name for d in DType)
            ) from None


_BYTES = {
    "u8": 1, "i8": 1, "i16": 2, "i32": 4, "i64": 8, "f16": 2, "f32": 4, "f64": 8, "c32": 4, "c64": 8, "c128": 16,
    "bool": 1, "bf16": 2, "u16": 2, "u32": 4, "u64": 8,
}  # fmt: skip


def as_dtype(value: object) -> DType | None:
    """A dtype argument as DType: takes DType, torch's number or None."""
    if value is None or isinstance(value, DType):
        return value
    if isinstance(value, int):
        return DType.from_torch_code(value)
    raise TypeError(f"a dtype is a DType or torch's number, got {value!r}")
