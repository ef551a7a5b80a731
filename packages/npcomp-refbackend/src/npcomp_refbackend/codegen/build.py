"""Building the few tensor ops that code generation makes itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith, tensor

_DYNAMIC = -(2**63)


def generic(inputs: Sequence[Any], out: Any, maps: Sequence[Sequence[int]], kinds: Sequence[str]) -> Any:
    """A `linalg.generic` with an empty body block; `maps` list, for inputs then the out, the loop of each dimension."""
    rank = len(kinds)
    attributes = [ir.AffineMapAttr.get(ir.AffineMap.get(rank, 0, [ir.AffineDimExpr.get(d) for d in m])) for m in maps]
    op = ir.Operation.create(
        "linalg.generic",
        results=[out.type],
        operands=[*inputs, out],
        regions=1,
        attributes={
            "indexing_maps": ir.ArrayAttr.get(attributes),
            "iterator_types": ir.ArrayAttr.get([ir.Attribute.parse(f"#linalg.iterator_type<{k}>") for k in kinds]),
            "operandSegmentSizes": ir.DenseI32ArrayAttr.get([len(inputs), 1]),
        },
    )
    elements = [v.type.element_type for v in (*inputs, out)]
    op.regions[0].blocks.append(*elements, arg_locs=[op.location] * len(elements))
    return op


def copy(source: Any, out: Any) -> Any:
    """A `linalg.generic` that moves `source` into `out`."""
    rank = ir.RankedTensorType(source.type).rank
    op = generic([source], out, [list(range(rank))] * 2, ["parallel"] * rank)
    block = op.regions[0].blocks[0]
    with ir.InsertionPoint(block):
        yield_op([block.arguments[0]])
    return op


def yield_op(values: Sequence[Any]) -> None:
    ir.Operation.create("linalg.yield", operands=list(values))


def insert_slice(source: Any, target: Any, offsets: Sequence[Any], sizes: Sequence[Any]) -> Any:
    """`tensor.insert_slice` with unit steps; entries are ints or index values."""
    dynamic = [[x for x in group if not isinstance(x, int)] for group in (offsets, sizes)]
    static = [[x if isinstance(x, int) else _DYNAMIC for x in group] for group in (offsets, sizes)]
    op = ir.Operation.create(
        "tensor.insert_slice",
        results=[target.type],
        operands=[source, target, *dynamic[0], *dynamic[1]],
        attributes={
            "static_offsets": ir.DenseI64ArrayAttr.get(static[0]),
            "static_sizes": ir.DenseI64ArrayAttr.get(static[1]),
            "static_strides": ir.DenseI64ArrayAttr.get([1] * len(static[0])),
            "operandSegmentSizes": ir.DenseI32ArrayAttr.get([1, 1, len(dynamic[0]), len(dynamic[1]), 0]),
        },
    )
    return op.results[0]


def region_of(insert: Any) -> Any:
    """The `tensor.extract_slice` of the destination that an insert_slice overwrites."""
    segments = list(insert.attributes["operandSegmentSizes"])
    operands = list(insert.operands)
    names = ("static_offsets", "static_sizes", "static_strides")
    attributes = {name: insert.attributes[name] for name in names}
    attributes["operandSegmentSizes"] = ir.DenseI32ArrayAttr.get([1, *segments[2:]])
    op = ir.Operation.create(
        "tensor.extract_slice", results=[operands[0].type], operands=operands[1:], attributes=attributes
    )
    return op


def known_size(value: Any, dim: int) -> Any:
    """The size a tensor was made with: an int, an index value, or None."""
    shape = ir.RankedTensorType(value.type).shape
    if shape[dim] >= 0:
        return shape[dim]
    if isinstance(value.owner, ir.Block):
        return None
    owner = value.owner.operation
    if owner.name == "tensor.empty":
        return owner.operands[sum(1 for s in shape[:dim] if s < 0)]
    if owner.name in ("linalg.generic", "linalg.fill"):
        split = len(owner.operands) - len(owner.results)
        return known_size(owner.operands[split + list(owner.results).index(value)], dim)
    return None


def size(value: Any, dim: int) -> Any:
    """Size of a dimension as an int or an index value."""
    found = known_size(value, dim)
    if found is not None:
        return found
    return tensor.DimOp(value, arith.ConstantOp(ir.IndexType.get(), dim).result).result


def empty_like(value: Any) -> Any:
    """A fresh tensor of a value's sizes."""
    kind = ir.RankedTensorType(value.type)
    return tensor.EmptyOp([size(value, d) for d in range(kind.rank)], kind.element_type).result
