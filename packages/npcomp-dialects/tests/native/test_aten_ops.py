# ruff: noqa: E501 (IR as it prints)
"""ATen ops come from a table: their text, their verifier and their effects follow from the schema."""

from __future__ import annotations

import npcomp_dialects
import pytest
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir._mlir_libs import _npcomp
from npcomp_dialects.mlir.passmanager import PassManager

pytestmark = pytest.mark.usefixtures("context")

TENSOR = "!torch.vtensor<[2],f32>"
SIGNATURE = f"%v: {TENSOR}, %t: !torch.tensor, %i: !torch.int, %s: !torch.str, %l: !torch.list<int>, %n: !torch.none"

SCRATCH = """\
torch.aten.scratch_pure|aten::scratch_pure(Tensor self, int[2] size, Scalar? x=None, *, bool y=False) -> Tensor|pure
torch.aten.scratch_two.out|aten::scratch_two.out(Tensor a, *, Tensor(a!) o, Tensor(b!) p) -> (Tensor(a!), Tensor(b!))|out
torch.aten.scratch_random|aten::scratch_random(Tensor self, Generator? g=None) -> Tensor|random
torch.aten.scratch_view|aten::scratch_view(Tensor(a) self, int[] size) -> Tensor(a)|pure,view
torch.aten.scratch_split|aten::scratch_split(Tensor(a -> *) self, int n) -> Tensor(a)[]|pure,view
torch.aten.scratch_many|aten::scratch_many(str self, ...) -> str|pure
torch.aten.scratch_dict|aten::scratch_dict(Dict(str, t)(a!) self, str key, t(b -> *) v) -> ()|inplace
torch.aten.scratch_default|aten::scratch_default(Tensor a, str m="a, (b) | c", float[] f=[1.0, 2.0]) -> (Tensor x, Tensor[] y)|pure
torch.aten.scratch_none|aten::scratch_none() -> int|pure
"""


@pytest.fixture
def scratch(context: ir.Context) -> ir.Context:
    _npcomp.register_aten_ops(context, SCRATCH)
    return context


def body(text: str) -> str:
    return f"func.func @f({SIGNATURE}) {{\n{text}\nreturn\n}}"


def refused(text: str) -> str:
    with pytest.raises(ir.MLIRError) as caught:
        ir.Module.parse(body(text))
    return str(caught.value)


def simplified(text: str, passes: str = "canonicalize,cse") -> str:
    module = ir.Module.parse(text)
    PassManager.parse(f"builtin.module({passes})").run(module.operation)
    return str(module)


def test_every_row_of_the_op_library_is_registered(context: ir.Context) -> None:
    from npcomp_dialects.aten import registry

    names = [row.split("|")[0] for row in registry.native_table().splitlines()]
    assert len(names) > 400
    assert [name for name in names if not context.is_registered_operation(name)] == []


def test_round_trip(scratch: ir.Context) -> None:
    text = body(f"""
      %0 = torch.aten.scratch_pure %v, %l, %n, %b {{note = 1 : i64}} : {TENSOR}, !torch.list<int>, !torch.none, !torch.bool -> {TENSOR}
      %1:2 = torch.aten.scratch_two.out %v, %t, %t : {TENSOR}, !torch.tensor, !torch.tensor -> !torch.tensor, !torch.tensor
      %2 = torch.aten.scratch_none : -> !torch.int
      %3 = torch.aten.scratch_many %s, %s, %i : !torch.str, !torch.str, !torch.int -> !torch.str
      torch.aten.scratch_dict %d, %s, %v : !torch.dict<str, vtensor>, !torch.str, {TENSOR}""").replace(
        "%n: !torch.none", "%n: !torch.none, %b: !torch.bool, %d: !torch.dict<str, vtensor>"
    )
    module = ir.Module.parse(text)
    assert "torch.aten.scratch_none : -> !torch.int" in str(module)
    assert "{note = 1 : i64} : " in str(module)
    assert str(ir.Module.parse(str(module))) == str(module)
    generic = module.operation.get_asm(print_generic_op_form=True)
    assert str(ir.Module.parse(generic)) == str(module)


def test_built_from_python_by_name(scratch: ir.Context) -> None:
    module = ir.Module.parse(body(""))
    block = module.body.operations[0].regions[0].blocks[0]
    with ir.InsertionPoint.at_block_begin(block):
        made = ir.Operation.create("torch.aten.tanh", results=[block.arguments[0].type], operands=[block.arguments[0]])
    assert made.verify()
    assert str(made) == f"%0 = torch.aten.tanh %arg0 : {TENSOR} -> {TENSOR}"


