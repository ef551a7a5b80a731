"""tcf.reshape, slice, concat, pad → tensor ops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from npcomp_dialects.mlir import ir

from . import polynomial, shape_rules
from .layout import pad_dims, permute, regroup
from .linalg_ops import mixed
from .op_reading import element, integer, op_name, ranked
from .polynomial import Poly
from .types import static_sizes

if TYPE_CHECKING:
    from .tcf_to_linalg import Conversion


def convert_reshape(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    x, *numbers = op.operands
    target = [c.builder.integers.of_value(n) for n in numbers]
    target, requirements = shape_rules.reshape(c.builder.sizes.of(x), target)
    c.access.require(requirements, op_name(op))
    return [regroup(c, x, target, ranked(op.results[0]))]


def convert_slice(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    """A slice of a transposed tensor is the transposed slice: the copy may then never be needed."""
    x, *numbers = op.operands
    dim, type = integer(op, "dim"), ranked(op.results[0])
    bounds = [c.builder.integers.of_value(n) for n in numbers]
    transposed = c.access.permutation(x)
    if transposed is None:
        return [_sliced(c, x, dim, bounds, type)]
    source, positions = transposed
    part = _sliced(c, source, positions.index(dim), bounds, None)
    return [permute(c, part, positions, type)]


def _sliced(c: Conversion, x: ir.Value, dim: int, bounds: Sequence[Poly], type: Any) -> ir.Value:
    start, stop, step = bounds
    sizes = list(c.builder.sizes.of(x))
    sizes[dim] = shape_rules.sliced(c.builder.symbols, start, stop, step)
    type = type or c.builder.sizes.type_of(sizes, element(x))
    if 0 in c.builder.sizes.static(sizes):  # a slice at the end of a dim is not allowed to start there
        return c.builder.sizes.define(c.linalg.empty(sizes, type), sizes)
    offsets = [start if d == dim else polynomial.ZERO for d in range(len(sizes))]
    strides = [step if d == dim else polynomial.ONE for d in range(len(sizes))]
    made = c.emitter.value("tensor.extract_slice", *_slice(c, [x], offsets, sizes, strides, static_sizes(type), type))
    return c.builder.sizes.define(made, sizes)


def _slice(
    c: Conversion,
    tensors: Sequence[ir.Value],
    offsets: Sequence[Poly],
    sizes: Sequence[Poly],
    strides: Sequence[Poly],
    shown: Sequence[int | None],
    type: Any,
) -> tuple[list[ir.Value], Any, dict[str, ir.Attribute]]:
    """Operands, result type and attributes of extract_slice and insert_slice."""
    table = c.builder.sizes
    columns = [
        mixed(c.builder, numbers, static)
        for numbers, static in (
            (offsets, table.static(offsets)),
            (sizes, shown),
            (strides, table.static(strides)),
        )
    ]
    attributes = {f"static_{n}": a for n, (a, _) in zip(("offsets", "sizes", "strides"), columns, strict=True)}
    counts = [1] * len(tensors) + [len(operands) for _, operands in columns]
    attributes["operandSegmentSizes"] = ir.DenseI32ArrayAttr.get(counts)
    return [*tensors, *(o for _, operands in columns for o in operands)], type, attributes


def convert_concat(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    operands, dim = list(op.operands), integer(op, "dim")
    shapes = [c.builder.sizes.of(o) for o in operands]
    target, requirements = shape_rules.concat(shapes, dim)
    c.access.require(requirements, op_name(op))
    type = ranked(op.results[0])
    made = c.linalg.empty(target, type)
    position = polynomial.ZERO
    rank = len(target)
    for operand, sizes in zip(operands, shapes, strict=True):
        if 0 in c.builder.sizes.static(sizes):  # what is empty is not allowed to have a place at the end of a dim
            continue
        offsets = [position if d == dim else polynomial.ZERO for d in range(rank)]
        ones = [polynomial.ONE] * rank
        shown = static_sizes(ranked(operand))
        made = c.emitter.value("tensor.insert_slice", *_slice(c, [operand, made], offsets, sizes, ones, shown, type))
        position = polynomial.add(position, sizes[dim])
    return [c.builder.sizes.define(made, target)]


def convert_pad(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    x, value, *edges = op.operands
    numbers = [c.builder.integers.of_value(e) for e in edges]
    rank = len(numbers) // 2
    return [pad_dims(c, x, numbers[:rank], numbers[rank:], value, ranked(op.results[0]))]
