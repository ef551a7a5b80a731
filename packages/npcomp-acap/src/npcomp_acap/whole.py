"""Ops that a capture keeps whole although torch has a Python form of them that it would record instead."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch._C import DispatchKey

WRONG_IN_PYTHON = (torch.ops.aten.multilabel_margin_loss_forward.default,)
"""Their Python form differs from the kernel: this one reads labels behind the end of a row's list."""


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Within it these ops are recorded as themselves."""
    forms = [(op, op.py_kernels.pop(DispatchKey.Autograd)) for op in WRONG_IN_PYTHON]
    try:
        for op in WRONG_IN_PYTHON:
            op._dispatch_cache.clear()
        yield
    finally:
        for op, form in forms:
            op.py_kernels[DispatchKey.Autograd] = form
            op._dispatch_cache.clear()
