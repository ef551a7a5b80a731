"""Recurrent layers as one operation each. torch decomposes them step by step, which would fix the length of the
sequence; during a capture they are calls of operators that mean the same and stay whole.

Gradients come from torch's decomposition, computed where the program asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

KEPT = "npcomp_kept"
"""The namespace of the operators that stand for ATen's of the same name."""

_library = torch.library.Library(KEPT, "DEF")


def _shapes(name: str, packed: bool) -> Callable[..., tuple[Tensor, ...]]:
    """The results of a layer on fake tensors."""

    def shapes(x: Tensor, *args: Any) -> tuple[Tensor, ...]:
        hx, both = args[int(packed)], args[int(packed) + 6]
        states = list(hx) if name == "lstm" else [hx]
        width = states[0].shape[-1] * (2 if both else 1)
        return x.new_empty([*x.shape[:-1], width]), *(torch.empty_like(s) for s in states)

    return shapes


def _register(name: str) -> None:
    for overload in ("input", "data"):
        op = getattr(getattr(torch.ops.aten, name), overload)
        text = str(op._schema).removeprefix("aten::")
        _library.define(text)
        _library.impl(f"{name}.{overload}", op, "CompositeExplicitAutograd")
        torch.library.register_fake(f"{KEPT}::{name}.{overload}", _shapes(name, overload == "data"), lib=_library)


def _needs_gradient(*tensors: Tensor) -> bool:
    return torch.is_grad_enabled() and any(t.requires_grad for t in tensors)


class _Differentiable(torch.autograd.Function):
    """The kept operator forward; backward, torch's decomposition of the layer."""

    @staticmethod
    def forward(ctx: Any, call: Any, decomposed: Any, *tensors: Tensor) -> Any:
        ctx.decomposed = decomposed
        ctx.save_for_backward(*tensors)
        return call(*tensors)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        with torch.enable_grad():
            inputs = [t.detach().requires_grad_(t.is_floating_point()) for t in ctx.saved_tensors]
            results = ctx.decomposed(*inputs)
        wanted = [i for i, needed in enumerate(ctx.needs_input_grad[2:]) if needed]
        found = torch.autograd.grad(results, [inputs[i] for i in wanted], grads, allow_unused=True)
        whole: list[Tensor | None] = [None] * len(inputs)
        for i, grad in zip(wanted, found, strict=True):
            whole[i] = grad
        return None, None, *whole


def _layer(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def layer(x: Tensor, *args: Any) -> Any:
        packed = isinstance(args[2], Sequence) and not isinstance(args[2], Tensor)
        overload = "data" if packed else "input"
        at = 1 if packed else 0
        states = list(args[at]) if name == "lstm" else [args[at]]
        params, options = list(args[at + 1]), args[at + 2 :]
        kept = getattr(getattr(getattr(torch.ops, KEPT), name), overload)
        counts = args[:at]

        def through(called: Callable[..., Any]) -> Callable[..., Any]:
            def call(x: Tensor, *tensors: Tensor) -> Any:
                hx: Any = list(tensors[: len(states)]) if name == "lstm" else tensors[0]
                return called(x, *counts, hx, list(tensors[len(states) :]), *options)

            return call

        tensors = [x, *states, *params]
        if not _needs_gradient(*tensors):
            return through(kept)(*tensors)
        layers, dropout, train = options[1:4]
        if train and dropout and layers > 1:  # forward and backward would draw different masks
            return function(x, *args)
        return _Differentiable.apply(through(kept), through(function), *tensors)

    return layer


LAYERS: dict[Any, Callable[..., Any]] = {}
for _name in ("lstm", "gru", "rnn_tanh", "rnn_relu"):
    _register(_name)
    _function = getattr(torch, _name)
    LAYERS[_function] = _layer(_name, _function)
