# ruff: noqa: E501 (IR as it prints)
"""tcf ops: text and verifiers."""

from __future__ import annotations

import pytest
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import tcf
from npcomp_dialects.mlir.passmanager import PassManager

pytestmark = pytest.mark.usefixtures("context")

EVERY_OP = """module {
  func.func @f(%arg0: tensor<?x4xf32>, %arg1: tensor<4xf32>, %arg2: tensor<2x3x8x8xf32>, %arg3: tensor<6x1x3x3xf32>, %arg4: tensor<5xi64>, %arg5: index, %arg6: f32, %arg7: i1, %arg8: tensor<3xi64>) {
    %0 = tcf.map(%arg0, %arg1) : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32> {
    ^bb0(%arg9: f32, %arg10: f32):
      %21 = arith.addf %arg9, %arg10 : f32
      tcf.yield %21 : f32
    }
    %1 = tcf.reduce "sum" %arg0 dims [0, 1] keepdim false : (tensor<?x4xf32>) -> tensor<f32>
    %2 = tcf.arg_reduce "max" %arg0 dim 1 keepdim true : (tensor<?x4xf32>) -> tensor<?x1xi64>
    %3 = tcf.contract "mk,nk->mn" %arg0, %arg0 : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x?xf32>
    %4 = tcf.conv %arg2, %arg3 stride [1, 1] padding [1, 1] dilation [1, 1] groups 3 : (tensor<2x3x8x8xf32>, tensor<6x1x3x3xf32>) -> tensor<2x6x8x8xf32>
    %5:2 = tcf.pool "max" %arg2 kernel [2, 2] stride [2, 2] padding [0, 0] dilation [1, 1] ceil_mode false : (tensor<2x3x8x8xf32>) -> (tensor<2x3x4x4xf32>, tensor<2x3x4x4xi64>)
    %6 = tcf.permute %arg0 dims [1, 0] : (tensor<?x4xf32>) -> tensor<4x?xf32>
    %7 = tcf.reshape %arg1 sizes(%arg5, %arg5) : tensor<4xf32> -> tensor<?x?xf32>
    %8 = tcf.broadcast %arg1 sizes(%arg5, %arg5) : tensor<4xf32> -> tensor<?x4xf32>
    %9 = tcf.slice %arg0 dim 1[%arg5 : %arg5 : %arg5] : tensor<?x4xf32> -> tensor<?x?xf32>
    %10 = tcf.concat %arg1, %arg1 dim 0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
    %11 = tcf.pad %arg1, %arg6 low(%arg5) high(%arg5) : tensor<4xf32>, f32 -> tensor<?xf32>
    %12 = tcf.gather %arg1, %arg4 dim 0 : (tensor<4xf32>, tensor<5xi64>) -> tensor<5xf32>
    %13 = tcf.index_select %arg0, %arg4 dim 1 : (tensor<?x4xf32>, tensor<5xi64>) -> tensor<?x5xf32>
    %14 = tcf.full %arg6 sizes(%arg5, %arg5) : f32 -> tensor<?x3xf32>
    %15 = tcf.full %arg6 sizes() : f32 -> tensor<f32>
    %16 = tcf.iota %arg5 : tensor<?xi64>
    %17 = tcf.scatter "add" %arg1, %arg8, %arg1 dim 0 : (tensor<4xf32>, tensor<3xi64>, tensor<4xf32>) -> tensor<4xf32>
    %values, %indices = tcf.sort %arg0 dim 1 descending true : (tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xi64>)
    %18 = tcf.scan "logsumexp" %arg0 dim 1 : (tensor<?x4xf32>) -> tensor<?x4xf32>
    %19:2 = tcf.scan "max" %arg0 dim 0 : (tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xi64>)
    %20 = tcf.search %arg1, %arg0 right true : (tensor<4xf32>, tensor<?x4xf32>) -> tensor<?x4xi64>
    %seed, %offset = tcf.random_key
    tcf.guard %arg7, "RuntimeError", "sizes {0} and {1} differ"(%arg5, %arg5) : index, index
    tcf.guard %arg7, "IndexError", "no {braces}, {} or values"()
    return
  }
}
"""


def test_round_trip() -> None:
    module = ir.Module.parse(EVERY_OP)
    assert module.operation.verify()
    assert str(ir.Module.parse(str(module))) == str(module)
    for op in vars(tcf).values():
        if isinstance(op, type) and issubclass(op, ir.OpView) and op is not ir.OpView:
            assert op.OPERATION_NAME in str(module)


ARGUMENTS = (
    "%a: tensor<?x4xf32>, %b: tensor<3xf32>, %c: tensor<4xf32>, %x: tensor<2x3x8x8xf32>, %w: tensor<6x1x3x3xf32>, "
    "%i: index, %f: f32, %p: i1, %n: tensor<4xi64>"
)


