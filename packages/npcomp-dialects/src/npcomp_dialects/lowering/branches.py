"""torch.prim.If → scf.if.

A condition that is known picks its branch. A branch that only raises becomes a guard, and the other one goes on in
line. Otherwise both branches hand on, leaf by leaf, what they do not agree on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from npcomp_dialects.errors import UnsupportedError
from npcomp_dialects.mlir import ir

from . import texts
from .arithmetic import is_number
from .emitter import Scope
from .prims import exception_of
from .slots import adopt, fill, keep_common_sizes, number_slot, tensor_slot
from .structures import UNINITIALIZED, Opaque, StructureMismatch, align, rebuild
from .types import element_type
from .values import Scalar, T

if TYPE_CHECKING:
    from .torch_to_tcf import FunctionLowering

_HARMLESS = ("torch.constant.", "torch.prim.Uninitialized", "torch.prim.RaiseException", "torch.prim.If.yield")


def lower_if(f: FunctionLowering, op: ir.Operation) -> None:
    condition = f.env[op.operands[0]]
    then, otherwise = (region.blocks[0] for region in op.regions)
    if isinstance(condition, bool):
        _bind(f, op, f.block(then if condition else otherwise))
    elif _only_raises(otherwise):
        _guard(f, otherwise, condition)
        _bind(f, op, f.block(then))
    elif _only_raises(then):
        _guard(f, then, f.builder.arithmetic.invert(condition))
        _bind(f, op, f.block(otherwise))
    else:
        _branch(f, op, condition, then, otherwise)


def _bind(f: FunctionLowering, op: ir.Operation, values: list[Any]) -> None:
    for result, value in zip(op.results, values, strict=True):
        f.env[result] = value


def _only_raises(block: ir.Block) -> bool:
    ops = [op.operation for op in block.operations]
    raises = any(op.name == "torch.prim.RaiseException" for op in ops)
    return raises and all(op.name.startswith(_HARMLESS) or texts.only_raised(op) for op in ops)


def _guard(f: FunctionLowering, block: ir.Block, condition: Any) -> None:
    """`raise` unless the condition holds."""
    for op in block.operations:
        op = op.operation
        if op.name != "torch.prim.RaiseException":
            f.visit(op)
            continue
        f.emitter.loc = op.location
        message, kind, values = exception_of(f, op)
        f.builder.check(condition, message, kind, values)
        return


def _branch(f: FunctionLowering, op: ir.Operation, condition: Any, then: ir.Block, otherwise: ir.Block) -> None:
    scopes = [Scope(f.emitter.scratch_block([])) for _ in range(2)]
    yields = [_region(f, scopes[0], then, condition.fact), _region(f, scopes[1], otherwise, None)]
    f.emitter.loc = op.location
    try:
        joined = [align(a, b) for a, b in zip(*yields, strict=True)]
        pairs = [pair for _, left, right in joined for pair in zip(left, right, strict=True)]
        slots = [_slot(f, *pair) for pair in pairs]
    except StructureMismatch as error:
        raise UnsupportedError(
            f"the branches of this `if` do not give the same kind of value: {error}", op.location
        ) from None
    types = [slot[0] for slot in slots if slot is not None]
    for side, scope in enumerate(scopes):
        with f.emitter.scope(scope):
            values = [fill(f, pair[side], *slot) for pair, slot in zip(pairs, slots, strict=True) if slot is not None]
            f.emitter.op("scf.yield", values)
    made = f.emitter.op("scf.if", [condition.value], types, regions=2)
    for region, scope in zip(made.regions, scopes, strict=True):
        scope.block.append_to(region)
    fresh = iter(_results(f, pairs, slots, list(made.results)))
    _bind(f, op, [rebuild(shape, fresh) for shape, _, _ in joined])


def _region(f: FunctionLowering, scope: Scope, block: ir.Block, fact: Any) -> list[Any]:
    with f.emitter.scope(scope):
        mark = f.builder.symbols.mark()
        if fact is not None and fact[0] == "eq":
            f.builder.symbols.learn_equal(fact[1], fact[2])
        results = f.block(block)
        f.builder.symbols.forget(mark)
    return results


def _slot(f: FunctionLowering, a: Any, b: Any) -> tuple[ir.Type, Any] | None:
    """The type and dtype of the slot that carries `a` or `b`; None when both sides are one value."""
    if _same(f, a, b):
        return None
    if (a is UNINITIALIZED and _is_constant(b)) or (b is UNINITIALIZED and _is_constant(a)):
        return None
    known = [v for v in (a, b) if v is not UNINITIALIZED]
    if all(isinstance(v, T) for v in known):
        return tensor_slot(f, known), known[0].dtype
    if all(is_number(v) or isinstance(v, Scalar) for v in known):
        dtype = number_slot(known)
        return element_type(dtype), dtype
    if all(isinstance(v, Opaque) for v in known):
        return known[0].value.type, None
    raise StructureMismatch(f"{_kind(a)} on one side and {_kind(b)} on the other")


def _same(f: FunctionLowering, a: Any, b: Any) -> bool:
    if isinstance(a, T) and isinstance(b, T):
        return a.value == b.value
    if isinstance(a, Scalar) and isinstance(b, Scalar) and a.poly is not None and b.poly is not None:
        return bool(f.builder.symbols.equal(a.poly, b.poly)) and f.builder.integers.visible(a.poly)
    if isinstance(a, Opaque) and isinstance(b, Opaque):
        return a.value == b.value
    if a is UNINITIALIZED or b is UNINITIALIZED:
        return a is b
    return _is_constant(a) and _is_constant(b) and type(a) is type(b) and a == b


def _is_constant(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))


def _kind(value: Any) -> str:
    if isinstance(value, T):
        return "a tensor"
    if isinstance(value, Scalar) or is_number(value):
        return "a number"
    return "a run-time value" if isinstance(value, Opaque) else repr(value)


def _results(f: FunctionLowering, pairs: list[Any], slots: list[Any], values: list[ir.Value]) -> list[Any]:
    results, queue = [], iter(values)
    for (a, b), slot in zip(pairs, slots, strict=True):
        if slot is None:
            results.append(b if a is UNINITIALIZED else a)
            continue
        made = next(queue)
        results.append(adopt(f, made, slot[1]))
        sources = [v for v in (a, b) if isinstance(v, T)]
        if sources:
            keep_common_sizes(f, made, sources)
    return results
