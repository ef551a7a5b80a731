"""tcf.pool → linalg.generic over windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from npcomp_dialects.mlir import ir

from . import polynomial, shape_rules
from .convert_contraction import sliding
from .convert_reduction import compare_floats, narrow
from .identities import accumulator_type, combine, start
from .layout import pad_dims
from .op_reading import element, flag, integers, op_name, text
from .polynomial import ONE, Poly, add, constant, multiply, subtract
from .types import dtype_of

if TYPE_CHECKING:
    from .tcf_to_linalg import Conversion


class _Window:
    """Sizes of a pooling: `lead` dims pass through, the rest slide."""

    def __init__(self, c: Conversion, op: ir.Operation):
        self.c = c
        self.x = op.operands[0]
        self.kind = text(op, "kind")
        names = ("kernel", "stride", "padding", "dilation")
        self.kernel, self.stride, self.padding, self.dilation = (integers(op, name) for name in names)
        self.input = c.builder.sizes.of(self.x)
        self.sizes, requirements = shape_rules.pool(
            c.builder.symbols,
            self.input,
            self.kernel,
            self.stride,
            self.padding,
            self.dilation,
            flag(op, "ceil_mode"),
        )
        c.access.require(requirements, op_name(op))
        self.spatial = len(self.kernel)
        self.lead = len(self.input) - self.spatial

    def padded(self) -> ir.Value:
        """The input with neutral elements around it, as far as the last window reaches."""
        c = self.c
        low = [0] * self.lead + self.padding
        high = [polynomial.ZERO] * self.lead + [self._above(d) for d in range(self.spatial)]
        return pad_dims(c, self.x, low, high, start(c.builder, self.kind, element(self.x)))

    def _above(self, d: int) -> Poly:
        count, size = self.sizes[self.lead + d], self.input[self.lead + d]
        reach = constant(self.dilation[d] * (self.kernel[d] - 1) + 1)
        end = add(multiply(subtract(count, ONE), constant(self.stride[d])), reach)
        beyond = subtract(end, add(size, constant(self.padding[d])))
        return self.c.builder.symbols.maximum(beyond, constant(self.padding[d]))

    def reads(self) -> list[Sequence[object]]:
        """The maps of input and window."""
        loops = len(self.input)
        window = sliding(self.lead, loops, self.stride, self.dilation)
        return [[*range(self.lead), *window], range(loops, loops + self.spatial)]

    def shape(self) -> ir.Value:
        """A tensor that only says how large the window is."""
        type = ir.RankedTensorType.get(self.kernel, element(self.x))
        return self.c.linalg.empty([constant(k) for k in self.kernel], type)


def convert_pool(c: Conversion, op: ir.Operation) -> list[ir.Value]:
    window = _Window(c, op)
    return _with_indices(c, window) if len(op.results) == 2 else [_values(c, window)]


def _values(c: Conversion, w: _Window) -> ir.Value:
    inner = accumulator_type(w.kind, element(w.x))
    init = c.linalg.filled(w.sizes, c.builder.sizes.type_of(w.sizes, inner), start(c.builder, w.kind, inner))
    rank = len(w.sizes)
    loops = rank + w.spatial
    made = c.linalg.generic(
        [w.padded(), w.shape()],
        [init],
        [*w.reads(), range(rank)],  # type: ignore[list-item]
        loops,
        range(rank, loops),
        body=lambda x, _, acc: [combine(c.builder, w.kind, x, acc)],
    )[0]
    return narrow(c, c.builder.sizes.define(made, w.sizes), element(w.x))


def _with_indices(c: Conversion, w: _Window) -> list[ir.Value]:
    """The maximum and where it is; the second accumulator starts at -1, so that a window's first element counts."""
    emitter, type, i64 = c.emitter, element(w.x), c.emitter.i64
    best = c.linalg.filled(w.sizes, c.builder.sizes.type_of(w.sizes, type), start(c.builder, "max", type))
    none = emitter.constant(-1, i64)
    where = c.linalg.filled(w.sizes, c.builder.sizes.type_of(w.sizes, i64), none)
    extents = [c.builder.integers.index(p) for p in w.input[w.lead :]]
    rank = len(w.sizes)
    loops = rank + w.spatial

    def body(x: ir.Value, _: ir.Value, acc: ir.Value, position: ir.Value) -> list[ir.Value]:
        inside, flat = _position(c, w, extents)
        here = emitter.value("arith.index_cast", [flat], i64)
        better = _replaces(c, x, acc)
        first = c.builder.integers.compare(2, position, emitter.constant(0, i64))
        better = emitter.value("arith.ori", [better, first], emitter.i1)
        better = emitter.value("arith.andi", [better, inside], emitter.i1)
        return [
            emitter.value("arith.select", [better, x, acc], type),
            emitter.value("arith.select", [better, here, position], i64),
        ]

    maps = [*w.reads(), range(rank), range(rank)]
    made = c.linalg.generic(
        [w.padded(), w.shape()],
        [best, where],
        maps,  # type: ignore[arg-type]
        loops,
        range(rank, loops),
        body=body,
    )
    return [c.builder.sizes.define(value, w.sizes) for value in made]


def _position(c: Conversion, w: _Window, extents: Sequence[ir.Value]) -> tuple[ir.Value, ir.Value]:
    """Is this position inside the input, and its number in the flattened plane."""
    emitter, index = c.emitter, c.emitter.index
    zero = emitter.constant(0, index)
    inside: ir.Value | None = None
    flat: ir.Value | None = None
    for d, extent in enumerate(extents):
        out = _scaled(c, c.linalg.loop_index(w.lead + d), w.stride[d])
        tap = _scaled(c, c.linalg.loop_index(len(w.sizes) + d), w.dilation[d])
        place = emitter.value("arith.addi", [out, tap], index)
        if w.padding[d]:
            place = emitter.value("arith.subi", [place, emitter.constant(w.padding[d], index)], index)
        within = emitter.value(
            "arith.andi",
            [c.builder.integers.compare(5, place, zero), c.builder.integers.compare(2, place, extent)],
            emitter.i1,
        )
        inside = within if inside is None else emitter.value("arith.andi", [inside, within], emitter.i1)
        if flat is not None:
            place = emitter.value("arith.addi", [emitter.value("arith.muli", [flat, extent], index), place], index)
        flat = place
    assert inside is not None and flat is not None
    return inside, flat


def _scaled(c: Conversion, x: ir.Value, factor: int) -> ir.Value:
    if factor == 1:
        return x
    return c.emitter.value("arith.muli", [x, c.emitter.constant(factor, c.emitter.index)], c.emitter.index)


def _replaces(c: Conversion, x: ir.Value, acc: ir.Value) -> ir.Value:
    """As torch scans: larger, or NaN."""
    if not dtype_of(x.type).is_float:
        return c.builder.integers.compare(4, x, acc)
    larger, nan = compare_floats(c, 2, x, acc), compare_floats(c, 14, x, x)
    return c.emitter.value("arith.ori", [larger, nan], c.emitter.i1)
