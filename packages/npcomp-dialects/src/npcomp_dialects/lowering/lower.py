"""The way from the torch contract to the backend contract."""

from __future__ import annotations

from typing import Any

from npcomp_dialects.diagnostics import as_exceptions, verify
from npcomp_dialects.mlir import ir

from .builder import Builder
from .tcf_to_linalg import tcf_to_linalg
from .torch_to_tcf import FunctionLowering


def lower_module(module: ir.Module, options: Any = None) -> None:
    """Rewrites a module at the torch contract, in place, into one at the backend contract."""
    with module.context, ir.Location.unknown():
        lowered: list[tuple[ir.Operation, Builder]] = []
        try:
            torch_to_tcf(module, lowered)
            verify(module, "lowering to tcf")
            with as_exceptions("lowering to linalg"):
                for function, builder in lowered:
                    tcf_to_linalg(function, builder)
        finally:
            for _, builder in lowered:
                builder.emitter.finish()
        verify(module, "lowering to linalg")


def torch_to_tcf(module: ir.Module, made: list[tuple[ir.Operation, Builder]]) -> None:
    """Converts the public functions to tcf and adds them to `made`; private ones are inlined where they are called."""
    sources = {
        ir.StringAttr(op.attributes["sym_name"]).value: op.operation
        for op in module.body.operations
        if op.operation.name == "func.func"
    }
    with as_exceptions("lowering to tcf"):
        for source in sources.values():
            if _is_public(source):
                made.append(FunctionLowering(source, sources).run())
        for source in sources.values():
            source.erase()


def _is_public(function: ir.Operation) -> bool:
    visibility = "sym_visibility"
    return visibility not in function.attributes or ir.StringAttr(function.attributes[visibility]).value == "public"
