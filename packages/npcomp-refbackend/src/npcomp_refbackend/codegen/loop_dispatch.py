"""Loop nests on tensors as dispatches: `scf.for` / `scf.while` with tensor.extract and tensor.insert → one kernel.

The nest moves into the region of a `refrt.dispatch` as it is. The tensors it updates are the dispatch's outs; the
attribute `contents` says for each out whether the kernel starts from what it holds (it must then be ours alone, which
the driver sees to by its reference count) or from a fresh tensor. Scalars that the nest ends with are results too;
their outs only stand for their type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith

from .dispatch import Operand
from .in_place import NeedsCopy, Roots, nest_ops
from .layouts import CONTENTS
from .parse import read_layouts, read_operand

PARALLEL = "npcomp.parallel"


def form_loops(block: Any) -> None:
    """Make dispatches of the outermost nests in `block`, and in its control flow, that work in place."""
    for op in [o.operation for o in block.operations]:
        if op.name in ("scf.for", "scf.while") and any(_is_tensor(v) for v in op.results):
            try:
                roots = Roots(op)
            except NeedsCopy:
                roots = None
            if roots is not None:
                _materialize(op, roots)
                continue
        if op.name.startswith("scf."):
            for region in op.regions:
                for inner in region.blocks:
                    form_loops(inner)


def is_loops(dispatch: Any) -> bool:
    return CONTENTS in dispatch.attributes


@dataclass(eq=False)
class LoopDispatch:
    """A dispatch of loops, read. The kernel's scalar slots are `scalars`, room for the scalar results, and, where there
    are guards, the context and the number of each guard."""

    nest: Any
    operands: list[Operand]
    scalars: list[Any]  # region arguments
    results: list[Any]  # scalars that the nest ends with
    guards: list[Any]

    @classmethod
    def of(cls, op: Any) -> LoopDispatch:
        block = op.regions[0].blocks[0]
        arguments, first_out = list(block.arguments), len(block.arguments) - len(op.results)
        layouts = read_layouts(op, len(arguments))
        tensors = [n for n, a in enumerate(arguments) if _is_tensor(a)]
        operands = [read_operand(i, arguments[n], layouts[n], n >= first_out) for i, n in enumerate(tensors)]
        *_, nest, end = (o.operation for o in block.operations)
        return cls(
            nest,
            operands,
            [a for a in arguments[:first_out] if not _is_tensor(a)],
            [v for v in end.operands if not _is_tensor(v)],
            [o for o in nest_ops(nest) if o.name == "tcf.guard"],
        )

    @property
    def result_slot(self) -> int:
        return len(self.scalars)

    @property
    def context_slot(self) -> int:
        return self.result_slot + len(self.results)

    @property
    def is_parallel(self) -> bool:
        """The iterations of the outermost loop may run in any order: they are the kernel's units."""
        return PARALLEL in self.nest.attributes and not self.results and not self.guards


def _materialize(nest: Any, roots: Roots) -> None:
    """Move `nest` into a dispatch in its place."""
    captured = _captured(nest)
    scalars = [r for r in nest.results if not _is_tensor(r)]
    with ir.InsertionPoint(nest), nest.location:
        outs = [_own(slot.init) for slot in roots.slots]
        outs += [arith.ConstantOp(r.type, _zero(r.type)).result for r in scalars]
        op = ir.Operation.create(
            "refrt.dispatch",
            results=[v.type for v in outs],
            operands=captured + outs,
            regions=1,
            attributes={
                "operandSegmentSizes": ir.DenseI32ArrayAttr.get([len(captured), len(outs)]),
                CONTENTS: ir.DenseBoolArrayAttr.get([_is_tensor(v) and not _is_empty(v) for v in outs]),
            },
        )
    places = [*roots.slots, *scalars]
    position = [places.index(r if root is None else root) for r, root in zip(nest.results, roots.results)]
    values = list(nest.results)
    for value, n in zip(values, position):
        value.replace_all_uses_with(op.results[n])
    types = [v.type for v in op.operands]
    block = op.regions[0].blocks.append(*types, arg_locs=[nest.location] * len(types))
    first_out = len(captured)
    with ir.InsertionPoint(block), nest.location:
        yielded: list[Any] = list(block.arguments)[first_out:]
        for value, n in zip(values, position):
            yielded[n] = value
        end = ir.Operation.create("refrt.yield", operands=yielded)
    nest.move_before(end)
    arguments = iter(list(block.arguments)[first_out:])
    for n, operand in enumerate(nest.operands):
        if _is_tensor(operand):
            nest.operands[n] = next(arguments)
    _capture_by(nest, dict(zip(captured, block.arguments)))
    _clone_constants(nest)


def _captured(nest: Any) -> list[Any]:
    """What the nest reads from outside, but for what it starts from: tensors, then scalars; no constant scalars."""
    ops = nest_ops(nest)
    inside = {r for o in ops for r in o.results}
    inside.update(a for o in ops for region in o.regions for block in region.blocks for a in block.arguments)
    read = [v for v in nest.operands if not _is_tensor(v)] + [v for o in ops[1:] for v in o.operands]
    found = dict.fromkeys(v for v in read if v not in inside)
    for op in ops:
        if op.name == "arith.constant" and _is_tensor(op.results[0]):
            op.move_before(nest)
            found[op.results[0]] = None
    return sorted((v for v in found if _is_tensor(v) or not _is_constant(v)), key=lambda v: not _is_tensor(v))


def _capture_by(nest: Any, mapping: dict[Any, Any]) -> None:
    for op in nest_ops(nest):
        for n, operand in enumerate(op.operands):
            if operand in mapping:
                op.operands[n] = mapping[operand]


def _clone_constants(nest: Any) -> None:
    """Bring the scalar constants that the nest reads into its region."""
    ops = nest_ops(nest)
    inside = {r for o in ops for r in o.results}
    clones: dict[Any, Any] = {}
    for op in ops:
        for n, operand in enumerate(op.operands):
            if operand in inside or not _is_constant(operand):
                continue
            if operand not in clones:
                with ir.InsertionPoint(nest):
                    clones[operand] = operand.owner.operation.clone().results[0]
            op.operands[n] = clones[operand]


def _own(init: Any) -> Any:
    """The tensor to update; a `tensor.empty` may have other users, so it is made again."""
    return init.owner.operation.clone().results[0] if _is_empty(init) else init


def _zero(kind: ir.Type) -> ir.Attribute:
    is_integer = isinstance(kind, ir.IntegerType | ir.IndexType)
    return ir.IntegerAttr.get(kind, 0) if is_integer else ir.FloatAttr.get(kind, 0.0)


def _is_empty(value: Any) -> bool:
    return not isinstance(value.owner, ir.Block) and value.owner.operation.name == "tensor.empty"


def _is_constant(value: Any) -> bool:
    return not isinstance(value.owner, ir.Block) and value.owner.operation.name == "arith.constant"


def _is_tensor(value: Any) -> bool:
    return isinstance(value.type, ir.RankedTensorType)
