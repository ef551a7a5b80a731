"""Reductions as vectors: what combines two accumulators, what they start from, how lanes become one value.

Every lane of every unrolled copy accumulates for itself, starting from the neutral element; at the end the copies
are combined, then the lanes, then the initial value. A body that is none of the known kinds still works: its
stage is then reduced one element at a time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith, vector

from .body import inline
from .dispatch import Stage
from .extremes import PREDICATES, extreme
from .kernel import KernelBuilder

_NEUTRAL = {
    "arith.addf": 0.0,
    "arith.addi": 0,
    "arith.mulf": 1.0,
    "arith.muli": 1,
    "arith.maximumf": -math.inf,
    "arith.maxnumf": -math.inf,
    "arith.minimumf": math.inf,
    "arith.minnumf": math.inf,
    "arith.maxui": 0,
    "arith.ori": 0,
    "arith.xori": 0,
    "arith.andi": -1,
    "arith.minui": -1,
}


@dataclass(frozen=True)
class Combine:
    """Results of a stage that one op each combines."""

    names: tuple[str, ...]

    def start(self, kb: KernelBuilder, stage: Stage, inits: list[ir.Value], lanes: int) -> list[ir.Value]:
        return [kb.const(_neutral(n, w.dtype), w.dtype, lanes) for n, w in zip(self.names, stage.writes)]

    def finish(
        self, kb: KernelBuilder, stage: Stage, copies: list[list[ir.Value]], inits: list[ir.Value], resolve: Any
    ) -> list[ir.Value]:
        results = []
        for n, name in enumerate(self.names):
            value = _pairwise(name, [copy[n] for copy in copies])
            results.append(_binary(name, _across(kb, name, value), inits[n]))
        return results


@dataclass(frozen=True)
class Best:
    """argmax and argmin: result 0 is the best value, result 1 the index of the first of those."""

    def start(self, kb: KernelBuilder, stage: Stage, inits: list[ir.Value], lanes: int) -> list[ir.Value]:
        return [kb.broadcast(init, lanes) for init in inits]

    def finish(
        self, kb: KernelBuilder, stage: Stage, copies: list[list[ir.Value]], inits: list[ir.Value], resolve: Any
    ) -> list[ir.Value]:
        def better(x: ir.Value, best: ir.Value) -> ir.Value:
            lanes = kb.lanes(x)
            place = kb.const(0, stage.writes[1].dtype, lanes)
            origin = {"linalg.index": lambda op, operands: kb.const(0)}
            return inline(kb, stage.body, [x, best, place], lanes, resolve, origin)[0]

        best = copies[0][0]
        for value, _ in copies[1:]:
            best = better(value, best)
        lanes = kb.lanes(best)
        while lanes > 1:
            lanes //= 2
            best = better(_part(kb, best, lanes, lanes), _part(kb, best, 0, lanes))
        places = [self._places(kb, value, place, best) for value, place in copies]
        return [best, _across(kb, "arith.minsi", _pairwise("arith.minsi", places))]

    def _places(self, kb: KernelBuilder, value: ir.Value, place: ir.Value, best: ir.Value) -> ir.Value:
        """The index in lanes that hold the best value, else the largest number."""
        lanes, dtype = kb.lanes(value), kb.dtype(place)
        wide = kb.broadcast(best, lanes)
        if kb.dtype(value).startswith("i"):
            same = arith.CmpIOp(arith.CmpIPredicate.eq, value, wide).result
        else:
            equal = arith.CmpFOp(arith.CmpFPredicate.OEQ, value, wide).result
            nan = arith.CmpFOp(arith.CmpFPredicate.UNO, value, value).result
            same = arith.OrIOp(equal, nan).result
        return arith.SelectOp(same, place, kb.const(_neutral("arith.minsi", dtype), dtype, lanes)).result


def _pairwise(name: str, values: list[ir.Value]) -> ir.Value:
    while len(values) > 1:
        pairs = [_binary(name, a, b) for a, b in zip(values[::2], values[1::2])]
        values = pairs + values[len(pairs) * 2 :]
    return values[0]


def _across(kb: KernelBuilder, name: str, value: ir.Value) -> ir.Value:
    """One value from the lanes, halving."""
    lanes = kb.lanes(value)
    while lanes > 1:
        lanes //= 2
        value = _binary(name, _part(kb, value, 0, lanes), _part(kb, value, lanes, lanes))
    return value


def _part(kb: KernelBuilder, value: ir.Value, start: int, lanes: int) -> ir.Value:
    if lanes == 1:
        return kb.extract(value, start)
    return vector.ShuffleOp(value, value, [start + i for i in range(lanes)]).result


def _binary(name: str, a: ir.Value, b: ir.Value) -> ir.Value:
    if name in PREDICATES:
        return extreme(name, a, b)
    return ir.Operation.create(name, results=[a.type], operands=[a, b]).results[0]


def _neutral(name: str, dtype: str) -> float | int:
    bits = int(dtype[1:]) if dtype.startswith("i") else 0
    if name == "arith.maxsi":
        return -(1 << (bits - 1)) if bits > 1 else -1
    if name == "arith.minsi":
        return (1 << (bits - 1)) - 1 if bits > 1 else 0
    if name in ("arith.andi", "arith.minui") and bits == 1:
        return 1
    return _NEUTRAL[name]


def combine_of(stage: Stage) -> Combine | None:
    """The ops that combine each accumulator, or None where the body does more than that."""
    arguments = list(stage.body.arguments)[len(stage.reads) :]
    terminator = list(stage.body.operations)[-1].operation
    names = []
    for argument, value in zip(arguments, terminator.operands):
        if isinstance(value.owner, ir.Block):
            return None
        op = value.owner.operation
        uses = [u.owner.operation for u in argument.uses]
        known = op.name in _NEUTRAL or op.name in ("arith.maxsi", "arith.minsi")
        if not known or uses != [op] or str(op.results[0].type) in ("f16", "bf16"):
            return None
        names.append(op.name)
    return Combine(tuple(names))


def kind_of(stage: Stage) -> Combine | Best | None:
    """How the stage's accumulators combine; None: only its own body can tell."""
    return combine_of(stage) or best_of(stage)


def best_of(stage: Stage) -> Best | None:
    if len(stage.reads) != 1 or len(stage.writes) != 2 or not stage.writes[1].dtype.startswith("i"):
        return None
    place = list(stage.body.arguments)[2]
    value = list(list(stage.body.operations)[-1].operands)[1]
    if isinstance(value.owner, ir.Block) or value.owner.operation.name != "arith.select":
        return None
    return Best() if place in list(value.owner.operation.operands)[1:] else None
