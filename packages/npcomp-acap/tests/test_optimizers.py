"""torch's optimizers in a captured training step, in each of their forms: parameters as after eager steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import npcomp_acap
import pytest
import torch

FOREACH, SINGLE, FUSED = {"foreach": True}, {"foreach": False}, {"fused": True}
EVERY_FORM = [
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}, (FOREACH, SINGLE, FUSED)),
    ("Adam", {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1}, (FOREACH, SINGLE, FUSED)),
    ("AdamW", {"lr": 0.01}, (FOREACH, FUSED)),
    ("RMSprop", {"lr": 0.01, "momentum": 0.5, "centered": True}, (FOREACH, SINGLE)),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1}, (FOREACH, FUSED)),
    ("Adadelta", {"lr": 1.0}, (FOREACH,)),
    ("NAdam", {"lr": 0.01}, (FOREACH,)),
    ("RAdam", {"lr": 0.01}, (FOREACH, SINGLE)),
    ("Adamax", {"lr": 0.01}, (FOREACH,)),
    ("ASGD", {"lr": 0.01}, (FOREACH,)),
    ("Rprop", {"lr": 0.01}, (FOREACH,)),
]
FORMS = [(name, {**options, **form}) for name, options, forms in EVERY_FORM for form in forms]
TOLERANCE = {"RAdam": 3e-5}
"""RAdam keeps its count in f32 while captured, and its first steps divide by nearly nothing."""


def training_step(name: str, options: dict[str, Any]) -> tuple[torch.nn.Module, Callable[..., torch.Tensor]]:
    torch.manual_seed(1)
    model = torch.nn.Linear(5, 3)
    optimizer = getattr(torch.optim, name)(model.parameters(), **options)

    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return model, step


@pytest.mark.parametrize(
    ("name", "options"), FORMS, ids=[f"{n}-{next(reversed(o))}-{o.get('foreach')}" for n, o in FORMS]
)
def test_ten_steps_are_eagers(name: str, options: dict[str, Any]) -> None:
    eager_model, eager_step = training_step(name, options)
    model, step = training_step(name, options)
    batches = [(torch.randn(4, 5), torch.randn(4, 3)) for _ in range(11)]
    eager_step(*batches[0])
    step(*batches[0])
    captured = npcomp_acap.trace(step, *batches[1])
    assert not captured.report().fallbacks
    for batch in batches[1:]:
        torch.testing.assert_close(captured(*batch), eager_step(*batch), rtol=1e-4, atol=1e-5)
    bound = TOLERANCE.get(name, 2e-6)
    for mine, torchs in zip(model.parameters(), eager_model.parameters(), strict=True):
        torch.testing.assert_close(mine, torchs, rtol=bound, atol=bound)


def test_a_capture_leaves_the_optimizers_form_alone() -> None:
    parameter = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.Adam([parameter], fused=True)
    radam = torch.optim.RAdam([parameter])

    def step(x: torch.Tensor) -> None:
        parameter.grad = x * parameter.detach()
        optimizer.step()
        radam.step()

    step(torch.ones(3))
    npcomp_acap.trace(step, torch.ones(3))
    assert optimizer.param_groups[0]["fused"] is True
    assert radam.param_groups[0]["capturable"] is False
    assert not torch.compiler.is_compiling()
