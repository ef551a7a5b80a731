"""Inlines the scalar ops of a `linalg.generic` body as vector ops, at any lane count including one.

f16 and bf16 are computed in f32 and rounded once, where the body yields (an explicit `truncf` in the body rounds too).
`index` becomes i64. Values that are the same in every lane stay scalars until they meet a vector. Transcendental
functions of f32 become the polynomials of vmath.py; those of f64 call the C library lane by lane. Integer division
never traps: division by zero gives an unspecified value, because tails compute on lanes that hold nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith

from . import vmath
from .convert import from_f32, to_f32
from .integer import INTEGER_OPS
from .kernel import KernelBuilder
from .structured import nested

_HALF = ("f16", "bf16")
_ENDS = ("linalg.yield", "tcf.yield", "scf.yield", "refrt.yield")

Handler = Callable[[ir.Operation, list[ir.Value]], ir.Value]


class UnsupportedBody(Exception):
    """A body holds an op that kernels cannot compute."""


def inline(
    kb: KernelBuilder,
    block: ir.Block,
    values: Sequence[ir.Value],
    lanes: int,
    resolve: Callable[[ir.Value], ir.Value] | None = None,
    handlers: Mapping[str, Handler] | None = None,
) -> list[ir.Value]:
    """Write the ops of `block` with `values` for its arguments; return what it yields, `lanes` wide.

    `values` have the arguments' element types and are scalars or `lanes` wide. `resolve(value)` gives the kernel's
    value (a scalar) for one that the body captures from outside; constants need no resolving. `handlers` say how to
    compute ops that need to know the loops around: `{"linalg.index": fn(op, operands) -> value}` (an i64),
    `"tensor.extract"` (operands are the mapped indices, i64; the tensor itself is `op.operands[0]`).
    """
    return Inliner(kb, lanes, resolve, handlers or {}).run(block, values)


class Inliner:
    def __init__(self, kb: KernelBuilder, lanes: int, resolve: Any, handlers: Mapping[str, Handler]):
        self.kb, self.lanes, self.resolve, self.handlers = kb, lanes, resolve, handlers
        self.known: dict[ir.Value, ir.Value] = {}

    def run(self, block: ir.Block, values: Sequence[ir.Value]) -> list[ir.Value]:
        for argument, value in zip(block.arguments, values, strict=True):
            self.known[argument] = to_f32(self.kb, value)
        for op in block.operations:
            if op.operation.name in _ENDS:
                return [self._yielded(v) for v in op.operands]
            self.visit(op.operation)
        raise UnsupportedBody("a body has no yield. do: verify the module before code generation")

    def _yielded(self, value: ir.Value) -> ir.Value:
        dtype = self.kb.dtype(value)
        mapped = self.get(value)
        if dtype in _HALF and self.kb.dtype(mapped) == "f32":
            mapped = from_f32(self.kb, mapped, dtype)
        return self.kb.broadcast(mapped, self.lanes)

    def get(self, value: ir.Value) -> ir.Value:
        if value in self.known:
            return self.known[value]
        owner = value.owner
        if isinstance(owner, ir.OpView | ir.Operation) and owner.operation.name == "arith.constant":
            mapped = self._constant(owner.operation)
        elif self.resolve is not None:
            mapped = to_f32(self.kb, self.resolve(value))
        else:
            raise UnsupportedBody(f"a body captures {value} and nothing resolves it. do: pass `resolve` to body.inline")
        self.known[value] = mapped
        return mapped

    def _constant(self, op: ir.Operation) -> ir.Value:
        attribute = op.attributes["value"]
        dtype = self.kb.dtype(op.results[0])
        if dtype in _HALF:
            dtype = "f32"
        return self.kb.const(ir.FloatAttr(attribute).value if dtype.startswith("f") else _integer(attribute), dtype)

    def visit(self, op: ir.Operation) -> None:
        name = op.name
        if name == "arith.constant":
            self.get(op.results[0])
            return
        if name == "scf.while":
            self.known.update(zip(op.results, self._lanes_while(op), strict=True))
            return
        operands = [self.get(v) for v in op.operands] if name != "tensor.extract" else self._extract_indices(op)
        if name in self.handlers:
            results = [to_f32(self.kb, self.handlers[name](op, operands))]
        else:
            results = self._compute(op, operands)
        for result, value in zip(op.results, results, strict=True):
            self.known[result] = value

    def _lanes_while(self, op: ir.Operation) -> list[ir.Value]:
        """All lanes go on until each of them has left the loop; a lane's results are kept from when it left."""
        kb, lanes = self.kb, self.lanes
        before, after = (region.blocks[0] for region in op.regions)
        for inner in [*nested(before), *nested(after)]:
            for value in inner.operands:
                if not _is_within(value, op):
                    self.get(value)  # made here, where all that follows can see it
        inits = [kb.broadcast(self.get(v), lanes) for v in op.operands]
        nothing = [kb.const(0, "f32" if kb.dtype(r) in _HALF else kb.dtype(r), lanes) for r in op.results]
        carried = [kb.const(True, "i1", lanes), *inits, *nothing]

        def condition(active: ir.Value, *rest: ir.Value) -> tuple[ir.Value, list[ir.Value]]:
            again, *values = self._inline(before, rest[: len(inits)])
            values = [kb.broadcast(v, lanes) for v in values]
            results = [arith.SelectOp(active, v, r).result for v, r in zip(values, rest[len(inits) :], strict=True)]
            active = arith.AndIOp(active, kb.broadcast(again, lanes)).result
            return vmath.any_lane(kb, active), [active, *values, *results]

        def following(active: ir.Value, *rest: ir.Value) -> list[ir.Value]:
            values = self._inline(after, rest[: len(nothing)])
            return [active, *(kb.broadcast(v, lanes) for v in values), *rest[len(nothing) :]]

        handed = [v.type for v in (carried[0], *nothing, *nothing)]
        return kb.repeat(condition, following, carried, handed)[1 + len(nothing) :]

    def _inline(self, block: ir.Block, values: Sequence[ir.Value]) -> list[ir.Value]:
        """The ops of a nested block here; what its terminator hands on."""
        self.known.update(zip(block.arguments, values, strict=True))
        for inner in list(block.operations)[:-1]:
            self.visit(inner.operation)
        return [self.get(v) for v in list(block.operations)[-1].operands]

    def _extract_indices(self, op: ir.Operation) -> list[ir.Value]:
        return [self.get(v) for v in list(op.operands)[1:]]

    def _compute(self, op: ir.Operation, operands: list[ir.Value]) -> list[ir.Value]:
        kb, name = self.kb, op.name
        wide = max((kb.lanes(v) for v in operands), default=1)
        operands = [kb.broadcast(v, wide) for v in operands]
        target = kb.dtype(op.results[0])
        if name in _CASTS:
            return [_CASTS[name](kb, op, operands[0], target)]
        if name in INTEGER_OPS:
            return [INTEGER_OPS[name](kb, *operands)]
        if name in vmath.OPS and kb.dtype(operands[0]) in ("f32", "f64"):
            return [vmath.OPS[name](kb, *operands)]
        if not name.startswith(("arith.", "math.")):
            raise UnsupportedBody(f"no vector form of `{name}`. do: add a handler, or leave the op out of the dispatch")
        kind = kb.type("f32" if target in _HALF else target, wide)
        attributes = {key: op.attributes[key] for key in op.attributes}
        made = ir.Operation.create(name, results=[kind], operands=operands, attributes=attributes)
        return list(made.results)


