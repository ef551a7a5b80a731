"""Maximum and minimum of floats in which a NaN wins, in two or three instructions.

LLVM expands `llvm.maximum` to five, for the order of signed zeros, which torch leaves open. x86's own maximum gives
its second operand where one is NaN: so a constant goes first, and two unknown values need one more select.
"""

from __future__ import annotations

from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith

from .kernel import KernelBuilder

PREDICATES = {"arith.maximumf": arith.CmpFPredicate.OGT, "arith.minimumf": arith.CmpFPredicate.OLT}


def extreme(name: str, a: ir.Value, b: ir.Value) -> ir.Value:
    """`arith.maximumf` or `arith.minimumf` of two values of one type."""
    nan = arith.CmpFOp(arith.CmpFPredicate.UNO, a, a).result
    return arith.SelectOp(nan, a, _first_or_second(name, a, b)).result


def extreme_in_body(kb: KernelBuilder, op: Any, a: ir.Value, b: ir.Value) -> ir.Value:
    """The same for an op of a body; the accumulator's path is kept short."""
    lanes = max(kb.lanes(a), kb.lanes(b))
    a, b = kb.broadcast(a, lanes), kb.broadcast(b, lanes)
    for constant, other, operand in ((a, b, op.operands[0]), (b, a, op.operands[1])):
        if _is_number(operand):
            return _first_or_second(op.name, constant, other)
    if isinstance(op.operands[0].owner, ir.Block) and not isinstance(op.operands[1].owner, ir.Block):
        a, b = b, a
    return extreme(op.name, a, b)


def _first_or_second(name: str, a: ir.Value, b: ir.Value) -> ir.Value:
    return arith.SelectOp(arith.CmpFOp(PREDICATES[name], a, b).result, a, b).result


def _is_number(value: Any) -> bool:
    """A constant that is not NaN."""
    if isinstance(value.owner, ir.Block) or value.owner.operation.name != "arith.constant":
        return False
    number = value.owner.operation.attributes["value"].value
    return bool(number == number)
