"""Promotion against torch.result_type, over all pairs of dtypes and classes of operands."""

from __future__ import annotations

import itertools

import pytest
import torch
from aten.eager_builder import DTYPES, TORCH_DTYPES
from npcomp_dialects.aten.abstract import TensorInfo, Unknown
from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.aten.promotion import operand_of, partial_result_type, promote_types, result_type

PROMOTED = [d for d in DType if d.is_complex or not d.is_opaque]  # torch promotes wide unsigned integers nowhere
NUMBERS = [True, 3, 2.5]


@pytest.mark.parametrize(("a", "c"), list(itertools.product(PROMOTED, PROMOTED)), ids=str)
def test_promote_types(a: DType, c: DType):
    assert promote_types(a, c) is DTYPES[torch.promote_types(TORCH_DTYPES[a], TORCH_DTYPES[c])]


@pytest.mark.parametrize(("a", "c"), list(itertools.product(PROMOTED, PROMOTED)), ids=str)
def test_result_type_of_two_tensors(a: DType, c: DType):
    for ranks in itertools.product((0, 1), repeat=2):
        x, y = (torch.ones([1] * r, dtype=TORCH_DTYPES[d]) for r, d in zip(ranks, (a, c), strict=True))
        infos = [TensorInfo((1,) * r, d) for r, d in zip(ranks, (a, c), strict=True)]
        assert result_type([operand_of(i) for i in infos]) is DTYPES[torch.result_type(x, y)]


@pytest.mark.parametrize("dtype", PROMOTED, ids=str)
@pytest.mark.parametrize("number", NUMBERS, ids=str)
def test_result_type_of_a_tensor_and_a_number(dtype: DType, number: float):
    for rank in (0, 1):
        x = torch.ones([1] * rank, dtype=TORCH_DTYPES[dtype])
        operands = [operand_of(TensorInfo((1,) * rank, dtype)), operand_of(number)]
        assert result_type(operands) is DTYPES[torch.result_type(x, number)]


@pytest.mark.parametrize("numbers", list(itertools.product(NUMBERS, NUMBERS)), ids=str)
def test_result_type_of_two_numbers(numbers: tuple[float, float]):
    assert result_type([operand_of(n) for n in numbers]) is DTYPES[torch.result_type(*numbers)]


def test_what_is_not_known_decides_only_when_it_does_not_matter():
    unranked = TensorInfo(None, DType.f32)
    assert partial_result_type([operand_of(unranked), operand_of(TensorInfo((2,), DType.i64))]) is DType.f32
    assert partial_result_type([operand_of(unranked), operand_of(TensorInfo((2,), DType.f64))]) is DType.f64
    assert partial_result_type([operand_of(unranked), operand_of(TensorInfo((2,), DType.f16))]) is None
    assert partial_result_type([operand_of(TensorInfo((2,), DType.f32)), operand_of(Unknown("number"))]) is DType.f32
    assert partial_result_type([operand_of(TensorInfo((2,), DType.i64)), operand_of(Unknown("number"))]) is None
