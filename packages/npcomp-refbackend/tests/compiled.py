"""Programs for tests: C sources that obey the runtime's ABI, compiled to objects as the compiler makes them."""

from __future__ import annotations

import functools
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import npcomp_refbackend
import numpy as np
from npcomp_refbackend.artifact import Artifact

DTYPES = {np.dtype(np.float32): "f32", np.dtype(np.int64): "i64", np.dtype(np.uint8): "u8"}
INCLUDE = Path(npcomp_refbackend.__file__).parent / "include"

PRELUDE = """
#include <refrt.h>
#include <math.h>
#include <string.h>
typedef refrt_tensor *T;
static T tensor(int64_t slot) { return (T)slot; }
static T like(refrt_ctx *c, T x) { return refrt_alloc(c, x->dtype, x->rank, x->dims); }
static T scalar_tensor(refrt_ctx *c, float v) { T t = refrt_alloc(c, 6, 0, 0); *(float *)t->data = v; return t; }
#define ENTRY(name) void name(refrt_ctx *c, int64_t *a, int64_t *r)
"""


@functools.cache
def compile_c(source: str, *flags: str) -> bytes:
    """The object code of a C source."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "program.c")
        path.write_text(PRELUDE + source)
        command = ["gcc", "-c", "-O2", "-fPIC", "-mcmodel=small", f"-I{INCLUDE}", *flags, str(path), "-o", f"{path}.o"]
        subprocess.run(command, check=True)
        return Path(f"{path}.o").read_bytes()


def tensor(*dims: Any, name: str = "x", dtype: str = "f32", **more: Any) -> dict[str, Any]:
    """A tensor in a signature."""
    return {"name": name, "kind": "tensor", "dtype": dtype, "dims": list(dims), **more}


def method(args: list[dict[str, Any]], returns: dict[str, Any], name: str = "forward") -> dict[str, Any]:
    """A row of the header's methods, with the entry `npcomp_<name>`."""
    signature = {"name": name, "args": args, "returns": returns}
    return {"name": name, "entry": f"npcomp_{name}", "signature": signature}


def artifact(source: str, *methods: dict[str, Any], constants: tuple[Any, ...] = (), **header: Any) -> Artifact:
    """An artifact of a C source."""
    rows = [{"dtype": DTYPES[array.dtype], "sizes": list(array.shape)} for array in constants]
    return Artifact({"methods": list(methods), "constants": rows, **header}, compile_c(source), constants)


ADD_ONE = """
static void kernel(T *o, const int64_t *s, int64_t begin, int64_t end) {
  const float *x = o[0]->data; float *y = o[1]->data;
  for (int64_t i = begin; i < end; ++i) y[i] = x[i] + 1;
}
ENTRY(npcomp_forward) {
  T x = tensor(a[0]), y = like(c, x), operands[2] = {x, y};
  refrt_launch(c, kernel, operands, 0, x->numel, 1);
  r[0] = (int64_t)y;
}
"""


def add_one(*dims: Any) -> Artifact:
    """`x + 1` for a float tensor with these dims."""
    return artifact(ADD_ONE, method([tensor(*dims)], tensor(*dims)))
