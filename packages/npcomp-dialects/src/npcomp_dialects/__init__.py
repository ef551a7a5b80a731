"""npcomp's base: dialects, the op library, passes, pipelines and contracts.

`context()` makes an MLIR context that knows them. Importing this package loads neither MLIR nor torch.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .mlir import ir

__version__ = "0.1.0"

# Contract epoch * 1000 + native revision: raised here and in native/npcomp/CAPI/NativeNumber.h together.
NATIVE_NUMBER = 1002


def check_native(number: int) -> None:
    """Raises unless the native library is the one that these Python files were written for."""
    if number == NATIVE_NUMBER:
        return
    raise ImportError(
        f"npcomp_dialects: the native library is revision {number}, the Python files want {NATIVE_NUMBER}\n"
        "  do: python ci/native.py   (or: ./nox -s native)"
    )


def context() -> ir.Context:
    """A fresh MLIR context with our dialects, the upstream ones we use, and every op of the op library."""
    try:
        from .mlir import ir
        from .mlir._mlir_libs import _npcomp
    except ModuleNotFoundError as missing:
        if missing.name != f"{__name__}.mlir":
            raise
        raise ImportError("npcomp_dialects: the native library is not built\n  do: python ci/native.py") from None
    made = ir.Context()
    _npcomp.register_aten_ops(made, _aten_table())
    return made


@functools.cache
def _aten_table() -> str:
    from .aten import registry

    return registry.native_table()
