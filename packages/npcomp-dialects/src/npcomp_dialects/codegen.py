"""The native code generation service: from a module of the LLVM dialect to an object file."""

from __future__ import annotations

import functools

from .mlir import ir
from .mlir._mlir_libs import _npcomp


def emit_object(
    module: ir.Module, *, opt_level: int = 3, cpu: str = "", features: str = "", reloc: str = "pic"
) -> bytes:
    """Compiles a module of the LLVM dialect to an ELF object with LLVM's `O<opt_level>` pipeline.

    `cpu` and `features` are LLVM's (`host_cpu()`, `host_features()`); empty means the architecture's baseline.
    Raises ValueError with the reason when the module is invalid or holds ops of other dialects.
    """
    if reloc not in ("pic", "static"):
        raise ValueError(f"emit_object: reloc is 'pic' or 'static', got {reloc!r}")
    return _npcomp.emit_object(module.operation, opt_level, cpu, features, reloc == "pic")


@functools.cache
def host_cpu() -> str:
    """LLVM's name of the CPU that this process runs on."""
    return _npcomp.host_cpu()


@functools.cache
def host_features() -> str:
    """The features of this CPU, as LLVM spells them: `+avx2,-avx512f,...`."""
    return _npcomp.host_features()


def elements(attribute: ir.Attribute) -> memoryview:
    """The bytes of a dense constant in row-major order: splats expanded, one byte for an i1, bf16 as its 16 bits.

    Nothing is copied where the attribute stores its elements so.
    """
    return memoryview(_npcomp.element_bytes(attribute))
