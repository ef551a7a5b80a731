# ruff: noqa: E501 (IR as it prints)
"""Canonicalization, CSE and inlining of torch ops."""

from __future__ import annotations

import pytest
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.passmanager import PassManager

pytestmark = pytest.mark.usefixtures("context")


def simplified(text: str, passes: str = "canonicalize,cse") -> str:
    module = ir.Module.parse(text)
    PassManager.parse(f"builtin.module({passes})").run(module.operation)
    assert module.operation.verify()
    return str(module)


def test_constants_merge() -> None:
    text = simplified("""func.func @f() -> (!torch.int, !torch.int, !torch.none) {
      %0 = torch.constant.int 1
      %1 = torch.constant.int 1
      %2 = torch.constant.none
      return %0, %1, %2 : !torch.int, !torch.int, !torch.none
    }""")
    assert text.count("torch.constant.int") == 1
    assert "return %0, %0, %1" in text


def test_a_known_branch_is_inlined_and_dead_results_go() -> None:
    text = simplified("""func.func @f(%b: !torch.bool, %i: !torch.int) -> !torch.int {
      %true = torch.constant.bool true
      %0:2 = torch.prim.If %b -> (!torch.int, !torch.int) {
        torch.prim.If.yield %i, %i : !torch.int, !torch.int
      } else {
        %2 = torch.constant.int 2
        torch.prim.If.yield %2, %i : !torch.int, !torch.int
      }
      %1 = torch.prim.If %true -> (!torch.int) {
        torch.prim.If.yield %0#0 : !torch.int
      } else {
        torch.prim.If.yield %i : !torch.int
      }
      return %1 : !torch.int
    }""")
    assert text.count("torch.prim.If ") == 1
    assert "-> (!torch.int) {" in text


def test_containers_forward_their_parts() -> None:
    text = simplified("""func.func @f(%a: !torch.int, %t: !torch.vtensor<[2],f32>) -> (!torch.int, !torch.vtensor<[2],f32>) {
      %m1 = torch.constant.int -1
      %0 = torch.prim.TupleConstruct %a, %t : !torch.int, !torch.vtensor<[2],f32> -> !torch.tuple<int, vtensor<[2],f32>>
      %1 = torch.prim.TupleIndex %0, %m1 : !torch.tuple<int, vtensor<[2],f32>>, !torch.int -> !torch.vtensor<[2],f32>
      %2 = torch.prim.ListConstruct %a, %a : (!torch.int, !torch.int) -> !torch.list<int>
      %3:2 = torch.prim.ListUnpack %2 : !torch.list<int> -> !torch.int, !torch.int
      return %3#1, %1 : !torch.int, !torch.vtensor<[2],f32>
    }""")
    assert "return %arg0, %arg1" in text
    assert "torch.prim" not in text


def test_a_list_that_escapes_is_not_forwarded() -> None:
    text = simplified("""func.func private @g(!torch.list<int>)
    func.func @f(%a: !torch.int) -> !torch.int {
      %0 = torch.prim.ListConstruct %a : (!torch.int) -> !torch.list<int>
      call @g(%0) : (!torch.list<int>) -> ()
      %1 = torch.prim.ListUnpack %0 : !torch.list<int> -> !torch.int
      return %1 : !torch.int
    }""")
    assert "torch.prim.ListUnpack" in text


def test_scalars_and_borders_fold() -> None:
    text = simplified("""func.func @f(%t: !torch.vtensor<[2],si64>) -> (!torch.int, i64, tensor<2xi64>, !torch.vtensor<[2],si64>) {
      %0 = torch.prim.dtype %t : !torch.vtensor<[2],si64> -> !torch.int
      %1 = torch.constant.int 9
      %2 = torch.prim.min.int %0, %1 : !torch.int, !torch.int -> !torch.int
      %3 = torch.to_i64 %2
      %4 = torch.to_builtin_tensor %t : !torch.vtensor<[2],si64> -> tensor<2xi64>
      %5 = torch.from_builtin_tensor %4 : tensor<2xi64> -> !torch.vtensor<[2],si64>
      return %2, %3, %4, %5 : !torch.int, i64, tensor<2xi64>, !torch.vtensor<[2],si64>
    }""")
    assert "torch.constant.int 4" in text
    assert "arith.constant 4 : i64" in text
    assert "prim" not in text
    assert "from_builtin" not in text


def test_fresh_tensors_are_not_merged() -> None:
    text = simplified("""func.func @f() -> (!torch.tensor<[2],f32>, !torch.tensor<[2],f32>) {
      %0 = torch.tensor.literal(dense<1.0> : tensor<2xf32>) : !torch.tensor<[2],f32>
      %1 = torch.tensor.literal(dense<1.0> : tensor<2xf32>) : !torch.tensor<[2],f32>
      %2 = torch.tensor.literal(dense<2.0> : tensor<2xf32>) : !torch.tensor<[2],f32>
      return %0, %1 : !torch.tensor<[2],f32>, !torch.tensor<[2],f32>
    }""")
    assert text.count("torch.tensor.literal") == 2


def test_slots_are_memory() -> None:
    text = simplified("""torch.global_slot @s : !torch.int
    func.func @f(%i: !torch.int) -> (!torch.int, !torch.int, !torch.int) {
      %0 = torch.global_slot.get @s : !torch.int
      %1 = torch.global_slot.get @s : !torch.int
      torch.global_slot.set @s = %i : !torch.int
      %2 = torch.global_slot.get @s : !torch.int
      return %0, %1, %2 : !torch.int, !torch.int, !torch.int
    }""")
    assert text.count("torch.global_slot.get") == 2


def test_calls_are_inlined() -> None:
    text = simplified(
        """func.func private @g(%i: !torch.int) -> !torch.int {
      %0 = torch.prim.min.int %i, %i : !torch.int, !torch.int -> !torch.int
      return %0 : !torch.int
    }
    func.func @f(%b: !torch.bool, %i: !torch.int) -> !torch.int {
      %0 = torch.prim.If %b -> (!torch.int) {
        %1 = func.call @g(%i) : (!torch.int) -> !torch.int
        torch.prim.If.yield %1 : !torch.int
      } else {
        torch.prim.If.yield %i : !torch.int
      }
      return %0 : !torch.int
    }""",
        "inline,symbol-dce",
    )
    assert "call" not in text
    assert "@g" not in text
