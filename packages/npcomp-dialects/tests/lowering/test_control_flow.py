"""If and Loop become scf with tensor and number carries; what is known at compile time leaves nothing behind."""

from __future__ import annotations

import pytest
import torch
from lowering.torch_text import compiled, lower
from npcomp_dialects.errors import UnsupportedError
from reference_evaluator import GuardError

X = torch.arange(6, dtype=torch.float32).reshape(3, 2)


def test_if_hands_on_tensors_and_numbers():
    f = compiled("""
    func.func @forward(%c: BOOL, %x: V<[?,2],f32>, %n: INT) -> (V<[?,2],f32>, INT) {
      %two = torch.constant.int 2
      %r:2 = torch.prim.If %c -> (V<[?,2],f32>, INT) {
        %t = torch.aten.neg %x : V<[?,2],f32> -> V<[?,2],f32>
        %m = torch.aten.mul.int %n, %two : INT, INT -> INT
        torch.prim.If.yield %t, %m : V<[?,2],f32>, INT
      } else {
        torch.prim.If.yield %x, %n : V<[?,2],f32>, INT
      }
      return %r#0, %r#1 : V<[?,2],f32>, INT
    }""")
    for c in (True, False):
        t, n = f(c, X, 5)
        assert torch.equal(t, -X if c else X)
        assert n == (10 if c else 5)


def test_if_whose_branches_agree_on_sizes_needs_no_check_afterwards():
    module = lower("""
    func.func @forward(%c: BOOL, %x: V<[?,2],f32>) -> V<[?,2],f32> {
      %one = torch.constant.int 1
      %r = torch.prim.If %c -> (V<[?,2],f32>) {
        %t = torch.aten.neg %x : V<[?,2],f32> -> V<[?,2],f32>
        torch.prim.If.yield %t : V<[?,2],f32>
      } else {
        %t = torch.aten.tanh %x : V<[?,2],f32> -> V<[?,2],f32>
        torch.prim.If.yield %t : V<[?,2],f32>
      }
      %s = torch.aten.add.Tensor %r, %x, %one : V<[?,2],f32>, V<[?,2],f32>, INT -> V<[?,2],f32>
      return %s : V<[?,2],f32>
    }""")
    assert "tcf.guard" not in str(module)
    assert str(module).count("scf.if") == 1


def test_if_joins_different_sizes():
    f = compiled("""
    func.func @forward(%c: BOOL, %x: V<[3,2],f32>, %y: V<[4,2],f32>) -> V<[?,2],f32> {
      %r = torch.prim.If %c -> (V<[?,2],f32>) {
        %t = torch.tensor_static_info_cast %x : V<[3,2],f32> to V<[?,2],f32>
        torch.prim.If.yield %t : V<[?,2],f32>
      } else {
        %t = torch.tensor_static_info_cast %y : V<[4,2],f32> to V<[?,2],f32>
        torch.prim.If.yield %t : V<[?,2],f32>
      }
      return %r : V<[?,2],f32>
    }""")
    y = torch.ones(4, 2)
    assert f(True, X, y).shape == (3, 2)
    assert f(False, X, y).shape == (4, 2)


def test_a_branch_that_only_raises_is_a_guard():
    f = compiled("""
    func.func @forward(%c: BOOL, %x: V<[?],f32>) -> V<[?],f32> {
      %message = torch.constant.str "x {0} must not"
      %class = torch.constant.str "builtins.ValueError"
      torch.prim.If %c -> () {
        torch.prim.RaiseException %message, %class : !torch.str, !torch.str
        torch.prim.If.yield
      } else {
        torch.prim.If.yield
      }
      return %x : V<[?],f32>
    }""")
    assert "scf.if" not in str(f.module)
    assert f(False, torch.ones(2)).tolist() == [1, 1]
    with pytest.raises(GuardError, match=r"ValueError: x \{0\} must not"):
        f(True, torch.ones(2))


def test_a_known_condition_leaves_one_branch():
    module = lower("""
    func.func @forward(%x: V<[?],f32>) -> V<[?],f32> {
      %dim = torch.constant.int 0
      %n = torch.aten.size.int %x, %dim : V<[?],f32>, INT -> INT
      %c = torch.aten.ge.int %n, %dim : INT, INT -> BOOL
      %r = torch.prim.If %c -> (V<[?],f32>) {
        torch.prim.If.yield %x : V<[?],f32>
      } else {
        %t = torch.aten.neg %x : V<[?],f32> -> V<[?],f32>
        torch.prim.If.yield %t : V<[?],f32>
      }
      return %r : V<[?],f32>
    }""")
    assert "scf.if" not in str(module)
    assert "linalg" not in str(module)


