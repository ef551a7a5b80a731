"""Ops of torch without a block: their result types come from torch, at compile time."""

from __future__ import annotations

from typing import Optional

import npcomp_torchscript as nts
import pytest
import torch
from npcomp_dialects.aten.abstract import TensorInfo, Unknown
from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.aten.errors import InferError
from npcomp_dialects.errors import InferenceError
from npcomp_torchscript import kernels

F32 = DType.f32


def same(got, want):
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


def spectrum(x):
    y = torch.fft.rfft(x)
    return torch.view_as_real(y * y.conj()), y.abs()


def decomposed(x):
    u, s, v = torch.linalg.svd(x @ x.t())
    return u @ torch.diag(s) @ v


def split(x):
    parts = torch.hsplit(x, 2)
    return parts[1] + parts[0], len(parts)


def sizes_by_values(x):
    return torch.unique_consecutive(x > 0)[0].numel(), torch.histc(x, 4)


@pytest.mark.parametrize("function", [spectrum, decomposed, split, sizes_by_values])
@pytest.mark.parametrize("rows", [2, 5])
def test_programs_with_kernels_of_torch(function, rows):
    program = nts.compile(function, [nts.TensorSpec(["rows", 4], torch.float32)])
    x = torch.randn(rows, 4)
    same(program(x), function(x))


def test_only_what_holds_for_every_size_is_believed():
    unknown = TensorInfo((None, 3), F32)
    assert kernels.results("aten.fft_fft", [unknown, None, -1, None]) == [TensorInfo((None, None), DType.c64)]
    assert kernels.results("aten.fft_fft", [TensorInfo((2, 3), F32), None, -1, None]) == [TensorInfo((2, 3), DType.c64)]
    assert kernels.results("aten.mm", [TensorInfo((None, None), F32)] * 2) == [TensorInfo((None, None), F32)]
    assert kernels.results("aten.nonzero", [TensorInfo((4, 4), F32)]) == [TensorInfo((None, 2), DType.i64)]
    assert kernels.results("aten.fft_fft", [TensorInfo(None, F32), None, -1, None]) is None
    assert kernels.results("aten.fft_fft", [TensorInfo((4,), F32), Unknown("int?"), -1, None]) is None


def test_ops_that_do_not_exist_and_arguments_that_cannot_be():
    with pytest.raises(InferError, match="has no op of this name"):
        kernels.results("aten.no_such_op", [])
    with pytest.raises(InferError, match="square"):
        kernels.results("aten.linalg_eig", [TensorInfo((2, 3), F32)])


def test_a_refusal_names_the_line():
    def eigenvalues(x):
        return torch.linalg.eigvals(x)  # not square

    with pytest.raises(InferenceError, match=r"test_kernels.py:\d+: aten.linalg_eigvals: [\s\S]*# not square"):
        nts.compile(eigenvalues, [nts.TensorSpec([2, 3], torch.float32)])


def attention(**options):
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.attend = torch.nn.MultiheadAttention(8, 2, **options)

        def forward(self, q, k, mask: Optional[torch.Tensor] = None):  # noqa: UP045
            return self.attend(q, k, k, attn_mask=mask)

    return Model().eval()


@pytest.mark.parametrize("options", [{}, {"batch_first": True}, {"kdim": 8, "vdim": 8, "add_bias_kv": True}])
def test_multihead_attention(options):
    model = attention(**options)
    program = nts.compile(model, [nts.TensorSpec(["a", "b", 8], torch.float32)] * 2)
    q, k = torch.randn(3, 5, 8), torch.randn(3, 5, 8)
    with torch.no_grad():
        same(program(q, k), model(q, k))


@pytest.mark.parametrize("options", [{}, {"batch_first": True, "norm_first": True, "activation": "gelu"}])
def test_transformer_encoder(options):
    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(8, 2, 16, **options).eval()
    model = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
    for module in (layer, model):
        program = nts.compile(module, [nts.TensorSpec(["t", "b", 8], torch.float32)])
        assert program.report().fallbacks == {}
        for shape in ((4, 3, 8), (1, 2, 8)):
            x = torch.randn(shape)
            with torch.no_grad():
                same(program(x), module(x))


def identity(x, y):
    z = x
    if z is x and x is not y:
        return x + y
    return x - y


def test_identity_of_tensors_is_decided():
    program = nts.compile(identity, [nts.TensorSpec([3], torch.float32)] * 2)
    x, y = torch.randn(3), torch.randn(3)
    same(program(x, y), x + y)


def maybe(x, give: bool = False) -> tuple[torch.Tensor, Optional[torch.Tensor]]:  # noqa: UP045
    return (x + 1, x * 2) if give else (x + 1, None)


def test_optional_results_are_there_or_not():
    spec = nts.TensorSpec([3], torch.float32)
    x = torch.randn(3)
    got = nts.compile(maybe, [spec])(x)
    same(got[0], x + 1)
    assert got[1] is None
    with pytest.raises(Exception, match=r"only run time knows whether this result is None"):
        nts.compile(maybe, [spec, bool])


def grown(x):
    parts = [x, x + 1]
    parts.append(x * 2)
    return parts


def test_a_list_that_the_program_made_is_returned():
    x = torch.randn(2)
    same(nts.compile(grown, [nts.TensorSpec([2], torch.float32)])(x), grown(x))
