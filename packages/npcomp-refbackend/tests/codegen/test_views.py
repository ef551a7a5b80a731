"""Views and placement: slices, reshapes, concat, insert into existing tensors, padding."""

from __future__ import annotations

import numpy as np
import pytest
from contract_text import Text, double, insert, slice_of
from harness import compile_text, random


def test_strided_slice_is_read_in_place():
    t = Text()
    x = t.arg("tensor<8x20xf32>")
    s = slice_of(t, x, "1, 2", "3, 6", "2, 3", "tensor<3x6xf32>")
    program = compile_text(t.returns(double(t, s, "i j", s.type), s))
    a = random(8, 20)
    computed, view = program(a)
    np.testing.assert_array_equal(view, a[1:7:2, 2:20:3])
    np.testing.assert_array_equal(computed, 2 * view)


def test_rank_reducing_slice_with_dynamic_offset():
    t = Text()
    x, n = t.arg("tensor<?x?xf32>"), t.arg("i64")
    i = t.line(f"arith.index_cast {n.name} : i64 to index", "index")
    size = t.dim(x, 1)
    s = slice_of(t, x, f"{i.name}, 0", f"1, {size.name}", "1, 1", "tensor<?xf32>")
    program = compile_text(t.returns(double(t, s, "i", s.type)))
    a = random(4, 9)
    for k in range(4):
        np.testing.assert_array_equal(program(a, k), 2 * a[k])


def test_reshape_of_a_slice_copies_and_of_a_dense_tensor_does_not():
    t = Text()
    x = t.arg("tensor<4x6xf32>")
    flat = t.line(f"tensor.collapse_shape {x.name} [[0, 1]] : {x.type} into tensor<24xf32>", "tensor<24xf32>")
    s = slice_of(t, x, "0, 1", "4, 3", "1, 1", "tensor<4x3xf32>")
    narrow = t.line(f"tensor.collapse_shape {s.name} [[0, 1]] : {s.type} into tensor<12xf32>", "tensor<12xf32>")
    wide = t.line(
        f"tensor.expand_shape {flat.name} [[0, 1, 2]] output_shape [2, 3, 4] : {flat.type} into tensor<2x3x4xf32>",
        "tensor<2x3x4xf32>",
    )
    program = compile_text(
        t.returns(
            double(t, flat, "i", flat.type), double(t, narrow, "i", narrow.type), double(t, wide, "i j k", wide.type)
        )
    )
    a = random(4, 6)
    results = program(a)
    np.testing.assert_array_equal(results[0], 2 * a.ravel())
    np.testing.assert_array_equal(results[1], 2 * a[:, 1:4].ravel())
    np.testing.assert_array_equal(results[2], 2 * a.reshape(2, 3, 4))


def test_expand_of_a_strided_view():
    t = Text()
    x = t.arg("tensor<5x12xf32>")
    s = slice_of(t, x, "0, 2", "5, 8", "1, 1", "tensor<5x8xf32>")
    wide = t.line(
        f"tensor.expand_shape {s.name} [[0], [1, 2]] output_shape [5, 2, 4] : {s.type} into tensor<5x2x4xf32>",
        "tensor<5x2x4xf32>",
    )
    program = compile_text(t.returns(double(t, wide, "i j k", wide.type)))
    a = random(5, 12)
    np.testing.assert_array_equal(program(a), 2 * a[:, 2:10].reshape(5, 2, 4))


def test_concat_writes_into_place():
    t = Text()
    x, y = t.arg("tensor<?x3xf32>"), t.arg("tensor<?x5xf32>")
    n = t.dim(x, 0)
    left, right = double(t, x, "i j", x.type), double(t, y, "i j", y.type)
    out = t.empty("tensor<?x8xf32>", [n])
    first = insert(t, left, out, "0, 0", f"{n.name}, 3")
    both = insert(t, right, first, "0, 3", f"{n.name}, 5")
    program = compile_text(t.returns(both))
    for size in (0, 1, 7):
        a, b = random(size, 3), random(size, 5)
        np.testing.assert_array_equal(program(a, b), 2 * np.concatenate([a, b], 1))
    assert program.header["counts"]["dispatches"] == 2


