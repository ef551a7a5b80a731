"""`compile`: import, lower, generate code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from npcomp_dialects.program import CompileOptions, Program, compile_module

from npcomp_torchscript.annotations import ClassAnnotator
from npcomp_torchscript.importer import Specs, build


def compile(
    program: Any,
    specs: Specs = None,
    *,
    example_inputs: Sequence[Any] | None = None,
    annotator: ClassAnnotator | None = None,
    backend: Any = "refbackend",
    options: CompileOptions | None = None,
) -> Program:
    """Compiles a module, a scripted or traced program, a function, or the archive at a path.

    `specs` says what the arguments of `forward` are: a list with one spec an argument, or a mapping from argument name,
    or from method name to either. A spec is a `TensorSpec`, an example tensor, a Python type or value, or a nest of
    these; what it leaves out comes from the model's annotations, from `example_inputs` or from defaults. The module
    is compiled in the state it is in: call `.eval()` first for inference.

    Raises `TorchScriptError`, a `CompileError`, with the user's line for each thing that cannot be compiled."""
    module = build(program, specs, example_inputs, annotator, strict=True)
    return compile_module(module, backend=backend, options=options)
