"""MLIR's Python bindings with npcomp's dialects: `ir`, `passmanager`, `rewrite` and `dialects`."""

from npcomp_dialects import check_native

from ._mlir_libs import _npcomp

check_native(_npcomp.native_number)
