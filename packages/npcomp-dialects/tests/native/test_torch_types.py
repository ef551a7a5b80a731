"""Types of the torch dialect: text and Python agree, nonsense is refused."""

from __future__ import annotations

import pytest
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import refrt, torch

pytestmark = pytest.mark.usefixtures("context")

SPELLINGS = [
    "!torch.vtensor",
    "!torch.vtensor<*,f32>",
    "!torch.vtensor<[],f64>",
    "!torch.vtensor<[?,3],si64>",
    "!torch.vtensor<[0],i1>",
    "!torch.vtensor<[2],unk>",
    "!torch.tensor",
    "!torch.tensor<[1,?],bf16>",
    "!torch.tensor<*,ui8>",
    "!torch.list<int>",
    "!torch.list<optional<vtensor<[2],f32>>>",
    "!torch.optional<tensor>",
    "!torch.tuple<>",
    "!torch.tuple<int, list<float>, tensor<[?],f16>>",
    "!torch.union<int, none>",
    '!torch.dict<str, nn.Module<"A.B">>',
    "!torch.int",
    "!torch.float",
    "!torch.bool",
    "!torch.str",
    "!torch.none",
    "!torch.Device",
    "!torch.number",
    "!torch.any",
    "!torch.Generator",
    "!refrt.tensor",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_text_round_trip(spelling: str) -> None:
    assert str(ir.Type.parse(spelling)) == spelling


REFUSED = [
    ("!torch.vtensor<[2],i64>", "integers are signed"),
    ("!torch.vtensor<[2],index>", "no torch dtype"),
    ("!torch.vtensor<[-3],f32>", "-3"),
    ("!torch.list<f32>", "no type `f32`"),
    ("!torch.nonsense", "no type `nonsense`"),
    ("!torch.tuple<int", "unbalanced"),
]


@pytest.mark.parametrize(("spelling", "reason"), REFUSED)
def test_refused_text(spelling: str, reason: str) -> None:
    with pytest.raises(ir.MLIRError, match=reason):
        ir.Type.parse(spelling)


def test_value_tensor_parts() -> None:
    f32 = ir.F32Type.get()
    tensor = torch.ValueTensorType.get([2, -1], f32)
    assert str(tensor) == "!torch.vtensor<[2,?],f32>"
    assert (tensor.sizes, tensor.rank, tensor.dtype) == ([2, -1], 2, f32)
    unranked = torch.ValueTensorType.get(None, f32)
    assert (unranked.sizes, unranked.rank, unranked.dtype) == (None, None, f32)
    unknown = torch.NonValueTensorType.get()
    assert (unknown.sizes, unknown.dtype, str(unknown)) == (None, None, "!torch.tensor")
    assert torch.ValueTensorType.get([], None).sizes == []


def test_container_parts() -> None:
    integer, text = torch.IntType.get(), torch.StringType.get()
    assert torch.ListType.get(integer).contained == integer
    assert torch.OptionalType.get(text).contained == text
    assert torch.TupleType.get([integer, text]).contained_types == [integer, text]
    assert torch.UnionType.get([integer, text]).contained_types == [integer, text]
    assert torch.TupleType.get([]).contained_types == []
    dictionary = torch.DictType.get(text, integer)
    assert (dictionary.key, dictionary.value) == (text, integer)
    assert torch.NnModuleType.get("M").name == "M"
    assert str(refrt.TensorType.get()) == "!refrt.tensor"


def test_invalid_parts_raise_value_error() -> None:
    with pytest.raises(ValueError, match="torch container holds torch types, got 'f32'"):
        torch.ListType.get(ir.F32Type.get())
    with pytest.raises(ValueError, match="got -2"):
        torch.ValueTensorType.get([-2], ir.F32Type.get())
    with pytest.raises(ValueError, match="no torch dtype"):
        torch.ValueTensorType.get([2], ir.IntegerType.get_signless(64))


def test_types_of_values_have_their_class() -> None:
    module = ir.Module.parse("func.func private @f(!torch.list<int>, !torch.vtensor<[2],f32>)")
    inputs = module.body.operations[0].type.inputs
    assert isinstance(inputs[0], torch.ListType)
    assert isinstance(inputs[0].contained, torch.IntType)
    assert isinstance(inputs[1], torch.ValueTensorType)
    assert not isinstance(inputs[1], torch.NonValueTensorType)


SUBTYPES = [
    ("!torch.int", "!torch.number", True),
    ("!torch.number", "!torch.int", False),
    ("!torch.int", "!torch.optional<int>", True),
    ("!torch.none", "!torch.optional<int>", True),
    ("!torch.vtensor<[2],f32>", "!torch.vtensor<[?],unk>", True),
    ("!torch.vtensor<[?],f32>", "!torch.vtensor<[2],f32>", False),
    ("!torch.vtensor", "!torch.tensor", False),
    ("!torch.list<int>", "!torch.list<optional<int>>", True),
    ("!torch.tuple<int, int>", "!torch.tuple<int>", False),
    ("!torch.union<int, float>", "!torch.number", True),
    ("!torch.dict<str, int>", "!torch.any", True),
]


@pytest.mark.parametrize(("narrow", "wide", "answer"), SUBTYPES)
def test_is_subtype(narrow: str, wide: str, answer: bool) -> None:
    assert torch.is_subtype(ir.Type.parse(narrow), ir.Type.parse(wide)) is answer
