"""Arithmetic on numbers that only run time knows: what a Python operator in a captured graph becomes.

A number is an `int`, a `float` or a `bool`; ops of mixed kinds get their operands converted first."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td

TYPES: dict[str, Callable[[], ir.Type]] = {"int": td.IntType.get, "float": td.FloatType.get, "bool": td.BoolType.get}
ARITHMETIC: dict[Any, str] = {
    operator.add: "add", operator.sub: "sub", operator.mul: "mul", operator.floordiv: "floordiv",
    operator.mod: "remainder", operator.neg: "neg", operator.eq: "eq", operator.ne: "ne", operator.lt: "lt",
    operator.le: "le", operator.gt: "gt", operator.ge: "ge",
}  # fmt: skip
LOGIC: dict[Any, str] = {operator.and_: "__and__", operator.or_: "__or__", operator.xor: "__xor__"}
NEGATIONS = (operator.not_, torch.sym_not)
EXTREMA: dict[Any, str] = {torch.sym_max: "max", torch.sym_min: "min"}
CASTS: dict[Any, str] = {torch.sym_int: "int", torch.sym_float: "float", int: "int", float: "float", bool: "bool"}
CHOICE = torch.sym_ite
OPERATORS = {*ARITHMETIC, *LOGIC, *NEGATIONS, *EXTREMA, *CASTS, CHOICE, operator.truediv, operator.pow}


def kind_of(value: Any) -> str:
    """`value` is a Python number or torch's symbol for one."""
    if isinstance(value, torch.SymBool | bool):
        return "bool"
    return "int" if isinstance(value, torch.SymInt | int) else "float"


def call(target: Any, operands: Sequence[ir.Value], kinds: Sequence[str]) -> ir.Value:
    """Ops that compute `target` of numbers of these kinds."""
    if target in LOGIC:
        return _op(f"aten.{LOGIC[target]}.{kinds[0]}", operands, kinds[0])
    if target in NEGATIONS:
        return _op("aten.__not__", operands, "bool")
    if target in CASTS:
        return _convert(operands[0], kinds[0], CASTS[target])
    if target is CHOICE:
        return _choice(operands, kinds)
    if target is operator.truediv:
        return _op("aten.div.float", _all_as(operands, kinds, "float"), "float")
    return _arithmetic(target, operands, kinds)


def _arithmetic(target: Any, operands: Sequence[ir.Value], kinds: Sequence[str]) -> ir.Value:
    kind = "float" if "float" in kinds else "int"
    given = _all_as(operands, kinds, kind)
    if target is operator.pow:
        name = "aten.pow.int_to_int" if kind == "int" else "aten.pow.float"
        return _op(name, given, kind)
    if target in EXTREMA:
        name = f"prim.{EXTREMA[target]}.{kind}"
        if kind == "int":
            return ir.Operation.create(f"torch.{name}", [td.IntType.get()], given).result
        return _op(name, given, kind)
    name = ARITHMETIC[target]
    return _op(f"aten.{name}.{kind}", given, "bool" if name in ("eq", "ne", "lt", "le", "gt", "ge") else kind)


def _choice(operands: Sequence[ir.Value], kinds: Sequence[str]) -> ir.Value:
    """`a if condition else b` as b + condition * (a - b), which is exact for integers."""
    condition, a, b = _convert(operands[0], "bool", "int"), operands[1], operands[2]
    difference = _op("aten.sub.int", [a, b], "int")
    return _op("aten.add.int", [b, _op("aten.mul.int", [condition, difference], "int")], "int")


def _all_as(operands: Sequence[ir.Value], kinds: Sequence[str], wanted: str) -> list[ir.Value]:
    return [_convert(value, kind, wanted) for value, kind in zip(operands, kinds, strict=True)]


def _convert(value: ir.Value, kind: str, wanted: str) -> ir.Value:
    return value if kind == wanted else _op(f"aten.{wanted.capitalize()}.{kind}", [value], wanted)


def _op(name: str, operands: Sequence[ir.Value], kind: str) -> ir.Value:
    return td.OperatorOp([TYPES[kind]()], name, list(operands), 0).results[0]
