"""Optimizer steps in the form that a capture can follow.

A step may run as one fused kernel, which fake tensors lack, and RAdam and ASGD choose in Python by the step count. Both
have another form: the fused kernels are plain tensor arithmetic, and `capturable` keeps the count a tensor. torch
lets `capturable` pass on the CPU only while it believes to compile."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

COUNTING = (torch.optim.RAdam, torch.optim.ASGD)
"""Optimizers that decide by the value of their step count unless they are capturable."""


@contextlib.contextmanager
def in_tensor_form() -> Iterator[None]:
    """Within it every optimizer step is unfused, and keeps its count in a tensor where it would decide by it."""
    running = contextlib.ExitStack()

    def before(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        for group in optimizer.param_groups:
            if group.get("fused"):
                running.enter_context(_replaced(group, "fused", False))
            if isinstance(optimizer, COUNTING):
                running.enter_context(_replaced(group, "capturable", True))
        if isinstance(optimizer, COUNTING):
            running.enter_context(torch.compiler._compile_session_context())

    handles = [
        register_optimizer_step_pre_hook(before),
        register_optimizer_step_post_hook(lambda *_: running.close()),
    ]
    try:
        yield
    finally:
        running.close()
        for handle in handles:
            handle.remove()


@contextlib.contextmanager
def _replaced(group: dict[str, Any], key: str, value: Any) -> Iterator[None]:
    before, group[key] = group[key], value
    try:
        yield
    finally:
        group[key] = before
