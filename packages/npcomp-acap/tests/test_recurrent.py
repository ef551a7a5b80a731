"""Recurrent layers in captures: one program for every length, packed sequences, gradients."""

from __future__ import annotations

from typing import Any

import npcomp_acap as acap
import pytest
import torch
from npcomp_dialects.program import CompileOptions
from torch import nn

NATIVE = CompileOptions(fallback="forbid")
FORMS = [
    (nn.LSTM, {}),
    (nn.LSTM, {"num_layers": 2, "bidirectional": True, "proj_size": 3}),
    (nn.GRU, {"num_layers": 2, "batch_first": True}),
    (nn.GRU, {"bidirectional": True, "bias": False}),
    (nn.RNN, {"num_layers": 2, "nonlinearity": "relu"}),
]


def flat(value: Any) -> list[torch.Tensor]:
    return [value] if isinstance(value, torch.Tensor) else [t for v in value for t in flat(v)]


def assert_same(got: Any, wanted: Any) -> None:
    for one, other in zip(flat(got), flat(wanted), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind,options", FORMS)
@pytest.mark.parametrize("gradients", [False, True])
def test_one_program_serves_every_length(kind: Any, options: dict[str, Any], gradients: bool) -> None:
    model = kind(5, 6, **options).requires_grad_(gradients)
    program = acap.trace(model, torch.zeros(4, 3, 5), dynamic={"input": {0: "a", 1: "b"}}, options=NATIVE)
    for steps, batch in ((4, 3), (1, 1), (7, 2)):
        x = torch.randn(steps, batch, 5)
        assert_same(program(x), model(x))


def test_the_length_costs_no_operations() -> None:
    model = nn.LSTM(5, 6)
    texts = [str(acap.trace(model, torch.zeros(n, 3, 5)).module) for n in (2, 50)]
    assert len(texts[1].splitlines()) < 1.1 * len(texts[0].splitlines())


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_gradients_are_torchs(kind: Any) -> None:
    model = kind(5, 6, num_layers=2)

    def step(x: torch.Tensor) -> Any:
        loss = model(x)[0].square().sum()
        return loss, torch.autograd.grad(loss, list(model.parameters()))

    x = torch.randn(4, 3, 5)
    assert_same(acap.trace(step, x, options=NATIVE)(x), step(x))


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_packed_sequences(kind: Any) -> None:
    """nn.GRU reads a size as a Python number to check it; its function does not."""
    model = kind(5, 6, bidirectional=True).eval().requires_grad_(False)

    def run(data: torch.Tensor, counts: torch.Tensor, h: torch.Tensor) -> Any:
        if kind is nn.GRU:
            return torch.gru(data, counts, h, model._flat_weights, True, 1, 0.0, False, True)
        out, state = model(nn.utils.rnn.PackedSequence(data, counts), (h, h))
        return out.data, state

    program = acap.trace(run, torch.randn(7, 5), torch.tensor([3, 2, 1, 1]), torch.zeros(2, 3, 6), options=NATIVE)
    args = torch.randn(7, 5), torch.tensor([3, 2, 1, 1]), torch.randn(2, 3, 6)
    assert_same(program(*args), run(*args))


def test_dropout_between_layers_draws_in_training() -> None:
    model = nn.GRU(5, 6, num_layers=2, dropout=0.5).train().requires_grad_(False)
    program = acap.trace(model, torch.zeros(4, 3, 5), options=NATIVE)
    x = torch.randn(4, 3, 5)
    assert not torch.equal(program(x)[0], program(x)[0])
