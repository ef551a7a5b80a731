"""Gradients that a captured function leaves in `.grad`, or takes from there, are those of eager torch."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import npcomp_acap as acap
import pytest
import torch
from npcomp_acap.errors import CaptureError
from torch import nn

Step = Callable[[torch.Tensor], torch.Tensor]


def clear_first(model: nn.Module) -> Step:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def step(x: torch.Tensor) -> torch.Tensor:
        optimizer.zero_grad()
        loss = model(x).square().sum()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def clear_last(model: nn.Module) -> Step:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def step(x: torch.Tensor) -> torch.Tensor:
        loss = model(x).square().sum()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.detach()

    return step


def backward_only(model: nn.Module) -> Step:
    def step(x: torch.Tensor) -> torch.Tensor:
        loss = model(x).square().sum()
        loss.backward()
        return loss.detach()

    return step


def twins(with_gradients: bool = False) -> list[nn.Module]:
    model = nn.Linear(3, 2)
    if with_gradients:
        for parameter in model.parameters():
            parameter.grad = torch.randn_like(parameter)
    twin = copy.deepcopy(model)
    for one, other in zip(model.parameters(), twin.parameters()):
        other.grad = None if one.grad is None else one.grad.clone()
    return [model, twin]


def agree(make: Callable[[nn.Module], Step], ours: nn.Module, theirs: nn.Module, clear: bool = False) -> None:
    program, eager = acap.trace(make(ours), torch.randn(4, 3)), make(theirs)
    for _ in range(3):
        x = torch.randn(4, 3)
        torch.testing.assert_close(program(x), eager(x))
        for one, other in zip(ours.parameters(), theirs.parameters()):
            torch.testing.assert_close(one, other)
            assert (one.grad is None) == (other.grad is None)
            if one.grad is not None:
                torch.testing.assert_close(one.grad, other.grad)
        for model in (ours, theirs) if clear else ():
            model.zero_grad()


@pytest.mark.parametrize("with_gradients", [False, True])
def test_steps_that_clear_first_leave_gradients(with_gradients: bool) -> None:
    agree(clear_first, *twins(with_gradients))


def test_steps_that_clear_last_leave_none() -> None:
    agree(clear_last, *twins())


def test_a_backward_pass_alone() -> None:
    agree(backward_only, *twins(), clear=True)


def test_gradients_accumulate_in_place() -> None:
    ours, theirs = twins(with_gradients=True)
    before = ours.weight.grad
    agree(backward_only, ours, theirs)
    assert ours.weight.grad is before


def test_a_gradient_where_there_was_none_is_refused() -> None:
    model = nn.Linear(3, 2)
    program: Any = acap.trace(backward_only(model), torch.randn(4, 3))
    program(torch.ones(4, 3))
    with pytest.raises(RuntimeError, match=r"sizes \[2, 3\] has a gradient and had none when the program was captured"):
        program(torch.ones(4, 3))


OPTIMIZERS = {
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.1),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.5),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_state_is_born_in_the_first_call(name: str) -> None:
    ours, theirs = twins()
    steps = []
    optimizers = [OPTIMIZERS[name](model.parameters()) for model in (ours, theirs)]
    for model, optimizer in zip((ours, theirs), optimizers):

        def step(x: torch.Tensor, model: nn.Module = model, optimizer: Any = optimizer) -> torch.Tensor:
            optimizer.zero_grad()
            loss = model(x).square().sum()
            loss.backward()
            optimizer.step()
            return loss.detach()

        steps.append(step)
    program: Any = acap.trace(steps[0], torch.randn(4, 3))
    for _ in range(4):
        x = torch.randn(4, 3)
        torch.testing.assert_close(program(x), steps[1](x))
        for one, other in zip(ours.parameters(), theirs.parameters()):
            torch.testing.assert_close(one, other)
            mine, wanted = optimizers[0].state[one], optimizers[1].state[other]
            assert mine.keys() == wanted.keys()
            for key, value in wanted.items():
                torch.testing.assert_close(mine[key], value)


def test_a_program_that_makes_optimizer_state_is_saved_after_its_first_call(tmp_path: Path) -> None:
    model = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(model.parameters())

    def step(x: torch.Tensor) -> None:
        optimizer.zero_grad()
        model(x).sum().backward()
        optimizer.step()

    program: Any = acap.trace(step, torch.randn(4, 3))
    with pytest.raises(CaptureError, match="Adam makes its state in the first step"):
        program.save(tmp_path / "step.npc")
    program(torch.randn(4, 3))
    program.save(tmp_path / "step.npc")
