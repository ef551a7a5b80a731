"""Attributes and types of tcf ops."""

from __future__ import annotations

from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.mlir import ir

from .types import dtype_of


def integers(op: ir.Operation, name: str) -> list[int]:
    return list(ir.DenseI64ArrayAttr(op.attributes[name]))


def integer(op: ir.Operation, name: str) -> int:
    return ir.IntegerAttr(op.attributes[name]).value


def flag(op: ir.Operation, name: str) -> bool:
    return ir.BoolAttr(op.attributes[name]).value


def text(op: ir.Operation, name: str) -> str:
    return ir.StringAttr(op.attributes[name]).value


def op_name(op: ir.Operation) -> str:
    """The aten op that a tcf op comes from."""
    return text(op, "torch.op") if "torch.op" in op.attributes else ""


def ranked(value: ir.Value) -> ir.RankedTensorType:
    return ir.RankedTensorType(value.type)


def element(value: ir.Value) -> ir.Type:
    return ranked(value).element_type


def dtype(value: ir.Value) -> DType:
    return dtype_of(element(value))
