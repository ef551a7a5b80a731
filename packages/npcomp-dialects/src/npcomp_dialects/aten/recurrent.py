"""Cells of recurrent networks, and recurrent layers over sequences of known length."""

from __future__ import annotations

from .cases import case, f32
from .errors import InferError, NotStatic
from .families.decomposed import Decomposed
from .registry import op


def gates(b, x, hidden, w_ih, w_hh, b_ih, b_hh):
    """The two products of a cell."""
    return b.aten.linear(x, w_ih, b_ih), b.aten.linear(hidden, w_hh, b_hh)


def split_gates(b, values, count):
    """A product cut into as many gates."""
    width = values.sizes[-1]
    if width is None:
        raise NotStatic("a recurrent cell of unknown width has no decomposition")
    size, last = width // count, values.rank - 1
    return [b.aten.slice.Tensor(values, last, i * size, (i + 1) * size) for i in range(count)]


def lstm_step(b, x, hidden, cell, weights):
    """The next hidden and cell state."""
    left, right = gates(b, x, hidden, *weights)
    i, f, g, o = split_gates(b, b.aten.add.Tensor(left, right), 4)
    kept = b.aten.mul.Tensor(b.aten.sigmoid(f), cell)
    cell = b.aten.add.Tensor(kept, b.aten.mul.Tensor(b.aten.sigmoid(i), b.aten.tanh(g)))
    return b.aten.mul.Tensor(b.aten.sigmoid(o), b.aten.tanh(cell)), cell


def gru_step(b, x, hidden, weights):
    """The next hidden state."""
    left, right = gates(b, x, hidden, *weights)
    (r1, z1, n1), (r2, z2, n2) = split_gates(b, left, 3), split_gates(b, right, 3)
    reset = b.aten.sigmoid(b.aten.add.Tensor(r1, r2))
    update = b.aten.sigmoid(b.aten.add.Tensor(z1, z2))
    new = b.aten.tanh(b.aten.add.Tensor(n1, b.aten.mul.Tensor(reset, n2)))
    return b.aten.add.Tensor(new, b.aten.mul.Tensor(update, b.aten.sub.Tensor(hidden, new)))


def simple_step(b, x, hidden, weights, activation):
    """The next hidden state of a plain cell."""
    left, right = gates(b, x, hidden, *weights)
    return getattr(b.aten, activation)(b.aten.add.Tensor(left, right))


def cell_case(count, batch=3):
    width = 4 * count
    return (f32(batch, 5), f32(batch, 4), f32(width, 5), f32(width, 4), f32(width), f32(width))


@op(
    "aten::lstm_cell(Tensor input, Tensor[] hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> "
    "(Tensor, Tensor)"
)
class LstmCell(Decomposed):
    """One step of an LSTM: the next hidden and cell state."""

    def decompose(b, x, hx, *weights):
        return lstm_step(b, x, *hx, weights)

    cases = [
        case(f32(3, 5), [f32(3, 4), f32(3, 4)], f32(16, 5), f32(16, 4), f32(16), f32(16)),
        case(f32("n", 5), [f32("n", 4), f32("n", 4)], f32(16, 5), f32(16, 4)),
    ]


@op("aten::gru_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> Tensor")
class GruCell(Decomposed):
    """One step of a GRU."""

    def decompose(b, x, hidden, *weights):
        return gru_step(b, x, hidden, weights)

    cases = [case(*cell_case(3)), case(*cell_case(3, "n"))]


@op(
    "aten::rnn_tanh_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, "
    "Tensor? b_hh=None) -> Tensor"
)
class RnnTanhCell(Decomposed):
    """One step of a plain recurrent network with tanh."""

    def decompose(b, x, hidden, *weights):
        return simple_step(b, x, hidden, weights, "tanh")

    cases = [case(*cell_case(1)), case(*cell_case(1, "n"))]


@op(
    "aten::rnn_relu_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, "
    "Tensor? b_hh=None) -> Tensor"
)
class RnnReluCell(Decomposed):
    """One step of a plain recurrent network with relu."""

    def decompose(b, x, hidden, *weights):
        return simple_step(b, x, hidden, weights, "relu")

    cases = [case(*cell_case(1)), case(*cell_case(1, "n"))]


