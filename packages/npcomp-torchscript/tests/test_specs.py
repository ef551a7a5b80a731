"""Specs as objects and as text."""

from __future__ import annotations

import npcomp_torchscript as nts
import pytest
import torch
from npcomp_torchscript import specs


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("f32[batch,784]", nts.TensorSpec(["batch", 784], torch.float32)),
        ("i64[?, 3]", nts.TensorSpec([None, 3], torch.int64)),
        ("bool[]", nts.TensorSpec([], torch.bool)),
        ("bf16[*]", nts.TensorSpec(None, torch.bfloat16)),
        ("int", int),
        ("none", None),
        ("'relu'", "relu"),
    ],
)
def test_text(text, spec):
    assert specs.parse(text) == spec


@pytest.mark.parametrize("text", ["f32", "f32[2", "f99[2]", "f32[2,,3]", "f32[-2]", "f32[a b]", "", "[2]", "c32[2]"])
def test_bad_text_is_refused_with_the_form(text):
    with pytest.raises(nts.TorchScriptError, match="do: "):
        specs.parse(text)


@pytest.mark.parametrize("dims", ["batch", 3, [1.5], [True], [-2], ["not a name"], [[1]]])
def test_bad_dims_are_refused(dims):
    with pytest.raises(nts.TorchScriptError, match="do: "):
        nts.TensorSpec(dims, torch.float32)


def test_unsupported_dtype():
    with pytest.raises(nts.TorchScriptError, match=r"torch.complex32[\s\S]*torch.float32"):
        nts.TensorSpec([2], torch.complex32)


def test_minus_one_is_any_size():
    assert nts.TensorSpec([-1, 3], torch.float32) == nts.TensorSpec([None, 3], torch.float32)


def test_of_an_example():
    assert nts.TensorSpec.of(torch.zeros(2, 3, dtype=torch.int32)) == nts.TensorSpec([2, 3], torch.int32)
