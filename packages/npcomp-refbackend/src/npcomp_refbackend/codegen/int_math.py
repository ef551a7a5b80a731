"""Arithmetic on sizes that folds Python ints; used while the driver is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from npcomp_dialects.mlir.dialects import arith

from .runtime_calls import RuntimeCalls

Int = Any  # int | ir.Value of type i64


def mul(calls: RuntimeCalls, a: Int, b: Int) -> Int:
    if isinstance(a, int) and isinstance(b, int):
        return a * b
    if isinstance(a, int):
        a, b = b, a
    if isinstance(b, int) and b in (0, 1):
        return a if b else 0
    return arith.MulIOp(calls.i64_of(a), calls.i64_of(b)).result


def add(calls: RuntimeCalls, a: Int, b: Int) -> Int:
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    if isinstance(a, int):
        a, b = b, a
    if isinstance(b, int) and b == 0:
        return a
    return arith.AddIOp(calls.i64_of(a), calls.i64_of(b)).result


def product(calls: RuntimeCalls, factors: Sequence[Int]) -> Int:
    total: Int = 1
    for factor in factors:
        total = mul(calls, total, factor)
    return total


def ceildiv(calls: RuntimeCalls, a: Int, b: int) -> Int:
    if b == 1:
        return a
    if isinstance(a, int):
        return -(-a // b)
    return arith.DivUIOp(arith.AddIOp(a, calls.const(b - 1)).result, calls.const(b)).result
