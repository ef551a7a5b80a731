"""What ops do to the objects they take: which they write to, and which results are the same object again."""

from __future__ import annotations

from collections.abc import Iterator

from npcomp_dialects.aten import registry
from npcomp_dialects.aten.schema import Schema
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import walk

_OVERWRITE = "torch.overwrite.tensor.contents"
SAME_OBJECT = {
    "torch.derefine",
    "torch.prim.unchecked_cast",
    "torch.tensor_static_info_cast",
    "torch.prim.ListConstruct",
    "torch.prim.TupleConstruct",
    "torch.prim.DictConstruct",
    "torch.prim.ListUnpack",
    "torch.prim.TupleUnpack",
    "torch.prim.TupleIndex",
}
LIST_WRITERS = {
    "append", "insert", "extend", "pop", "clear", "remove", "reverse", "sort", "_set_item", "Delete", "setdefault",
    "update", "popitem",
}  # fmt: skip
_UNKNOWN_VIEWS = {
    "as_strided", "diagonal", "unfold", "real", "imag", "view_as_real", "view_as_complex", "chunk", "split",
    "split_with_sizes", "tensor_split", "unbind", "unsafe_chunk", "hsplit", "vsplit", "dsplit", "narrow", "movedim",
    "moveaxis", "swapaxes", "swapdims", "squeeze", "ravel", "unflatten", "detach", "alias", "numpy_T", "mT", "mH",
    "H", "adjoint", "view_as", "expand_as", "reshape_as", "positive", "conj", "resolve_conj", "resolve_neg",
    "contiguous", "to", "data", "__getitem__", "get", "values", "items", "view", "t", "T", "transpose", "permute",
    "select", "slice", "expand", "unsqueeze", "lift", "lift_fresh", "broadcast_to", "broadcast_tensors", "meshgrid",
    "atleast_1d", "atleast_2d", "atleast_3d", "_reshape_alias", "reshape", "flatten", "matrix_H", "_conj", "_neg_view",
    "as_tensor", "pin_memory", "coalesce", "slice_inverse", "_values", "_indices", "indices", "row_indices",
    "col_indices",
    "crow_indices", "ccol_indices", "_grad_sum_to_size", "_sparse_broadcast_to", "_autocast_to_full_precision",
    "_autocast_to_reduced_precision", "_fw_primal", "_make_dual", "_unpack_dual", "_ncf_view", "_ncf_unsqueeze",
    "_nested_get_values", "_nested_view_from_buffer", "_nested_view_from_jagged",
}  # fmt: skip
_OUT_OVERLOADS = {"out", "output", "grad_input"}
_WRITERS = {
    "aten.svd.U", "aten.qr.Q", "aten.geqrf.a", "aten.triangular_solve.X", "aten.linalg_inv_ex.inverse",
    "aten.linalg_cholesky_ex.L", "aten.linalg_eigh.eigvals", "aten._linalg_eigh.eigenvalues", "aten._linalg_svd.U",
    "aten._linalg_det.result", "aten._linalg_slogdet.sign", "aten._linalg_solve_ex.result", "aten._cummax_helper",
    "aten._cummin_helper", "aten.rrelu_with_noise", "aten._native_batch_norm_legit", "aten._batch_norm_with_update",
    "aten.fused_moving_avg_obs_fake_quant", "aten._fused_moving_avg_obs_fq_helper",
    "aten._flash_attention_forward_no_dropout_inplace",
}  # fmt: skip
"""Ops that write to arguments although neither their names nor those of their overloads say so."""
_MAY_RETURN_ARGUMENT = {"dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout", "type_as", "data"}


def kernel(op: ir.Operation) -> str | None:
    """The name of the torch op that an op calls, as `aten.add.Tensor`; None for ops of other kinds."""
    if op.name == "torch.operator":
        return walk.string(op, "name")
    return op.name.removeprefix("torch.") if op.name.startswith(registry.prefixes()) else None


def schema_of(name: str) -> Schema | None:
    return registry.find_schema(name)


