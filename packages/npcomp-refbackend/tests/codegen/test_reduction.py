"""Reductions and row groups: rows, columns, everything, windows, arg reductions, softmax, layer norm."""

from __future__ import annotations

import numpy as np
import pytest
from contract_text import Text, V, softmax
from harness import compile_text, random

KINDS = {
    "sum": ("arith.addf", "0.0", np.sum),
    "max": ("arith.maximumf", "0xFF800000", np.max),
    "min": ("arith.minimumf", "0x7F800000", np.min),
    "prod": ("arith.mulf", "1.0", np.prod),
}


def reduction(kind: str, out: str, type: str = "tensor<?x?xf32>", result: str = "tensor<?xf32>"):
    op, start, _ = KINDS[kind]
    t = Text()
    x = t.arg(type)
    return compile_text(
        t.returns(t.reduce(x, "i j k"[: 2 * len(x.shape) - 1], out, result, start, lambda e, a, acc: e(op, a, acc)))
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("out", "axis"), [("i", 1), ("j", 0)])
def test_rows_and_columns(kind, out, axis):
    program = reduction(kind, out)
    for shape in [(5, 7), (3, 200), (200, 3), (1, 1), (64, 64), (17, 1000)]:
        a = random(*shape)
        a = np.abs(a) ** 0.01 if kind == "prod" else a
        np.testing.assert_allclose(program(a), KINDS[kind][2](a, axis=axis), rtol=2e-5, atol=1e-4)


def test_empty_rows_give_the_start_value():
    np.testing.assert_array_equal(reduction("sum", "i")(np.zeros((3, 0), np.float32)), np.zeros(3))
    assert np.all(np.isneginf(reduction("max", "i")(np.zeros((3, 0), np.float32))))
    assert reduction("sum", "i")(np.zeros((0, 3), np.float32)).shape == (0,)


@pytest.mark.parametrize(
    ("out", "axis"), [("i", (1, 2)), ("j", (0, 2)), ("k", (0, 1)), ("i k", 1), ("j k", 0), ("", None)]
)
def test_three_dims(out, axis):
    rank = len(out.split())
    program = reduction("sum", out, "tensor<?x?x?xf32>", "tensor<" + "?x" * rank + "f32>")
    for shape in [(2, 3, 4), (5, 1, 70), (1, 33, 17), (4, 0, 3)]:
        a = random(*shape)
        np.testing.assert_allclose(program(a), a.sum(axis=axis), rtol=2e-5, atol=2e-5)


def test_nan_reaches_the_maximum():
    a = random(4, 50)
    a[2, 37] = np.nan
    result = reduction("max", "i")(a)
    assert np.isnan(result[2]) and not np.isnan(result[[0, 1, 3]]).any()


@pytest.mark.parametrize(
    ("dtype", "op", "start", "reference"),
    [
        ("i64", "arith.addi", "0", np.sum),
        ("i32", "arith.maxsi", "-2147483648", np.max),
        ("i8", "arith.minsi", "127", np.min),
        ("f64", "arith.addf", "0.0", np.sum),
        ("i1", "arith.andi", "true", np.all),
        ("i1", "arith.ori", "false", np.any),
    ],
)
def test_other_dtypes(dtype, op, start, reference):
    t = Text()
    x = t.arg(f"tensor<?x?x{dtype}>")
    program = compile_text(
        t.returns(t.reduce(x, "i j", "i", f"tensor<?x{dtype}>", start, lambda e, a, acc: e(op, a, acc)))
    )
    for shape in [(3, 5), (2, 100), (1, 1)]:
        a = random(*shape, dtype=dtype)
        np.testing.assert_allclose(program(a), reference(a, axis=1), rtol=1e-12)


def test_half_accumulates_in_f32():
    t = Text()
    x = t.arg("tensor<?x?xf16>")
    s = t.reduce(
        x, "i j", "i", "tensor<?xf32>", "0.0", lambda e, a, acc: e("arith.addf", e("arith.extf", a, type="f32"), acc)
    )
    y = t.map([(s, "i")], "i", "tensor<?xf16>", lambda e, a: e("arith.truncf", a, type="f16"))
    program = compile_text(t.returns(y))
    a = random(3, 500, dtype="f16")
    np.testing.assert_array_equal(program(a), a.astype(np.float32).sum(1).astype(np.float16))


def argmax(e, x, best, place, dim):
    greater = e("arith.cmpf ogt", x, best)
    nan = e("arith.andi", e("arith.cmpf uno", x, x), e("arith.cmpf ord", best, best))
    better = e("arith.ori", greater, nan)
    index = e("arith.index_cast", e.index(dim), type="i64")
    return [e("arith.select", better, x, best), e("arith.select", better, index, place)]


