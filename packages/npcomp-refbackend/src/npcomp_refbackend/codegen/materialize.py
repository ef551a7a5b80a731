"""A fused group → one `refrt.dispatch` op in destination style."""

from __future__ import annotations

from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith, tensor

from .build import empty_like, known_size
from .cluster import unify
from .fusion import Group
from .structured import Generic, nested


def materialize(group: Group, results_before: Any) -> Any:
    """Build the dispatch of `group` before the op `results_before` and replace the group's results by it."""
    for generic in group.generics:
        generic.refresh()
    inside = {r for g in group.generics for r in g.op.results}
    escaping = [r for i in sorted(group.escaping) for r in group.generics[i].op.results if _used_outside(r, group)]
    inputs = _inputs(group, inside)
    with ir.InsertionPoint(results_before), group.generics[-1].op.location:
        outs = [_destination(r, group) for r in escaping]
        op = ir.Operation.create(
            "refrt.dispatch",
            results=[r.type for r in escaping],
            operands=inputs + outs,
            regions=1,
            attributes={"operandSegmentSizes": ir.DenseI32ArrayAttr.get([len(inputs), len(outs)])},
        )
    locations = [group.generics[-1].op.location] * (len(inputs) + len(outs))
    block = op.regions[0].blocks.append(*[v.type for v in inputs + outs], arg_locs=locations)
    mapping = dict(zip(inputs, list(block.arguments)[: len(inputs)]))
    destinations = dict(zip(escaping, list(block.arguments)[len(inputs) :]))
    sources = _Sources(group, inputs, destinations)
    with ir.InsertionPoint(block):
        for generic in group.generics:
            _clone(generic, mapping, destinations, sources)
        with op.location:
            ir.Operation.create("refrt.yield", operands=[mapping[r] for r in escaping])
    for old, new in zip(escaping, op.results):
        old.replace_all_uses_with(new)
    for generic in reversed(group.generics):
        generic.op.operation.erase()
    return op


def _inputs(group: Group, inside: set[Any]) -> list[Any]:
    """Values the group reads from outside: tensors first, then scalars; constants and shapes are cloned instead."""
    found: dict[Any, None] = {}
    for generic in group.generics:
        outs = [o for o, a in zip(generic.outs, generic.accumulators) if _is_read(a)]
        for value in generic.inputs + [v for o in outs for v in _init_values(o)] + generic.captured():
            if value not in inside and not _is_cloned(value):
                found[value] = None
    return sorted(found, key=lambda v: not isinstance(v.type, ir.RankedTensorType))


def _init_values(out: Any) -> list[Any]:
    return [_owner(out).operands[0]] if _defined_by(out, "linalg.fill") else [out]


def _is_read(argument: Any) -> bool:
    return any(True for _ in argument.uses)


def _is_cloned(value: Any) -> bool:
    """Scalar constants, and static `tensor.empty` that only shapes a window."""
    if _defined_by(value, "arith.constant"):
        return not isinstance(value.type, ir.RankedTensorType)
    return _defined_by(value, "tensor.empty") and not list(_owner(value).operands)


def _owner(value: Any) -> Any:
    return None if isinstance(value.owner, ir.Block) else value.owner.operation


def _defined_by(value: Any, name: str) -> bool:
    owner = _owner(value)
    return owner is not None and owner.name == name


def _used_outside(result: Any, group: Group) -> bool:
    users = [g.op.operation for g in group.generics]
    return any(not _is_within(u.owner.operation, users) for u in result.uses)


def _is_within(op: Any, ops: list[Any]) -> bool:
    while op is not None:
        if op in ops:
            return True
        parent = op.parent
        op = parent.operation if parent is not None and parent.operation.name == "linalg.generic" else None
    return False


def _destination(result: Any, group: Group) -> Any:
    """A fresh tensor of the result's sizes: those of the op's own out operand."""
    generic = next(g for g in group.generics if result in list(g.op.results))
    out = generic.outs[list(generic.op.results).index(result)]
    while not _defined_by(out, "tensor.empty"):
        if not _defined_by(out, "linalg.fill"):
            return empty_like(out)
        out = _owner(out).operands[1]
    return tensor.EmptyOp([known_size(out, d) for d in range(out.type.rank)], out.type.element_type).result