def writes_to(name: str) -> frozenset[int] | None:
    """Positions of the operands that a torch op writes; None if all of them may be."""
    schema = schema_of(name)
    if schema is not None:
        return frozenset(n for n, a in enumerate(schema.arguments) if a.type.writes)
    base, _, overload = name.partition(".")[2].partition(".")
    if base in LIST_WRITERS:
        return frozenset({0})
    is_inplace = base.endswith("_") and not base.endswith("__")
    if is_inplace or name in _WRITERS or overload in _OUT_OVERLOADS or "out" in overload.split("_"):
        return None
    return frozenset()


def may_alias(name: str) -> bool:
    """True if a result of a torch op may share memory with an operand, or be one of its items."""
    schema, base = schema_of(name), name.partition(".")[2].partition(".")[0]
    if base in _MAY_RETURN_ARGUMENT:
        return True
    return base in _UNKNOWN_VIEWS if schema is None else schema.aliases


def aliased_operands(op: ir.Operation) -> set[int]:
    """Positions of the operands that an op's results may share memory with, if it gives any that do."""
    name = kernel(op)
    schema = schema_of(name) if name is not None else None
    aliased = {n for n, a in enumerate(schema.arguments) if a.type.aliases} if schema is not None else set()
    return aliased or set(range(len(op.operands) if schema is None else 1))


def writer_of(value: ir.Value) -> ir.Operation | None:
    """An op that may write to the object that a value is, or to one that shares its memory; None if there is none."""
    return next(writers_of(value), None)


def container_writer_of(value: ir.Value) -> ir.Operation | None:
    """An op that may change a container that a value is or shares items with; writes to tensors in it do not count."""
    kinds = (td.ListType, td.DictType)
    return next((op for op, written in _writes_of(value) if isinstance(written.type, kinds)), None)


def writers_of(value: ir.Value) -> Iterator[ir.Operation]:
    """The ops that may write to the object that a value is, or to one that shares its memory."""
    return (op for op, _ in _writes_of(value))


def _writes_of(value: ir.Value) -> Iterator[tuple[ir.Operation, ir.Value]]:
    """The ops that may write to an object, each with the value that it writes to."""
    pending, seen = [value], {value}
    while pending:
        name = pending.pop()
        for use in name.uses:
            user = use.owner.operation
            if _writes(user, use.operand_number):
                yield user, name
            for alias in _aliases(user, use.operand_number):
                if alias not in seen:
                    seen.add(alias)
                    pending.append(alias)


def _writes(op: ir.Operation, position: int) -> bool:
    if op.name == _OVERWRITE:
        return position == 1
    if op.name in ("func.call", "torch.prim.CallMethod"):
        return True
    name = kernel(op)
    if name is None:
        return False
    if hasattr(registry.find(name), "functional"):
        return _may_train(op)
    written = writes_to(name)
    return written is None or position in written


def _may_train(op: ir.Operation) -> bool:
    """Batch normalization writes its running statistics unless it is known not to train."""
    names = [a.name for a in registry.lookup(kernel(op) or op.name).schema.arguments]
    flag = walk.owner(op.operands[names.index("training")])
    return flag is None or flag.name != "torch.constant.bool" or ir.BoolAttr(flag.attributes["value"]).value


def _aliases(op: ir.Operation, position: int) -> list[ir.Value]:
    """The values that may be the object which an op takes at a position."""
    if op.name in SAME_OBJECT:
        return list(op.results)
    if op.name == "torch.prim.If.yield":
        return [op.parent.operation.results[position]]
    if op.name == "torch.prim.Loop.condition":
        return _loop_aliases(op.parent.operation, position - 1)
    if op.name == "torch.prim.Loop":
        return _loop_aliases(op, position - 2)
    name = kernel(op)
    return list(op.results) if name is not None and may_alias(name) else []


def _loop_aliases(loop: ir.Operation, carried: int) -> list[ir.Value]:
    if carried < 0:
        return []
    return [walk.blocks(loop)[0].arguments[carried + 1], loop.results[carried]]
