"""Programs with quantized tensors: the integers are torch's, on fresh random inputs and at several sizes."""

from __future__ import annotations

from typing import Any

import npcomp_torchscript as nts
import pytest
import torch

F32 = torch.float32
ops: Any = torch.ops.quantized


@pytest.fixture(autouse=True)
def _engine():
    before = torch.backends.quantized.engine
    torch.backends.quantized.engine = "fbgemm"
    yield
    torch.backends.quantized.engine = before


def compiled(program, *sizes):
    return nts.compile(program, [nts.TensorSpec(list(dims), F32) for dims in sizes])


def same(program, eager, *inputs, steps: int = 0) -> None:
    """Integers equal those of torch, or lie within `steps` of them."""
    got, wanted = program(*inputs), eager(*inputs)
    assert got.dtype == wanted.dtype and got.shape == wanted.shape
    if wanted.numel():
        assert (got.double() - wanted.double()).abs().max() <= steps


def two(x: torch.Tensor, y: torch.Tensor):
    return torch.quantize_per_tensor(x, 0.031, 7, torch.qint8), torch.quantize_per_tensor(y, 0.017, -3, torch.qint8)


def roundtrip(x: torch.Tensor):
    return torch.quantize_per_tensor(x, 0.1, 10, torch.quint8).dequantize()


def represented(x: torch.Tensor):
    return torch.quantize_per_tensor(x, 0.1, -10, torch.qint8).int_repr()


def asked(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.1, 10, torch.qint32)
    return torch.full([2], q.q_scale() * q.q_zero_point() + q.size(0) + q.dim())


def by_tensors(x: torch.Tensor):
    return torch.quantize_per_tensor(x, torch.tensor(0.1), torch.tensor(3), torch.quint8).int_repr()


def per_channel(x: torch.Tensor):
    scales, zeros = torch.tensor([0.1, 0.02, 0.3, 0.05]), torch.tensor([1, -2, 0, 5])
    q = torch.quantize_per_channel(x, scales, zeros, 1, torch.qint8)
    return q.dequantize() + q.int_repr() + q.q_per_channel_scales().sum().float() + q.q_per_channel_axis()


def relu(x: torch.Tensor):
    return torch.relu(torch.quantize_per_tensor(x, 0.02, 100, torch.quint8)).int_repr()


def relu_in_place(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.02, 100, torch.quint8)
    q.relu_()
    return q.view(-1).int_repr()


def relu6(x: torch.Tensor):
    return torch.nn.functional.relu6(torch.quantize_per_tensor(5 * x, 0.07, 64, torch.quint8)).int_repr()


def clamped(x: torch.Tensor):
    return torch.clamp(torch.quantize_per_tensor(x, 0.02, 100, torch.quint8), -0.5, 0.7).int_repr()


def hardtanh(x: torch.Tensor):
    return torch.nn.functional.hardtanh(torch.quantize_per_tensor(x, 0.02, 100, torch.quint8), -0.5, 0.7).int_repr()


def views(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.02, 100, torch.quint8)
    q = q.transpose(0, 1).contiguous().reshape(2, -1, q.size(0)).permute(2, 0, 1).flatten(1)
    return q.unsqueeze(0)[:, 1:].squeeze(0).clone().int_repr()


def joined(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.02, 100, torch.quint8)
    return torch.cat([q, torch.relu(q)], 1).int_repr()


@pytest.mark.parametrize(
    "program",
    [roundtrip, represented, asked, by_tensors, per_channel, relu, relu_in_place, relu6, clamped, hardtanh, views,
     joined],
)  # fmt: skip
def test_ops_on_one_tensor(program):
    result = compiled(program, ["n", 4])
    for n in (2, 1, 64):
        same(result, program, torch.randn(n, 4))


def added(x: torch.Tensor, y: torch.Tensor):
    a, b = two(x, y)
    return torch.ops.quantized.add(a, b, 0.05, 4).int_repr()


def added_relu(x: torch.Tensor, y: torch.Tensor):
    a, b = two(x, y)
    return torch.ops.quantized.add_relu(a, b, 0.05, 4).int_repr()


def multiplied(x: torch.Tensor, y: torch.Tensor):
    a, b = two(x, y)
    return torch.ops.quantized.mul(a, b, 0.04, -4).int_repr()


def multiplied_relu(x: torch.Tensor, y: torch.Tensor):
    a, b = two(x, y)
    return torch.ops.quantized.mul_relu(a, b, 0.04, -4).int_repr()


def joined_anew(x: torch.Tensor, y: torch.Tensor):
    a, b = two(x, y)
    return torch.ops.quantized.cat([a, b], 0, 0.031, 7).int_repr()


@pytest.mark.parametrize("program", [added, added_relu, multiplied, multiplied_relu, joined_anew])
def test_ops_on_two_tensors(program):
    result = compiled(program, ["n", 4], ["n", 4])
    for n in (0, 1, 64):
        same(result, program, torch.randn(n, 4), torch.randn(n, 4), steps=1)


def max_pooled(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.02, 100, torch.quint8)
    return torch.max_pool2d(q, [3, 2], [2, 1], [1, 1]).int_repr()


def averaged(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.02, 100, torch.quint8)
    return torch.nn.functional.avg_pool2d(q, 3).int_repr()


def averaged_all(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.02, 100, torch.quint8)
    return torch.nn.functional.adaptive_avg_pool2d(q, [1, 1]).int_repr()


def averaged_to_grid(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.02, 100, torch.quint8)
    return torch.nn.functional.adaptive_avg_pool2d(q, [2, 3]).int_repr()


@pytest.mark.parametrize("program", [max_pooled, averaged, averaged_all, averaged_to_grid])
def test_windows(program):
    result = compiled(program, ["n", 3, None, None])
    for sizes in ((1, 3, 6, 6), (4, 3, 7, 9)):
        same(result, program, torch.randn(sizes), steps=int(program is not max_pooled))
        channels_last = torch.randn(sizes).contiguous(memory_format=torch.channels_last)
        same(result, program, channels_last, steps=int(program is not max_pooled))
