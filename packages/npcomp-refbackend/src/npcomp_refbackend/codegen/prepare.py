"""Clean-up of linalg before fusion: what never deserves memory is folded into the ops that read it.

* `tensor.dim` of a computed tensor is the size it was made with.
* A splat constant is a scalar in the body that reads it.
* A copy (permute, broadcast) is an index map of the op that reads it.
* `tensor.pad` is a fill with its source inserted.
* `linalg.fill` as a value is an op without inputs; as an initial value it stays.
"""

from __future__ import annotations

from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith

from .build import generic, known_size, yield_op
from .padding import expand_pad
from .structured import Generic, is_copy


def prepare(function: Any) -> None:
    for op in _walk(function):
        name = op.operation.name
        if name == "tensor.dim":
            _fold_dim(op.operation)
        elif name == "linalg.fill":
            _generalize_fill(op.operation)
        elif name == "tensor.pad":
            expand_pad(op.operation)
        elif name == "linalg.generic":
            _fold_splats(op.operation)
            _fold_copies(op.operation)


def _walk(function: Any) -> list[Any]:
    found: list[Any] = []

    def visit(op: Any) -> Any:
        found.append(op)
        return ir.WalkResult.SKIP if op.operation.name in ("linalg.generic", "tensor.pad") else ir.WalkResult.ADVANCE

    function.operation.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found


def _owner(value: Any) -> Any:
    return None if isinstance(value.owner, ir.Block) else value.owner.operation


def _fold_dim(op: Any) -> None:
    """`tensor.dim` through generic, fill and cast to `tensor.empty` or a static size."""
    value, position = op.operands
    constant = _owner(position)
    if constant is None or constant.name != "arith.constant":
        return
    dim = constant.attributes["value"].value
    size = known_size(value, dim)
    if isinstance(size, int):
        with ir.InsertionPoint(op), op.location:
            size = arith.ConstantOp(ir.IndexType.get(), size).result
    if size is not None:
        op.results[0].replace_all_uses_with(size)
        op.erase()


def _generalize_fill(op: Any) -> None:
    """A fill that is read as a tensor becomes a generic that yields the scalar."""
    if all(_is_init(use) for use in op.results[0].uses):
        return
    scalar, out = op.operands
    with ir.InsertionPoint(op), op.location:
        rank = ir.RankedTensorType(out.type).rank
        made = generic([], out, [list(range(rank))], ["parallel"] * rank)
        with ir.InsertionPoint(made.regions[0].blocks[0]):
            yield_op([scalar])
    for use in list(op.results[0].uses):
        if not _is_init(use):
            use.owner.operation.operands[use.operand_number] = made.results[0]


def _is_init(use: Any) -> bool:
    op = use.owner.operation
    return op.name == "linalg.generic" and use.operand_number >= len(op.operands) - len(op.results)


def _fold_splats(op: Any) -> None:
    """Replace the element of a splat input by a scalar constant, keeping the operand out of memory."""
    block = op.regions[0].blocks[0]
    for n in range(len(op.operands) - len(op.results)):
        value = op.operands[n]
        owner = _owner(value)
        if owner is None or not any(True for _ in block.arguments[n].uses):
            continue
        splat = splat_of(owner)
        if splat is None:
            continue
        with ir.InsertionPoint(op), op.location:
            scalar = arith.ConstantOp(splat.type, splat).result
        block.arguments[n].replace_all_uses_with(scalar)


def splat_of(op: Any) -> Any:
    """The one element of a tensor as an attribute: a splat constant's, 0 for a `tensor.empty`, else None."""
    if op.name == "tensor.empty":
        kind = ir.RankedTensorType(op.results[0].type).element_type
        return ir.IntegerAttr.get(kind, 0) if isinstance(kind, ir.IntegerType) else ir.FloatAttr.get(kind, 0.0)
    value = op.attributes["value"] if op.name == "arith.constant" else None
    if not isinstance(value, ir.DenseElementsAttr) or not value.is_splat:
        return None
    return value.get_splat_value()


def _fold_copies(op: Any) -> None:
    """Read through the copies that feed `op`: compose the maps."""
    for n in range(len(op.operands) - len(op.results)):
        owner = _owner(op.operands[n])
        while owner is not None and owner.name == "linalg.generic" and is_copy(owner) and _compose(op, n, owner):
            owner = _owner(op.operands[n])


def _compose(op: Any, n: int, copy: Any) -> bool:
    """False if a loop over a repeated dim would then find its extent nowhere."""
    maps = [m.value for m in op.attributes["indexing_maps"]]
    source = Generic.of(copy)
    inner = copy.attributes["indexing_maps"][0].value
    out = copy.attributes["indexing_maps"][1].value
    position = {e.position: d for d, e in enumerate(out.results)}
    reader = maps[n]
    exprs = []
    for e in inner.results:
        loop = getattr(e, "position", None)
        exprs.append(ir.AffineConstantExpr.get(0) if loop is None else reader.results[position[loop]])
    maps[n] = ir.AffineMap.get(reader.n_dims, 0, exprs)
    if _loops_of([reader]) - _loops_of(maps):
        return False
    op.attributes["indexing_maps"] = ir.ArrayAttr.get([ir.AffineMapAttr.get(m) for m in maps])
    op.operands[n] = source.inputs[0]
    return True


def _loops_of(maps: list[Any]) -> set[int]:
    """The loops that count a dimension of some operand by themselves."""
    return {e.position for m in maps for e in m.results if isinstance(e, ir.AffineDimExpr)}