class Layers(Decomposed):
    """Recurrent layers over a sequence of known length, step by step.

    `states` is how many states a step carries, `step(b, x, states, weights)` gives the next ones, hidden first.
    """

    states = 1
    step = None

    @classmethod
    def unroll(cls, b, x, starts, params, biases, layers, dropout, train, both_ways, batch_first):
        """The outputs of the last layer and the last states, one list for each kind of state."""
        if train and dropout:
            raise NotStatic("a recurrent layer with dropout draws random numbers")
        if x.rank != 3:
            raise NotStatic("a recurrent layer without batch dim has no decomposition")
        time = 1 if batch_first else 0
        if x.sizes[time] is None or x.sizes[time] == 0:
            raise NotStatic("a recurrent layer over a length that only run time knows goes to torch's kernel")
        steps = [b.aten.select.int(x, time, t) for t in range(x.sizes[time])]
        ways, width = 2 if both_ways else 1, 4 if biases else 2
        if len(params) != layers * ways * width:
            raise InferError(f"{cls.schema.base}: expected {layers * ways * width} parameters, got {len(params)}")
        finals = [[] for _ in starts]
        for layer in range(layers):
            outputs = []
            for way in range(ways):
                at = layer * ways + way
                weights = [*params[at * width : (at + 1) * width], *[None] * (4 - width)]
                states = [b.aten.select.int(s, 0, at) for s in starts]
                ran, states = cls.run(b, steps[::-1] if way else steps, states, weights)
                outputs.append(ran[::-1] if way else ran)
                for kind, state in zip(finals, states, strict=True):
                    kind.append(state)
            steps = outputs[0] if ways == 1 else [b.aten.cat(list(pair), 1) for pair in zip(*outputs, strict=True)]
        return b.aten.stack(steps, time), *(b.aten.stack(kind, 0) for kind in finals)

    @classmethod
    def run(cls, b, steps, states, weights):
        """Every output of one layer in one direction, and the last states."""
        outputs = []
        for x in steps:
            states = cls.step(b, x, states, weights)
            outputs.append(states[0])
        return outputs, states


LAYER_OPTIONS = "bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first"


def layer_case(gates, states, batch, biases=True, both=False, first=False):
    """Two layers of width 4 over 3 steps of 5 inputs."""
    ways, params = 2 if both else 1, []
    for layer in range(2):
        for _ in range(ways):
            params += [f32(4 * gates, 5 if layer == 0 else 4 * ways), f32(4 * gates, 4)]
            params += [f32(4 * gates), f32(4 * gates)] if biases else []
    x = f32(batch, 3, 5) if first else f32(3, batch, 5)
    start = [f32(2 * ways, batch, 4) for _ in range(states)]
    return case(x, start if states > 1 else start[0], params, biases, 2, 0.0, False, both, first)


@op(f"aten::lstm.input(Tensor input, Tensor[] hx, Tensor[] params, {LAYER_OPTIONS}) -> (Tensor, Tensor, Tensor)")
class Lstm(Layers):
    """Layers of LSTM: outputs, last hidden and last cell states."""

    def step(b, x, states, weights):
        return lstm_step(b, x, *states, weights)

    @classmethod
    def decompose(cls, b, x, hx, params, *options):
        return cls.unroll(b, x, hx, params, *options)

    cases = [layer_case(4, 2, 2), layer_case(4, 2, "n", both=True, first=True), layer_case(4, 2, 1, biases=False)]


@op(f"aten::gru.input(Tensor input, Tensor hx, Tensor[] params, {LAYER_OPTIONS}) -> (Tensor, Tensor)")
class Gru(Layers):
    """Layers of GRU: outputs and last hidden states."""

    def step(b, x, states, weights):
        return [gru_step(b, x, *states, weights)]

    @classmethod
    def decompose(cls, b, x, hx, params, *options):
        return cls.unroll(b, x, [hx], params, *options)

    cases = [layer_case(3, 1, 2), layer_case(3, 1, "n", both=True, first=True)]


@op(f"aten::rnn_tanh.input(Tensor input, Tensor hx, Tensor[] params, {LAYER_OPTIONS}) -> (Tensor, Tensor)")
class RnnTanh(Gru):
    """Layers of a plain recurrent network with tanh."""

    def step(b, x, states, weights):
        return [simple_step(b, x, *states, weights, "tanh")]

    cases = [layer_case(1, 1, 2), layer_case(1, 1, "n", both=True, first=True)]


@op(f"aten::rnn_relu.input(Tensor input, Tensor hx, Tensor[] params, {LAYER_OPTIONS}) -> (Tensor, Tensor)")
class RnnRelu(Gru):
    """Layers of a plain recurrent network with relu."""

    def step(b, x, states, weights):
        return [simple_step(b, x, *states, weights, "relu")]

    cases = [layer_case(1, 1, 2), layer_case(1, 1, "n", both=True, first=True)]
