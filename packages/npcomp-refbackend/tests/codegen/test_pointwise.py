"""Pointwise dispatches: shapes, broadcasts, permutes, dtypes, several outputs."""

from __future__ import annotations

import numpy as np
import pytest
from contract_text import Text, double
from harness import RNG, compile_text, random

SIZES = [0, 1, 3, 16, 17, 64, 1000]


def test_dynamic_add_serves_all_sizes():
    t = Text()
    x, y = t.arg("tensor<?xf32>"), t.arg("tensor<?xf32>")
    program = compile_text(
        t.returns(t.map([(x, "i"), (y, "i")], "i", "tensor<?xf32>", lambda e, a, b: e("arith.addf", a, b)))
    )
    for n in SIZES:
        a, b = random(n), random(n)
        np.testing.assert_array_equal(program(a, b), a + b)


@pytest.mark.parametrize("dtype", ["f32", "f64", "f16", "i64", "i32", "i8"])
@pytest.mark.parametrize("n", [1, 5, 33, 130])
def test_every_dtype(dtype, n):
    t = Text()
    kind = f"tensor<{n}x{dtype}>"
    x, y = t.arg(kind), t.arg(kind)
    op = "arith.mulf" if dtype.startswith("f") else "arith.muli"
    program = compile_text(t.returns(t.map([(x, "i"), (y, "i")], "i", kind, lambda e, a, b: e(op, a, b))))
    a, b = random(n, dtype=dtype), random(n, dtype=dtype)
    np.testing.assert_array_equal(program(a, b), a * b)


def test_bool_compare_and_select():
    t = Text()
    x, y = t.arg("tensor<?x7xf32>"), t.arg("tensor<?x7xf32>")
    less = t.map([(x, "i j"), (y, "i j")], "i j", "tensor<?x7xi1>", lambda e, a, b: e("arith.cmpf olt", a, b))
    low = t.map(
        [(less, "i j"), (x, "i j"), (y, "i j")], "i j", "tensor<?x7xf32>", lambda e, p, a, b: e("arith.select", p, a, b)
    )
    program = compile_text(t.returns(less, low))
    for n in (0, 1, 9):
        a, b = random(n, 7), random(n, 7)
        flags, values = program(a, b)
        np.testing.assert_array_equal(flags, a < b)
        np.testing.assert_array_equal(values, np.minimum(a, b))
    assert program.header["counts"]["kernels"] == 1