def test_concat_of_arguments_and_of_one_tensor_twice():
    t = Text()
    x = t.arg("tensor<4xf32>")
    out = t.empty("tensor<8xf32>")
    first = insert(t, x, out, "0", "4", "1")
    program = compile_text(t.returns(insert(t, x, first, "4", "4", "1")))
    a = random(4)
    np.testing.assert_array_equal(program(a), np.concatenate([a, a]))


def test_two_concats_that_share_an_empty():
    t = Text()
    x, y = t.arg("tensor<4xf32>"), t.arg("tensor<4xf32>")
    out = t.empty("tensor<8xf32>")
    one = insert(t, y, insert(t, x, out, "0", "4", "1"), "4", "4", "1")
    two = insert(t, x, insert(t, y, out, "0", "4", "1"), "4", "4", "1")
    program = compile_text(t.returns(one, two))
    a, b = random(4), random(4)
    first, second = program(a, b)
    np.testing.assert_array_equal(first, np.concatenate([a, b]))
    np.testing.assert_array_equal(second, np.concatenate([b, a]))


@pytest.mark.parametrize("target", ["argument", "computed", "computed and kept"])
def test_insert_into_a_tensor_leaves_the_original(target):
    t = Text()
    x, y = t.arg("tensor<5x4xf32>"), t.arg("tensor<2x4xf32>")
    base = x if target == "argument" else double(t, x, "i j", x.type)
    part = double(t, y, "i j", y.type)
    result = insert(t, part, base, "1, 0", "2, 4", "2, 1")
    kept = [double(t, base, "i j", base.type)] if target == "computed and kept" else []
    program = compile_text(t.returns(result, *kept))
    a, b = random(5, 4), random(2, 4)
    before = a.copy()
    base_value = a if target == "argument" else 2 * a
    expected = base_value.copy()
    expected[1:5:2] = 2 * b
    found = program(a, b)
    np.testing.assert_array_equal(found[0] if kept else found, expected)
    np.testing.assert_array_equal(a, before)
    if kept:
        np.testing.assert_array_equal(found[1], 2 * base_value)


def test_slice_update_that_reads_what_it_overwrites():
    t = Text()
    x = t.arg("tensor<6x4xf32>")
    base = double(t, x, "i j", x.type)
    top = slice_of(t, base, "0, 0", "3, 4", "1, 1", "tensor<3x4xf32>")
    changed = double(t, top, "i j", top.type)
    program = compile_text(t.returns(insert(t, changed, base, "1, 0", "3, 4")))
    a = random(6, 4)
    expected = 2 * a
    expected[1:4] = 2 * (2 * a)[0:3]
    np.testing.assert_array_equal(program(a), expected)


@pytest.mark.parametrize("computed", [False, True])
def test_pad(computed):
    t = Text()
    x = t.arg("tensor<?x?xf32>")
    y = double(t, x, "i j", x.type) if computed else x
    zero = t.const("1.5", "f32")
    padded = t.line(
        f"tensor.pad {y.name} low[1, 2] high[0, 3] {{\n^bb0(%i: index, %j: index):\n"
        f"tensor.yield {zero.name} : f32\n}} : {y.type} to tensor<?x?xf32>",
        "tensor<?x?xf32>",
    )
    program = compile_text(t.returns(padded))
    for shape in [(2, 3), (0, 3), (5, 40)]:
        a = random(*shape)
        expected = np.pad(2 * a if computed else a, ((1, 0), (2, 3)), constant_values=1.5)
        np.testing.assert_array_equal(program(a), expected)
    assert program.header["counts"]["dispatches"] == 4  # three slabs of border, and the interior


