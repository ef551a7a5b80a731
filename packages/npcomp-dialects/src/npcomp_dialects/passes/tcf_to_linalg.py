"""tcf-to-linalg: the second half of lowering."""

from __future__ import annotations

from npcomp_dialects.mlir import ir
from npcomp_dialects.passes import register, walk


@register("tcf-to-linalg")
def tcf_to_linalg(module: ir.Module) -> None:
    """Turn tcf ops into linalg on tensors, and what their maps require into guards.

    Goal: every structured op as `linalg.generic` with exact maps. A requirement that sizes prove leaves nothing, one
    that may fail becomes `tcf.guard`, a dim that is 1 or N at run time becomes a choice.
    """
    from npcomp_dialects import lowering

    with module.context, ir.Location.unknown():
        for function in walk.functions(module):
            lowering.tcf_to_linalg(function)
