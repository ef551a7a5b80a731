"""simplify: removes what does nothing."""

from __future__ import annotations

from collections.abc import Callable

from npcomp_dialects.diagnostics import as_exceptions
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.mlir.passmanager import PassManager
from npcomp_dialects.passes import constants, effects, register, signatures, walk
from npcomp_dialects.passes.abstraction import info_of

_NEED_EQUAL_TYPES = ("func.return", "torch.prim.If.yield", "torch.prim.Loop.condition", "torch.prim.Loop", "func.call",
                     "torch.global_slot.set", "torch.initialize.global_slots", "torch.prim.ListConstruct",
                     "torch.prim.TupleConstruct", "torch.prim.DictConstruct", "torch.copy.to_tensor")  # fmt: skip


@register("simplify")
def simplify(module: ir.Module) -> None:
    """Remove casts that tell nothing, items taken from lists just made, copies of a tensor to itself, dead code.

    Goal: less for every later pass to look at. Nothing later needs it: leaving it out changes how long compiling
    takes and how fast the program is, not what it computes.
    """
    with module.context:
        for function in walk.functions(module):
            for op in list(walk.nested(walk.blocks(function)[0])):
                fold = _FOLDS.get(op.name)
                if fold is not None:
                    fold(op)
            signatures.set_function_type(function)
        with as_exceptions("canonicalization"):
            PassManager.parse("builtin.module(canonicalize,cse)").run(module.operation)


def _cast(op: ir.Operation) -> None:
    """Uses that take any tensor take the operand, which is known at least as well."""
    operand, result = op.operands[0], op.results[0]
    if not isinstance(operand.type, td.ValueTensorType) or not isinstance(result.type, td.ValueTensorType):
        return
    if not info_of(result.type).covers(info_of(operand.type)):
        return
    for use in list(result.uses):
        user = use.owner.operation
        if user.name not in _NEED_EQUAL_TYPES:
            user.operands[use.operand_number] = operand


def _item(op: ir.Operation) -> None:
    made = walk.owner(op.operands[0])
    if made is None or made.name != "torch.prim.ListConstruct" or effects.writer_of(made.results[0]) is not None:
        return
    try:
        index = constants.of_value(op.operands[1])
    except constants.NotConstant:
        return
    if -len(made.operands) <= index < len(made.operands):
        _replace(op, made.operands[index])


def _copy(op: ir.Operation) -> None:
    """`copy(x, y)` is `y` where both have one dtype and the same known sizes."""
    old, new = info_of(op.operands[0].type), info_of(op.operands[1].type)
    if old == new and old.dtype is not None and old.sizes is not None and None not in old.sizes:
        _replace(op, op.operands[1])


def _type_as(op: ir.Operation) -> None:
    given, like = info_of(op.operands[0].type), info_of(op.operands[1].type)
    if given.dtype is not None and given.dtype is like.dtype:
        _replace(op, op.operands[0])


def _replace(op: ir.Operation, value: ir.Value) -> None:
    if value.type == op.results[0].type:
        op.results[0].replace_all_uses_with(value)


_FOLDS: dict[str, Callable[[ir.Operation], None]] = {
    "torch.tensor_static_info_cast": _cast,
    "torch.aten.__getitem__.t": _item,
    "torch.aten.copy": _copy,
    "torch.aten.type_as": _type_as,
}
