"""Compiles one kernel and calls it on numpy arrays, with tensor headers written by hand (no runtime needed)."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from npcomp_dialects.mlir import ir
from npcomp_refbackend.codegen.kernel import KernelBuilder
from npcomp_refbackend.codegen.lower_llvm import to_object
from npcomp_refbackend.codegen.target import Target

HOST = Target.host()
AVX2 = Target(
    HOST.features
    & frozenset(
        ["sse", "sse2", "sse3", "ssse3", "sse4.1", "sse4.2", "avx", "avx2", "fma", "f16c", "popcnt", "bmi", "bmi2"]
    )
)
SSE2 = Target(frozenset({"sse", "sse2"}))
TARGETS = {"host": HOST, "avx2": AVX2, "sse2": SSE2}


class Kernel:
    """A compiled kernel: `kernel(arrays, scalars, begin, end)` runs it on the arrays in place."""

    def __init__(self, data: bytes, name: str):
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name)
        (path / "k.o").write_bytes(data)
        subprocess.run(["cc", "-shared", "-o", path / "k.so", path / "k.o", "-lm"], check=True)
        self.library = ctypes.CDLL(str(path / "k.so"))
        self.entry = self.library[name]
        self.entry.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64]
        self.entry.restype = None

    def bind(self, arrays: Sequence[np.ndarray], scalars: Sequence[int], begin: int, end: int) -> Callable[[], None]:
        headers = [header(a) for a in arrays]
        pointers = (ctypes.c_void_p * max(1, len(arrays)))(*[h.ctypes.data for h in headers])
        slots = (ctypes.c_int64 * max(1, len(scalars)))(*scalars)
        address, cells = ctypes.addressof(pointers), ctypes.addressof(slots)

        def call(keep: Any = (headers, pointers, slots, arrays)) -> None:
            self.entry(address, cells, begin, end)

        return call

    def __call__(self, arrays: Sequence[np.ndarray], scalars: Sequence[int], begin: int, end: int) -> None:
        self.bind(arrays, scalars, begin, end)()


def header(array: np.ndarray) -> np.ndarray:
    """A refrt_tensor: sizes then element strides from byte 64."""
    words = np.zeros(8 + 2 * array.ndim, np.int64)
    words[1] = array.ctypes.data
    words[2] = array.ndim
    words[3] = array.size
    words[8 : 8 + array.ndim] = array.shape
    words[8 + array.ndim :] = [s // array.itemsize for s in array.strides]
    return words


def compile_kernel(build: Callable[[KernelBuilder], Any], target: Target = HOST, name: str = "k") -> tuple[Kernel, Any]:
    """The kernel that `build(kb)` writes, and what `build` returned."""
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.create()
        with KernelBuilder(module, name, target) as kb:
            result = build(kb)
        assert module.operation.verify()
        return Kernel(to_object(module, target), name), result
