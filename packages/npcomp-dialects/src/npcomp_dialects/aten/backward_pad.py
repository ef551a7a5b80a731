"""Gradients of padding: what the pads show goes back to the elements that they show."""

from __future__ import annotations

from .cases import case, f32, f64
from .errors import InferError
from .families.backward import Backward
from .promotion import opmath
from .registry import op
from .view_pad import reflect, replicate, sources, split_pads


def pad_backward(b, grad, x, pads, source):
    """Each padded dim of the gradient added up at the places that it was read from."""
    if grad.rank != x.rank:
        raise InferError(f"expected grad_output of the input's rank {x.rank}, got rank {grad.rank}")
    total = b.cast(grad, opmath(grad.dtype))
    for d, (low, high) in enumerate(split_pads(x, pads)):
        n = x.sizes[d]
        b.guard(
            total.sizes[d] == n + low + high,
            f"grad_output dimension {d}: expected {{1}}, got {{0}}",
            total.sizes[d],
            n + low + high,
        )
        if isinstance(low, int) and low == 0 and isinstance(high, int) and high == 0:
            continue
        places = sources(b, low, high, n, source)
        shaped = b.reshape(places, [places.sizes[0]] + [1] * (x.rank - d - 1))
        index = b.broadcast(shaped, total.sizes)
        zeros = b.full([n if e == d else s for e, s in enumerate(total.sizes)], 0, total.dtype)
        total = b.scatter("add", zeros, d, index, total)
    return b.cast(total, grad.dtype)


CASES = {
    1: [case(f32(2, 3, 7), f32(2, 3, 4), [1, 2]), case(f32(2, "m"), f32(2, "n"), [1, 0], at=[(4, 3)])],
    2: [case(f32(2, 5, 7), f32(2, 4, 4), [1, 2, 0, 1]), case(f64("n", 1, 3, 3), f64("n", 1, 4, 3), [1, -1, -2, 1])],
    3: [case(f32(n, 2, 5, 5, 7), f32(n, 2, 3, 4, 4), [1, 2, 0, 1, 1, 1]) for n in (2, "n")],
}


def over_dims(mode):
    """The op over one, two and three dims."""

    def register(block):
        for spatial in (1, 2, 3):
            schema = (
                f"aten::{mode}_pad{spatial}d_backward(Tensor grad_output, Tensor self, SymInt[{2 * spatial}] padding)"
            )
            block = op(f"{schema} -> Tensor", cases=CASES[spatial])(block)
        return block

    return register


class PadBackward(Backward):
    """The gradient of a pad by the tensor's own elements."""

    runtime = ("padding",)


@over_dims("reflection")
class ReflectionPadBackward(PadBackward):
    """The gradient of a mirrored tensor."""

    def lower(b, grad, x, pads):
        return pad_backward(b, grad, x, pads, reflect)


@over_dims("replication")
class ReplicationPadBackward(PadBackward):
    """The gradient of repeated border elements."""

    def lower(b, grad, x, pads):
        return pad_backward(b, grad, x, pads, replicate)
