"""Tensor constants: from attributes to the arrays that an artifact carries, each stored once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from npcomp_dialects.mlir import ir

NUMPY = {
    "f64": np.float64,
    "f32": np.float32,
    "f16": np.float16,
    "bf16": np.uint16,  # numpy has no bfloat16: its bits
    "i64": np.int64,
    "i32": np.int32,
    "i16": np.int16,
    "i8": np.int8,
    "i1": np.bool_,
    "complex<f32>": np.complex64,
    "complex<f64>": np.complex128,
}
TORCH_CODE = {
    "i8": 1, "i16": 2, "i32": 3, "i64": 4, "f16": 5, "f32": 6, "f64": 7, "complex<f32>": 9, "complex<f64>": 10,
    "i1": 11, "bf16": 15, "u8": 0,
}  # fmt: skip
_ARTIFACT_NAMES = {"i1": "bool", "complex<f32>": "c64", "complex<f64>": "c128"}


def to_array(attribute: Any) -> np.ndarray:
    """The elements of a dense or resource attribute, without a copy where they lie in memory."""
    kind = ir.ShapedType(attribute.type)
    dtype = str(kind.element_type)
    shape = list(kind.shape)
    if isinstance(attribute, ir.DenseElementsAttr) and attribute.is_splat and 0 not in shape:
        return np.full(shape, _scalar(attribute.get_splat_value(), dtype), NUMPY[dtype])
    from npcomp_dialects import codegen

    return np.frombuffer(codegen.elements(attribute), NUMPY[dtype]).reshape(shape)


def _scalar(attribute: Any, dtype: str) -> Any:
    value = attribute.value
    if dtype != "bf16":
        return value
    return np.float32(value).view(np.uint32) >> 16


def array_key(attribute: Any, packing: str | None) -> Any:
    """Under which a constant is stored once: its elements and how they are packed."""
    return (attribute, packing)


@dataclass
class ConstantPool:
    """Arrays of the artifact in order; the same elements with the same shape are kept once."""

    arrays: list[np.ndarray] = field(default_factory=list)
    dtypes: list[str] = field(default_factory=list)
    _known: dict[Any, int] = field(default_factory=dict)

    def find(self, key: Any) -> int | None:
        """Index of what was added under `key`: an attribute and a packing."""
        return self._known.get(key)

    def add(self, array: np.ndarray, dtype: str, key: Any) -> int:
        self.arrays.append(np.asarray(array, order="C"))
        self.dtypes.append(dtype)
        self._known[key] = len(self.arrays) - 1
        return self._known[key]

    def header(self) -> list[dict[str, Any]]:
        return [{"dtype": _ARTIFACT_NAMES.get(d, d), "sizes": list(a.shape)} for d, a in zip(self.dtypes, self.arrays)]
