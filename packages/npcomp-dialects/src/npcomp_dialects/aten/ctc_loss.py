"""Connectionist temporal classification (Graves et al. 2006): the forward variables, as a loop over time.

A target of n labels has 2 n + 1 states: blanks around and between its labels. All sequences of a batch advance
together; one that has ended keeps its variables.
"""

from __future__ import annotations

import math

from .block import Block
from .cases import case, f32, f64, i64
from .dtypes import DType
from .errors import NotStatic
from .registry import op

PLACE = "(while checking arguments for ctc_loss_allocate_outputs)"


def lengths_of(b, value, batch, name):
    """Lengths as a tensor, and the largest."""
    if not isinstance(value, list):
        tensor = b.cast(value, DType.i64)
        b.guard(tensor.sizes[0] == batch, f"{name} must be of size batch_size")
        return tensor, b.maximum(b.item(b.reduce("max", tensor, [0])), 0)
    b.guard(batch == len(value), f"{name} must be of size batch_size")
    most = 0
    for length in value:
        most = b.maximum(most, length)
    return b.concat([b.full([1], length, DType.i64) for length in value], 0), most


class Problem:
    """The sizes and the states of a batch."""

    def __init__(self, b, log_probs, targets, input_lengths, target_lengths, blank):
        if log_probs.rank != 3 or targets.rank not in (1, 2):
            raise NotStatic("sequences come in batches")
        self.time, self.batch, self.labels = log_probs.sizes
        self.dtype = log_probs.dtype
        b.guard((blank >= 0) & (blank < self.labels), "blank must be in label range")
        self.inputs, longest = lengths_of(b, input_lengths, self.batch, "input_lengths")
        self.lengths, most = lengths_of(b, target_lengths, self.batch, "target_lengths")
        why = "Expected input_lengths to have value at most {0}, but got value {1} " + PLACE
        b.guard(longest <= self.time, why, self.time, longest)
        self.states = most * 2 + 1
        starts = self._starts(b, targets, most)
        self.of_state = self._labels(b, targets, starts, blank)
        self.skips = self._skips(b)

    def _starts(self, b, targets, most):
        """Where the labels of each sequence begin in the flat targets."""
        if targets.rank == 1:
            ends = b.scan("sum", self.lengths, 0)
            return b.map(lambda b, end, n: end - n, ends, self.lengths, dtype=DType.i64)
        width = targets.sizes[1]
        why = "Expected tensor to have size at least {0} at dimension 1, but got size {1} for argument #2 'targets' "
        b.guard(most <= width, why + PLACE, most, width)
        return b.map(lambda b, n: n * width, b.iota(self.batch, DType.i64), dtype=DType.i64)

    def _labels(self, b, targets, starts, blank):
        """The label of each state of each sequence, (batch, states)."""
        count = b.numel(targets)
        flat = b.concat([b.cast(b.reshape(targets, [count]), DType.i64), b.full([1], blank, DType.i64)], 0)

        def place(b, state, start, length):
            number = b.shift("right", state, 1)
            is_label = ((state & 1) == 1) & (number < length)
            return b.select(is_label, b.minimum(start + number, count), b.cast(count, DType.i64))

        return b.index_select(flat, 0, self.over_states(b, place, starts, self.lengths, dtype=DType.i64))

    def _skips(self, b):
        """Whether a state may be entered from two states before: a label that differs from the one before it."""
        before = self.shifted(b, self.of_state, 2, -1)
        differ = lambda b, state, own, other: ((state & 1) == 1) & (state > 1) & (own != other)  # noqa: E731
        states = b.reshape(b.iota(self.states, DType.i64), [1, self.states])
        return b.map(differ, states, self.of_state, before, dtype=DType.bool)

    def over_states(self, b, fn, *rows, dtype):
        """`fn(b, state, *numbers of the sequence)` for each state of each sequence."""
        states = b.reshape(b.iota(self.states, DType.i64), [1, self.states])
        return b.map(fn, states, *(b.reshape(r, [self.batch, 1]) for r in rows), dtype=dtype)

    def shifted(self, b, x, by, fill):
        """Each state's value is that of the state `by` before."""
        return b.slice(b.pad(x, [0, by], [0, 0], fill), 1, 0, self.states, 1)

    def emissions(self, b, log_probs):
        """The log probability of each state's label at each time, (time, batch, states)."""
        index = b.reshape(self.of_state, [1, self.batch, self.states])
        return b.gather(log_probs, 2, b.broadcast(index, [self.time, self.batch, self.states]))


def log_add(b, *values):
    """The logarithm of a sum, of logarithms."""
    top = values[0]
    for value in values[1:]:
        top = b.maximum(top, value)
    top = b.select(top == -math.inf, b.const(0.0, top.dtype), top)
    total = b.math.exp(values[0] - top)
    for value in values[1:]:
        total = total + b.math.exp(value - top)
    return b.math.log(total) + top


