"""The schema parser against every schema torch knows, and the registry against torch's."""

from __future__ import annotations

import pytest
import torch
import torch.ao.quantization.fx._decomposed  # registers quantized_decomposed
from npcomp_dialects.aten import registry
from npcomp_dialects.aten.errors import SchemaError
from npcomp_dialects.aten.schema import parse

TORCH = {s.name + (f".{s.overload_name}" if s.overload_name else ""): s for s in torch._C._jit_get_all_schemas()}


def test_printing_is_the_inverse_of_parsing_for_all_of_torch():
    wrong = [str(s) for s in torch._C._jit_get_all_schemas() if str(parse(str(s))) != str(s)]
    assert not wrong


def test_every_default_of_torch_is_understood():
    for s in torch._C._jit_get_all_schemas():
        for mine, theirs in zip(parse(str(s)).arguments, s.arguments, strict=True):
            assert mine.has_default == theirs.has_default_value()
            if mine.has_default and theirs.default_value is not None:
                assert mine.default == theirs.default_value, str(s)


@pytest.mark.parametrize("block", registry.all_ops(), ids=lambda b: b.schema.name)
def test_schema_is_torchs_verbatim(block):
    assert str(block.schema) == str(TORCH[block.schema.torch_name])


@pytest.mark.parametrize("schema", [s for s, _ in registry.variants()], ids=lambda s: s.name)
def test_variant_schema_is_torchs_verbatim(schema):
    assert str(schema) == str(TORCH[schema.torch_name])


def test_bind_fills_defaults_and_names_what_is_missing():
    schema = parse("aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor")
    assert schema.bind(["x", "y"]) == ["x", "y", 1]
    assert schema.bind(["x"], {"other": "y", "alpha": 2}) == ["x", "y", 2]
    with pytest.raises(SchemaError, match="needs argument 'other'"):
        schema.bind(["x"])
    with pytest.raises(SchemaError, match="beta"):
        schema.bind(["x", "y"], {"beta": 1})


@pytest.mark.parametrize("text", ["aten::f(Tensor self -> Tensor", "f(Tensor x) -> Tensor", "aten::f(Tensor) -> T"])
def test_a_wrong_schema_is_refused_with_its_text(text):
    with pytest.raises(SchemaError) as error:
        parse(text)
    assert text in str(error.value)
