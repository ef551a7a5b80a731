# ruff: noqa: E501 (IR as it prints)
"""refrt.dispatch: text and verifier."""

from __future__ import annotations

import pytest
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.passmanager import PassManager

pytestmark = pytest.mark.usefixtures("context")

DISPATCH = """module {
  func.func @f(%arg0: tensor<?xf32>, %arg1: i64) -> tensor<?xf32> {
    %0 = refrt.dispatch ins(%arg0, %arg1 : tensor<?xf32>, i64) outs(%arg0 : tensor<?xf32>) strategy {tile = 8 : i64} attributes {name = "k"} {
    ^bb0(%arg2: tensor<?xf32>, %arg3: i64, %arg4: tensor<?xf32>):
      refrt.yield %arg2 : tensor<?xf32>
    } -> tensor<?xf32>
    %1 = refrt.dispatch outs(%arg0 : tensor<?xf32>) {
    ^bb0(%arg2: tensor<?xf32>):
      refrt.yield %arg2 : tensor<?xf32>
    } -> tensor<?xf32>
    return %0 : tensor<?xf32>
  }
}
"""


def test_round_trip() -> None:
    assert str(ir.Module.parse(DISPATCH)) == DISPATCH


def test_an_unused_dispatch_goes() -> None:
    module = ir.Module.parse(DISPATCH)
    PassManager.parse("builtin.module(cse)").run(module.operation)
    assert str(module).count("refrt.dispatch") == 1


REFUSED = [
    (
        "%0 = refrt.dispatch ins(%n : i64) outs(%x : tensor<?xf32>) { ^bb0(%a: tensor<?xf32>, %b: i64): "
        "refrt.yield %a : tensor<?xf32> } -> tensor<?xf32>",
        "takes the inputs and then the outputs",
    ),
    (
        "%0 = refrt.dispatch outs(%x : tensor<?xf32>) { ^bb0(%a: tensor<?xf32>): refrt.yield } -> tensor<?xf32>",
        "yields () but the dispatch has results ('tensor<?xf32>')",
    ),
    (
        "refrt.dispatch outs(%x : tensor<?xf32>) { ^bb0(%a: tensor<?xf32>): refrt.yield }",
        "has results of the types of its outs",
    ),
    (
        "%0 = refrt.dispatch outs(%x : tensor<?xf32>) { ^bb0(%a: tensor<?xf32>): refrt.yield %x : tensor<?xf32> } "
        "-> tensor<?xf32>",
        "",
    ),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_verifier(text: str, reason: str) -> None:
    with pytest.raises(ir.MLIRError) as caught:
        ir.Module.parse(f"func.func @f(%x: tensor<?xf32>, %n: i64) {{ {text} return }}")
    assert reason in str(caught.value)
