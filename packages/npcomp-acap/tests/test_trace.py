"""Captured programs run and equal eager torch, at sizes they were not traced at, and their state follows."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import npcomp_acap as acap
import pytest
import torch
from torch import nn
from torch.nn import functional as F


def check(program: Any, function: Any, *inputs: torch.Tensor, rtol: float = 1e-5, atol: float = 1e-5) -> None:
    torch.testing.assert_close(program(*inputs), function(*inputs), rtol=rtol, atol=atol)


@pytest.mark.parametrize("batch", [0, 1, 5, 33])
def test_a_module_at_other_sizes(batch: int) -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)).eval()
    program = acap.trace(model, torch.randn(3, 4), dynamic={0: {0: "batch"}})
    check(program, model, torch.randn(batch, 4))


def test_sizes_in_reshapes_follow_the_tensor() -> None:
    def flatten(x: torch.Tensor) -> torch.Tensor:
        return x.view(x.size(0), -1).sum(dim=1) * x.size(0)

    program = acap.trace(flatten, torch.randn(3, 4, 5), dynamic={0: {0: "n", 1: "m"}})
    check(program, flatten, torch.randn(7, 2, 5))


class Point(NamedTuple):
    x: torch.Tensor
    y: torch.Tensor


def test_structures_vanish_and_return() -> None:
    def shuffle(pair: Point, table: dict[str, list[torch.Tensor]]) -> Any:
        total = pair.x + table["a"][0]
        return {"sum": total, "rest": [table["a"][1], (pair.y, 3, "text", None)]}

    a, b, c, d = (torch.randn(3) for _ in range(4))
    program = acap.trace(shuffle, Point(a, b), {"a": [c, d]})
    got, wanted = program(Point(b, a), {"a": [d, c]}), shuffle(Point(b, a), {"a": [d, c]})
    assert torch.equal(got["sum"], wanted["sum"])
    assert got["rest"][1][1:] == (3, "text", None)
    assert torch.equal(got["rest"][1][0], a)


def test_ten_training_steps_equal_eager() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
    twin = copy.deepcopy(model)

    def make_step(m: nn.Module) -> Any:
        optimizer = torch.optim.SGD(m.parameters(), lr=0.1)

        def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            optimizer.zero_grad()
            loss = F.cross_entropy(m(x), y)
            loss.backward()
            optimizer.step()
            return loss.detach()

        return step

    eager = make_step(twin)
    program = acap.trace(make_step(model), torch.randn(4, 16), torch.randint(0, 4, (4,)), dynamic={
        "x": {0: "batch"}, "y": {0: "batch"},
    })  # fmt: skip
    for size in (4, 8, 3, 16, 1, 5, 5, 2, 9, 7):
        x, y = torch.randn(size, 16), torch.randint(0, 4, (size,))
        torch.testing.assert_close(program(x, y), eager(x, y))
    for ours, theirs in zip(model.parameters(), twin.parameters()):
        torch.testing.assert_close(ours, theirs)


def test_momentum_after_a_warm_up_step() -> None:
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    def step(x: torch.Tensor, m: nn.Module = model, o: torch.optim.Optimizer = optimizer) -> torch.Tensor:
        o.zero_grad()
        loss = m(x).square().mean()
        loss.backward()
        o.step()
        return loss.detach()

    step(torch.randn(5, 4))
    twin = copy.deepcopy(model)
    other = torch.optim.SGD(twin.parameters(), lr=0.1, momentum=0.9)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    program = acap.trace(step, torch.randn(5, 4))
    for _ in range(3):
        x = torch.randn(5, 4)
        torch.testing.assert_close(program(x), step(x, twin, other))
    torch.testing.assert_close(model.weight, twin.weight)


def test_batch_norm_statistics_follow() -> None:
    norm = nn.BatchNorm1d(4)
    twin = copy.deepcopy(norm)
    program = acap.trace(norm, torch.randn(6, 4), dynamic={0: {0: "n"}})
    for size in (6, 9):
        check(program, twin, torch.randn(size, 4))
    torch.testing.assert_close(norm.running_mean, twin.running_mean)
    assert norm.num_batches_tracked.item() == 2


def test_double_backward() -> None:
    def hessian_diagonal(x: torch.Tensor) -> torch.Tensor:
        y = x.detach().requires_grad_()
        (first,) = torch.autograd.grad(y.tanh().sum(), y, create_graph=True)
        return torch.autograd.grad(first.sum(), y)[0]

    check(acap.trace(hessian_diagonal, torch.randn(5)), hessian_diagonal, torch.randn(5))


def test_a_wrong_shape_is_refused_and_the_next_call_works() -> None:
    model = nn.Linear(4, 2)
    program = acap.trace(model, torch.randn(3, 4), dynamic={0: {0: "n"}})
    with pytest.raises((TypeError, ValueError), match=r"dimension 1 is 5, must be 4"):
        program(torch.randn(3, 5))
    check(program, model, torch.randn(2, 4))


def test_a_check_with_an_effect_stays_and_names_the_line() -> None:
    program = acap.trace(torch.linalg.inv, torch.eye(3))
    check(program, torch.linalg.inv, torch.eye(3) * 2)
    with pytest.raises(RuntimeError, match="singular"):
        program(torch.zeros(3, 3))


def test_sizes_are_results() -> None:
    program = acap.trace(lambda x: [x.size(0), x.size(1)], torch.ones(3, 4), dynamic={0: {0: "n"}})
    assert program(torch.ones(5, 4)) == [5, 4]


def test_recurrent_layers_at_another_batch() -> None:
    model = nn.LSTM(4, 6, batch_first=True).eval()
    program = acap.trace(model, torch.randn(2, 5, 4), dynamic={0: {0: "batch"}})
    x = torch.randn(3, 5, 4)
    check(program, model, x)


def test_indices_that_repeat_along_a_dimension() -> None:
    def pick(x: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        return torch.gather(x, 1, index.expand(6, 3))

    x, index = torch.randn(6, 4), torch.tensor([[3, 0, 2]])
    assert torch.equal(acap.trace(pick, x, index)(x, index), pick(x, index))