REFUSED = [
    (f"%0 = torch.aten.tanh %s : !torch.str -> {TENSOR}", "operand 0 (self) is Tensor, got '!torch.str'"),
    (f"%0 = torch.aten.tanh %v, %v : {TENSOR}, {TENSOR} -> {TENSOR}", "takes 1 operands, got 2: aten::tanh"),
    (f"torch.aten.tanh %v : {TENSOR}", "takes 1 results, got 0"),
    (f"%0 = torch.aten.tanh %v : {TENSOR} -> !torch.int", "result 0 is Tensor, got '!torch.int'"),
    (
        f"%0 = torch.aten.scratch_pure %v, %s, %n, %i : {TENSOR}, !torch.str, !torch.none, !torch.int -> {TENSOR}",
        "operand 1 (size) is int[2], got '!torch.str'",
    ),
    (
        f"%0 = torch.aten.scratch_pure %v, %l, %s, %i : {TENSOR}, !torch.list<int>, !torch.str, !torch.int -> {TENSOR}",
        "operand 2 (x) is Scalar?, got '!torch.str'",
    ),
    ("%0 = torch.aten.scratch_many : -> !torch.str", "takes 1 operands, got 0"),
    (f"%0 = torch.aten.no_such_op %v : {TENSOR} -> {TENSOR}", "is unknown"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_verifier(scratch: ir.Context, text: str, reason: str) -> None:
    assert reason in refused(text)


ACCEPTED = [
    ("%l", "!torch.list<int>", "%i", "!torch.int"),
    ("%i", "!torch.int", "%n", "!torch.none"),
    ("%ol", "!torch.optional<list<int>>", "%os", "!torch.optional<float>"),
    ("%l", "!torch.list<int>", "%num", "!torch.number"),
    ("%any", "!torch.any", "%any", "!torch.any"),
]


@pytest.mark.parametrize(("size", "size_type", "x", "x_type"), ACCEPTED)
def test_partial_knowledge_is_accepted(scratch: ir.Context, size: str, size_type: str, x: str, x_type: str) -> None:
    ir.Module.parse(
        f"""func.func @f({SIGNATURE}, %ol: !torch.optional<list<int>>, %os: !torch.optional<float>,
                         %num: !torch.number, %any: !torch.any, %b: !torch.bool) {{
          %0 = torch.aten.scratch_pure %t, {size}, {x}, %b : !torch.tensor, {size_type}, {x_type}, !torch.bool -> {TENSOR}
          return
        }}"""
    )


def test_pure_ops_on_values_merge_and_die() -> None:
    text = simplified(f"""func.func @f(%v: {TENSOR}) -> ({TENSOR}, {TENSOR}) {{
      %0 = torch.aten.tanh %v : {TENSOR} -> {TENSOR}
      %1 = torch.aten.tanh %v : {TENSOR} -> {TENSOR}
      %2 = torch.aten.abs %v : {TENSOR} -> {TENSOR}
      return %0, %1 : {TENSOR}, {TENSOR}
    }}""")
    assert text.count("torch.aten.tanh") == 1
    assert "abs" not in text


def test_ops_with_different_attributes_or_types_stay() -> None:
    text = simplified(f"""func.func @f(%v: {TENSOR}) -> ({TENSOR}, {TENSOR}, !torch.vtensor<[?],f32>) {{
      %0 = torch.aten.tanh %v : {TENSOR} -> {TENSOR}
      %1 = torch.aten.tanh %v {{a = 1 : i64}} : {TENSOR} -> {TENSOR}
      %2 = torch.aten.tanh %v : {TENSOR} -> !torch.vtensor<[?],f32>
      return %0, %1, %2 : {TENSOR}, {TENSOR}, !torch.vtensor<[?],f32>
    }}""")
    assert text.count("torch.aten.tanh") == 3


def test_lists_that_are_only_read_are_values(scratch: ir.Context) -> None:
    text = simplified(f"""func.func @f(%v: {TENSOR}, %i: !torch.int) -> ({TENSOR}, {TENSOR}, {TENSOR}) {{
      %0 = torch.prim.ListConstruct %i : (!torch.int) -> !torch.list<int>
      %1 = torch.prim.ListConstruct %i : (!torch.int) -> !torch.list<int>
      %2 = torch.aten.scratch_view %v, %0 : {TENSOR}, !torch.list<int> -> {TENSOR}
      %3 = torch.aten.scratch_view %v, %1 : {TENSOR}, !torch.list<int> -> {TENSOR}
      %4 = torch.aten.scratch_split %v, %i : {TENSOR}, !torch.int -> !torch.list<vtensor<[2],f32>>
      %5 = torch.aten.scratch_split %v, %i : {TENSOR}, !torch.int -> !torch.list<vtensor<[2],f32>>
      %6 = torch.prim.ListUnpack %4 : !torch.list<vtensor<[2],f32>> -> {TENSOR}
      return %2, %3, %6 : {TENSOR}, {TENSOR}, {TENSOR}
    }}""")
    assert text.count("ListConstruct") == text.count("scratch_view") == text.count("scratch_split") == 1


def test_writes_stay_and_order_reads(scratch: ir.Context) -> None:
    text = simplified("""func.func @f(%t: !torch.tensor, %i: !torch.int) -> (!torch.tensor, !torch.tensor) {
      %0 = torch.aten.add.Tensor %t, %t, %i : !torch.tensor, !torch.tensor, !torch.int -> !torch.tensor
      %1 = torch.aten.tanh_ %t : !torch.tensor -> !torch.tensor
      %2 = torch.aten.add.Tensor %t, %t, %i : !torch.tensor, !torch.tensor, !torch.int -> !torch.tensor
      %3 = torch.aten.abs %t : !torch.tensor -> !torch.tensor
      return %0, %2 : !torch.tensor, !torch.tensor
    }""")
    assert text.count("torch.aten.add.Tensor") == 2
    assert "torch.aten.tanh_" in text
    assert "torch.aten.abs" not in text


def test_mutable_results_are_fresh_objects() -> None:
    text = simplified(f"""func.func @f(%v: {TENSOR}) -> (!torch.tensor, !torch.tensor) {{
      %0 = torch.aten.tanh %v : {TENSOR} -> !torch.tensor
      %1 = torch.aten.tanh %v : {TENSOR} -> !torch.tensor
      return %0, %1 : !torch.tensor, !torch.tensor
    }}""")
    assert text.count("torch.aten.tanh") == 2


def test_random_ops_stay(scratch: ir.Context) -> None:
    text = simplified(f"""func.func @f(%v: {TENSOR}, %n: !torch.none) -> ({TENSOR}, {TENSOR}) {{
      %0 = torch.aten.scratch_random %v, %n : {TENSOR}, !torch.none -> {TENSOR}
      %1 = torch.aten.scratch_random %v, %n : {TENSOR}, !torch.none -> {TENSOR}
      %2 = torch.aten.scratch_random %v, %n : {TENSOR}, !torch.none -> {TENSOR}
      return %0, %1 : {TENSOR}, {TENSOR}
    }}""")
    assert text.count("scratch_random") == 3


BAD_TABLES = [
    ("aten.x|aten::x() -> int|pure\n", "a row is torch.NAME|SCHEMA|TRAITS"),
    ("torch.aten.x|aten::x(Tensor -> int|pure\n", "no ATen schema"),
    ("torch.aten.x|aten::x(Tensor self)|pure\n", "no ATen schema"),
    ("torch.aten.tanh|aten::tanh(int self) -> int|pure\n", "is registered already, as aten::tanh(Tensor self)"),
    ("torch.constant.int|aten::tanh(int self) -> int|pure\n", "an op that is not ATen's"),
]


@pytest.mark.parametrize(("table", "reason"), BAD_TABLES)
def test_bad_tables(context: ir.Context, table: str, reason: str) -> None:
    with pytest.raises(ValueError) as caught:
        _npcomp.register_aten_ops(context, table)
    assert reason in str(caught.value)


def test_registering_again_is_nothing(scratch: ir.Context) -> None:
    _npcomp.register_aten_ops(scratch, SCRATCH)


def test_contexts_are_independent(scratch: ir.Context) -> None:
    with npcomp_dialects.context() as other:
        assert not other.is_registered_operation("torch.aten.scratch_pure")
        _npcomp.register_aten_ops(other, "torch.aten.scratch_pure|aten::scratch_pure(int self) -> int|pure\n")
    assert scratch.is_registered_operation("torch.aten.scratch_pure")


def test_list_writes_are_writes(scratch: ir.Context) -> None:
    _npcomp.register_aten_ops(
        scratch, "torch.aten.scratch_append|aten::scratch_append(t[](a!) self, t el) -> t[](a!)|mutates\n"
    )
    text = simplified("""func.func @f(%i: !torch.int) -> (!torch.int, !torch.int) {
      %0 = torch.prim.ListConstruct : () -> !torch.list<int>
      %1 = torch.prim.ListConstruct : () -> !torch.list<int>
      %2 = torch.aten.scratch_append %0, %i : !torch.list<int>, !torch.int -> !torch.list<int>
      %3 = torch.aten.len.t %0 : !torch.list<int> -> !torch.int
      %4 = torch.aten.len.t %1 : !torch.list<int> -> !torch.int
      return %3, %4 : !torch.int, !torch.int
    }""")
    assert text.count("torch.prim.ListConstruct") == 2
    assert text.count("torch.aten.len.t") == 2
    assert "scratch_append" in text


def test_unannotated_writes_are_unknown_effects(scratch: ir.Context) -> None:
    _npcomp.register_aten_ops(scratch, "torch.aten.scratch_stats|aten::scratch_stats(Tensor self) -> Tensor|writes\n")
    text = simplified(f"""func.func @f(%v: {TENSOR}) {{
      %0 = torch.aten.scratch_stats %v : {TENSOR} -> {TENSOR}
      return
    }}""")
    assert "scratch_stats" in text
