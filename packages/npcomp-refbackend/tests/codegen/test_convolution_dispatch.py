"""Convolutions as programs write them: a padded input, bias and relu fused, and the next layer's padding."""

from __future__ import annotations

import numpy as np
import pytest
from contract_text import Text, V
from harness import compile_text, random


def reference(x: np.ndarray, w: np.ndarray, stride: int) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwpq,fcpq->nfhw", windows, w)


def pad(t: Text, x: V, amount: int) -> V:
    zero = t.const("0.0", "f32")
    n, c, h, w = (int(s) for s in x.shape)
    kind = f"tensor<{n}x{c}x{h + 2 * amount}x{w + 2 * amount}xf32>"
    return t.line(
        f"tensor.pad {x.name} low[0, 0, {amount}, {amount}] high[0, 0, {amount}, {amount}] {{\n"
        f"^bb0(%i: index, %j: index, %k: index, %l: index):\ntensor.yield {zero.name} : f32\n}} : {x.type} to {kind}",
        kind,
    )


def conv(t: Text, x: V, w: V, stride: int = 1) -> V:
    n, _, h, _ = (int(s) for s in x.shape)
    f, _, k, _ = (int(s) for s in w.shape)
    size = (h - k) // stride + 1
    out = t.fill("0.0", t.empty(f"tensor<{n}x{f}x{size}x{size}xf32>"))
    step = f" * {stride}" if stride > 1 else ""
    name = t.fresh()
    t.lines.append(
        f"{name} = linalg.generic {{indexing_maps = ["
        f"affine_map<(n, f, h, w, c, p, q) -> (n, c, h{step} + p, w{step} + q)>, "
        "affine_map<(n, f, h, w, c, p, q) -> (f, c, p, q)>, affine_map<(n, f, h, w, c, p, q) -> (n, f, h, w)>], "
        'iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]} '
        f"ins({x.name}, {w.name} : {x.type}, {w.type}) outs({out.name} : {out.type}) {{\n"
        f"^bb0(%a: f32, %b: f32, %acc: f32):\n%m = arith.mulf %a, %b : f32\n%s = arith.addf %acc, %m : f32\n"
        f"linalg.yield %s : f32\n}} -> {out.type}"
    )
    return V(name, out.type)


@pytest.mark.parametrize(("size", "stride", "channels"), [(6, 1, 3), (9, 2, 5), (14, 1, 16), (5, 1, 1), (33, 1, 4)])
def test_two_layers(size, stride, channels):
    t = Text()
    x, w1, w2, b = (
        t.arg(f"tensor<2x{channels}x{size}x{size}xf32>"),
        t.arg(f"tensor<8x{channels}x3x3xf32>"),
        t.arg("tensor<4x8x3x3xf32>"),
        t.arg("tensor<8xf32>"),
    )
    first = conv(t, pad(t, x, 1), w1, stride)
    relu = t.map(
        [(first, "n c h w"), (b, "c")],
        "n c h w",
        first.type,
        lambda e, a, c: e("arith.maximumf", e("arith.addf", a, c), e.const("0.0", "f32")),
    )
    second = conv(t, pad(t, relu, 1), w2)
    program = compile_text(t.returns(second))
    if size < 10:  # two fills, one copy of the argument, two convolutions
        assert program.header["counts"]["dispatches"] == 5
    a, u, v, c = random(2, channels, size, size), random(8, channels, 3, 3), random(4, 8, 3, 3), random(8)
    hidden = np.maximum(reference(np.pad(a, ((0, 0), (0, 0), (1, 1), (1, 1))), u, stride) + c[:, None, None], 0)
    expected = reference(np.pad(hidden, ((0, 0), (0, 0), (1, 1), (1, 1))), v, 1)
    np.testing.assert_allclose(program(a, u, v, c), expected, rtol=1e-3, atol=1e-3)