def forward(b, problem, log_probs):
    """The variables of all times, (batch, time, states), and the last of each sequence."""
    dtype, minus = problem.dtype, -math.inf
    emissions = problem.emissions(b, log_probs)
    inputs = b.reshape(problem.inputs, [problem.batch, 1])
    first = problem.over_states(
        b, lambda b, s, _: b.select(s == 0, b.const(0.0, dtype), b.const(minus, dtype)), problem.inputs, dtype=dtype
    )

    def step(b, t, table, alpha):
        def advance(b, stay, one, two, skips, emission, length):
            skipped = b.select(skips, two, b.const(minus, dtype))
            return b.select(length > b.cast(t, DType.i64), log_add(b, stay, one, skipped) + emission, stay)

        row = b.reshape(b.slice(emissions, 0, t, t + 1, 1), [problem.batch, problem.states])
        before = [problem.shifted(b, alpha, by, minus) for by in (1, 2)]
        alpha = b.map(advance, alpha, *before, problem.skips, row, inputs, dtype=dtype)
        return b.update(table, 1, t, b.reshape(alpha, [problem.batch, 1, problem.states])), alpha

    table = b.full([problem.batch, problem.time, problem.states], minus, dtype)
    return b.repeat(problem.time, step, table, first)


def losses(b, problem, alpha):
    """The negative logarithm of each target's probability: its last two states."""
    dtype = problem.dtype
    ends = [b.map(lambda b, n, k=k: b.maximum(n * 2 - k, 0), problem.lengths, dtype=DType.i64) for k in (0, 1)]
    found = [b.reshape(b.gather(alpha, 1, b.reshape(e, [problem.batch, 1])), [problem.batch]) for e in ends]

    def loss(b, last, other, length):
        return -log_add(b, last, b.select(length > 0, other, b.const(-math.inf, dtype)))

    return b.map(loss, *found, problem.lengths, dtype=dtype)


REST = "int blank=0, bool zero_infinity=False) -> (Tensor, Tensor)"


@op(
    f"aten::_ctc_loss(Tensor log_probs, Tensor targets, int[] input_lengths, int[] target_lengths, {REST}",
    cases=[
        case(f32(6, 3, 5), i64(3, 2, low=1, high=5), [6, 6, 6], [2, 2, 2], rtol=1e-5),
        case(f64("t", 2, 5), i64("n", low=0, high=4), [4, 4], [2, 2], 4, at=[(4, 4)]),
    ],
)
@op(
    f"aten::_ctc_loss.Tensor(Tensor log_probs, Tensor targets, Tensor input_lengths, Tensor target_lengths, {REST}",
    cases=[
        case(f32(6, 3, 5), i64(3, 2, low=1, high=5), i64(3, low=6, high=7), i64(3, low=2, high=3), rtol=1e-5),
        case(f32(7, "n", 5), i64("n", 3, low=1, high=5), i64("n", low=7, high=8), i64("n", low=3, high=4), rtol=1e-5),
    ],
)
class CtcLoss(Block):
    """The loss of each sequence and its forward variables. An infinite loss stays; the gradient treats it."""

    family = "loss"
    runtime = ("input_lengths", "target_lengths")

    def lower(b, log_probs, targets, inputs, lengths, blank, zero_infinity):
        if not log_probs.dtype.is_float or log_probs.dtype.is_half:
            raise NotStatic("torch has this loss for f32 and f64")
        problem = Problem(b, log_probs, targets, inputs, lengths, blank)
        table, alpha = forward(b, problem, log_probs)
        return losses(b, problem, alpha), table


class ReducedCtcLoss(CtcLoss):
    """The losses of a batch joined, infinite ones as 0 where asked."""

    def lower(b, log_probs, targets, inputs, lengths, blank, reduction, zero_infinity):
        if not log_probs.dtype.is_float or log_probs.dtype.is_half:
            raise NotStatic("torch has this loss for f32 and f64")
        problem = Problem(b, log_probs, targets, inputs, lengths, blank)
        dtype = problem.dtype
        each = losses(b, problem, forward(b, problem, log_probs)[1])
        if zero_infinity:
            finite = lambda b, loss: b.select(loss == math.inf, b.const(0.0, dtype), loss)  # noqa: E731
            each = b.map(finite, each, dtype=dtype)
        if reduction == 0:
            return each
        if reduction == 1:
            size = b.cast(problem.batch, dtype)
            share = lambda b, loss, n: loss / b.cast(b.maximum(n, 1), dtype) / size  # noqa: E731
            each = b.map(share, each, problem.lengths, dtype=dtype)
        return b.reduce("sum", each, [0])


LAST = "int blank=0, int reduction=1, bool zero_infinity=False) -> Tensor"


@op(
    f"aten::ctc_loss.IntList(Tensor log_probs, Tensor targets, int[] input_lengths, int[] target_lengths, {LAST}",
    cases=[
        case(f32(6, 3, 5), i64(3, 4, low=1, high=5), [6, 5, 3], [4, 2, 0], 0, 2, rtol=1e-5),
        case(f32("t", 2, 5), i64(5, low=1, high=5), [4, 3], [3, 2], 0, 2, at=[4], rtol=1e-5),
        case(f64(3, 1, 5), i64(1, 4, low=1, high=5), [3], [4], 0, 0, True),
    ],
)
@op(
    f"aten::ctc_loss.Tensor(Tensor log_probs, Tensor targets, Tensor input_lengths, Tensor target_lengths, {LAST}",
    cases=[
        case(f32(6, 3, 5), i64(3, 4, low=1, high=5), i64(3, low=4, high=7), i64(3, low=1, high=5), rtol=1e-5),
        case(f64(7, "n", 5), i64("n", 3, low=1, high=5), i64("n", low=3, high=8), i64("n", low=0, high=4), 0, 1, True),
    ],
)
class CtcLossOp(ReducedCtcLoss):
    """The loss of a batch of sequences."""
