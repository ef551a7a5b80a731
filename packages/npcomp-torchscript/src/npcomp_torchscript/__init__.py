"""Compiles TorchScript: scripted, traced, saved, or a plain `torch.nn.Module`."""

from __future__ import annotations

from npcomp_dialects.passes import kernel_types

from npcomp_torchscript import kernels
from npcomp_torchscript.annotations import ClassAnnotator, annotate_args, export
from npcomp_torchscript.compiler import compile
from npcomp_torchscript.errors import Problem, TorchScriptError
from npcomp_torchscript.importer import import_module
from npcomp_torchscript.specs import TensorSpec

__version__ = "0.1.0"
kernel_types.provide(kernels.results)
__all__ = [
    "ClassAnnotator",
    "Problem",
    "TensorSpec",
    "TorchScriptError",
    "annotate_args",
    "compile",
    "export",
    "import_module",
]
