"""Runs torch-dialect IR by calling torch for each op: the same before and after a pass must give the same results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from npcomp_dialects.mlir import ir
from npcomp_dialects.passes import constants, effects, walk


class Raised(Exception):
    """The program ran into `torch.prim.RaiseException`."""


def run(module: ir.Module, name: str, *arguments: Any) -> list[Any]:
    """Call a function of a module; slots start with their initial values."""
    return Evaluator(module).call(name, *arguments)


class Evaluator:
    """A loaded module with its slots. Tensors of `!torch.tensor` type are real and mutable."""

    def __init__(self, module: ir.Module) -> None:
        self.functions = {walk.symbol(f): f for f in walk.functions(module)}
        self.slots: dict[str, Any] = {}
        for op in walk.ops(module.body):
            if op.name == "torch.global_slot.module_initializer":
                block = walk.blocks(op)[0]
                env: dict[ir.Value, Any] = {}
                values = self._block(block, env)
                names = [ir.FlatSymbolRefAttr(a).value for a in walk.terminator(block).attributes["slotSymNames"]]
                self.slots = dict(zip(names, values, strict=True))

    def call(self, name: str, *arguments: Any) -> list[Any]:
        block = walk.blocks(self.functions[name])[0]
        env = dict(zip(block.arguments, arguments, strict=True))
        with torch.no_grad():
            return self._block(block, env)

    def _block(self, block: ir.Block, env: dict[ir.Value, Any]) -> list[Any]:
        """Run a block; return what its terminator passes on."""
        *inner, end = walk.ops(block)
        for op in inner:
            operands = [env[v] for v in op.operands]
            results = self._op(op, operands, env)
            env.update(zip(op.results, results, strict=True))
        return [env[v] for v in end.operands]

    def _op(self, op: ir.Operation, operands: list[Any], env: dict[ir.Value, Any]) -> list[Any]:
        if op.name in _RULES:
            return _RULES[op.name](op, operands)
        if constants.is_constant(op):
            return [constants.read(op)]
        if op.name == "torch.prim.If":
            return self._block(walk.blocks(op)[0 if operands[0] else 1], env)
        if op.name == "torch.prim.Loop":
            return self._loop(op, operands, env)
        if op.name == "torch.global_slot.get":
            return [self.slots[walk.string(op, "slot")]]
        if op.name == "torch.global_slot.set":
            self.slots[walk.string(op, "slot")] = operands[0]
            return []
        if op.name == "func.call":
            return self.call(walk.string(op, "callee"), *operands)
        return kernel(effects.kernel(op), operands, len(op.results))

    def _loop(self, op: ir.Operation, operands: list[Any], env: dict[ir.Value, Any]) -> list[Any]:
        trips, going, *carried = operands
        block = walk.blocks(op)[0]
        turn = 0
        while going and turn < trips:
            env.update(zip(block.arguments, [turn, *carried], strict=True))
            going, *carried = self._block(block, env)
            turn += 1
        return carried


def kernel(name: str, operands: list[Any], results: int) -> list[Any]:
    """Call a torch op by name."""
    _, base, *overload = name.split(".")
    function = getattr(getattr(torch.ops.aten, base), overload[0] if overload else "default")
    arguments = function._schema.arguments
    positional = [v for v, a in zip(operands, arguments, strict=False) if not a.kwarg_only]
    keywords = {a.name: v for v, a in zip(operands, arguments, strict=False) if a.kwarg_only}
    found = function(*positional, **keywords)
    return list(found) if results > 1 else [found]


def _literal(op: ir.Operation, operands: list[Any]) -> list[Any]:
    attr = op.attributes["value"]
    kind = ir.ShapedType(attr.type)
    dtype = _DTYPES[str(kind.element_type)]
    if attr.is_splat:
        return [torch.full(kind.shape, attr.get_splat_value().value, dtype=dtype)]
    return [torch.tensor(np.array(list(attr)).reshape(kind.shape), dtype=dtype)]


def _raise(op: ir.Operation, operands: list[Any]) -> list[Any]:
    raise Raised(operands[0])


def _overwrite(op: ir.Operation, operands: list[Any]) -> list[Any]:
    value, tensor = operands
    tensor.copy_(value)
    return []


_DTYPES = {"f32": torch.float32, "f64": torch.float64, "i64": torch.int64, "i1": torch.bool, "i32": torch.int32}
_RULES: dict[str, Callable[[ir.Operation, list[Any]], list[Any]]] = {
    "torch.tensor.literal": _literal,
    "torch.vtensor.literal": _literal,
    "torch.copy.to_tensor": lambda op, v: [v[0].clone()],
    "torch.copy.to_vtensor": lambda op, v: [v[0].clone()],
    "torch.overwrite.tensor.contents": _overwrite,
    "torch.tensor_static_info_cast": lambda op, v: v,
    "torch.derefine": lambda op, v: v,
    "torch.prim.unchecked_cast": lambda op, v: v,
    "torch.prim.ListConstruct": lambda op, v: [list(v)],
    "torch.prim.TupleConstruct": lambda op, v: [tuple(v)],
    "torch.prim.ListUnpack": lambda op, v: list(v[0]),
    "torch.prim.TupleUnpack": lambda op, v: list(v[0]),
    "torch.prim.TupleIndex": lambda op, v: [v[0][v[1]]],
    "torch.prim.RaiseException": _raise,
    "torch.prim.Uninitialized": lambda op, v: [None],
    "torch.prim.NumToTensor.Scalar": lambda op, v: [torch.tensor(v[0])],
    "torch.aten.__getitem__.t": lambda op, v: [v[0][v[1]]],
    "torch.aten.append.t": lambda op, v: [v[0].append(v[1]) or v[0]],
}
