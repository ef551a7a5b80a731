"""Reshapes and padding on tensors of known symbolic sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from npcomp_dialects.mlir import ir

from . import polynomial
from .grouping import group, singles
from .linalg_ops import mixed
from .op_reading import element, ranked
from .polynomial import Poly
from .shape_rules import padded, product
from .types import static_sizes, tensor_type

if TYPE_CHECKING:
    from .tcf_to_linalg import Conversion

Groups = list[list[int]]


def regroup(c: Conversion, x: ir.Value, target: Sequence[Poly], type: Any = None) -> ir.Value:
    """The elements under new sizes: merged and split dims where that is provable, else a run-time reshape."""
    symbols = c.builder.symbols
    before = [symbols.canonical(p) for p in c.builder.sizes.of(x)]
    after = [symbols.canonical(p) for p in target]
    type = type or c.builder.sizes.type_of(after, element(x))
    pairs = group(before, after)
    if pairs is None:
        made = _by_shape(c, x, after, type)
    else:
        merged = [product([before[d] for d in left]) for left, _ in pairs]
        made = collapse(c, x, [left for left, _ in pairs], merged)
        made = expand(c, made, [right for _, right in pairs], after)
        made = c.linalg.cast(made, type)
    c.builder.sizes.define(made, after)
    view = singles(before, after)
    if view is not None:
        c.access.remember(made, x, view)
    return made


def _by_shape(c: Conversion, x: ir.Value, sizes: Sequence[Poly], type: ir.Type) -> ir.Value:
    index = c.emitter.index
    numbers = [c.builder.integers.index(p) for p in sizes]
    shape = c.emitter.value("tensor.from_elements", numbers, ir.RankedTensorType.get([len(numbers)], index))
    return c.emitter.value("tensor.reshape", [x, shape], type)


def collapse(c: Conversion, x: ir.Value, groups: Groups, sizes: Sequence[Poly]) -> ir.Value:
    """Merges each group of dims into one."""
    if len(groups) == ranked(x).rank:
        return x
    shown = static_sizes(ranked(x))
    merged = [_merged([shown[d] for d in g]) for g in groups]
    type = tensor_type(merged, element(x))
    made = c.emitter.value("tensor.collapse_shape", [x], type, {"reassociation": _reassociation(groups)})
    return c.builder.sizes.define(made, sizes)


def expand(c: Conversion, x: ir.Value, groups: Groups, sizes: Sequence[Poly]) -> ir.Value:
    """Splits each dim into a group."""
    if len(groups) == len(sizes):
        return x
    shown = c.builder.sizes.static(sizes)
    x = c.linalg.cast(x, tensor_type([_merged([shown[d] for d in g]) for g in groups], element(x)))
    static, dynamic = mixed(c.builder, sizes, shown)
    attributes = {"reassociation": _reassociation(groups), "static_output_shape": static}
    made = c.emitter.value("tensor.expand_shape", [x, *dynamic], tensor_type(shown, element(x)), attributes)
    return c.builder.sizes.define(made, sizes)


def permute(c: Conversion, x: ir.Value, positions: Sequence[int], type: Any) -> ir.Value:
    """Dim `j` of x becomes dim `positions[j]`. Whoever reads through a map reads x itself."""
    before = c.builder.sizes.of(x)
    sizes = [before[positions.index(d)] for d in range(len(positions))]
    source, exprs = c.access.read(x, positions)
    made = c.linalg.copy(source, exprs, sizes, type)
    c.access.remember(made, x, positions)
    return c.builder.sizes.define(made, sizes)


def _merged(sizes: Sequence[int | None]) -> int | None:
    total = 1
    for s in sizes:
        if s is None:
            return None
        total *= s
    return total


def _reassociation(groups: Groups) -> ir.Attribute:
    i64 = ir.IntegerType.get_signless(64)
    return ir.ArrayAttr.get([ir.ArrayAttr.get([ir.IntegerAttr.get(i64, d) for d in g]) for g in groups])


def pad_dims(
    c: Conversion, x: ir.Value, low: Sequence[int | Poly], high: Sequence[Poly], value: ir.Value, type: Any = None
) -> ir.Value:
    """The tensor with `value` before and after its elements."""
    before = [polynomial.constant(p) if isinstance(p, int) else p for p in low]
    if not any(before) and not any(high):
        return x
    sizes = padded(c.builder.sizes.of(x), before, high)
    type = type or c.builder.sizes.type_of(sizes, element(x))
    low_static, low_dynamic = mixed(c.builder, before, c.builder.sizes.static(before))
    high_static, high_dynamic = mixed(c.builder, high, c.builder.sizes.static(high))
    attributes = {
        "static_low": low_static,
        "static_high": high_static,
        "operandSegmentSizes": ir.DenseI32ArrayAttr.get([1, len(low_dynamic), len(high_dynamic)]),
    }
    op = c.emitter.op("tensor.pad", [x, *low_dynamic, *high_dynamic], [type], attributes, regions=1)
    index = [c.emitter.index] * len(sizes)
    block = ir.Block.create_at_start(op.regions[0], index, [c.emitter.loc] * len(index))
    with c.emitter.at(ir.InsertionPoint(block)):
        c.emitter.op("tensor.yield", [value])
    return c.builder.sizes.define(op.result, sizes)