def _is_within(value: ir.Value, op: ir.Operation) -> bool:
    """Whether a value is made in a region of `op`."""
    owner = value.owner
    at = owner.owner.operation if isinstance(owner, ir.Block) else owner.operation.parent.operation
    while at != op and at.name.startswith("scf."):
        at = at.parent.operation
    return at == op


def _integer(attribute: ir.Attribute) -> int:
    return int(ir.IntegerAttr(attribute).value) if not isinstance(attribute, ir.BoolAttr) else int(attribute.value)


def _extend(kb: KernelBuilder, op: ir.Operation, x: ir.Value, target: str) -> ir.Value:
    return x if kb.dtype(x) == target else arith.ExtFOp(kb.type(target, kb.lanes(x)), x).result


def _truncate(kb: KernelBuilder, op: ir.Operation, x: ir.Value, target: str) -> ir.Value:
    if kb.dtype(x) == "f64":
        x = arith.TruncFOp(kb.type("f32", kb.lanes(x)), x).result
    return to_f32(kb, from_f32(kb, x, target)) if target in _HALF else x


def _to_float(plain: Any) -> Any:
    def convert(kb: KernelBuilder, op: ir.Operation, x: ir.Value, target: str) -> ir.Value:
        return plain(kb.type("f32" if target in _HALF else target, kb.lanes(x)), x).result

    return convert


def _simple(plain: Any) -> Any:
    def convert(kb: KernelBuilder, op: ir.Operation, x: ir.Value, target: str) -> ir.Value:
        return plain(kb.type(target, kb.lanes(x)), x).result

    return convert


def _index_cast(widen: Any) -> Any:
    def convert(kb: KernelBuilder, op: ir.Operation, x: ir.Value, target: str) -> ir.Value:
        have, want = _bits(kb.dtype(x)), _bits(target)
        if have == want:
            return x
        return (widen if want > have else arith.TruncIOp)(kb.type(target, kb.lanes(x)), x).result

    return convert


def _bitcast(kb: KernelBuilder, op: ir.Operation, x: ir.Value, target: str) -> ir.Value:
    source = kb.dtype(op.operands[0])
    if source in _HALF:
        x = from_f32(kb, x, source)
    return to_f32(kb, arith.BitcastOp(kb.type(target, kb.lanes(x)), x).result)


def _bits(dtype: str) -> int:
    return int(dtype[1:])


_CASTS: dict[str, Callable[..., ir.Value]] = {
    "arith.extf": _extend,
    "arith.truncf": _truncate,
    "arith.sitofp": _to_float(arith.SIToFPOp),
    "arith.uitofp": _to_float(arith.UIToFPOp),
    "arith.fptosi": _simple(arith.FPToSIOp),
    "arith.fptoui": _simple(arith.FPToUIOp),
    "arith.extsi": _simple(arith.ExtSIOp),
    "arith.extui": _simple(arith.ExtUIOp),
    "arith.trunci": _simple(arith.TruncIOp),
    "arith.index_cast": _index_cast(arith.ExtSIOp),
    "arith.index_castui": _index_cast(arith.ExtUIOp),
    "arith.bitcast": _bitcast,
}
