"""Results written over dying inputs, and those that must not be."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from contract_text import Text, V, double, slice_of
from harness import compile_text, random

KIND = "tensor<?x?xf32>"


@pytest.fixture
def reused(tmp_path):
    """Compiles a text; gives the program and how many results may take the place of an input."""

    def compile_and_count(text: str):
        program = compile_text(text, options=SimpleNamespace(dump_dir=tmp_path, fallback="allow"))
        return program, (tmp_path / "driver.mlir").read_text().count("call @refrt_reuse")

    return compile_and_count


def total(t: Text, x: V) -> V:
    """A sum along rows and its broadcast: ends a kernel."""
    s = t.reduce(x, "i j", "i", "tensor<?xf32>", "0.0", lambda e, a, b: e("arith.addf", a, b))
    return t.map([(x, "i j"), (s, "i")], "i j", KIND, lambda e, a, b: e("arith.addf", a, b))


def carried_by_a_loop(body: str) -> str:
    return f"""
    func.func @forward(%x: {KIND}, %count: i64) -> {KIND} {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %n = arith.index_cast %count : i64 to index
      %d0 = tensor.dim %x, %c0 : {KIND}
      %d1 = tensor.dim %x, %c1 : {KIND}
      %r = scf.for %k = %c0 to %n step %c1 iter_args(%h = %x) -> ({KIND}) {{
        {body}
      }}
      return %r : {KIND}
    }}"""


def generic(name: str, maps: str, source: str, sizes: str) -> str:
    return f"""
    %e{name} = tensor.empty({sizes}) : {KIND}
    %{name} = linalg.generic {{indexing_maps = [{maps}, affine_map<(i, j) -> (i, j)>],
        iterator_types = ["parallel", "parallel"]}} ins(%{source} : {KIND}) outs(%e{name} : {KIND}) {{
    ^bb0(%v{name}: f32, %o{name}: f32):
      %w{name} = arith.addf %v{name}, %v{name} : f32
      linalg.yield %w{name} : f32
    }} -> {KIND}"""


def test_a_loop_maps_in_place(reused):
    body = generic("y", "affine_map<(i, j) -> (i, j)>", "h", "%d0, %d1") + f"\nscf.yield %y : {KIND}"
    program, count = reused(carried_by_a_loop(body))
    assert count == 1
    for n in (0, 1, 5):
        x = random(7, 33)
        kept = x.copy()
        np.testing.assert_array_equal(program(x, n), x * 2**n)
        np.testing.assert_array_equal(x, kept)


def test_a_transposed_read_needs_its_input(reused):
    body = generic("y", "affine_map<(i, j) -> (j, i)>", "h", "%d1, %d0") + f"\nscf.yield %y : {KIND}"
    program, count = reused(carried_by_a_loop(body))
    assert count == 0
    x = random(6, 6)
    np.testing.assert_array_equal(program(x, 3), 8 * x.T)


def test_what_is_read_later_or_returned_is_not_overwritten(reused):
    t = Text()
    x = t.arg(KIND)
    first = total(t, x)
    second = total(t, first)
    program, _ = reused(t.returns(first, second))
    a = random(5, 40)
    one = a + a.sum(1, keepdims=True)
    found = program(a)
    np.testing.assert_allclose(found[0], one, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found[1], one + one.sum(1, keepdims=True), rtol=1e-4, atol=1e-3)


def test_a_view_keeps_what_it_shows(reused):
    t = Text()
    x = t.arg("tensor<4x8xf32>")
    made = double(t, x, "i j", "tensor<4x8xf32>")
    view = slice_of(t, made, "0, 0", "2, 8", "1, 1", "tensor<2x8xf32>")
    same = t.line(f"tensor.cast {made.name} : {made.type} to tensor<?x8xf32>", "tensor<?x8xf32>")
    again = double(t, same, "i j", same.type)
    program, _ = reused(t.returns(view, again))
    a = random(4, 8)
    found = program(a)
    np.testing.assert_array_equal(found[0], 2 * a[:2])
    np.testing.assert_array_equal(found[1], 4 * a)
