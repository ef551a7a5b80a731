"""Results of ops that the op library leaves to torch's own kernels.

Their types come with the program (captures record them), or from whoever has torch at hand: a frontend provides a
function that asks torch's own shape functions. This package does not import torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from npcomp_dialects.aten import registry
from npcomp_dialects.aten.abstract import TensorInfo
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import effects, walk
from npcomp_dialects.passes.abstraction import Types, dtype_of

Provider = Callable[[str, Sequence[Any]], Sequence[Any] | None]
_TENSORS = (td.ValueTensorType, td.NonValueTensorType)
_provider: Provider | None = None


def provide(provider: Provider) -> None:
    """Ask `provider(name, arguments)` for the abstract results of an op from now on.

    Arguments and results are abstract values (aten/abstract.py). It returns None where it cannot tell, and raises
    `InferError` for an op that does not exist or refuses such arguments."""
    global _provider
    _provider = provider


def ask(name: str, arguments: Sequence[Any]) -> Sequence[Any] | None:
    """The abstract results of an op, or None where nobody knows."""
    return None if _provider is None else _provider(name, arguments)


def is_left_to_torch(op: ir.Operation) -> bool:
    """True for an op whose block does not hold for it: it takes or gives complex tensors."""
    name = effects.kernel(op)
    block = registry.find(name) if name is not None else None
    if block is None or block.takes_opaque:
        return False
    return any(_is_opaque(value) for value in (*op.operands, *op.results))


def _is_opaque(value: ir.Value) -> bool:
    type = value.type
    if isinstance(type, _TENSORS):
        dtype = dtype_of(type.dtype)
        return dtype is not None and dtype.is_opaque
    owner = walk.owner(value) if isinstance(type, (td.ListType, td.OptionalType)) else None
    return owner is not None and any(_is_opaque(item) for item in owner.operands)


def has_opaque(facts: Sequence[Any]) -> bool:
    """True if a complex tensor is among abstract values, in lists of them too."""
    return any(
        has_opaque(fact)
        if isinstance(fact, (list, tuple))
        else isinstance(fact, TensorInfo) and fact.dtype is not None and fact.dtype.is_opaque
        for fact in facts
    )


def are_declared(op: ir.Operation, types: Types) -> bool:
    """True if the results of an op say their rank and dtype themselves."""
    return all(_is_declared(result, types) for result in op.results)


def _is_declared(result: ir.Value, types: Types) -> bool:
    if isinstance(result.type, _TENSORS):
        info = types.abstract(result.type)
        return info.sizes is not None and info.dtype is not None
    if isinstance(result.type, td.ListType):
        unpacked = unpacking(result)
        return unpacked is not None and are_declared(unpacked, types)
    return True


def unpacking(result: ir.Value) -> ir.Operation | None:
    """The `ListUnpack` that is the only use of a list."""
    users = [use.owner.operation for use in result.uses]
    return users[0] if len(users) == 1 and users[0].name == "torch.prim.ListUnpack" else None


def unpack_lists(function: ir.Operation, of: Callable[[ir.Value], Any], types: Types) -> None:
    """Give each list of a known number of tensors that a kernel returns as those tensors: run time has no lists."""
    for op in walk.nested(walk.blocks(function)[0]):
        for result in op.results if effects.kernel(op) is not None else ():
            if isinstance(result.type, td.ListType) and unpacking(result) is None and not walk.unused(op):
                found = of(result)
                if isinstance(found, list) and found and all(isinstance(item, TensorInfo) for item in found):
                    _unpack(op, result, [types.tensor(item) for item in found])


def _unpack(op: ir.Operation, result: ir.Value, kinds: list[ir.Type]) -> None:
    ip = ir.InsertionPoint.after(op)
    items = ir.Operation.create("torch.prim.ListUnpack", kinds, [result], loc=op.location, ip=ip)
    ip = ir.InsertionPoint.after(items)
    made = ir.Operation.create("torch.prim.ListConstruct", [result.type], items.results, loc=op.location, ip=ip)
    result.replace_all_uses_except(made.results[0], [items])