COUNTED = """
func.func @forward(%n: INT, %x: V<[?,2],f32>) -> (V<[?,2],f32>, INT) {
  %true = torch.constant.bool true
  %zero = torch.constant.int 0
  %one = torch.constant.int 1
  %r:2 = torch.prim.Loop %n, %true, init(%x, %zero) {
  ^bb0(%i: INT, %h: V<[?,2],f32>, %s: INT):
    %t = torch.aten.add.Tensor %h, %x, %one : V<[?,2],f32>, V<[?,2],f32>, INT -> V<[?,2],f32>
    %u = torch.aten.add.int %s, %i : INT, INT -> INT
    torch.prim.Loop.condition %true, iter(%t, %u : V<[?,2],f32>, INT)
  } : (INT, BOOL, V<[?,2],f32>, INT) -> (V<[?,2],f32>, INT)
  return %r#0, %r#1 : V<[?,2],f32>, INT
}"""


def test_counted_loop_keeps_sizes_without_checks():
    f = compiled(COUNTED)
    assert "scf.for" in str(f.module)
    assert "tcf.guard" not in str(f.module)
    for n in (-1, 0, 1, 4):
        t, s = f(n, X)
        assert torch.equal(t, X * (1 + max(n, 0)))
        assert s == sum(range(n))


def test_loop_that_grows_a_tensor():
    f = compiled(
        """
    func.func @forward(%n: INT, %x: V<[?,2],f32>) -> V<[?,2],f32> {
      %true = torch.constant.bool true
      %zero = torch.constant.int 0
      %r = torch.prim.Loop %n, %true, init(%x) {
      ^bb0(%i: INT, %h: V<[?,2],f32>):
        %l = torch.prim.ListConstruct %h, %x : (V<[?,2],f32>, V<[?,2],f32>) -> !torch.list<vtensor<[?,2],f32>>
        %t = torch.aten.cat %l, %zero : !torch.list<vtensor<[?,2],f32>>, INT -> V<[?,2],f32>
        torch.prim.Loop.condition %true, iter(%t : V<[?,2],f32>)
      } : (INT, BOOL, V<[?,2],f32>) -> V<[?,2],f32>
      return %r : V<[?,2],f32>
    }"""
    )
    for n in (0, 1, 3):
        assert torch.equal(f(n, X), torch.cat([X] * (n + 1)))


def test_while_loop():
    f = compiled("""
    func.func @forward(%n: INT, %x: V<[],f32>) -> (V<[],f32>, INT) {
      %many = torch.constant.int 9223372036854775807
      %two = torch.constant.int 2
      %one = torch.constant.int 1
      %start = torch.aten.gt.int %n, %one : INT, INT -> BOOL
      %r:2 = torch.prim.Loop %many, %start, init(%x, %n) {
      ^bb0(%i: INT, %h: V<[],f32>, %m: INT):
        %t = torch.aten.add.Scalar %h, %one, %one : V<[],f32>, INT, INT -> V<[],f32>
        %half = torch.aten.floordiv.int %m, %two : INT, INT -> INT
        %go = torch.aten.gt.int %half, %one : INT, INT -> BOOL
        torch.prim.Loop.condition %go, iter(%t, %half : V<[],f32>, INT)
      } : (INT, BOOL, V<[],f32>, INT) -> (V<[],f32>, INT)
      return %r#0, %r#1 : V<[],f32>, INT
    }""")
    assert "scf.while" in str(f.module)
    for n, steps, rest in ((1, 0, 1), (8, 3, 1), (13, 3, 1), (0, 0, 0)):
        assert f(n, torch.tensor(0.0)) == (steps, rest)


def test_a_list_that_grows_in_a_loop_of_known_length_unrolls():
    f = compiled("""
    func.func @forward(%x: V<[3,2],f32>) -> V<[3,2],f32> {
      %true = torch.constant.bool true
      %zero = torch.constant.int 0
      %three = torch.constant.int 3
      %l = torch.prim.ListConstruct : () -> !torch.list<vtensor<[2],f32>>
      torch.prim.Loop %three, %true, init() {
      ^bb0(%i: INT):
        %row = torch.aten.select.int %x, %zero, %i : V<[3,2],f32>, INT, INT -> V<[2],f32>
        %neg = torch.aten.neg %row : V<[2],f32> -> V<[2],f32>
        %m = torch.aten.append.t %l, %neg : !torch.list<vtensor<[2],f32>>, V<[2],f32> -> !torch.list<vtensor<[2],f32>>
        torch.prim.Loop.condition %true, iter()
      } : (INT, BOOL) -> ()
      %r = torch.aten.stack %l, %zero : !torch.list<vtensor<[2],f32>>, INT -> V<[3,2],f32>
      return %r : V<[3,2],f32>
    }""")
    assert "scf" not in str(f.module)
    assert torch.equal(f(X), -X)


