"""Compiles MLIR text at the backend contract and runs it on numpy arrays through the real runtime."""

from __future__ import annotations

import json
import re
from typing import Any

import npcomp_dialects
import numpy as np
from npcomp_dialects.mlir import ir
from npcomp_refbackend.artifact import Artifact
from npcomp_refbackend.backend import generate
from npcomp_refbackend.codegen.target import Target

GuardError = RuntimeError
RNG = np.random.default_rng(0)
_SCALARS = {"i64": "int", "f64": "float", "i1": "bool"}


class Compiled:
    """A compiled text: callable, with the artifact's `header`."""

    def __init__(self, artifact: Artifact):
        self.header = artifact.header
        self.instance = artifact.load()
        self._forward = next(iter(self.instance.methods.values()))

    def __call__(self, *arguments: Any) -> Any:
        return self._forward(*arguments)


def compile_text(text: str, target: Target | None = None, options: Any = None) -> Compiled:
    with npcomp_dialects.context(), ir.Location.unknown():
        module = ir.Module.parse(text)
        assert module.operation.verify()
        for op in module.body.operations:
            if op.operation.name == "func.func" and "npcomp.signature" not in op.attributes:
                op.attributes["npcomp.signature"] = ir.StringAttr.get(json.dumps(signature(op)))
        code = generate(module, options, target)
        assert module.operation.verify()
    return Compiled(Artifact(code.header, code.object, code.constants))


def signature(function: Any) -> dict[str, Any]:
    """The plainest signature of a function: one leaf an argument, a tuple where it has several results."""
    kind = function.attributes["function_type"].value
    arguments = [{"name": f"a{n}", **_leaf(t)} for n, t in enumerate(kind.inputs)]
    results = [_leaf(t) for t in kind.results]
    returns = results[0] if len(results) == 1 else {"kind": "tuple", "items": results}
    return {"name": function.attributes["sym_name"].value, "args": arguments, "returns": returns}


def _leaf(type: ir.Type) -> dict[str, Any]:
    text = str(type)
    if text in _SCALARS:
        return {"kind": _SCALARS[text]}
    element = re.sub(r"^.*x|>.*$|tensor<", "", text)
    shape = ir.RankedTensorType(type).shape
    dims = [None if s < 0 else s for s in shape]
    return {"kind": "tensor", "dtype": "bool" if element == "i1" else element, "dims": dims}


def random(*shape: int, dtype: str = "f32") -> np.ndarray:
    kinds = {"f32": np.float32, "f64": np.float64, "f16": np.float16, "i64": np.int64, "i32": np.int32, "i8": np.int8}
    if dtype == "i1":
        return RNG.integers(0, 2, shape).astype(bool)
    if dtype.startswith("i"):
        return RNG.integers(-100, 100, shape).astype(kinds[dtype])
    return RNG.standard_normal(shape).astype(kinds[dtype])
