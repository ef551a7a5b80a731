"""`b.loop`: a loop whose length each element decides, as an `scf.while` in the body of a structured op."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.mlir import ir

from .types import element_type
from .values import Scalar

if TYPE_CHECKING:
    from .builder import Builder


def element_loop(b: Builder, step: Callable[..., Any], state: Sequence[Scalar]) -> tuple[Scalar, ...]:
    """The state after the last step. The region before the condition is the step, the one after hands it on."""
    emitter, outer = b.emitter, b.emitter.body
    if outer is None:
        raise ValueError("b.loop outside the body of a map. do: call it in the function given to b.map")
    dtypes = [s.dtype for s in state]
    types = [element_type(d) for d in dtypes]
    with emitter.at(outer):
        op = emitter.op("scf.while", [s.value for s in state], types, regions=2)
    before, after = (region.blocks.append(*types, arg_locs=[emitter.loc] * len(types)) for region in op.regions)
    emitter.body = ir.InsertionPoint(before)
    try:
        again, *following = step(b, *(_element(b, d, v) for d, v in zip(dtypes, before.arguments, strict=True)))
        values = [b.const(v, d).value for v, d in zip(following, dtypes, strict=True)]
        goes_on = b.const(again, DType.bool).value
        with emitter.at(emitter.body):
            emitter.op("scf.condition", [goes_on, *values])
    finally:
        emitter.body = outer
    with emitter.at(ir.InsertionPoint(after)):
        emitter.op("scf.yield", list(after.arguments))
    return tuple(_element(b, d, v) for d, v in zip(dtypes, op.results, strict=True))


def _element(b: Builder, dtype: DType, value: ir.Value) -> Scalar:
    return Scalar(b.arithmetic, dtype, value, inside=True)
