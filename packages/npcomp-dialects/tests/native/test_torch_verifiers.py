# ruff: noqa: E501 (IR as it prints)
"""What the torch dialect refuses, and how it says so."""

from __future__ import annotations

import pytest
from npcomp_dialects.mlir import ir

pytestmark = pytest.mark.usefixtures("context")

CLASS = """
torch.class_type @M { torch.attr "n" : !torch.int }
%i = torch.constant.int 1
%s = torch.constant.str "x"
"""
FUNCTION = """
func.func @f(%i: !torch.int, %s: !torch.str, %b: !torch.bool, %t: !torch.tensor<[2],f32>, %v: !torch.vtensor<[2],f32>) {{
  {}
  return
}}"""


def refused(text: str) -> str:
    with pytest.raises(ir.MLIRError) as caught:
        ir.Module.parse(text)
    return str(caught.value)


MODULES = [
    (CLASS + 'torch.nn_module { torch.slot "n", %s : !torch.str } : !torch.nn.Module<"M">', "is declared '!torch.int'"),
    (CLASS + 'torch.nn_module { torch.slot "x", %i : !torch.int } : !torch.nn.Module<"M">', "no attribute of class @M"),
    (CLASS + 'torch.nn_module { } : !torch.nn.Module<"M">', 'has no torch.slot for attribute "n"'),
    (CLASS + 'torch.nn_module { } : !torch.nn.Module<"N">', "which no torch.class_type defines"),
    (
        CLASS
        + 'torch.nn_module { torch.slot "n", %i : !torch.int torch.slot "n", %i : !torch.int } : !torch.nn.Module<"M">',
        "a second value",
    ),
    ('torch.class_type @M { torch.attr "n" : !torch.int torch.attr "n" : !torch.int }', "a second time"),
    ('torch.class_type @M { torch.attr "n" : i64 }', "must be of a torch type"),
    ('torch.class_type @M { torch.method "f", @g }', "which is not defined"),
    ('torch.class_type @M { torch.method "f", @g } func.func private @g()', "has no arguments"),
    ('torch.class_type @M { torch.method "f", @g } func.func private @g(!torch.int)', 'is !torch.nn.Module<"M">'),
    ("torch.global_slot @s : i64", "must be of a torch type"),
    (
        "torch.global_slot @s : !torch.int torch.global_slot.module_initializer { torch.initialize.global_slots [] }",
        "leaves @s without an initial value",
    ),
    (
        "torch.global_slot.module_initializer { %0 = torch.constant.int 1 "
        "torch.initialize.global_slots [@s(%0 : !torch.int)] }",
        "which no torch.global_slot defines",
    ),
    (
        "torch.global_slot @s : !torch.str torch.global_slot.module_initializer { %0 = torch.constant.int 1 "
        "torch.initialize.global_slots [@s(%0 : !torch.int)] }",
        "which holds '!torch.str'",
    ),
]


@pytest.mark.parametrize(("text", "reason"), MODULES)
def test_modules(text: str, reason: str) -> None:
    assert reason in refused(text)


BODIES = [
    (
        "%0 = torch.prim.ListConstruct %i, %s : (!torch.int, !torch.str) -> !torch.list<int>",
        "element 1 is '!torch.str'",
    ),
    ("%0 = torch.prim.TupleConstruct %i : !torch.int -> !torch.tuple<int, int>", "has 2 parts, got 1"),
    ("%0 = torch.prim.TupleConstruct %i : !torch.int -> !torch.tuple<str>", "the tuple type says '!torch.str'"),
    (
        "%0 = torch.prim.DictConstruct keys(%i : !torch.int) values(%i : !torch.int) -> !torch.dict<str, int>",
        "key 0 is '!torch.int'",
    ),
    ("%0 = torch.derefine %s : !torch.str to !torch.optional<int>", "cast incompatible"),
    (
        "%0 = torch.tensor_static_info_cast %v : !torch.vtensor<[2],f32> to !torch.vtensor<[3],f32>",
        "cast incompatible",
    ),
    (
        "%0 = torch.tensor_static_info_cast %v : !torch.vtensor<[2],f32> to !torch.tensor<[2],f32>",
        "cast incompatible",
    ),
    (
        "%0 = torch.vtensor.literal(dense<1.0> : tensor<2xf32>) : !torch.vtensor<[3],f32>",
        "contradicts",
    ),
    ("%0 = torch.vtensor.literal(dense<1> : tensor<2xi32>) : !torch.vtensor<[2],si64>", "its dtype is 'si64'"),
    ("%0 = torch.to_builtin_tensor %v : !torch.vtensor<[2],f32> -> tensor<3xf32>", "size 2 of dimension 0 became 3"),
    ("%0 = torch.to_builtin_tensor %v : !torch.vtensor<[2],f32> -> tensor<2xf64>", "not 'f64'"),
    ("%0 = torch.to_builtin_tensor %v : !torch.vtensor<[2],f32> -> tensor<2x1xf32>", "rank 1 became rank 2"),
    (
        "%0 = torch.prim.If %b -> (!torch.int) { torch.prim.If.yield %s : !torch.str } else "
        "{ torch.prim.If.yield %i : !torch.int }",
        "should match successor input type",
    ),
    (
        "%0 = torch.prim.Loop %i, %b, init(%i) { ^bb0(%x: !torch.int): torch.prim.Loop.condition %b, "
        "iter(%i : !torch.int) } : (!torch.int, !torch.bool, !torch.int) -> !torch.int",
        "region branch point has 1 operands, but region successor needs 0 inputs",
    ),
    (
        "torch.prim.Loop %i, %b, init() { ^bb0: torch.prim.Loop.condition %b, iter() } "
        ": (!torch.int, !torch.bool) -> ()",
        "takes 1 arguments (the iteration first), not 0",
    ),
    (
        "torch.prim.Loop %i, %b, init() { ^bb0(%x: !torch.str): torch.prim.Loop.condition %b, iter() } "
        ": (!torch.int, !torch.bool) -> ()",
        "a !torch.int, not '!torch.str'",
    ),
    ("torch.global_slot.set @s = %i : !torch.int", "which no torch.global_slot defines"),
    ("%0 = torch.global_slot.get @s : !torch.int", "which no torch.global_slot defines"),
]


@pytest.mark.parametrize(("body", "reason"), BODIES)
def test_bodies(body: str, reason: str) -> None:
    assert reason in refused(FUNCTION.format(body))


def test_overwrite_of_another_shape() -> None:
    text = """func.func @f(%v: !torch.vtensor<[3],f32>, %t: !torch.tensor<[2],f32>) {
      torch.overwrite.tensor.contents %v overwrites %t : !torch.vtensor<[3],f32>, !torch.tensor<[2],f32>
      return
    }"""
    assert "sizes and dtypes must agree" in refused(text)