def refused(text: str) -> str:
    with pytest.raises(ir.MLIRError) as caught:
        ir.Module.parse(f"func.func @f({ARGUMENTS}) {{\n{text}\nreturn\n}}")
    return str(caught.value)


CONV = "stride [1, 1] padding [1, 1] dilation [1, 1]"
CONV_TYPE = "(tensor<2x3x8x8xf32>, tensor<6x1x3x3xf32>) -> tensor<2x6x8x8xf32>"
REFUSED = [
    (
        '%0 = tcf.scatter "sub" %c, %n, %c dim 0 : (tensor<4xf32>, tensor<4xi64>, tensor<4xf32>) -> tensor<4xf32>',
        'has no kind "sub"; there are set, add, mul, max, min',
    ),
    (
        '%0 = tcf.scatter "add" %c, %n, %b dim 0 : (tensor<4xf32>, tensor<4xi64>, tensor<3xf32>) -> tensor<4xf32>',
        "the index has size 4 in dimension 0, more than the 3 of the source",
    ),
    (
        '%0 = tcf.scatter "add" %a, %n, %c dim 0 : (tensor<?x4xf32>, tensor<4xi64>, tensor<4xf32>) -> tensor<?x4xf32>',
        "the index has rank 1, x has rank 2",
    ),
    (
        '%0 = tcf.scatter "add" %c, %c, %c dim 0 : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>',
        "wants an index of signless integers",
    ),
    (
        "%0, %1 = tcf.sort %c dim 1 descending false : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xi64>)",
        "dim 1 is out of range for rank 1",
    ),
    (
        "%0, %1 = tcf.sort %c dim 0 descending false : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xi32>)",
        "has a result of 'i64'",
    ),
    (
        '%0:2 = tcf.scan "sum" %c dim 0 : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xi64>)',
        "sum has one result, got 2",
    ),
    (
        "%0 = tcf.search %a, %x right false : (tensor<?x4xf32>, tensor<2x3x8x8xf32>) -> tensor<2x3x8x8xi64>",
        "wants a sequence of one dimension or of the rank of the values",
    ),
    (
        "%0 = tcf.search %n, %c right false : (tensor<4xi64>, tensor<4xf32>) -> tensor<4xi64>",
        "the sequence holds 'i64', the values are 'f32'",
    ),
    (
        "%0 = tcf.map(%a, %b) : (tensor<?x4xf32>, tensor<3xf32>) -> tensor<?x4xf32> "
        "{ ^bb0(%y: f32, %z: f32): tcf.yield %y : f32 }",
        "cannot broadcast size 3 to size 4 in dimension 1",
    ),
    (
        "%0 = tcf.map(%c) : (tensor<4xf32>) -> tensor<5xf32> { ^bb0(%y: f32): tcf.yield %y : f32 }",
        "has size 4 in dimension 0",
    ),
    (
        "%0 = tcf.map(%c) : (tensor<4xf32>) -> tensor<4xf64> { ^bb0(%y: f32): tcf.yield %y : f32 }",
        "has a result of 'f32'",
    ),
    ("%0 = tcf.map(%c) : (tensor<4xf32>) -> tensor<4xi1> { ^bb0(%y: i1): tcf.yield %y : i1 }", "argument 0 is 'i1'"),
    ("%0 = tcf.map() : () -> tensor<f32> { tcf.yield %f : f32 }", "at least one input"),
    ('%0 = tcf.reduce "mean" %c dims [0] keepdim false : (tensor<4xf32>) -> tensor<f32>', 'no kind "mean"'),
    ('%0 = tcf.reduce "sum" %c dims [1] keepdim false : (tensor<4xf32>) -> tensor<f32>', "dim 1 is out of range"),
    ('%0 = tcf.reduce "sum" %a dims [1, 1] keepdim false : (tensor<?x4xf32>) -> tensor<f32>', "reduces dim 1 twice"),
    ('%0 = tcf.reduce "sum" %a dims [1] keepdim true : (tensor<?x4xf32>) -> tensor<?xf32>', "has a result of rank 2"),
    ('%0 = tcf.arg_reduce "max" %c dim 0 keepdim false : (tensor<4xf32>) -> tensor<f32>', "has a result of 'i64'"),
    ('%0 = tcf.contract "mk,kn" %a, %a : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x?xf32>', "not of the form"),
    (
        '%0 = tcf.contract "k,k->" %b, %c : (tensor<3xf32>, tensor<4xf32>) -> tensor<f32>',
        "index k has sizes 3 and 4",
    ),
    ('%0 = tcf.contract "k,k->m" %c, %c : (tensor<4xf32>, tensor<4xf32>) -> tensor<?xf32>', "index m of the result"),
    (
        '%0 = tcf.contract "mk,k->m" %c, %c : (tensor<4xf32>, tensor<4xf32>) -> tensor<?xf32>',
        "left side of spec needs 1",
    ),
    (f"%0 = tcf.conv %x, %w {CONV} groups 2 : {CONV_TYPE}", "x has 3 channels, weight wants 1 in each of 2 groups"),
    (f"%0 = tcf.conv %x, %w {CONV} groups 0 : {CONV_TYPE}", "groups must be at least 1"),
    (
        f"%0 = tcf.conv %x, %w stride [1] padding [1, 1] dilation [1, 1] groups 3 : {CONV_TYPE}",
        "stride needs 2 entries, got 1",
    ),
    (
        f"%0 = tcf.conv %x, %w stride [2, 2] padding [1, 1] dilation [1, 1] groups 3 : {CONV_TYPE}",
        "has size 4 in dimension 2",
    ),
    (
        '%0 = tcf.pool "sum" %x kernel [2] stride [2] padding [0] dilation [1] ceil_mode false : '
        "(tensor<2x3x8x8xf32>) -> tensor<2x3x8x8xf32>",
        "has size 4 in dimension 3",
    ),
    (
        '%0:2 = tcf.pool "sum" %x kernel [2] stride [2] padding [0] dilation [1] ceil_mode false : '
        "(tensor<2x3x8x8xf32>) -> (tensor<2x3x8x4xf32>, tensor<2x3x8x4xi64>)",
        "at most 1 results, got 2",
    ),
    ("%0 = tcf.permute %a dims [0, 0] : (tensor<?x4xf32>) -> tensor<?x?xf32>", "0 occurs twice"),
    ("%0 = tcf.permute %a dims [0] : (tensor<?x4xf32>) -> tensor<?xf32>", "dims needs 2 entries"),
    ("%0 = tcf.reshape %c sizes(%i) : tensor<4xf32> -> tensor<5xf32>", "4 elements became 5"),
    ("%0 = tcf.reshape %c sizes(%i) : tensor<4xf32> -> tensor<?x?xf32>", "has a result of rank 1"),
    ("%0 = tcf.broadcast %c sizes(%i) : tensor<4xf32> -> tensor<5xf32>", "cannot broadcast size 4 to size 5"),
    ("%0 = tcf.broadcast %a sizes(%i) : tensor<?x4xf32> -> tensor<4xf32>", "take dimensions away"),
    ("%0 = tcf.slice %c dim 1[%i : %i : %i] : tensor<4xf32> -> tensor<?xf32>", "dim 1 is out of range for rank 1"),
    ("%0 = tcf.concat %b, %c dim 0 : (tensor<3xf32>, tensor<4xf32>) -> tensor<8xf32>", "has size 7 in dimension 0"),
    ("%0 = tcf.concat %a, %c dim 0 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>", "cannot join"),
    ("%0 = tcf.pad %c, %i low(%i) high(%i) : tensor<4xf32>, index -> tensor<?xf32>", "pads 'tensor<4xf32>' with a"),
    ("%0 = tcf.gather %a, %n dim 0 : (tensor<?x4xf32>, tensor<4xi64>) -> tensor<4xf32>", "the index has rank 1"),
    ("%0 = tcf.gather %c, %c dim 0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>", "the index holds integers"),
    ("%0 = tcf.index_select %a, %n dim 0 : (tensor<?x4xf32>, tensor<4xi64>) -> tensor<4xf32>", "a result of rank 2"),
    ("%0 = tcf.full %f sizes(%i) : f32 -> tensor<?xf64>", "has a result of 'f32'"),
    ("%0 = tcf.iota %i : tensor<?xf32>", "makes signless integers"),
    ('tcf.guard %p, "RuntimeError", "value {1}"(%i) : index', "asks for value {1}, there are 1"),
    ('tcf.guard %p, "no name", "text"()', "names a Python exception"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_verifiers(text: str, reason: str) -> None:
    assert reason in refused(text)


def test_guards_are_effects_and_true_ones_go() -> None:
    module = ir.Module.parse("""func.func @f(%p: i1, %c: tensor<4xf32>) {
      %true = arith.constant true
      tcf.guard %p, "RuntimeError", "stays"()
      tcf.guard %p, "RuntimeError", "stays"()
      tcf.guard %true, "RuntimeError", "goes"()
      %0 = tcf.permute %c dims [0] : (tensor<4xf32>) -> tensor<4xf32>
      return
    }""")
    PassManager.parse("builtin.module(canonicalize,cse)").run(module.operation)
    assert str(module).count("stays") == 2
    assert "goes" not in str(module)
    assert "permute" not in str(module)


def test_draws_are_neither_merged_nor_removed():
    draws = "%seed, %offset = tcf.random_key\n%a, %b = tcf.random_key"
    module = ir.Module.parse(f"func.func @f() -> i64 {{ {draws}\n return %a : i64 }}")
    PassManager.parse("builtin.module(canonicalize,cse)").run(module.operation)
    assert str(module).count("tcf.random_key") == 2
