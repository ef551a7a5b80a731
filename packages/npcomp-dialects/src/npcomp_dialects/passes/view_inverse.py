"""Writing through views: the new contents of a tensor when one of its views is overwritten."""

from __future__ import annotations

from collections.abc import Callable

from npcomp_dialects.aten import registry
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import constants
from npcomp_dialects.passes.coerce import CASTS, coerce
from npcomp_dialects.passes.effects import kernel

MAYBE_COPIES = {
    "aten.reshape", "aten.reshape_as", "aten.flatten", "aten.contiguous", "aten.to", "aten.ravel", "aten.type_as",
    "aten.as_tensor", "aten.pin_memory", "aten.coalesce", "aten._grad_sum_to_size", "aten._sparse_broadcast_to",
    "aten._autocast_to_full_precision", "aten._autocast_to_reduced_precision", "aten.slice_inverse",
    "aten.dropout", "aten.feature_dropout", "aten.alpha_dropout", "aten._reshape_alias", "aten.expand_copy",
}  # fmt: skip

Inverse = Callable[[ir.Operation, ir.Value, ir.Value, ir.InsertionPoint], ir.Value]
Join = Callable[[ir.Operation, list[ir.Value], ir.InsertionPoint], ir.Value]
NO_INVERSE = (constants.NotConstant,)
"""What an inverse raises when it needs a constant that only run time knows."""


def is_certain(op: ir.Operation) -> bool:
    """False for an op that may give a view or a copy, as strides and dtypes have it."""
    name = kernel(op)
    return name is None or ".".join(name.split(".")[:2]) not in MAYBE_COPIES


def inverse_of(op: ir.Operation) -> Inverse | None:
    """How to compute the viewed tensor from its old value and a new value of the view; None if there is no way."""
    if op.name in CASTS:
        return _cast_back
    return _INVERSES.get(kernel(op) or "")


def join_of(op: ir.Operation) -> Join | None:
    """How to put the pieces that an op gives of a tensor together again; None if there is no way."""
    name = kernel(op) or ""
    if ".".join(name.split(".")[:2]) in _SPLITS:
        return _concatenate
    return _stack if name == "aten.unbind.int" else None


def _call(name: str, operands: list[ir.Value], at: ir.Operation, ip: ir.InsertionPoint) -> ir.Value:
    unknown = td.ValueTensorType.get(None, None)
    if registry.find(name) is not None:
        return ir.Operation.create(f"torch.{name}", [unknown], operands, loc=at.location, ip=ip).results[0]
    attributes = {"name": ir.StringAttr.get(name)}
    return ir.Operation.create("torch.operator", [unknown], operands, attributes, loc=at.location, ip=ip).results[0]


def _list(values: list[ir.Value], at: ir.Operation, ip: ir.InsertionPoint) -> ir.Value:
    unknown = td.ValueTensorType.get(None, None)
    items = [coerce(value, unknown, at.location, ip) for value in values]
    return constants.create_list(items, unknown, at.location, ip)


def _concatenate(op: ir.Operation, pieces: list[ir.Value], ip: ir.InsertionPoint) -> ir.Value:
    return _call("aten.cat", [_list(pieces, op, ip), list(op.operands)[-1]], op, ip)


def _stack(op: ir.Operation, pieces: list[ir.Value], ip: ir.InsertionPoint) -> ir.Value:
    return _call("aten.stack", [_list(pieces, op, ip), list(op.operands)[-1]], op, ip)


def _cast_back(op: ir.Operation, old: ir.Value, new: ir.Value, ip: ir.InsertionPoint) -> ir.Value:
    return coerce(new, old.type, op.location, ip)


def _same(op: ir.Operation, old: ir.Value, new: ir.Value, ip: ir.InsertionPoint) -> ir.Value:
    return new


def _scatter(name: str) -> Inverse:
    """The op that writes a region, taking the view's own arguments after the new contents."""

    def build(op: ir.Operation, old: ir.Value, new: ir.Value, ip: ir.InsertionPoint) -> ir.Value:
        return _call(name, [old, new, *list(op.operands)[1:]], op, ip)

    return build


def _reshape_back(op: ir.Operation, old: ir.Value, new: ir.Value, ip: ir.InsertionPoint) -> ir.Value:
    return _call("aten.view_as", [new, old], op, ip)


def _again(op: ir.Operation, old: ir.Value, new: ir.Value, ip: ir.InsertionPoint) -> ir.Value:
    """A view that is its own inverse."""
    return _call(kernel(op) or op.name, [new, *list(op.operands)[1:]], op, ip)


def _permute_back(op: ir.Operation, old: ir.Value, new: ir.Value, ip: ir.InsertionPoint) -> ir.Value:
    dims = constants.of_value(op.operands[1])
    rank = len(dims)
    order = sorted(range(rank), key=lambda n: dims[n] % rank)
    items = [constants.create(n, op.location, ip) for n in order]
    back = constants.create_list(items, td.IntType.get(), op.location, ip)
    return _call("aten.permute", [new, back], op, ip)


def _narrow_back(op: ir.Operation, old: ir.Value, new: ir.Value, ip: ir.InsertionPoint) -> ir.Value:
    _, dim, start, length = op.operands
    if constants.of_value(start) < 0:
        raise constants.NotConstant
    ints = [td.IntType.get()]
    stop = ir.Operation.create("torch.aten.add.int", ints, [start, length], loc=op.location, ip=ip).results[0]
    return _call("aten.slice_scatter", [old, new, dim, start, stop, constants.create(1, op.location, ip)], op, ip)


def _move_back(op: ir.Operation, old: ir.Value, new: ir.Value, ip: ir.InsertionPoint) -> ir.Value:
    _, source, destination = op.operands
    return _call(kernel(op) or op.name, [new, destination, source], op, ip)


_SPLITS = {
    "aten.chunk", "aten.split", "aten.split_with_sizes", "aten.tensor_split", "aten.unsafe_chunk", "aten.unsafe_split",
}  # fmt: skip
_INVERSES: dict[str, Inverse] = {
    "aten.select.int": _scatter("aten.select_scatter"),
    "aten.slice.Tensor": _scatter("aten.slice_scatter"),
    "aten.diagonal": _scatter("aten.diagonal_scatter"),
    "aten.t": _again,
    "aten.numpy_T": _again,
    "aten.mT": _again,
    "aten.transpose.int": _again,
    "aten.swapaxes": _again,
    "aten.swapdims": _again,
    "aten.mH": _again,
    "aten.adjoint": _again,
    "aten.permute": _permute_back,
    "aten.narrow": _narrow_back,
    **dict.fromkeys(
        ("aten.movedim.int", "aten.movedim.intlist", "aten.moveaxis.int", "aten.moveaxis.intlist"), _move_back
    ),
    "aten.detach": _same,
    "aten.alias": _same,
    "aten.data": _same,
    "aten.positive": _same,
    **dict.fromkeys(
        (
            "aten.view", "aten._unsafe_view", "aten.view_as", "aten.unflatten.int", "aten.squeeze",
            "aten.squeeze.dim", "aten.squeeze.dims", "aten.unsqueeze", "aten.expand", "aten.expand_as",
            "aten.broadcast_to",
        ),
        _reshape_back,
    ),
}  # fmt: skip
