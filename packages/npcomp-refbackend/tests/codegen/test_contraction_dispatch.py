"""Contractions with what fusion gives them: epilogues, batches, transposed and constant operands."""

from __future__ import annotations

import numpy as np
import pytest
from contract_text import Text, softmax
from harness import compile_text, random


def product(t: Text, x, xi: str, y, yi: str, out: str, kind: str, dtype: str = "f32"):
    sizes = []
    for n, name in enumerate(out.split()):
        source = (x, xi.split().index(name)) if name in xi.split() else (y, yi.split().index(name))
        if not kind.split("<")[1].split("x")[n].isdigit():
            sizes.append(t.dim(*source))
    init = t.fill("0.0" if dtype.startswith("f") else "0", t.empty(kind, sizes))
    mul, add = ("arith.mulf", "arith.addf") if dtype.startswith("f") else ("arith.muli", "arith.addi")
    loops = " ".join(dict.fromkeys([*out.split(), *xi.split(), *yi.split()]))
    return t.multi(
        [(x, xi), (y, yi)], [out], [kind], lambda e, a, b, acc: [e(add, acc, e(mul, a, b))], inits=[init], loops=loops
    )[0]


@pytest.mark.parametrize(
    ("m", "n", "k"), [(1, 1, 1), (3, 5, 7), (0, 4, 3), (4, 3, 0), (33, 65, 40), (1, 512, 64), (128, 16, 100)]
)
def test_product_with_bias_and_relu_is_one_kernel(m, n, k):
    t = Text()
    x, w, b = t.arg("tensor<?x?xf32>"), t.arg("tensor<?x?xf32>"), t.arg("tensor<?xf32>")
    y = product(t, x, "m k", w, "n k", "m n", "tensor<?x?xf32>")
    z = t.map(
        [(y, "m n"), (b, "n")],
        "m n",
        "tensor<?x?xf32>",
        lambda e, a, c: e("arith.maximumf", e("arith.addf", a, c), e.const("0.0", "f32")),
    )
    program = compile_text(t.returns(z))
    assert program.header["counts"]["kernels"] == 1
    a, u, c = random(m, k), random(n, k), random(n)
    np.testing.assert_allclose(program(a, u, c), np.maximum(a @ u.T + c, 0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", ["f64", "i64", "i32"])
def test_dtypes(dtype):
    t = Text()
    kind = f"tensor<?x?x{dtype}>"
    x, y = t.arg(kind), t.arg(kind)
    program = compile_text(t.returns(product(t, x, "m k", y, "k n", "m n", kind, dtype)))
    a, b = random(9, 17, dtype=dtype), random(17, 21, dtype=dtype)
    np.testing.assert_allclose(program(a, b), a @ b, rtol=1e-10)


def test_batched_with_permuted_heads():
    t = Text()
    q, k = t.arg("tensor<2x?x4x8xf32>"), t.arg("tensor<2x?x4x8xf32>")
    y = product(t, q, "b s h d", k, "b u h d", "b h s u", "tensor<2x4x?x?xf32>")
    program = compile_text(t.returns(y))
    a, c = random(2, 5, 4, 8), random(2, 7, 4, 8)
    np.testing.assert_allclose(program(a, c), np.einsum("bshd,buhd->bhsu", a, c), rtol=1e-4, atol=1e-4)


def test_product_feeds_a_softmax():
    t = Text()
    x, y = t.arg("tensor<?x?xf32>"), t.arg("tensor<?x?xf32>")
    s = product(t, x, "i k", y, "j k", "i j", "tensor<?x?xf32>")
    program = compile_text(t.returns(softmax(t, s, s.type, "tensor<?xf32>")))
    a, b = random(6, 8), random(21, 8)
    p = np.exp(a @ b.T - (a @ b.T).max(1, keepdims=True))
    np.testing.assert_allclose(program(a, b), p / p.sum(1, keepdims=True), rtol=1e-4, atol=1e-6)
    assert program.header["counts"]["dispatches"] == 2


def test_constant_weight_is_packed():
    t = Text()
    w = random(12, 20)
    text = ", ".join("[" + ", ".join(repr(float(v)) for v in row) + "]" for row in w)
    x = t.arg("tensor<?x20xf32>")
    c = t.const(f"dense<[{text}]>", "tensor<12x20xf32>")
    program = compile_text(t.returns(product(t, x, "m k", c, "n k", "m n", "tensor<?x12xf32>")))
    for m in (1, 5, 40):
        a = random(m, 20)
        np.testing.assert_allclose(program(a), a @ w.T, rtol=1e-4, atol=1e-4)


def test_vector_products():
    t = Text()
    x, y = t.arg("tensor<?xf32>"), t.arg("tensor<?x?xf32>")
    program = compile_text(
        t.returns(
            product(t, x, "k", y, "k n", "n", "tensor<?xf32>"),
            product(t, y, "m k", x, "k", "m", "tensor<?xf32>"),
            product(t, x, "k", x, "k", "", "tensor<f32>"),
        )
    )
    a, b = random(30), random(30, 30)
    left, right, dot = program(a, b)
    np.testing.assert_allclose(left, a @ b, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(right, b @ a, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(dot, a @ a, rtol=1e-4)
