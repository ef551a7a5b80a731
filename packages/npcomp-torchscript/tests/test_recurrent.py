"""Recurrent layers of any length, in every form of torch.nn, through scripted modules."""

from __future__ import annotations

from typing import Any

import npcomp_torchscript as nts
import pytest
import torch
from npcomp_dialects.program import CompileOptions
from torch import nn

NATIVE = CompileOptions(fallback="forbid")
FORMS = [
    (nn.LSTM, {}),
    (nn.LSTM, {"num_layers": 2, "bidirectional": True}),
    (nn.LSTM, {"proj_size": 3, "bias": False}),
    (nn.GRU, {"num_layers": 2, "batch_first": True}),
    (nn.GRU, {"bidirectional": True, "bias": False}),
    (nn.RNN, {"nonlinearity": "relu"}),
    (nn.RNN, {"num_layers": 2, "bidirectional": True}),
]


class Wrapped(nn.Module):
    """The layer without an initial state."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor):
        return self.layer(x)


def flat(value: Any) -> list[torch.Tensor]:
    return [value] if isinstance(value, torch.Tensor) else [t for v in value for t in flat(v)]


def assert_same(got: Any, wanted: Any) -> None:
    for one, other in zip(flat(got), flat(wanted), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind,options", FORMS)
def test_one_program_serves_every_length(kind: Any, options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model = Wrapped(kind(5, 6, **options)).eval()
    spec = nts.TensorSpec(["a", "b", 5], torch.float32)
    program = nts.compile(torch.jit.script(model), [spec], options=NATIVE)
    for steps, batch in ((1, 1), (4, 3), (9, 2)):
        x = torch.randn(steps, batch, 5)
        assert_same(program(x), model(x))


def test_dropout_between_layers_draws_in_training() -> None:
    model = Wrapped(nn.LSTM(5, 6, num_layers=2, dropout=0.5)).train()
    program = nts.compile(torch.jit.script(model), [nts.TensorSpec(["t", 3, 5], torch.float32)], options=NATIVE)
    x = torch.randn(4, 3, 5)
    assert not torch.equal(program(x)[0], program(x)[0])
    torch.manual_seed(1)
    first = program(x)[0]
    torch.manual_seed(1)
    assert torch.equal(first, program(x)[0])


class Cells(nn.Module):
    """A loop over cells."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.gru, self.rnn = nn.LSTMCell(5, 6), nn.GRUCell(6, 6), nn.RNNCell(6, 6)

    def forward(self, x: torch.Tensor):
        h, c = torch.zeros(x.shape[1], 6), torch.zeros(x.shape[1], 6)
        for t in range(x.shape[0]):
            h, c = self.lstm(x[t], (h, c))
            h = self.rnn(self.gru(h, c), h)
        return h, c


def test_cells_in_a_loop() -> None:
    model = Cells().eval()
    program = nts.compile(torch.jit.script(model), [nts.TensorSpec(["t", "b", 5], torch.float32)], options=NATIVE)
    for steps, batch in ((1, 1), (5, 3)):
        x = torch.randn(steps, batch, 5)
        assert_same(program(x), model(x))


class Data(nn.Module):
    """What a packed sequence is to the layer: rows, and how many of them each step has."""

    def __init__(self, kind: str, both: bool):
        super().__init__()
        self.kind = kind
        layer = {"lstm": nn.LSTM, "gru": nn.GRU}[kind](5, 6, bidirectional=both)
        self.both = both
        self.weights = nn.ParameterList(layer._flat_weights)

    def forward(self, data: torch.Tensor, counts: torch.Tensor, h: torch.Tensor, c: torch.Tensor):
        weights = list(self.weights)
        if self.kind == "lstm":
            return torch.lstm(data, counts, [h, c], weights, True, 1, 0.0, False, self.both)
        return torch.gru(data, counts, h, weights, True, 1, 0.0, False, self.both)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
@pytest.mark.parametrize("both", [False, True])
def test_packed_rows_of_differing_steps(kind: str, both: bool) -> None:
    model = Data(kind, both).eval()
    dims = [["r", 5], ["t"], [2 if both else 1, "b", 6], [2 if both else 1, "b", 6]]
    specs = [nts.TensorSpec(d, torch.int64 if n == 1 else torch.float32) for n, d in enumerate(dims)]
    example = (torch.zeros(3, 5), torch.tensor([2, 1]), torch.zeros(1 + both, 2, 6), torch.zeros(1 + both, 2, 6))
    program = nts.compile(torch.jit.trace(model, example), specs, options=NATIVE)
    for lengths in ([4, 2, 1], [1], [3, 3]):
        counts = torch.tensor([sum(n > t for n in lengths) for t in range(lengths[0])])
        state = [torch.randn(1 + both, len(lengths), 6) for _ in range(2)]
        data = torch.randn(sum(lengths), 5)
        assert_same(program(data, counts, *state), model(data, counts, *state))
    with pytest.raises(RuntimeError, match="packed sequence"):
        program(torch.randn(5, 5), torch.tensor([2, 1]), *[torch.zeros(1 + both, 2, 6)] * 2)