class _Sources:
    """Where the extent of each loop of a group is found: a dimension of an input, or of a result that escapes."""

    def __init__(self, group: Group, inputs: list[Any], destinations: dict[Any, Any]):
        cluster = unify(group.generics)
        assert cluster is not None
        self.members, self.loops = cluster.members, cluster.loops
        self.found: dict[int, tuple[Any, int]] = {}
        for generic, classes in zip(self.members, self.loops):
            values = [*generic.inputs, *generic.op.results]
            for value, indices in zip(values, generic.maps):
                if value in inputs or value in destinations:
                    for dim, index in enumerate(indices):
                        if index.loop is not None:
                            self.found.setdefault(classes[index.loop], (value, dim))

    def of(self, generic: Generic, result: int, dim: int) -> tuple[Any, int]:
        loop = generic.out_maps[result][dim].loop
        classes = next(c for g, c in zip(self.members, self.loops) if g is generic)
        if loop is None or classes[loop] not in self.found:
            raise ValueError(f"nothing has the extent of dimension {dim} of a result of {generic.op.operation.name}")
        return self.found[classes[loop]]


def _clone(generic: Generic, mapping: dict[Any, Any], destinations: dict[Any, Any], sources: _Sources) -> None:
    with generic.op.location:
        for value in generic.inputs + generic.captured():
            if value not in mapping:
                mapping[value] = _owner(value).clone().results[0]
        outs = [_local_out(generic, n, mapping, destinations, sources) for n in range(len(generic.outs))]
    clone = generic.op.operation.clone()
    for i, value in enumerate(generic.inputs):
        clone.operands[i] = mapping[value]
    for i, value in enumerate(outs):
        clone.operands[len(generic.inputs) + i] = value
    for value in generic.captured():
        _replace_inside(clone, value, mapping[value])
    mapping.update(zip(generic.op.results, clone.results))


def _local_out(
    generic: Generic, n: int, mapping: dict[Any, Any], destinations: dict[Any, Any], sources: _Sources
) -> Any:
    """The out operand of a clone: its initial value where the body reads it, else only a shape."""
    out = generic.outs[n]
    if not _is_read(generic.accumulators[n]):
        return _shape(generic, n, mapping, destinations, sources)
    if not _defined_by(out, "linalg.fill"):
        return mapping[out]
    value = _owner(out).operands[0]
    scalar = mapping[value] if value in mapping else _owner(value).clone().results[0]
    return _fill(scalar, _shape(generic, n, mapping, destinations, sources))


def _fill(scalar: Any, shape: Any) -> Any:
    op = ir.Operation.create(
        "linalg.fill",
        results=[shape.type],
        operands=[scalar, shape],
        regions=1,
        attributes={"operandSegmentSizes": ir.DenseI32ArrayAttr.get([1, 1])},
    )
    element = ir.RankedTensorType(shape.type).element_type
    block = op.regions[0].blocks.append(scalar.type, element, arg_locs=[op.location] * 2)
    with ir.InsertionPoint(block):
        ir.Operation.create("linalg.yield", operands=[block.arguments[0]])
    return op.results[0]


def _shape(generic: Generic, n: int, mapping: dict[Any, Any], destinations: dict[Any, Any], sources: _Sources) -> Any:
    """A tensor with the result's sizes: the destination, or an empty one sized by what the group has."""
    result = generic.op.results[n]
    if result in destinations:
        return destinations[result]
    kind = ir.RankedTensorType(generic.outs[n].type)
    sizes = []
    for d, size in enumerate(kind.shape):
        if size < 0:
            value, dim = sources.of(generic, n, d)
            value = destinations[value] if value in destinations else mapping[value]
            size = tensor.DimOp(value, arith.ConstantOp(ir.IndexType.get(), dim).result).result
        sizes.append(size)
    return tensor.EmptyOp(sizes, kind.element_type).result


def _replace_inside(op: Any, old: Any, new: Any) -> None:
    for inner in nested(op.regions[0].blocks[0]):
        for i, operand in enumerate(inner.operands):
            if operand == old:
                inner.operands[i] = new
