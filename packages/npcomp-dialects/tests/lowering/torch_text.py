"""Small torch-contract programs as text: lowered, then called on torch tensors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import npcomp_dialects
import torch
from lowering.case_modules import evaluate
from npcomp_dialects.lowering import lower_module
from npcomp_dialects.mlir import ir

SHORT = {"V": "!torch.vtensor", "INT": "!torch.int", "BOOL": "!torch.bool", "FLOAT": "!torch.float"}


def expand(text: str) -> str:
    """`V<[?,4],f32>` stands for `!torch.vtensor<[?,4],f32>`, `INT` for `!torch.int` and so on."""
    return re.sub(r"\b(V|INT|BOOL|FLOAT)\b", lambda found: SHORT[found[0]], text)


def lower(text: str) -> ir.Module:
    """Parses and lowers a module."""
    module = ir.Module.parse(expand(text), npcomp_dialects.context())
    lower_module(module)
    return module


def compiled(text: str) -> Callable[..., Any]:
    """The function `forward` of a module, evaluated; one result comes alone, tensors as torch tensors."""
    module = lower(text)

    def call(*arguments: Any) -> Any:
        results = [torch.from_numpy(r) if r.ndim else r.item() for r in evaluate(module, *arguments)]
        return results[0] if len(results) == 1 else tuple(results)

    call.module = module  # type: ignore[attr-defined]
    return call
