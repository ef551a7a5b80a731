"""From kernels (scf, arith, math, vector, func over llvm pointers) to the LLVM dialect, and on to an object.

Nothing canonicalizes between vectors and LLVM: it would turn chains of vector inserts into element lists. LLVM's own
pipeline cleans up.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.passmanager import PassManager

from .target import Target

PIPELINE = (
    "builtin.module(convert-scf-to-cf,convert-vector-to-llvm,convert-math-to-llvm,convert-arith-to-llvm,"
    "convert-func-to-llvm,convert-cf-to-llvm,reconcile-unrealized-casts)"
)


@dataclass
class LoweringTimes:
    """Seconds spent in MLIR's passes and in LLVM."""

    mlir: float = 0.0
    llvm: float = 0.0


def to_llvm_dialect(module: ir.Module) -> None:
    """Lower every function of `module` in place."""
    with module.context:
        PassManager.parse(PIPELINE).run(module.operation)


def to_object(module: ir.Module, target: Target, times: LoweringTimes | None = None) -> bytes:
    """The ELF object of a module of kernels; `module` is lowered in place."""
    from npcomp_dialects import codegen

    start = time.perf_counter()
    to_llvm_dialect(module)
    middle = time.perf_counter()
    data = codegen.emit_object(module, features=target.feature_text)
    if times is not None:
        times.mlir += middle - start
        times.llvm += time.perf_counter() - middle
    return data