def test_a_list_that_grows_in_a_loop_of_unknown_length_is_refused():
    with pytest.raises(UnsupportedError, match="cannot carry"):
        lower("""
        func.func @forward(%n: INT, %x: V<[2],f32>) -> INT {
          %true = torch.constant.bool true
          %l = torch.prim.ListConstruct : () -> !torch.list<vtensor<[2],f32>>
          torch.prim.Loop %n, %true, init() {
          ^bb0(%i: INT):
            %m = torch.aten.append.t %l, %x : !torch.list<vtensor<[2],f32>>, V<[2],f32> -> !torch.list<vtensor<[2],f32>>
            torch.prim.Loop.condition %true, iter()
          } : (INT, BOOL) -> ()
          %r = torch.aten.len.t %l : !torch.list<vtensor<[2],f32>> -> INT
          return %r : INT
        }""")


def test_nested_loops_and_branches():
    f = compiled("""
    func.func @forward(%n: INT, %x: V<[?],f32>) -> V<[?],f32> {
      %true = torch.constant.bool true
      %one = torch.constant.int 1
      %two = torch.constant.int 2
      %zero = torch.constant.int 0
      %r = torch.prim.Loop %n, %true, init(%x) {
      ^bb0(%i: INT, %h: V<[?],f32>):
        %rest = torch.aten.remainder.int %i, %two : INT, INT -> INT
        %even = torch.aten.eq.int %rest, %zero : INT, INT -> BOOL
        %s = torch.prim.If %even -> (V<[?],f32>) {
          %q = torch.prim.Loop %two, %true, init(%h) {
          ^bb0(%j: INT, %g: V<[?],f32>):
            %t = torch.aten.add.Tensor %g, %x, %one : V<[?],f32>, V<[?],f32>, INT -> V<[?],f32>
            torch.prim.Loop.condition %true, iter(%t : V<[?],f32>)
          } : (INT, BOOL, V<[?],f32>) -> V<[?],f32>
          torch.prim.If.yield %q : V<[?],f32>
        } else {
          %t = torch.aten.neg %h : V<[?],f32> -> V<[?],f32>
          torch.prim.If.yield %t : V<[?],f32>
        }
        torch.prim.Loop.condition %true, iter(%s : V<[?],f32>)
      } : (INT, BOOL, V<[?],f32>) -> V<[?],f32>
      return %r : V<[?],f32>
    }""")
    x = torch.tensor([1.0, 2.0, 3.0])
    for n in range(5):
        want = x
        for i in range(n):
            want = want + 2 * x if i % 2 == 0 else -want
        assert torch.equal(f(n, x), want)


def test_calls_are_inlined_and_tuples_vanish():
    f = compiled("""
    func.func private @helper(%x: V<[?],f32>, %n: INT) -> !torch.tuple<vtensor<[?],f32>, int> {
      %t = torch.aten.neg %x : V<[?],f32> -> V<[?],f32>
      %p = torch.prim.TupleConstruct %t, %n : V<[?],f32>, INT -> !torch.tuple<vtensor<[?],f32>, int>
      return %p : !torch.tuple<vtensor<[?],f32>, int>
    }
    func.func @forward(%x: V<[?],f32>) -> (INT, V<[?],f32>) {
      %seven = torch.constant.int 7
      %p = call @helper(%x, %seven) : (V<[?],f32>, INT) -> !torch.tuple<vtensor<[?],f32>, int>
      %t:2 = torch.prim.TupleUnpack %p : !torch.tuple<vtensor<[?],f32>, int> -> V<[?],f32>, INT
      return %t#1, %t#0 : INT, V<[?],f32>
    }""")
    n, t = f(torch.ones(3))
    assert n == 7
    assert t.tolist() == [-1, -1, -1]
    assert "helper" not in str(f.module)


def test_a_row_set_in_a_loop_is_one_insert():
    text = """
    func.func @forward(%n: INT, %x: V<[?,2],f32>, %row: V<[2],f32>) -> V<[?,2],f32> {
      %true = torch.constant.bool true
      %zero = torch.constant.int 0
      %r = torch.prim.Loop %n, %true, init(%x) {
      ^bb0(%i: INT, %acc: V<[?,2],f32>):
        %s = torch.aten.select_scatter %acc, %row, %zero, %i : V<[?,2],f32>, V<[2],f32>, INT, INT -> V<[?,2],f32>
        torch.prim.Loop.condition %true, iter(%s : V<[?,2],f32>)
      } : (INT, BOOL, V<[?,2],f32>) -> V<[?,2],f32>
      return %r : V<[?,2],f32>
    }"""
    module = lower(text)
    assert str(module).count("tensor.insert_slice") == 1
    assert "tensor.empty" not in str(module)
    row = torch.tensor([7.0, 8.0])
    assert torch.equal(compiled(text)(2, X, row), torch.stack([row, row, X[2]]))
