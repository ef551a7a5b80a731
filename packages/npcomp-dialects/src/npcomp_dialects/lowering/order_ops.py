"""The part of `b` that puts elements in order and in their places: scatter, sort, scan, search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.mlir import ir

from . import shape_rules

if TYPE_CHECKING:
    from .builder import Builder
    from .values import T

_OF_BOOLS = {"add": "max", "mul": "min"}


def ordered_dtype(dtype: DType) -> DType:
    """The dtype to compare elements in: signed integers, f32 for 16-bit floats."""
    if dtype.is_half:
        return DType.f32
    return {DType.bool: DType.i8, DType.u8: DType.i16}.get(dtype, dtype)


class OrderOps:
    """Loops with a memory: each element depends on those before it."""

    def scatter(self: Builder, kind: str, x: T, dim: int, index: T, src: T) -> T:  # type: ignore[misc]
        """`x` where `src` was set (the last one stays), added, multiplied, or kept if larger (max) or smaller (min)."""
        if x.dtype is DType.bool:
            kind = _OF_BOOLS.get(kind, kind)
        inner = x.dtype if kind == "set" or (x.dtype is DType.u8 and kind in _OF_BOOLS) else ordered_dtype(x.dtype)
        if inner is not x.dtype:
            return self.cast(self.scatter(kind, self.cast(x, inner), dim, index, self.cast(src, inner)), x.dtype)
        shapes = (self.sizes.of(t.value) for t in (x, index, src))
        sizes, requirements = shape_rules.scatter(*shapes, dim)
        self._require(requirements)
        index = self.cast(index, DType.i64)
        operands = [x.value, index.value, src.value]
        return self._one("tcf.scatter", operands, sizes, x.dtype, kind=ir.StringAttr.get(kind), dim=_i64(dim))

    def sort(self: Builder, x: T, dim: int, descending: bool) -> tuple[T, T]:  # type: ignore[misc]
        """The elements along a dim in stable order, nan the largest, and the index that each had."""
        inner = ordered_dtype(x.dtype)
        if inner is not x.dtype:
            values, indices = self.sort(self.cast(x, inner), dim, descending)
            return self.cast(values, x.dtype), indices
        attributes = {"dim": _i64(dim), "descending": ir.BoolAttr.get(descending)}
        return _two(self._of_x("tcf.sort", x, [x.dtype, DType.i64], attributes))

    def scan(self: Builder, kind: str, x: T, dim: int) -> T:  # type: ignore[misc]
        """Running sum, prod, max, min or logsumexp along a dim."""
        inner = DType.f32 if x.dtype.is_half else x.dtype
        if inner is not x.dtype:
            return self.cast(self.scan(kind, self.cast(x, inner), dim), x.dtype)
        attributes = {"kind": ir.StringAttr.get(kind), "dim": _i64(dim)}
        return self._of_x("tcf.scan", x, [x.dtype], attributes)[0]

    def scan_indices(self: Builder, kind: str, x: T, dim: int) -> tuple[T, T]:  # type: ignore[misc]
        """Running max or min along a dim and the last index that had it; nan wins."""
        inner = ordered_dtype(x.dtype)
        if inner is not x.dtype:
            values, indices = self.scan_indices(kind, self.cast(x, inner), dim)
            return self.cast(values, x.dtype), indices
        attributes = {"kind": ir.StringAttr.get(kind), "dim": _i64(dim)}
        return _two(self._of_x("tcf.scan", x, [x.dtype, DType.i64], attributes))

    def search(self: Builder, sequence: T, values: T, right: bool) -> T:  # type: ignore[misc]
        """How many elements of a sorted sequence are smaller than each value, or not larger."""
        inner = ordered_dtype(values.dtype)
        shapes = self.sizes.of(sequence.value), self.sizes.of(values.value)
        self._require(shape_rules.search(*shapes)[1])
        operands = [self.cast(t, inner).value for t in (sequence, values)]
        return self._one("tcf.search", operands, shapes[1], DType.i64, right=ir.BoolAttr.get(right))

    def _of_x(  # type: ignore[misc]
        self: Builder, name: str, x: T, dtypes: Sequence[DType], attributes: dict[str, ir.Attribute]
    ) -> list[T]:
        return self.build(name, [x.value], self.sizes.of(x.value), dtypes, attributes)[1]


def _two(results: list[Any]) -> tuple[Any, Any]:
    values, indices = results
    return values, indices


def _i64(value: int) -> ir.Attribute:
    return ir.IntegerAttr.get(ir.IntegerType.get_signless(64), value)
