"""Guards: exactly those that the maps imply and sizes do not decide; and refusals at the user's line."""

from __future__ import annotations

import json

import pytest
import torch
from lowering.torch_text import compiled, lower
from npcomp_dialects.errors import InferenceError
from reference_evaluator import GuardError


def add(a: str, b: str, result: str, signature: str = "") -> str:
    return f"""
    func.func @forward(%a: V<[{a}],f32>, %b: V<[{b}],f32>) -> V<[{result}],f32> {signature} {{
      %one = torch.constant.int 1
      %r = torch.aten.add.Tensor %a, %b, %one : V<[{a}],f32>, V<[{b}],f32>, INT -> V<[{result}],f32> loc("model.py":7:3)
      return %r : V<[{result}],f32>
    }}"""


def guards(module: object) -> int:
    return str(module).count("tcf.guard")


def named(*dims: list[str | int]) -> str:
    args = [{"name": f"x{i}", "kind": "tensor", "dtype": "f32", "dims": d} for i, d in enumerate(dims)]
    text = json.dumps({"name": "forward", "args": args, "returns": {"kind": "tensor"}})
    return "attributes {npcomp.signature = " + json.dumps(text) + "}"


def test_static_sizes_need_no_guard():
    assert guards(lower(add("3,4", "4", "3,4"))) == 0


def test_dims_of_one_name_need_no_guard():
    module = lower(add("?,4", "?,4", "?,4", named(["n", 4], ["n", 4])))
    assert guards(module) == 0
    assert "scf.if" not in str(module)


def test_unknown_sizes_broadcast_at_run_time_or_fail():
    f = compiled(add("?,?", "?,?", "?,?"))
    assert guards(f.module) == 2
    for a, b in (((3, 4), (3, 4)), ((1, 4), (3, 1)), ((3, 1), (1, 1)), ((0, 4), (1, 4)), ((1, 0), (1, 1))):
        x, y = torch.rand(a), torch.rand(b)
        assert torch.equal(f(x, y), x + y)
    message = (
        r"RuntimeError: aten.add.Tensor: The size of tensor a \(3\) must match the size of tensor b \(4\)"
        r" at non-singleton dimension 1"
    )
    with pytest.raises(GuardError, match=message):
        f(torch.rand(2, 3), torch.rand(2, 4))


def test_a_known_size_meets_an_unknown_one():
    f = compiled(add("?", "4", "4"))
    assert guards(f.module) == 1
    for n in (1, 4):
        x, y = torch.rand(n), torch.rand(4)
        assert torch.equal(f(x, y), x + y)
    with pytest.raises(GuardError, match=r"\(3\) must match the size of tensor b \(4\)"):
        f(torch.rand(3), torch.rand(4))


def test_certain_mismatch_is_refused_at_the_users_line():
    with pytest.raises(InferenceError, match=r"model.py:7.*tensor a \(3\) must match.*tensor b \(4\)"):
        lower(add("2,3", "2,4", "2,?"))


def test_contraction_guards_its_shared_dim_once():
    f = compiled("""
    func.func @forward(%a: V<[?,?],f32>, %b: V<[?,?],f32>) -> V<[?,?],f32> {
      %r = torch.aten.mm %a, %b : V<[?,?],f32>, V<[?,?],f32> -> V<[?,?],f32>
      return %r : V<[?,?],f32>
    }""")
    assert guards(f.module) == 1
    for m, k, n in ((2, 3, 4), (1, 0, 2), (0, 3, 1)):
        x, y = torch.rand(m, k), torch.rand(k, n)
        torch.testing.assert_close(f(x, y), x @ y)
    with pytest.raises(GuardError, match=r"mat1 and mat2 shapes cannot be multiplied \(2x3 and 4x5\)"):
        f(torch.rand(2, 3), torch.rand(4, 5))


def test_a_chain_learns_from_its_guards():
    module = lower("""
    func.func @forward(%a: V<[?,?],f32>, %b: V<[?,?],f32>) -> V<[?,?],f32> {
      %r = torch.aten.mm %a, %b : V<[?,?],f32>, V<[?,?],f32> -> V<[?,?],f32>
      %s = torch.aten.mm %a, %b : V<[?,?],f32>, V<[?,?],f32> -> V<[?,?],f32>
      %t = torch.aten.mul.Tensor %r, %s : V<[?,?],f32>, V<[?,?],f32> -> V<[?,?],f32>
      %u = torch.aten.tanh %t : V<[?,?],f32> -> V<[?,?],f32>
      %v = torch.aten.mul.Tensor %u, %r : V<[?,?],f32>, V<[?,?],f32> -> V<[?,?],f32>
      return %v : V<[?,?],f32>
    }""")
    assert guards(module) == 1
    assert "scf.if" not in str(module)


