"""Headers, TableGen files and the CMake package of npcomp's C API, for projects that build against it."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent


def include_dirs() -> list[Path]:
    """Our C headers and .td files, and MLIR's C headers."""
    return [_HERE / "include", library().parent / "include"]


def cmake_dir() -> Path:
    """What to pass as -DNpcomp_DIR."""
    return _HERE / "cmake"


def library() -> Path:
    """The library behind Npcomp::CAPI."""
    return _HERE.parent / "mlir" / "_mlir_libs" / "libNpcompAggregateCAPI.so"
