"""Writing through views: the new contents of a tensor when one of its views is overwritten."""

from __future__ import annotations

from collections.abc import Callable

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import constants
from npcomp_dialects.passes.coerce import coerce
from npcomp_dialects.passes.effects import kernel

MAYBE_COPIES = {
    "aten.reshape", "aten.reshape_as", "aten.flatten", "aten.contiguous", "aten.to", "aten.ravel", "aten.type_as",
    "aten.dropout", "aten.feature_dropout", "aten.alpha_dropout", "aten._reshape_alias", "aten.expand_copy",
}  # fmt: skip
_CASTS = ("torch.derefine", "torch.prim.unchecked_cast", "torch.tensor_static_info_cast")

Inverse = Callable[[ir.Operation, ir.Value, ir.Value, ir.InsertionPoint], ir.Value]


def is_certain(op: ir.Operation) -> bool:
    """False for an op that may give a view or a copy, as strides and dtypes have it."""
    name = kernel(op)
    return name is None or ".".join(name.split(".")[:2]) not in MAYBE_COPIES


def inverse_of(op: ir.Operation) -> Inverse | None:
    """How to compute the viewed tensor from its old value and a new value of the view; None if there is no way."""
    if op.name in _CASTS:
        return _cast_back
    return _INVERSES.get(kernel(op) or "")


def _call(name: str, operands: list[ir.Value], at: ir.Operation, ip: ir.InsertionPoint) -> ir.Value:
    unknown = td.ValueTensorType.get(None, None)
    return ir.Operation.create(f"torch.{name}", [unknown], operands, loc=at.location, ip=ip).results[0]


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
    "aten.permute": _permute_back,
    "aten.detach": _same,
    "aten.alias": _same,
    **dict.fromkeys(
        (
            "aten.view", "aten._unsafe_view", "aten.view_as", "aten.unflatten.int", "aten.squeeze",
            "aten.squeeze.dim", "aten.squeeze.dims", "aten.unsqueeze",
        ),
        _reshape_back,
    ),
}  # fmt: skip