def test_a_size_compared_in_the_program_is_learned():
    module = lower("""
    func.func @forward(%a: V<[?],f32>, %b: V<[?],f32>) -> V<[?],f32> {
      %dim = torch.constant.int 0
      %m = torch.aten.size.int %a, %dim : V<[?],f32>, INT -> INT
      %n = torch.aten.size.int %b, %dim : V<[?],f32>, INT -> INT
      %c = torch.aten.eq.int %m, %n : INT, INT -> BOOL
      %message = torch.constant.str "sizes differ"
      torch.prim.If %c -> () {
        torch.prim.If.yield
      } else {
        torch.prim.RaiseException %message : !torch.str
        torch.prim.If.yield
      }
      %r = torch.aten.mul.Tensor %a, %b : V<[?],f32>, V<[?],f32> -> V<[?],f32>
      return %r : V<[?],f32>
    }""")
    assert guards(module) == 1
    assert "scf.if" not in str(module)


def test_indices_are_checked():
    f = compiled("""
    func.func @forward(%w: V<[?,3],f32>, %i: V<[?],si64>) -> V<[?,3],f32> {
      %zero = torch.constant.int 0
      %r = torch.aten.index_select %w, %zero, %i : V<[?,3],f32>, INT, V<[?],si64> -> V<[?,3],f32>
      return %r : V<[?,3],f32>
    }""")
    w = torch.rand(5, 3)
    assert torch.equal(f(w, torch.tensor([4, 0])), w[[4, 0]])
    assert f(w, torch.zeros(0, dtype=torch.int64)).shape == (0, 3)
    for wrong in (5, -6):
        with pytest.raises(GuardError, match=r"IndexError: aten.index_select: index out of range.*size 5"):
            f(w, torch.tensor([0, wrong]))


def test_reshape_guards_the_number_of_elements():
    f = compiled("""
    func.func @forward(%x: V<[?,?],f32>, %n: INT) -> V<[?,2],f32> {
      %two = torch.constant.int 2
      %l = torch.prim.ListConstruct %n, %two : (INT, INT) -> !torch.list<int>
      %r = torch.aten.view %x, %l : V<[?,?],f32>, !torch.list<int> -> V<[?,2],f32>
      return %r : V<[?,2],f32>
    }""")
    assert f(torch.rand(3, 4), 6).shape == (6, 2)
    with pytest.raises(GuardError, match=r"shape '\[5, 2\]' is invalid for input of size 12"):
        f(torch.rand(3, 4), 5)


def test_splitting_and_merging_heads_is_proved():
    module = lower("""
    func.func @forward(%x: V<[?,?,8],f32>) -> V<[?,?,8],f32> {
      %zero = torch.constant.int 0
      %one = torch.constant.int 1
      %two = torch.constant.int 2
      %four = torch.constant.int 4
      %eight = torch.constant.int 8
      %b = torch.aten.size.int %x, %zero : V<[?,?,8],f32>, INT -> INT
      %s = torch.aten.size.int %x, %one : V<[?,?,8],f32>, INT -> INT
      %l = torch.prim.ListConstruct %b, %s, %two, %four : (INT, INT, INT, INT) -> !torch.list<int>
      %y = torch.aten.view %x, %l : V<[?,?,8],f32>, !torch.list<int> -> V<[?,?,2,4],f32>
      %t = torch.aten.transpose.int %y, %one, %two : V<[?,?,2,4],f32>, INT, INT -> V<[?,2,?,4],f32>
      %u = torch.aten.transpose.int %t, %one, %two : V<[?,2,?,4],f32>, INT, INT -> V<[?,?,2,4],f32>
      %m = torch.prim.ListConstruct %b, %s, %eight : (INT, INT, INT) -> !torch.list<int>
      %r = torch.aten.reshape %u, %m : V<[?,?,2,4],f32>, !torch.list<int> -> V<[?,?,8],f32>
      return %r : V<[?,?,8],f32>
    }""")
    text = str(module)
    assert guards(module) == 0
    assert "tensor.reshape" not in text
    assert "tensor.expand_shape" in text
    assert "tensor.collapse_shape" in text


def test_integer_division_by_zero_is_an_error_of_the_program():
    f = compiled("""
    func.func @forward(%a: INT, %b: INT) -> (INT, INT) {
      %q = torch.aten.floordiv.int %a, %b : INT, INT -> INT
      %r = torch.aten.remainder.int %a, %b : INT, INT -> INT
      return %q, %r : INT, INT
    }""")
    for a, b in ((7, 2), (-7, 2), (7, -2), (-7, -2), (0, 3)):
        assert f(a, b) == (a // b, a % b)
    with pytest.raises(GuardError, match="division by 0"):
        f(1, 0)


def test_a_guard_keeps_the_users_line():
    module = lower(add("?", "?", "?"))
    lines = module.operation.get_asm(enable_debug_info=True)
    assert 'loc("model.py":7:3)' in lines
