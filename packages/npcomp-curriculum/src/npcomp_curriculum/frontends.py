"""How each frontend compiles a program of the curriculum. A frontend that is not installed is named in the error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from npcomp_curriculum.registry import Program


def compile_torchscript(program: Program, module: torch.nn.Module, backend: str) -> Any:
    import npcomp_torchscript as nts

    specs = [nts.TensorSpec(list(arg.dims), arg.dtype) for arg in program.args]
    return nts.compile(module, specs, backend=backend)


def compile_acap(program: Program, module: torch.nn.Module, backend: str) -> Any:
    import npcomp_acap as acap

    dynamic = {
        position: {dim: name for dim, name in enumerate(arg.dims) if isinstance(name, str)}
        for position, arg in enumerate(program.args)
    }
    return acap.trace(module, *program.inputs(program.sizes[0]), dynamic=dynamic, backend=backend)


FRONTENDS: dict[str, Callable[[Program, torch.nn.Module, str], Any]] = {
    "torchscript": compile_torchscript,
    "acap": compile_acap,
}
BACKENDS = ["refbackend"]