@pytest.mark.parametrize(("out", "axis"), [("i", 1), ("j", 0)])
def test_argmax_finds_the_first(out, axis):
    t = Text()
    x = t.arg("tensor<?x?xf32>")
    size = t.dim(x, 1 - axis)
    inits = [t.fill("0xFF800000", t.empty("tensor<?xf32>", [size])), t.fill("0", t.empty("tensor<?xi64>", [size]))]
    loops = "i j"
    value, index = t.multi(
        [(x, "i j")],
        [out, out],
        ["tensor<?xf32>", "tensor<?xi64>"],
        lambda e, a, b, p: argmax(e, a, b, p, axis),
        inits=inits,
        loops=loops,
    )
    program = compile_text(t.returns(value, index))
    for shape in [(4, 5), (3, 300), (300, 3), (2, 64), (1, 1)]:
        a = np.round(random(*shape) * 2)
        value, index = program(a)
        np.testing.assert_array_equal(index, a.argmax(axis))
        np.testing.assert_array_equal(value, a.max(axis))
    a = random(3, 100)
    a[1, 40] = a[1, 70] = np.nan
    if axis == 1:
        assert program(a)[1][1] == 40


@pytest.mark.parametrize("kind", ["tensor<?x?xf32>", "tensor<?x10xf32>", "tensor<6x128xf32>", "tensor<?x1000xf32>"])
def test_softmax_is_one_kernel(kind):
    t = Text()
    x = t.arg(kind)
    row = f"tensor<{x.shape[0]}xf32>"
    program = compile_text(t.returns(softmax(t, x, kind, row)))
    assert program.header["counts"]["kernels"] == 1
    a = random(6, 33 if x.shape[1] == "?" else int(x.shape[1]))
    e = np.exp(a - a.max(1, keepdims=True))
    np.testing.assert_allclose(program(a), e / e.sum(1, keepdims=True), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kind", ["tensor<?x?xf32>", "tensor<?x768xf32>"])
def test_layer_norm_is_one_kernel(kind):
    t = Text()
    x, weight, bias = (
        t.arg(kind),
        t.arg(f"tensor<{kind.split('x')[1]}xf32>"),
        t.arg(f"tensor<{kind.split('x')[1]}xf32>"),
    )
    row, n = "tensor<?xf32>", 768
    total = t.reduce(x, "i j", "i", row, "0.0", lambda e, a, acc: e("arith.addf", a, acc))
    mean = t.map([(total, "i")], "i", row, lambda e, s: e("arith.divf", s, e.const(f"{n}.0", "f32")))
    centred = t.map([(x, "i j"), (mean, "i")], "i j", kind, lambda e, a, m: e("arith.subf", a, m))
    squares = t.map([(centred, "i j")], "i j", kind, lambda e, a: e("arith.mulf", a, a))
    spread = t.reduce(squares, "i j", "i", row, "0.0", lambda e, a, acc: e("arith.addf", a, acc))
    scale = t.map(
        [(spread, "i")],
        "i",
        row,
        lambda e, s: e(
            "math.rsqrt", e("arith.addf", e("arith.divf", s, e.const(f"{n}.0", "f32")), e.const("1.0e-5", "f32"))
        ),
    )
    y = t.map(
        [(centred, "i j"), (scale, "i"), (weight, "j"), (bias, "j")],
        "i j",
        kind,
        lambda e, a, r, w, b: e("arith.addf", e("arith.mulf", e("arith.mulf", a, r), w), b),
    )
    program = compile_text(t.returns(y))
    assert program.header["counts"]["kernels"] == 1
    a, w, b = random(9, n), random(n), random(n)
    c = a - a.mean(1, keepdims=True)
    expected = c / np.sqrt((c * c).mean(1, keepdims=True) + 1e-5) * w + b
    np.testing.assert_allclose(program(a, w, b), expected, rtol=1e-4, atol=1e-5)


def test_batch_norm_statistics_over_three_dims():
    t = Text()
    kind = "tensor<?x8x?xf32>"
    x = t.arg(kind)
    total = t.reduce(x, "i j k", "j", "tensor<8xf32>", "0.0", lambda e, a, acc: e("arith.addf", a, acc))
    y = t.map([(x, "i j k"), (total, "j")], "i j k", kind, lambda e, a, s: e("arith.subf", a, s))
    program = compile_text(t.returns(y))
    a = random(3, 8, 50)
    np.testing.assert_allclose(program(a), a - a.sum((0, 2), keepdims=True), rtol=1e-4, atol=1e-4)
    assert program.header["counts"]["kernels"] == 1


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_max_pool_window(stride):
    t = Text()
    x = t.arg("tensor<2x5x12x12xf32>")
    size = (12 - 3) // stride + 1
    window = t.empty("tensor<3x3xf32>")
    out = t.fill("0xFF800000", t.empty(f"tensor<2x5x{size}x{size}xf32>"))
    step = f" * {stride}" if stride > 1 else ""
    t.lines.append(
        "%pool = linalg.generic {indexing_maps = ["
        f"affine_map<(n, c, h, w, p, q) -> (n, c, h{step} + p, w{step} + q)>, "
        "affine_map<(n, c, h, w, p, q) -> (p, q)>, affine_map<(n, c, h, w, p, q) -> (n, c, h, w)>], "
        'iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} '
        f"ins({x.name}, {window.name} : {x.type}, {window.type}) outs({out.name} : {out.type}) {{\n"
        "^bb0(%a: f32, %b: f32, %acc: f32):\n%m = arith.maximumf %a, %acc : f32\nlinalg.yield %m : f32\n}"
        f" -> {out.type}"
    )
    program = compile_text(t.returns(V("%pool", out.type)))
    a = random(2, 5, 12, 12)
    windows = np.lib.stride_tricks.sliding_window_view(a, (3, 3), axis=(2, 3))[:, :, ::stride, ::stride]
    np.testing.assert_array_equal(program(a), windows.max((4, 5)))


def test_rows_of_different_loops_share_a_kernel():
    t = Text()
    x, y = t.arg("tensor<?x?xf32>"), t.arg("tensor<?x?xf32>")
    total = t.reduce(x, "i j", "i", "tensor<?xf32>", "0.0", lambda e, a, acc: e("arith.addf", a, acc))
    z = t.map([(y, "i k"), (total, "i")], "i k", y.type, lambda e, a, s: e("arith.mulf", a, s))
    program = compile_text(t.returns(z))
    a, b = random(5, 33), random(5, 70)
    np.testing.assert_allclose(program(a, b), a.sum(1, keepdims=True) * b, rtol=1e-4, atol=1e-5)
    assert program.header["counts"]["kernels"] == 1


@pytest.mark.parametrize("width", [5, 9, 40])
def test_max_pool_with_positions(width):
    t = Text()
    x = t.arg(f"tensor<3x6x{width}xf32>")
    size = (width - 2) // 2 + 1
    window = t.empty("tensor<3x2xf32>")
    inits = [t.fill("0xFF800000", t.empty(f"tensor<3x4x{size}xf32>")), t.fill("0", t.empty(f"tensor<3x4x{size}xi64>"))]

    def body(e, a, _, best, place):
        better = e("arith.cmpf ogt", a, best)
        row = e("arith.index_cast", e("arith.addi", e.index(1), e.index(3)), type="i64")
        column = e("arith.index_cast", e.index(4), type="i64")
        here = e("arith.addi", e("arith.muli", row, e.const(str(width), "i64")), column)
        return [e("arith.select", better, a, best), e("arith.select", better, here, place)]

    outs = t.multi(
        [(x, "c y+p x*2+q"), (window, "p q")],
        ["c y x", "c y x"],
        [v.type for v in inits],
        body,
        inits=inits,
        loops="c y x p q",
    )
    program = compile_text(t.returns(*outs))
    a = random(3, 6, width)
    windows = np.lib.stride_tricks.sliding_window_view(a, (3, 2), axis=(1, 2))[:, :, ::2]
    values, _ = program(a)
    np.testing.assert_array_equal(values, windows.max((3, 4)))


def test_sum_over_an_extent_that_no_tensor_has():
    t = Text()
    count = t.arg("i64")
    n = t.line(f"arith.index_cast {count.name} : i64 to index", "index")
    kind = "tensor<?xi64>"
    numbers = t.multi(
        [], ["i"], [kind], lambda *_: [t.e("arith.index_cast", t.e.index(0), type="i64")], [t.empty(kind, [n])]
    )[0]
    start = t.fill("0", t.empty("tensor<i64>"))
    total = t.map([(numbers, "i")], "", "tensor<i64>", lambda e, a, b: e("arith.addi", a, b), start)
    program = compile_text(t.returns(total))
    for size in (0, 1, 5, 1000):
        assert program(size) == size * (size - 1) // 2