@pytest.mark.parametrize("shape", [(4, 5), (1, 33), (33, 1), (0, 3), (20, 64)])
def test_broadcast_row_and_column(shape):
    t = Text()
    x, r, c = t.arg("tensor<?x?xf32>"), t.arg("tensor<?xf32>"), t.arg("tensor<?x1xf32>")
    y = t.map(
        [(x, "i j"), (r, "j"), (c, "i 0")],
        "i j",
        "tensor<?x?xf32>",
        lambda e, a, b, c: e("arith.addf", e("arith.mulf", a, b), c),
    )
    program = compile_text(t.returns(y))
    a, b, d = random(*shape), random(shape[1]), random(shape[0], 1)
    np.testing.assert_allclose(program(a, b, d), a * b + d, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("sizes", [(2, 3, 4), (1, 17, 33), (5, 64, 16), (3, 0, 2)])
@pytest.mark.parametrize("order", ["i k j", "k j i", "j i k"])
def test_permute(sizes, order):
    t = Text()
    x = t.arg("tensor<?x?x?xf32>")
    y = t.map([(x, "i j k")], order, "tensor<?x?x?xf32>", lambda e, a: a)
    z = t.map([(y, order)], order, "tensor<?x?x?xf32>", lambda e, a: e("math.absf", a))
    program = compile_text(t.returns(z))
    a = random(*sizes)
    axes = ["ijk".index(c) for c in order.split()]
    np.testing.assert_array_equal(program(a), np.abs(a.transpose(axes)))


def test_chain_is_one_kernel_and_escaping_value_is_stored():
    t = Text()
    x = t.arg("tensor<?x?xf32>")
    kind = "tensor<?x?xf32>"
    a = t.map([(x, "i j")], "i j", kind, lambda e, v: e("math.exp", v))
    b = t.map([(a, "i j")], "i j", kind, lambda e, v: e("arith.addf", v, v))
    c = t.map([(b, "i j"), (a, "i j")], "i j", kind, lambda e, v, w: e("arith.mulf", v, w))
    program = compile_text(t.returns(c, a))
    v = random(7, 31)
    first, second = program(v)
    np.testing.assert_allclose(second, np.exp(v), rtol=1e-6)
    np.testing.assert_allclose(first, 2 * np.exp(v) ** 2, rtol=1e-6)
    assert program.header["counts"]["kernels"] == 1


def test_zero_dim():
    t = Text()
    x, y = t.arg("tensor<f32>"), t.arg("tensor<f32>")
    program = compile_text(
        t.returns(t.map([(x, ""), (y, "")], "", "tensor<f32>", lambda e, a, b: e("arith.subf", a, b)))
    )
    assert program(np.array(3, np.float32), np.array(1, np.float32)) == 2


def test_iota_and_fill():
    t = Text()
    x = t.arg("tensor<?x?xf32>")
    y = t.map(
        [(x, "i j")],
        "i j",
        "tensor<?x?xf32>",
        lambda e, v: e("arith.addf", v, e("arith.sitofp", e("arith.index_cast", e.index(1), type="i64"), type="f32")),
    )
    program = compile_text(t.returns(y))
    a = random(3, 21)
    np.testing.assert_allclose(program(a), a + np.arange(21, dtype=np.float32), rtol=1e-6)


def test_gather_rows_like_an_embedding():
    t = Text()
    table, ids = t.arg("tensor<10x33xf32>"), t.arg("tensor<?xi64>")
    n = t.dim(ids, 0)
    out = t.empty("tensor<?x33xf32>", [n])
    y = t.multi(
        [(ids, "i")],
        ["i j"],
        ["tensor<?x33xf32>"],
        lambda e, k, _: [e.extract(table, e("arith.index_cast", k, type="index"), e.index(1))],
        inits=[out],
    )[0]
    program = compile_text(t.returns(y))
    w, k = random(10, 33), RNG.integers(0, 10, 7)
    np.testing.assert_array_equal(program(w, k), w[k])


def test_gather_elements():
    t = Text()
    x, ids = t.arg("tensor<?x?xf32>"), t.arg("tensor<?x?xi64>")
    y = t.map(
        [(ids, "i j")],
        "i j",
        "tensor<?x?xf32>",
        lambda e, k: e.extract(x, e.index(0), e("arith.index_cast", k, type="index")),
    )
    program = compile_text(t.returns(y))
    a, k = random(6, 9), RNG.integers(0, 9, (6, 20))
    np.testing.assert_array_equal(program(a, k), np.take_along_axis(a, k, 1))


@pytest.mark.parametrize("op", ["arith.maximumf", "arith.minimumf"])
def test_nan_wins_on_either_side_and_against_a_constant(op):
    t = Text()
    x, y = t.arg("tensor<?xf32>"), t.arg("tensor<?xf32>")
    both = t.map([(x, "i"), (y, "i")], "i", x.type, lambda e, a, b: e(op, a, b))
    left = t.map([(x, "i")], "i", x.type, lambda e, a: e(op, e.const("0.5", "f32"), a))
    right = t.map([(x, "i")], "i", x.type, lambda e, a: e(op, a, e.const("0.5", "f32")))
    program = compile_text(t.returns(both, left, right))
    a, b = random(40), random(40)
    a[3] = b[7] = np.nan
    a[9], b[9] = np.inf, -np.inf
    reference = np.maximum if op == "arith.maximumf" else np.minimum
    found = program(a, b)
    np.testing.assert_array_equal(found[0], reference(a, b))
    np.testing.assert_array_equal(found[1], reference(a, np.float32(0.5)))
    np.testing.assert_array_equal(found[2], reference(a, np.float32(0.5)))


def test_folded_copies_and_dead_ops_leave_no_kernel():
    t = Text()
    x = t.arg("tensor<?x?xf32>")
    y = t.map([(x, "i j")], "j i", x.type, lambda e, a: a)
    z = t.map([(y, "j i")], "j i", x.type, lambda e, a: e("math.absf", a))
    t.map([(x, "i j")], "i j", x.type, lambda e, a: e("math.exp", a))
    assert compile_text(t.returns(z)).header["counts"] == {"kernels": 1, "dispatches": 1}


def test_nothing_is_read_from_what_is_empty():
    t = Text()
    x = t.arg("tensor<?xf32>")
    y = t.map([(t.empty("tensor<0xf32>"), "i")], "i", "tensor<0xf32>", lambda e, a: e("arith.addf", a, a))
    program = compile_text(t.returns(y, double(t, x, "i", x.type)))
    empty, doubled = program(random(3))
    assert empty.shape == (0,)
    assert doubled.shape == (3,)
