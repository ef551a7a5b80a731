"""`b`: what op blocks build their lowering with. It emits tcf ops, and knows the sizes of what it builds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.errors import InferenceError
from npcomp_dialects.mlir import ir

from . import polynomial, shape_rules
from .arithmetic import Arithmetic, is_number
from .element_loop import element_loop
from .emitter import Emitter
from .guards import guard
from .integers import Integers
from .mathematics import Mathematics
from .order_ops import OrderOps
from .polynomial import Poly
from .program_ops import ProgramOps
from .shape_rules import Requirement
from .sizes import Sizes
from .symbols import Symbols
from .types import element_type
from .values import Scalar, T


class Builder(OrderOps, ProgramOps):
    """One per function. `op_name` is the aten op being lowered, for messages."""

    def __init__(self, emitter: Emitter):
        self.emitter = emitter
        self.symbols = Symbols()
        self.integers = Integers(emitter, self.symbols)
        self.sizes = Sizes(self.integers)
        self.arithmetic = Arithmetic(emitter, self.integers)
        self.arithmetic.guard = self.guard
        self.math = Mathematics(self.arithmetic)
        self.op_name = ""

    # -- numbers

    def const(self, value: Any, dtype: DType) -> Scalar:
        return self.arithmetic.const(value, dtype)

    def cast(self, x: Any, dtype: DType) -> Any:
        if not isinstance(x, T):
            return self.arithmetic.cast(x, dtype)
        if x.dtype is dtype:
            return x
        return self.map(lambda b, e: b.cast(e, dtype), x, dtype=dtype)

    def select(self, condition: Any, x: Any, y: Any) -> Any:
        return self.arithmetic.select(condition, x, y)

    def minimum(self, x: Any, y: Any) -> Any:
        return self.arithmetic.minimum(x, y)

    def maximum(self, x: Any, y: Any) -> Any:
        return self.arithmetic.maximum(x, y)

    def isnan(self, x: Any) -> Any:
        return self.arithmetic.isnan(x)

    def shift(self, kind: str, x: Any, y: Any) -> Any:
        return self.arithmetic.shift(kind, x, y)

    def bitcast(self, x: Scalar, dtype: DType) -> Scalar:
        """The bits of an element as another dtype of the same width."""
        return self.arithmetic.bitcast(x, dtype)

    def loop(self, step: Callable[..., Any], *state: Scalar) -> tuple[Scalar, ...]:
        """In the body of a map: `again, *state = step(b, *state)` for each element, while `again` holds."""
        return element_loop(self, step, state)

    def numel(self, x: T) -> Any:
        return self.integers.from_poly(shape_rules.product(self.sizes.of(x.value)))

    # -- errors

    def error(self, text: str, kind: str = "RuntimeError") -> None:
        prefix = f"{self.op_name}: " if self.op_name else ""
        raise InferenceError.like(kind, prefix + text, self.emitter.loc)

    def guard(self, pred: Any, text: str, *values: Any, error: str = "RuntimeError") -> None:
        """Raises `error` at run time unless `pred`; a guard that cannot hold is refused now."""
        if isinstance(pred, bool):
            if not pred:
                self.error(_fill(text, [_shown(v) for v in values]), error)
            return
        operands: list[ir.Value] = []
        shown = []
        for value in values:
            if isinstance(value, Scalar):
                shown.append(f"{{{len(operands)}}}")
                operands.append(self.arithmetic.cast(value, DType.i64).value)
            else:
                shown.append(_shown(value))
        prefix = f"{self.op_name}: " if self.op_name else ""
        guard(self.emitter, pred.value, error, prefix + _fill(text, shown), operands)
        self._learn(pred.fact)

    def check(self, condition: Any, message: str, error: str, values: Sequence[Scalar] = ()) -> None:
        """The program's own `raise`, unless the condition holds. `{0}` in the message is the first of the values."""
        if condition is True:
            return
        operands = [self.arithmetic.cast(value, DType.i64).value for value in values]
        guard(self.emitter, self.const(condition, DType.bool).value, error, message, operands)
        if isinstance(condition, Scalar):
            self._learn(condition.fact)

    def _learn(self, fact: tuple[str, Poly, Poly] | None) -> None:
        if fact is None:
            return
        kind, p, q = fact
        if kind == "eq":
            self.symbols.learn_equal(p, q)
        elif polynomial.ZERO in (p, q):
            self.symbols.learn_nonzero(q if p == polynomial.ZERO else p)

    def _require(self, requirements: Sequence[Requirement]) -> None:
        """Refuses a requirement that no run can meet; the others become guards with the linalg ops."""
        for r in requirements:
            if r.holds(self.symbols) is False:
                self.error(_fill(r.message, [_shown(self.integers.from_poly(v)) for v in r.values]))
            if r.relation == "equal":
                self.symbols.learn_equal(r.left, r.right)

    # -- structured ops

    def _polys(self, numbers: Sequence[Any]) -> list[Poly]:
        return [self.integers.of(n) for n in numbers]

    def _index(self, number: Any) -> ir.Value:
        return self.integers.index(self.integers.of(number))

    def build(
        self,
        name: str,
        operands: Sequence[ir.Value],
        sizes: Sequence[Poly],
        dtypes: Sequence[DType],
        attributes: dict[str, ir.Attribute] | None = None,
        regions: int = 0,
    ) -> tuple[ir.Operation, list[T]]:
        """A tcf op whose results all have the same sizes."""
        types = [self.sizes.type_of(sizes, element_type(d)) for d in dtypes]
        if self.op_name:
            attributes = {**(attributes or {}), "torch.op": ir.StringAttr.get(self.op_name)}
        op = self.emitter.op(name, operands, types, attributes, regions)
        results = [
            T(self, self.sizes.define(value, sizes), dtype) for value, dtype in zip(op.results, dtypes, strict=True)
        ]
        return op, results

    def _one(
        self,
        name: str,
        operands: Sequence[ir.Value],
        sizes: Sequence[Poly],
        dtype: DType,
        **attributes: ir.Attribute,
    ) -> T:
        return self.build(name, operands, sizes, [dtype], attributes)[1][0]

    def tensor(self, value: ir.Value, dtype: DType) -> T:
        """A tensor value of the program; its sizes come from its type, or are described already."""
        return T(self, value, dtype)

    def map(self, fn: Callable[..., Any], *tensors: T, dtype: DType | tuple[DType, ...]) -> Any:
        """`fn(b, *elements)` for every element of the broadcast operands."""
        sizes, requirements = shape_rules.broadcast(self.symbols, [self.sizes.of(t.value) for t in tensors])
        self._require(requirements)
        dtypes = dtype if isinstance(dtype, tuple) else (dtype,)
        block = self._body(fn, tensors, dtypes)
        op, results = self.build("tcf.map", [t.value for t in tensors], sizes, dtypes, regions=1)
        block.append_to(op.regions[0])
        return tuple(results) if isinstance(dtype, tuple) else results[0]

    def _body(self, fn: Callable[..., Any], tensors: Sequence[T], dtypes: Sequence[DType]) -> ir.Block:
        emitter = self.emitter
        block = emitter.scratch_block([element_type(t.dtype) for t in tensors])
        emitter.body = ir.InsertionPoint(block)
        try:
            elements = [
                Scalar(self.arithmetic, t.dtype, argument, inside=True)
                for t, argument in zip(tensors, block.arguments, strict=True)
            ]
            results = fn(self, *elements)
            results = results if isinstance(results, tuple) else (results,)
            values = [self.const(self.arithmetic.cast(r, d), d).value for r, d in zip(results, dtypes, strict=True)]
            with emitter.at(emitter.body):
                emitter.op("tcf.yield", values)
        finally:
            emitter.body = None
        return block

    def reduce(self, kind: str, x: T, dims: Sequence[int], keepdim: bool = False) -> T:
        if kind in ("all", "any"):
            x = self.cast(x, DType.bool)
        elif kind in ("max", "min") and x.dtype in (DType.bool, DType.u8):
            return self.cast(self.reduce(kind, self.cast(x, DType.i16), dims, keepdim), x.dtype)
        if not dims or not x.rank:
            return x
        sizes = shape_rules.reduced(self.sizes.of(x.value), dims, keepdim)
        return self._one(
            "tcf.reduce",
            [x.value],
            sizes,
            x.dtype,
            kind=ir.StringAttr.get(kind),
            dims=ir.DenseI64ArrayAttr.get(list(dims)),
            keepdim=ir.BoolAttr.get(keepdim),
        )

    def arg_reduce(self, kind: str, x: T, dim: int, keepdim: bool = False) -> T:
        if not x.rank:
            return self.full([], 0, DType.i64)
        if x.dtype in (DType.bool, DType.u8):
            x = self.cast(x, DType.i16)
        sizes = shape_rules.reduced(self.sizes.of(x.value), [dim], keepdim)
        return self._one(
            "tcf.arg_reduce",
            [x.value],
            sizes,
            DType.i64,
            kind=ir.StringAttr.get(kind),
            dim=_i64(dim),
            keepdim=ir.BoolAttr.get(keepdim),
        )

    def contract(self, spec: str, lhs: T, rhs: T) -> T:
        sizes, requirements = shape_rules.contract(spec, self.sizes.of(lhs.value), self.sizes.of(rhs.value))
        self._require(requirements)
        if lhs.dtype is not rhs.dtype:
            self.error(f"expected both operands to have the same dtype, but got {lhs.dtype} and {rhs.dtype}")
        return self._one("tcf.contract", [lhs.value, rhs.value], sizes, lhs.dtype, spec=ir.StringAttr.get(spec))

    def conv(
        self, x: T, w: T, stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int], groups: int
    ) -> T:
        shapes = self.sizes.of(x.value), self.sizes.of(w.value)
        sizes, requirements = shape_rules.conv(self.symbols, *shapes, stride, padding, dilation, groups)
        self._require(requirements)
        return self._one(
            "tcf.conv",
            [x.value, w.value],
            sizes,
            x.dtype,
            stride=_i64s(stride),
            padding=_i64s(padding),
            dilation=_i64s(dilation),
            groups=_i64(groups),
        )

    def pool(self, kind: str, x: T, *window: Any) -> T:
        """`window` is kernel, stride, padding, dilation, ceil_mode."""
        if kind == "max" and x.dtype is DType.u8:
            return self.cast(self.pool(kind, self.cast(x, DType.i16), *window), x.dtype)
        return self._pool(kind, x, window, [x.dtype])[0]

    def pool_indices(self, x: T, *window: Any) -> tuple[T, T]:
        """The maxima and their positions in the flattened window dims of `x`."""
        if x.dtype is DType.u8:
            values, indices = self.pool_indices(self.cast(x, DType.i16), *window)
            return self.cast(values, DType.u8), indices
        values, indices = self._pool("max", x, window, [x.dtype, DType.i64])
        return values, indices

    def _pool(self, kind: str, x: T, window: Sequence[Any], dtypes: list[DType]) -> list[T]:
        sizes, requirements = shape_rules.pool(self.symbols, self.sizes.of(x.value), *window)
        self._require(requirements)
        kernel, stride, padding, dilation, ceil_mode = window
        attributes = {
            "kind": ir.StringAttr.get(kind),
            "kernel": _i64s(kernel),
            "stride": _i64s(stride),
            "padding": _i64s(padding),
            "dilation": _i64s(dilation),
            "ceil_mode": ir.BoolAttr.get(bool(ceil_mode)),
        }
        return self.build("tcf.pool", [x.value], sizes, dtypes, attributes)[1]

    def permute(self, x: T, dims: Sequence[int]) -> T:
        if list(dims) == list(range(len(dims))):
            return x
        sizes = self.sizes.of(x.value)
        return self._one("tcf.permute", [x.value], [sizes[d] for d in dims], x.dtype, dims=_i64s(dims))

    def reshape(self, x: T, sizes: Sequence[Any]) -> T:
        before = self.sizes.of(x.value)
        target, requirements = shape_rules.reshape(before, self._polys(sizes))
        self._require(requirements)
        if target == before:
            return x
        return self._one("tcf.reshape", [x.value, *map(self.integers.index, target)], target, x.dtype)

    def broadcast(self, x: T, sizes: Sequence[Any]) -> T:
        before = self.sizes.of(x.value)
        target, requirements = shape_rules.broadcast_to(before, self._polys(sizes))
        self._require(requirements)
        if target == before:
            return x
        return self._one("tcf.broadcast", [x.value, *map(self.integers.index, target)], target, x.dtype)

    def slice(self, x: T, dim: int, start: Any, stop: Any, step: Any) -> T:
        sizes = list(self.sizes.of(x.value))
        first, last, by = self._polys([start, stop, step])
        if first == polynomial.ZERO and by == polynomial.ONE and self.symbols.equal(last, sizes[dim]):
            return x
        sizes[dim] = shape_rules.sliced(self.symbols, first, last, by)
        bounds = [self.integers.index(p) for p in (first, last, by)]
        return self._one("tcf.slice", [x.value, *bounds], sizes, x.dtype, dim=_i64(dim))

    def concat(self, xs: Sequence[T], dim: int) -> T:
        if len(xs) == 1:
            return xs[0]
        sizes, requirements = shape_rules.concat([self.sizes.of(x.value) for x in xs], dim)
        self._require(requirements)
        return self._one("tcf.concat", [x.value for x in xs], sizes, xs[0].dtype, dim=_i64(dim))

    def pad(self, x: T, low: Sequence[Any], high: Sequence[Any], value: Any) -> T:
        before, after = self._polys(low), self._polys(high)
        if not any(before) and not any(after):
            return x
        sizes = shape_rules.padded(self.sizes.of(x.value), before, after)
        scalar = self.const(value, x.dtype).value
        edges = [self.integers.index(p) for p in (*before, *after)]
        return self._one("tcf.pad", [x.value, scalar, *edges], sizes, x.dtype)

    def gather(self, x: T, dim: int, index: T, error: str | None = "RuntimeError") -> T:
        """`torch.gather`; an index out of range raises `error`. With `error` None nothing is checked."""
        shapes = self.sizes.of(x.value), self.sizes.of(index.value)
        sizes, requirements = shape_rules.gather(shapes[0], dim, shapes[1])
        self._require(requirements)
        index = self.cast(index, DType.i64)
        return self._one("tcf.gather", [x.value, index.value], sizes, x.dtype, **_indexed(dim, error))

    def index_select(self, x: T, dim: int, index: T, error: str | None = "IndexError") -> T:
        """`torch.index_select` by an index of any rank; an index out of range raises `error`.

        With `error` None nothing is checked: the block knows that every index is right."""
        index = self.cast(index, DType.i64)
        sizes = shape_rules.index_select(self.sizes.of(x.value), dim, self.sizes.of(index.value))
        return self._one("tcf.index_select", [x.value, index.value], sizes, x.dtype, **_indexed(dim, error))

    def full(self, sizes: Sequence[Any], value: Any, dtype: DType) -> T:
        target = self._polys(sizes)
        scalar = self.const(self.arithmetic.cast(value, dtype), dtype).value
        return self._one("tcf.full", [scalar, *map(self.integers.index, target)], target, dtype)

    def iota(self, n: Any, dtype: DType) -> T:
        """0, 1, …, n - 1."""
        size = self.integers.of(n)
        return self.cast(self._one("tcf.iota", [self.integers.index(size)], [size], DType.i64), dtype)

    def item(self, x: T) -> Scalar:
        """The element of a tensor of one element."""
        flat = self.reshape(x, [])
        value = self.emitter.value("tensor.extract", [flat.value], element_type(x.dtype))
        return Scalar(self.arithmetic, x.dtype, value)

    def from_scalar(self, s: Any, dtype: DType) -> T:
        """A number as a 0-d tensor."""
        scalar = self.const(self.arithmetic.cast(s, dtype), dtype).value
        type = ir.RankedTensorType.get([], element_type(dtype))
        return T(self, self.emitter.value("tensor.from_elements", [scalar], type), dtype)


def _indexed(dim: int, error: str | None) -> dict[str, ir.Attribute]:
    return {"dim": _i64(dim), "torch.error": ir.StringAttr.get(error or "")}


def _i64(value: int) -> ir.Attribute:
    return ir.IntegerAttr.get(ir.IntegerType.get_signless(64), value)


def _i64s(values: Sequence[int]) -> ir.Attribute:
    return ir.DenseI64ArrayAttr.get([int(v) for v in values])


def _fill(text: str, shown: Sequence[str]) -> str:
    return re.sub(r"\{(\d+)\}", lambda found: shown[int(found[1])], text)


def _shown(value: Any) -> str:
    return str(value) if is_number(value) else "?"
