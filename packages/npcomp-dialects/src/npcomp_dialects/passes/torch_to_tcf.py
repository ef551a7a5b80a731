"""torch-to-tcf: the first half of lowering."""

from __future__ import annotations

from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.passes import register


@register("torch-to-tcf")
def torch_to_tcf(module: ir.Module) -> None:
    """Turn functions at the torch contract into tcf ops on builtin tensors.

    Goal: each aten op as its block of the op library builds it, control flow as scf, constants and containers of known
    contents gone. Public functions are converted, private ones inlined. An op without lowering stays
    `torch.operator` between border casts.
    """
    from npcomp_dialects import lowering

    made: list[Any] = []
    with module.context, ir.Location.unknown():
        try:
            lowering.torch_to_tcf(module, made)
        finally:
            for _, builder in made:
                builder.emitter.finish()
