"""Recurrent networks: cells, layers over sequences, and layers over packed sequences, as loops over time.

The product of the inputs with their weight is made for all steps before the loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from .block import Block
from .cases import case, f32, f64, i64
from .dtypes import DType
from .errors import InferError, NotStatic
from .random_dropout import PlainDropout
from .recurrent_step import Cell, GruCell, LstmCell, ReluCell, TanhCell, Weights
from .registry import op


class Recurrent(Block):
    """`cell` is what one step computes."""

    family = "recurrent"
    cell: ClassVar[type[Cell]] = Cell


CELL = "Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None"


def cell_case(gates, batch=3, biases=True):
    width = 4 * gates
    return case(f32(batch, 5), f32(batch, 4), f32(width, 5), f32(width, 4), *([f32(width)] * 2 if biases else []))


@op(f"aten::lstm_cell(Tensor input, Tensor[] hx, {CELL}) -> (Tensor, Tensor)")
class LstmCellOp(Recurrent):
    """One step of an LSTM: the next hidden and cell state."""

    def lower(b, x, hx, *weights):
        w = Weights(*weights)
        return tuple(LstmCell.step(b, LstmCell.input_product(b, x, w), hx, w))

    cases = [
        case(f32(3, 5), [f32(3, 4), f32(3, 4)], f32(16, 5), f32(16, 4), f32(16), f32(16)),
        case(f32("n", 5), [f32("n", 4), f32("n", 4)], f32(16, 5), f32(16, 4)),
    ]


@op(f"aten::gru_cell(Tensor input, Tensor hx, {CELL}) -> Tensor", cases=[cell_case(3), cell_case(3, "n", False)])
class GruCellOp(Recurrent):
    """One step with one state."""

    cell = GruCell

    @classmethod
    def lower(cls, b, x, hidden, *weights):
        w = Weights(*weights)
        return cls.cell.step(b, cls.cell.input_product(b, x, w), [hidden], w)[0]


@op(f"aten::rnn_tanh_cell(Tensor input, Tensor hx, {CELL}) -> Tensor", cases=[cell_case(1), cell_case(1, "n")])
class RnnTanhCellOp(GruCellOp):
    """One step of a plain recurrent network with tanh."""

    cell = TanhCell


@op(f"aten::rnn_relu_cell(Tensor input, Tensor hx, {CELL}) -> Tensor", cases=[cell_case(1), cell_case(1, "n")])
class RnnReluCellOp(GruCellOp):
    """One step of a plain recurrent network with relu."""

    cell = ReluCell


class Sequence3d:
    """Steps of one batch each: (time, batch, features)."""

    def __init__(self, b: Any, x: Any):
        self.steps, self.batch = x.sizes[0], x.sizes[1]

    def output(self, b: Any, like: Any, width: Any) -> Any:
        return b.full([self.steps, self.batch, width], 0, like.dtype)

    def advance(self, b: Any, cell: type[Cell], t: Any, left: Any, out: Any, states: Any, w: Weights) -> list[Any]:
        """The output and the states after step `t`."""
        row = b.reshape(b.slice(left, 0, t, t + 1, 1), left.sizes[1:])
        states = cell.step(b, row, states, w)
        return [b.update(out, 0, t, b.reshape(states[0], [1, *states[0].sizes])), *states]


class Packed:
    """Steps of fewer and fewer rows, one after the other: (rows, features)."""

    def __init__(self, b: Any, x: Any, counts: Any, batch: Any):
        self.rows, self.counts, self.steps = x.sizes[0], counts, counts.sizes[0]
        ends = b.scan("sum", counts, 0)
        self.starts = b.map(lambda b, end, count: end - count, ends, counts, dtype=DType.i64)
        fits = b.map(lambda b, count: (count > 0) & (count <= batch), counts, dtype=DType.bool)
        b.guard(b.item(b.reduce("all", fits, [0])), "a step of a packed sequence has no rows, or more than the batch")
        total = b.item(b.reduce("sum", counts, [0]))
        b.guard(total == self.rows, "the steps of a packed sequence have {0} rows, its data {1}", total, self.rows)

    def output(self, b: Any, like: Any, width: Any) -> Any:
        return b.full([self.rows, width], 0, like.dtype)

    def advance(self, b: Any, cell: type[Cell], t: Any, left: Any, out: Any, states: Any, w: Weights) -> list[Any]:
        """The output and the states after step `t`; rows that have ended keep their state."""
        start, count = (b.item(b.slice(v, 0, t, t + 1, 1)) for v in (self.starts, self.counts))
        running = [b.slice(s, 0, 0, count, 1) for s in states]
        following = cell.step(b, b.slice(left, 0, start, start + count, 1), running, w)
        kept = [b.update(s, 0, 0, n) for s, n in zip(states, following, strict=True)]
        return [b.update(out, 0, start, following[0]), *kept]


def run(b: Any, cell: type[Cell], x: Any, steps: Any, states: Sequence[Any], w: Weights, backward: bool) -> list[Any]:
    """The outputs of one layer in one direction, and its last states."""
    left = cell.input_product(b, x, w)

    def body(b: Any, trip: Any, out: Any, *states: Any) -> list[Any]:
        t = steps.steps - 1 - trip if backward else trip
        return steps.advance(b, cell, t, left, out, states, w)

    out = steps.output(b, x, states[0].sizes[-1])
    return list(b.repeat(steps.steps, body, out, *states))


class Layers(Recurrent):
    """Layers in one or both directions over a sequence; the `data` overloads take packed ones."""

    effects = ("random",)
    """Dropout between layers draws."""

    @classmethod
    def lower(cls, b, *args):
        named = cls.named(args)
        x = named.get("input", args[0])
        hx = named["hx"] if isinstance(named["hx"], list) else [named["hx"]]
        if len(hx) != cls.cell.states:
            raise InferError(f"{cls.schema.base} expects {cls.cell.states} hidden states, got {len(hx)}")
        packed = "batch_sizes" in named
        if x.rank != (2 if packed else 3) or any(h.rank != 3 for h in hx):
            raise NotStatic("layers take sequences with a batch dim")
        first = named.get("batch_first", False)
        x = b.permute(x, [1, 0, 2]) if first else x
        batch = hx[0].sizes[1]
        if packed:
            steps: Any = Packed(b, x, named["batch_sizes"], batch)
        else:
            steps = Sequence3d(b, x)
            b.guard(x.sizes[1] == batch, "the input has {0} rows, the hidden state {1}", x.sizes[1], batch)
        b.guard(steps.steps > 0, "Expected sequence length to be larger than 0 in RNN")
        for other in hx[1:]:
            b.guard(other.sizes[1] == batch, "the hidden states have {0} and {1} rows", batch, other.sizes[1])
        out, states = cls.stack(b, x, steps, hx, named)
        return (b.permute(out, [1, 0, 2]) if first else out), *states

    @classmethod
    def stack(cls, b, x, steps, hx, named):
        """Layer upon layer; the last states are joined, one tensor a kind."""
        layers, ways = named["num_layers"], 2 if named["bidirectional"] else 1
        cells = cls.weights(named["params"], layers * ways, named["has_biases"])
        for h in hx:
            total = h.sizes[0]
            b.guard(total == layers * ways, "the hidden state has {0} layers, the network {1}", total, layers * ways)
        finals: list[list[Any]] = [[] for _ in hx]
        for layer in range(layers):
            outputs = []
            for way in range(ways):
                at = layer * ways + way
                states = [b.reshape(b.slice(h, 0, at, at + 1, 1), h.sizes[1:]) for h in hx]
                out, *states = run(b, cls.cell, x, steps, states, cells[at], way == 1)
                outputs.append(out)
                for kind, state in zip(finals, states, strict=True):
                    kind.append(b.reshape(state, [1, *state.sizes]))
            x = b.concat(outputs, outputs[0].rank - 1)
            if named["train"] and named["dropout"] and layer < layers - 1:
                x = PlainDropout.lower(b, x, named["dropout"], True)
        return x, [b.concat(kind, 0) for kind in finals]

    @classmethod
    def weights(cls, params, count, biases):
        """The parameters of each cell; one more than usual is a projection."""
        usual = 4 if biases else 2
        width, rest = divmod(len(params), count)
        if rest or width not in (usual, usual + 1):
            raise InferError(f"{cls.schema.base} expects {count * usual} parameters, got {len(params)}")
        made = []
        for at in range(count):
            own = list(params[at * width : (at + 1) * width])
            projection = own.pop() if width > usual else None
            made.append(Weights(*own, *[None] * (4 - usual), projection))
        return made


OPTIONS = "bool has_biases, int num_layers, float dropout, bool train, bool bidirectional"
STATES = {"lstm": ("Tensor[] hx", "(Tensor, Tensor, Tensor)")}


def schema(name, overload):
    state, results = STATES.get(name, ("Tensor hx", "(Tensor, Tensor)"))
    source = "Tensor input" if overload == "input" else "Tensor data, Tensor batch_sizes"
    last = ", bool batch_first" if overload == "input" else ""
    return f"aten::{name}.{overload}({source}, {state}, Tensor[] params, {OPTIONS}{last}) -> {results}"


def params(gates, ways, biases, dtype=f32, projected=0):
    """Two layers of width 4 on 5 inputs."""
    made, out = [], projected or 4
    for layer in range(2):
        for _ in range(ways):
            made += [dtype(4 * gates, 5 if layer == 0 else out * ways), dtype(4 * gates, out)]
            made += [dtype(4 * gates), dtype(4 * gates)] if biases else []
            made += [dtype(projected, 4)] if projected else []
    return made


def layer_case(gates, states, batch, time=3, biases=True, both=False, first=False, dtype=f32, projected=0):
    ways = 2 if both else 1
    x = dtype(batch, time, 5) if first else dtype(time, batch, 5)
    start = [dtype(2 * ways, batch, projected if projected and not n else 4) for n in range(states)]
    weights = params(gates, ways, biases, dtype, projected)
    return case(x, start if states > 1 else start[0], weights, biases, 2, 0.0, False, both, first, rtol=1e-4)


def packed_case(gates, states, rows, steps, both=False, at=()):
    """Steps of two rows each; a test of its own has steps that differ."""
    ways = 2 if both else 1
    start = [f32(2 * ways, 2, 4) for _ in range(states)]
    hx = start if states > 1 else start[0]
    counts = i64(steps, low=2, high=3)
    weights = params(gates, ways, True)
    return case(f32(rows, 5), counts, hx, weights, True, 2, 0.0, False, both, at=at, rtol=1e-4)


def packed_cases(gates, states):
    return [
        packed_case(gates, states, 6, 3),
        packed_case(gates, states, "rows", "steps", both=True, at=[(6, 3), (2, 1)]),
    ]


def layer_cases(gates, states):
    return [
        layer_case(gates, states, 2),
        layer_case(gates, states, "n", "t", both=True, first=True),
        layer_case(gates, states, 1, "t", biases=False, dtype=f64),
    ]


@op(schema("lstm", "input"), cases=[*layer_cases(4, 2), layer_case(4, 2, "n", "t", both=True, projected=3)])
@op(schema("lstm", "data"), cases=packed_cases(4, 2))
class Lstm(Layers):
    """Layers of LSTM: outputs, last hidden and last cell states."""

    cell = LstmCell


@op(schema("gru", "input"), cases=layer_cases(3, 1))
@op(schema("gru", "data"), cases=packed_cases(3, 1))
class Gru(Layers):
    """Layers of GRU: outputs and last hidden states."""

    cell = GruCell


@op(schema("rnn_tanh", "input"), cases=layer_cases(1, 1))
@op(schema("rnn_tanh", "data"), cases=packed_cases(1, 1))
class RnnTanh(Layers):
    """Layers of a plain recurrent network with tanh."""

    cell = TanhCell


@op(schema("rnn_relu", "input"), cases=layer_cases(1, 1))
@op(schema("rnn_relu", "data"), cases=packed_cases(1, 1))
class RnnRelu(Layers):
    """Layers of a plain recurrent network with relu."""

    cell = ReluCell
