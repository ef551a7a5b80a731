"""The part of `b` that reaches beyond one computation: loops over tensors, and draws from the runtime's generator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.mlir import ir

from .emitter import Scope
from .polynomial import Poly, as_constant
from .types import DYNAMIC, static_sizes, tensor_type
from .values import Scalar, T

if TYPE_CHECKING:
    from .builder import Builder


class ProgramOps:
    """What is program, not arithmetic."""

    def random_key(self: Builder) -> tuple[Scalar, Scalar]:  # type: ignore[misc]
        """Two numbers in [0, 2^63) that no other random computation gets: seed and offset.

        What is computed from them in the body of a map stays there: kernels take two numbers, not every round's keys.
        """
        i64 = self.emitter.i64
        made = self.emitter.op("tcf.random_key", [], [i64, i64])
        seed, offset = (Scalar(self.arithmetic, DType.i64, value, inside=True) for value in made.results)
        return seed, offset

    def repeat(self: Builder, count: Any, body: Callable[..., Any], *carried: T) -> tuple[T, ...]:  # type: ignore[misc]
        """The tensors after `count` trips of `carried = body(b, trip, *carried)`; sizes and dtypes stay the same."""
        emitter, symbols = self.emitter, self.symbols
        block = emitter.scratch_block([emitter.index, *(t.value.type for t in carried)])
        mark = symbols.mark()
        with emitter.scope(Scope(block)):
            trip = self.arithmetic.index_number(block.arguments[0])
            inside = [_alike(self, v, t) for v, t in zip(list(block.arguments)[1:], carried, strict=True)]
            following = body(self, trip, *inside)
            emitter.op("scf.yield", [_fitting(self, new, old) for new, old in zip(following, carried, strict=True)])
        symbols.forget(mark)
        bounds = [emitter.constant(0, emitter.index), self._index(count), emitter.constant(1, emitter.index)]
        made = emitter.op("scf.for", [*bounds, *(t.value for t in carried)], [t.value.type for t in carried], regions=1)
        block.append_to(made.regions[0])
        return tuple(_alike(self, v, t) for v, t in zip(made.results, carried, strict=True))

    def update(self: Builder, x: T, dim: int, start: Any, piece: T) -> T:  # type: ignore[misc]
        """`x` with `piece` in the place of as many indices of the dim; the caller keeps them inside."""
        if 0 in static_sizes(x.type):
            return x
        offsets = [self.integers.of(start if d == dim else 0) for d in range(x.rank)]
        spans = [piece if d == dim else x for d in range(x.rank)]
        shown = [static_sizes(t.type)[d] for d, t in enumerate(spans)]
        places = _mixed(self, offsets, [as_constant(p) for p in offsets])
        counts = _mixed(self, [self.sizes.of(t.value)[d] for d, t in enumerate(spans)], shown)
        source = _as_type(self, piece, tensor_type(shown, x.type.element_type))
        attributes = {
            "static_offsets": places[0],
            "static_sizes": counts[0],
            "static_strides": ir.DenseI64ArrayAttr.get([1] * x.rank),
            "operandSegmentSizes": ir.DenseI32ArrayAttr.get([1, 1, len(places[1]), len(counts[1]), 0]),
        }
        operands = [source, x.value, *places[1], *counts[1]]
        return _alike(self, self.emitter.value("tensor.insert_slice", operands, x.type, attributes), x)


def _mixed(b: Builder, numbers: Sequence[Poly], static: Sequence[int | None]) -> tuple[ir.Attribute, list[ir.Value]]:
    """The attribute of the numbers known at compile time and the operands for the others."""
    shown = [DYNAMIC if s is None else s for s in static]
    return ir.DenseI64ArrayAttr.get(shown), [
        b.integers.index(p) for p, s in zip(numbers, static, strict=True) if s is None
    ]


def _alike(b: Builder, value: ir.Value, like: T) -> T:
    """A tensor of the same sizes."""
    return T(b, b.sizes.define(value, b.sizes.of(like.value)), like.dtype)


def _fitting(b: Builder, value: T, slot: T) -> ir.Value:
    """The value as the type of the slot that carries it."""
    for new, old in zip(b.sizes.of(value.value), b.sizes.of(slot.value), strict=True):
        if not b.symbols.equal(new, old) or value.dtype is not slot.dtype:
            raise ValueError(f"b.repeat carries {slot!r}, its body gives {value!r}. do: carry equal sizes and dtypes")
    return _as_type(b, value, slot.value.type)


def _as_type(b: Builder, tensor: T, type: ir.Type) -> ir.Value:
    return tensor.value if tensor.value.type == type else b.emitter.value("tensor.cast", [tensor.value], type)
