"""Tensor constants of the torch dialect. Both frontends bring parameters in through here, as numpy arrays."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td

INLINE = 64  # elements; larger constants are resource blobs, which are shared and not printed in full
_COMPLEX = (8, 9, 10)  # always blobs: a splat of complex numbers has no value that Python can read
_serial = itertools.count()


class Array(NamedTuple):
    """Elements in C order with torch's ScalarType code. bfloat16, which numpy lacks, travels as its int16 bits."""

    code: int
    elements: np.ndarray


def element_type(code: int) -> ir.Type:
    """The element type that torch-dialect tensor types show for a ScalarType code: integers carry their sign."""
    build = {
        0: lambda: ir.IntegerType.get_unsigned(8),
        1: lambda: ir.IntegerType.get_signed(8),
        2: lambda: ir.IntegerType.get_signed(16),
        3: lambda: ir.IntegerType.get_signed(32),
        4: lambda: ir.IntegerType.get_signed(64),
        5: ir.F16Type.get,
        6: ir.F32Type.get,
        7: ir.F64Type.get,
        8: lambda: ir.ComplexType.get(ir.F16Type.get()),
        9: lambda: ir.ComplexType.get(ir.F32Type.get()),
        10: lambda: ir.ComplexType.get(ir.F64Type.get()),
        11: lambda: ir.IntegerType.get_signless(1),
        15: ir.BF16Type.get,
        27: lambda: ir.IntegerType.get_unsigned(16),
        28: lambda: ir.IntegerType.get_unsigned(32),
        29: lambda: ir.IntegerType.get_unsigned(64),
    }
    return build[code]()


def storage_type(code: int) -> ir.Type:
    """The element type of the attribute that holds the elements: integers are signless."""
    shown = element_type(code)
    return ir.IntegerType.get_signless(shown.width) if isinstance(shown, ir.IntegerType) else shown


def attribute(array: Array) -> ir.Attribute:
    """A dense attribute for small arrays, a resource blob for large ones."""
    elements = np.asarray(array.elements, order="C")
    storage = storage_type(array.code)
    large = elements.size > (0 if array.code in _COMPLEX else INLINE)
    if large and elements.dtype != np.bool_:
        shape = ir.RankedTensorType.get(elements.shape, storage)
        return ir.DenseResourceElementsAttr.get_from_buffer(elements, f"npcomp_{next(_serial)}", shape)
    if array.code == 11:
        packed = np.packbits(elements.astype(bool), axis=None, bitorder="little")
        return ir.DenseElementsAttr.get(packed, type=storage, shape=list(elements.shape))
    return ir.DenseElementsAttr.get(elements, type=storage, shape=list(elements.shape))


def tensor(array: Array) -> ir.Value:
    """Builds `torch.vtensor.literal` at the current insertion point and location."""
    result = td.ValueTensorType.get(list(array.elements.shape), element_type(array.code))
    return td.ValueTensorLiteralOp(result, attribute(array)).result