def test_result_that_is_an_argument_or_a_constant_or_twice_the_same():
    t = Text()
    x = t.arg("tensor<3xf32>")
    c = t.const("dense<[1.0, 2.0, 3.0]>", "tensor<3xf32>")
    y = double(t, x, "i", x.type)
    program = compile_text(t.returns(x, c, y, y))
    a = random(3)
    first, second, third, fourth = program(a)
    np.testing.assert_array_equal(first, a)
    np.testing.assert_array_equal(second, [1, 2, 3])
    np.testing.assert_array_equal(third, 2 * a)
    np.testing.assert_array_equal(fourth, 2 * a)


@pytest.mark.parametrize("overlap", [False, True])
def test_parts_computed_in_another_order_than_they_are_inserted(overlap):
    t = Text()
    x = t.arg("tensor<4xf32>")
    late_first = double(t, x, "i", x.type)
    early = t.map([(x, "i")], "i", x.type, lambda e, a: e("arith.mulf", a, e.const("3.0", "f32")))
    total = t.reduce(early, "i", "", "tensor<f32>", "0.0", lambda e, a, acc: e("arith.addf", a, acc))
    late = t.map([(early, "i"), (total, "")], "i", x.type, lambda e, a, b: e("arith.addf", a, b))
    out = t.fill("0.0", t.empty("tensor<8xf32>"))
    first = insert(t, late, out, "0", "4", "1")
    second = insert(t, late_first, first, "2" if overlap else "4", "4", "1")
    program = compile_text(t.returns(second, double(t, late_first, "i", x.type)))
    a = random(4)
    expected = np.zeros(8, np.float32)
    expected[:4] = 3 * a + (3 * a).sum(dtype=np.float32)
    start = 2 if overlap else 4
    expected[start : start + 4] = 2 * a
    both, doubled = program(a)
    np.testing.assert_allclose(both, expected, rtol=1e-5)
    np.testing.assert_array_equal(doubled, 4 * a)


def test_residual_reads_what_is_also_padded():
    t = Text()
    x = t.arg("tensor<4x5xf32>")
    y = double(t, x, "i j", x.type)
    zero = t.const("0.0", "f32")
    kind = "tensor<6x7xf32>"
    padded = t.line(
        f"tensor.pad {y.name} low[1, 1] high[1, 1] {{\n^bb0(%i: index, %j: index):\ntensor.yield {zero.name} : f32\n}}"
        f" : {y.type} to {kind}",
        kind,
    )
    total = t.reduce(padded, "i j", "i", "tensor<6xf32>", "0.0", lambda e, a, acc: e("arith.addf", a, acc))
    shifted = t.map([(y, "i j"), (x, "i j")], "i j", x.type, lambda e, a, b: e("arith.subf", a, b))
    program = compile_text(t.returns(total, shifted))
    a = random(4, 5)
    rows, same = program(a)
    np.testing.assert_allclose(rows, np.pad(2 * a, 1).sum(1), rtol=1e-5)
    np.testing.assert_array_equal(same, 2 * a - a)


def test_two_inserts_into_one_tensor():
    t = Text()
    x, y = t.arg("tensor<4x3xf32>"), t.arg("tensor<2x3xf32>")
    base = double(t, x, "i j", x.type)
    first, second = insert(t, y, base, "0, 0", "2, 3"), insert(t, y, base, "2, 0", "2, 3")
    program = compile_text(t.returns(first, second))
    a, b = random(4, 3), random(2, 3)
    upper, lower = program(a, b)
    np.testing.assert_array_equal(upper, np.concatenate([b, 2 * a[2:]]))
    np.testing.assert_array_equal(lower, np.concatenate([2 * a[:2], b]))


def test_insert_into_a_strided_view():
    t = Text()
    x, y = t.arg("tensor<6x5xf32>"), t.arg("tensor<2x1xf32>")
    view = slice_of(t, x, "1, 2", "3, 1", "1, 1", "tensor<3x1xf32>")
    program = compile_text(t.returns(insert(t, y, view, "1, 0", "2, 1"), view))
    a, b = random(6, 5), random(2, 1)
    changed, same = program(a, b)
    np.testing.assert_array_equal(changed, np.concatenate([a[1:2, 2:3], b]))
    np.testing.assert_array_equal(same, a[1:4, 2:3])
