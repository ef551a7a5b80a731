"""torch.prim.Loop → scf.for or scf.while.

The first attempt assumes that carried tensors keep the sizes they come with; where the body disagrees, the attempt is
dropped and made again with that size open. A body that carries what no slot can hold (a growing list, None that
becomes a tensor) is unrolled when the number of trips is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.errors import UnsupportedError
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td

from . import polynomial
from .boundary import describe_tensor, number_dtype
from .emitter import Scope
from .polynomial import Poly
from .slots import adopt, fill, number_slot, tensor_slot
from .structures import UNINITIALIZED, Opaque, StructureMismatch, align, leaves, rebuild
from .types import element_type, static_sizes, tensor_type
from .values import Scalar, T

if TYPE_CHECKING:
    from .torch_to_tcf import FunctionLowering

MOST_UNROLLED = 1000
_ENDLESS = (1 << 62) - 1


@dataclass(eq=False)
class Carried:
    """A leaf that each trip replaces. `open` are the dims whose size the body changes."""

    initial: Any
    type: ir.Type
    dtype: DType | None
    open: set[int]


class _Disagreement(Exception):
    """A size that was assumed to stay does not."""


def lower_loop(f: FunctionLowering, op: ir.Operation) -> None:
    trips, condition, *initial = (f.env[o] for o in op.operands)
    if (isinstance(trips, int) and trips == 0) or condition is False:
        return _bind(f, op, initial)
    body = op.regions[0].blocks[0]
    counted = condition is True and _goes_on(body)
    try:
        _bind(f, op, _Loop(f, op, body, trips, None if counted else condition, initial).build())
    except StructureMismatch as error:
        if not counted or not isinstance(trips, int) or trips > MOST_UNROLLED:
            raise UnsupportedError(
                f"this loop cannot carry one of its values: {error}",
                op.location,
                do="keep the kinds of loop values the same in every trip, or make the number of trips a constant",
            ) from None
        _unroll(f, op, body, trips, initial)


def _bind(f: FunctionLowering, op: ir.Operation, values: list[Any]) -> None:
    for result, value in zip(op.results, values, strict=True):
        f.env[result] = value


def _condition(body: ir.Block) -> ir.Operation:
    return body.operations[len(body.operations) - 1].operation


def _goes_on(body: ir.Block) -> bool:
    """True when the body always asks for the next trip."""
    owner = _condition(body).operands[0].owner
    if isinstance(owner, ir.Block) or owner.name != "torch.constant.bool":
        return False
    return bool(ir.IntegerAttr(owner.attributes["value"]).value)


def _unroll(f: FunctionLowering, op: ir.Operation, body: ir.Block, trips: int, values: list[Any]) -> None:
    for trip in range(trips):
        f.env[body.arguments[0]] = trip
        for argument, value in zip(list(body.arguments)[1:], values, strict=True):
            f.env[argument] = value
        values = f.block(body)[1:]
    _bind(f, op, values)


class _Loop:
    """One loop. `condition` is None for a loop that only counts."""

    def __init__(
        self, f: FunctionLowering, op: ir.Operation, body: ir.Block, trips: Any, condition: Any, initial: list[Any]
    ):
        self.f, self.op, self.body, self.trips, self.condition = f, op, body, trips, condition
        self.arguments = list(body.arguments)[1:]
        self.initial = initial
        passed_on = list(_condition(body).operands)[1:]
        self.fixed = [a == o for a, o in zip(self.arguments, passed_on, strict=True)]
        self.carried = [
            self._carry(leaf, argument.type)
            for value, argument, fixed in zip(initial, self.arguments, self.fixed, strict=True)
            if not fixed
            for leaf in leaves(value)
        ]

    def _carry(self, leaf: Any, type: ir.Type) -> Carried:
        f = self.f
        if isinstance(leaf, T):
            static: list[int | None] = [None] * leaf.rank
            if isinstance(type, td.ValueTensorType):
                static, _ = describe_tensor(type, f.emitter.loc)
            sizes = f.builder.sizes.of(leaf.value)
            known = f.builder.sizes.static(sizes)
            lost = {d for d, (s, have) in enumerate(zip(static, known, strict=True)) if s is None and have is not None}
            return Carried(leaf, tensor_type(static, element_type(leaf.dtype)), leaf.dtype, lost)
        if isinstance(leaf, Opaque):
            return Carried(leaf, leaf.value.type, None, set())
        dtype = number_dtype(type) if leaf is UNINITIALIZED else None
        if isinstance(leaf, (bool, int, float, Scalar)):
            dtype = number_dtype(type) or number_slot([leaf])
        if dtype is not None:
            return Carried(leaf, element_type(dtype), dtype, set())
        if leaf is UNINITIALIZED and isinstance(type, td.ValueTensorType):
            static, kind = describe_tensor(type, f.emitter.loc)
            return Carried(leaf, tensor_type(static, element_type(kind)), kind, set(range(len(static))))
        if leaf is UNINITIALIZED:
            return Carried(leaf, type, None, set())
        raise StructureMismatch(f"{leaf!r} may become something else")

    def build(self) -> list[Any]:
        while True:
            try:
                return self._for() if self.condition is None else self._while()
            except _Disagreement:
                continue

    # -- the body

    def _enter(self, index: Any, slots: list[ir.Value]) -> None:
        """Names the loop's values inside the body."""
        fresh = iter([self._inside(c, value) for c, value in zip(self.carried, slots, strict=True)])
        self.f.env[self.body.arguments[0]] = index
        for argument, value, fixed in zip(self.arguments, self.initial, self.fixed, strict=True):
            self.f.env[argument] = value if fixed else rebuild(value, fresh)

    def _inside(self, carried: Carried, value: ir.Value) -> Any:
        result = adopt(self.f, value, carried.dtype)
        if isinstance(result, T):
            self._assume(carried, value)
        return result

    def _assume(self, carried: Carried, value: ir.Value) -> None:
        """The tensor in a slot keeps the sizes it came with, except the open ones."""
        if not isinstance(carried.initial, T):
            return
        own = self.f.builder.sizes.of(value)
        for d, size in enumerate(self._assumed(carried)):
            if size is not None:
                own[d] = size

    def _assumed(self, carried: Carried) -> list[Poly | None]:
        shown = static_sizes(ir.RankedTensorType(carried.type))
        initial = self.f.builder.sizes.of(carried.initial.value)
        return [
            polynomial.constant(s) if s is not None else None if d in carried.open else p
            for d, (s, p) in enumerate(zip(shown, initial, strict=True))
        ]

    def _leave(self, yields: list[Any]) -> list[ir.Value]:
        """The slots' next values; raises _Disagreement when an assumption fails."""
        pairs = []
        for value, given, fixed in zip(self.initial, yields, self.fixed, strict=True):
            if not fixed:
                pairs += list(zip(*align(value, given)[1:], strict=True))
        wrong = False
        for carried, (_, leaf) in zip(self.carried, pairs, strict=True):
            wrong |= self._check(carried, leaf)
        if wrong:
            raise _Disagreement
        return [fill(self.f, leaf, c.type, c.dtype) for c, (_, leaf) in zip(self.carried, pairs, strict=True)]

    def _check(self, carried: Carried, leaf: Any) -> bool:
        """Opens the dims whose size the body changes; True if there are new ones."""
        is_tensor = isinstance(carried.type, ir.RankedTensorType)
        if is_tensor != isinstance(leaf, T) and leaf is not UNINITIALIZED:
            raise StructureMismatch(f"it is {carried.type} before the loop and {leaf!r} after a trip")
        if not is_tensor or not isinstance(leaf, T) or not isinstance(carried.initial, T):
            return False
        tensor_slot(self.f, [carried.initial, leaf])
        changed = {
            d
            for d, (size, now) in enumerate(
                zip(self._assumed(carried), self.f.builder.sizes.of(leaf.value), strict=True)
            )
            if size is not None and not self.f.builder.symbols.equal(size, now)
        }
        carried.open |= changed
        if changed:
            type = ir.RankedTensorType(carried.type)
            static = [None if d in changed else s for d, s in enumerate(static_sizes(type))]
            carried.type = tensor_type(static, type.element_type)
        return bool(changed)

    def _run(self, index: Any, slots: list[ir.Value]) -> list[Any]:
        """Lowers the body; returns the condition and the loop's next values."""
        self._enter(index, slots)
        return self.f.block(self.body)

    def _initial_slots(self) -> list[ir.Value]:
        return [fill(self.f, c.initial, c.type, c.dtype) for c in self.carried]

    def _results(self, values: list[ir.Value]) -> list[Any]:
        fresh = iter([self._inside(c, value) for c, value in zip(self.carried, values, strict=True)])
        return [
            value if fixed else rebuild(value, fresh) for value, fixed in zip(self.initial, self.fixed, strict=True)
        ]

    # -- the two kinds of loops

    def _for(self) -> list[Any]:
        f, emitter, symbols = self.f, self.f.emitter, self.f.builder.symbols
        block = emitter.scratch_block([emitter.index, *(c.type for c in self.carried)])
        mark = symbols.mark()
        try:
            with emitter.scope(Scope(block)):
                index = f.builder.arithmetic.index_number(block.arguments[0])
                yields = self._run(index, list(block.arguments)[1:])
                emitter.loc = self.op.location
                emitter.op("scf.yield", self._leave(yields[1:]))
        finally:
            symbols.forget(mark)
        stop = f.builder.integers.index(f.builder.integers.of(self.trips))
        bounds = [emitter.constant(0, emitter.index), stop, emitter.constant(1, emitter.index)]
        made = emitter.op("scf.for", [*bounds, *self._initial_slots()], [c.type for c in self.carried], regions=1)
        block.append_to(made.regions[0])
        return self._results(list(made.results))

    def _while(self) -> list[Any]:
        f, emitter, symbols = self.f, self.f.emitter, self.f.builder.symbols
        slots = [c.type for c in self.carried]
        before = emitter.scratch_block([emitter.i64, emitter.i1, *slots])
        after = emitter.scratch_block([emitter.i64, *slots])
        mark = symbols.mark()
        try:
            with emitter.scope(Scope(before)):
                self._ask(before)
            with emitter.scope(Scope(after)):
                index = f.builder.arithmetic.index_number(after.arguments[0])
                condition, *yields = self._run(index, list(after.arguments)[1:])
                emitter.loc = self.op.location
                following = [(index + 1).value, f.builder.const(condition, DType.bool).value]
                emitter.op("scf.yield", [*following, *self._leave(yields)])
        finally:
            symbols.forget(mark)
        start = [emitter.constant(0, emitter.i64), f.builder.const(self.condition, DType.bool).value]
        made = emitter.op("scf.while", [*start, *self._initial_slots()], [emitter.i64, *slots], regions=2)
        for region, block in zip(made.regions, (before, after), strict=True):
            block.append_to(region)
        return self._results(list(made.results)[1:])

    def _ask(self, before: ir.Block) -> None:
        """Shall there be another trip?"""
        f, emitter = self.f, self.f.emitter
        index, condition, *slots = before.arguments
        if not (isinstance(self.trips, int) and self.trips >= _ENDLESS):
            limit = f.builder.const(self.trips, DType.i64).value
            below = f.builder.integers.compare(2, index, limit)
            condition = emitter.value("arith.andi", [below, condition], emitter.i1)
        emitter.op("scf.condition", [condition, index, *slots])
