"""Programs with quantized tensors: the integers are torch's, on fresh random inputs and at several sizes."""

from __future__ import annotations

from typing import Any

import npcomp_torchscript as nts
import pytest
import torch
import torch.ao.quantization as tq
from torch import nn

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


def saturated(x: torch.Tensor):
    x = 50 * torch.sign(x)
    wide = torch.quantize_per_tensor(x, 1e-9, 5, torch.qint32).int_repr()
    return torch.cat([wide, torch.quantize_per_tensor(x, 1e-4, 5, torch.qint8).int_repr().int()])


def per_channel(x: torch.Tensor):
    scales, zeros = torch.tensor([0.1, 0.02, 0.3, 0.05]), torch.tensor([1, -2, 0, 5])
    q = torch.quantize_per_channel(x, scales, zeros, 1, torch.qint8)
    return q.dequantize() + q.int_repr() + q.q_per_channel_scales().sum().float() + q.q_per_channel_axis()


def relu(x: torch.Tensor):
    return torch.relu(torch.quantize_per_tensor(x, 0.02, 101, torch.quint8)).int_repr()


def relu_in_place(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.02, 101, torch.quint8)
    q.relu_()
    return q.view(-1).int_repr()


def relu6(x: torch.Tensor):
    return torch.nn.functional.relu6(torch.quantize_per_tensor(5 * x, 0.07, 64, torch.quint8)).int_repr()


def clamped(x: torch.Tensor):
    return torch.clamp(torch.quantize_per_tensor(x, 0.02, 101, torch.quint8), -0.5, 0.7).int_repr()


def hardtanh(x: torch.Tensor):
    return torch.nn.functional.hardtanh(torch.quantize_per_tensor(x, 0.02, 101, torch.quint8), -0.5, 0.7).int_repr()


def views(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.02, 101, torch.quint8)
    q = q.transpose(0, 1).contiguous().reshape(2, -1, q.size(0)).permute(2, 0, 1).flatten(1)
    return q.unsqueeze(0)[:, 1:].squeeze(0).clone().int_repr()


def parts(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.02, 101, torch.quint8)
    a, b = q.chunk(2, 1)
    last = q.split(3, 1)[1]
    return torch.cat([b, last, torch.relu(a)], 1).int_repr()


def joined(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.02, 101, torch.quint8)
    return torch.cat([q, torch.relu(q)], 1).int_repr()


@pytest.mark.parametrize(
    "program",
    [roundtrip, represented, asked, by_tensors, saturated, per_channel, relu, relu_in_place, relu6, clamped, hardtanh,
     views, parts, joined],
)  # fmt: skip
def test_ops_on_one_tensor(program):
    result = compiled(program, ["n", 4])
    for n in (2, 1, 64):
        same(result, program, torch.randn(n, 4), steps=2 if program is per_channel else 0)


def sigmoid(x: torch.Tensor, y: torch.Tensor):
    a, _ = two(x, y)
    unsigned = torch.quantize_per_tensor(y, 0.03, 99, torch.quint8)
    return torch.cat([torch.sigmoid(a).int_repr().int(), torch.sigmoid(unsigned).int_repr().int()])


def tanh(x: torch.Tensor, y: torch.Tensor):
    a, b = two(x, y)
    return torch.cat([torch.tanh(a).int_repr(), torch.nn.functional.hardsigmoid(b).int_repr()])


def hardswish(x: torch.Tensor, y: torch.Tensor):
    a, b = two(x, y)
    first = torch.ops.quantized.hardswish(a, 0.04, -20)
    return torch.cat([first.int_repr(), torch.ops.quantized.leaky_relu(b, 0.1, False, 0.03, 9).int_repr()])


@pytest.mark.parametrize("program", [sigmoid, tanh, hardswish])
def test_functions(program):
    result = compiled(program, ["n", 4], ["n", 4])
    for n in (1, 64, 2000):
        same(result, program, torch.randn(n, 4), torch.randn(n, 4), steps=1)


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
        same(result, program, torch.randn(n, 4), torch.randn(n, 4))


def max_pooled(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.02, 101, torch.quint8)
    return torch.max_pool2d(q, [3, 2], [2, 1], [1, 1]).int_repr()


def padded(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.02, 101, torch.quint8)
    return torch.nn.functional.pad(q, [1, 0, 2, 1]).int_repr()


def mean(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.02, 101, torch.quint8)
    return q.mean([2, 3]).int_repr()


def averaged(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.02, 101, torch.quint8)
    return torch.nn.functional.avg_pool2d(q, 3).int_repr()


def averaged_all(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.02, 101, torch.quint8)
    return torch.nn.functional.adaptive_avg_pool2d(q, [1, 1]).int_repr()


def averaged_to_grid(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.02, 101, torch.quint8)
    return torch.nn.functional.adaptive_avg_pool2d(q, [2, 3]).int_repr()


@pytest.mark.parametrize("program", [max_pooled, padded, mean, averaged, averaged_all, averaged_to_grid])
def test_windows(program):
    result = compiled(program, ["n", 3, None, None])
    for sizes in ((1, 3, 6, 6), (4, 3, 7, 9), (20, 3, 8, 8)):
        same(result, program, torch.randn(sizes))
        channels_last = torch.randn(sizes).contiguous(memory_format=torch.channels_last)
        same(result, program, channels_last, steps=int(program in (mean, averaged)))


# Models.


def converted(model: nn.Module, data: torch.Tensor, engine: str = "fbgemm", fuse=(), qconfig=None) -> nn.Module:
    """The model quantized statically, calibrated on `data`."""
    torch.backends.quantized.engine = engine
    model = nn.Sequential(tq.QuantStub(), *model, tq.DeQuantStub()).eval()
    if fuse:
        tq.fuse_modules(model, [list(map(str, names)) for names in fuse], inplace=True)
    model.qconfig = qconfig or tq.get_default_qconfig(engine)
    tq.prepare(model, inplace=True)
    model(data)
    return tq.convert(model, inplace=True)


def step_of(model: nn.Module) -> float:
    return [m.scale for m in model.modules() if isinstance(getattr(m, "scale", None), float)][-1]


def close(program, model, x: torch.Tensor, steps: float = 0) -> None:
    """Dequantized results lie within a number of steps of the last layer's grid."""
    torch.testing.assert_close(program(x), model(x), rtol=0, atol=steps * step_of(model) + 1e-6)


def mlp() -> nn.Sequential:
    return nn.Sequential(nn.Linear(12, 33), nn.ReLU(), nn.Linear(33, 40), nn.ReLU6(), nn.Linear(40, 5, bias=False))


ENGINES = [
    name for name in ("fbgemm", "x86", "onednn", "qnnpack") if name in torch.backends.quantized.supported_engines
]
EXACT = ("fbgemm", "x86")
"""Engines whose rounding is followed; the others round the bias or the sum once more."""


@pytest.mark.parametrize("engine", ENGINES)
def test_mlp(engine):
    model = converted(mlp(), torch.randn(64, 12), engine, fuse=[(1, 2)])
    program = compiled(model, ["n", 12])
    for n in (1, 0, 50):
        close(program, model, torch.randn(n, 12), steps=0 if engine in EXACT else 2)


@pytest.mark.parametrize("form", ["scripted", "frozen", "traced", "archive"])
def test_mlp_in_every_form(form, tmp_path):
    model = converted(mlp(), torch.randn(64, 12))
    scripted = torch.jit.script(model)
    torch.jit.save(scripted, tmp_path / "m.pt")
    source = {
        "scripted": lambda: scripted,
        "frozen": lambda: torch.jit.freeze(scripted),
        "traced": lambda: torch.jit.trace(model, torch.randn(3, 12)),
        "archive": lambda: tmp_path / "m.pt",
    }[form]()
    program = compiled(source, ["n", 12])
    for n in (1, 0, 50):
        close(program, model, torch.randn(n, 12))


def test_weights_per_tensor():
    qconfig = tq.QConfig(
        activation=tq.HistogramObserver.with_args(reduce_range=True), weight=tq.default_weight_observer
    )
    model = converted(mlp(), torch.randn(64, 12), qconfig=qconfig)
    assert model[1].weight().qscheme() == torch.per_tensor_affine
    program = compiled(model, ["n", 12])
    close(program, model, torch.randn(50, 12))


def test_weights_with_zero_points():
    weight = torch.quantize_per_tensor(torch.randn(5, 8), 0.02, 9, torch.qint8)

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.ao.nn.quantized.Linear(8, 5)
            self.layer.set_weight_bias(weight, torch.randn(5))
            self.layer.scale, self.layer.zero_point = 0.03, 60

        def forward(self, x):
            return self.layer(torch.quantize_per_tensor(x, 0.025, 61, torch.quint8)).int_repr()

    model = Model()
    same(compiled(model, ["n", 8]), model, torch.randn(40, 8))


def conv_net() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, stride=2), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2, padding=1),
        nn.Conv2d(8, 6, (3, 2), groups=2, dilation=(1, 2), padding=(0, 2)), nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(6, 4),
    )  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_conv_net(engine, tmp_path):
    model = converted(conv_net(), torch.randn(8, 3, 20, 20), engine, fuse=[(1, 2, 3)])
    torch.jit.save(torch.jit.script(model), tmp_path / "m.pt")
    program = compiled(tmp_path / "m.pt", ["n", 3, None, None])
    for sizes in ((1, 3, 20, 20), (3, 3, 17, 26)):
        close(program, model, torch.randn(sizes), steps=0 if engine == "fbgemm" else 4)


@pytest.mark.parametrize(
    ("layer", "sizes"),
    [
        (nn.Conv1d(4, 6, 3, stride=2, padding=1), (5, 4, 17)),
        (nn.Conv2d(4, 6, (3, 2), stride=(1, 2), padding=(2, 1), dilation=(2, 1), groups=2), (3, 4, 12, 9)),
        (nn.Conv2d(4, 4, 3, groups=4, bias=False), (3, 4, 12, 9)),
        (nn.Conv2d(3, 5, 3, padding=1, padding_mode="reflect"), (2, 3, 8, 8)),
        (nn.Conv3d(2, 3, 3, padding=1, stride=2), (2, 2, 6, 7, 8)),
    ],
    ids=["conv1d", "conv2d", "depthwise", "reflect", "conv3d"],
)
@pytest.mark.parametrize("relu", [False, True])
def test_convolutions(layer, sizes, relu):
    layers = [layer, nn.ReLU()] if relu else [layer]
    model = converted(nn.Sequential(*layers), torch.randn(sizes), fuse=[(1, 2)] if relu else ())
    program = compiled(model, ["n", *sizes[1:]])
    for n in (1, sizes[0]):
        close(program, model, torch.randn(n, *sizes[1:]))


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "qnnpack"])  # it has a grid of its own
def test_linear_dynamic(engine, tmp_path):
    torch.backends.quantized.engine = engine
    model = tq.quantize_dynamic(nn.Sequential(nn.Linear(12, 33), nn.Tanh(), nn.Linear(33, 4)).eval(), {nn.Linear})
    torch.jit.save(torch.jit.script(model), tmp_path / "m.pt")
    for source in (model, tmp_path / "m.pt"):
        program = compiled(source, ["n", 12])
        for x in (torch.randn(50, 12), torch.randn(1, 12) - 3, torch.zeros(2, 12), 1e-4 * torch.randn(4, 12)):
            torch.testing.assert_close(program(x), model(x), rtol=1e-4, atol=1e-5 if engine in EXACT else 2e-2)


class Residual(nn.Module):
    """What models call on quantized tensors by FloatFunctional."""

    def __init__(self) -> None:
        super().__init__()
        self.quant, self.dequant = tq.QuantStub(), tq.DeQuantStub()
        self.left, self.right = nn.Linear(8, 8), nn.Linear(8, 8)
        self.add, self.mul, self.cat = (torch.ao.nn.quantized.FloatFunctional() for _ in range(3))

    def forward(self, x):
        x = self.quant(x)
        y = self.add.add_relu(self.left(x), self.right(x))
        return self.dequant(self.cat.cat([self.mul.mul(y, x), y], 1))


def test_float_functionals():
    model = Residual().eval()
    model.qconfig = tq.get_default_qconfig("fbgemm")
    tq.prepare(model, inplace=True)
    model(torch.randn(64, 8))
    tq.convert(model, inplace=True)
    program = compiled(model, ["n", 8])
    x = torch.randn(30, 8)
    torch.testing.assert_close(program(x), model(x), rtol=0, atol=1e-6)


@pytest.mark.parametrize("scheme", ["tensor", "channel"])
def test_quantized_attribute(scheme):
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            scales, zeros = torch.rand(3) / 9 + 0.01, torch.arange(3)
            self.register_buffer(
                "table",
                torch.quantize_per_tensor(torch.randn(3, 4), 0.1, 3, torch.qint8)
                if scheme == "tensor"
                else torch.quantize_per_channel(torch.randn(3, 4), scales, zeros, 0, torch.qint8),
            )

        def forward(self, x):
            return x + self.table.dequantize()

    model = Model()
    same(compiled(model, [3, 4]), model, torch.randn(3, 4))


# What is refused.


def returned(x: torch.Tensor):
    return torch.quantize_per_tensor(x, 0.1, 0, torch.qint8)


def through_branch(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.1, 0, torch.qint8)
    if x.sum() > 0:
        q = torch.relu(q)
    return q.dequantize()


def through_loop(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.1, 0, torch.qint8)
    for _ in range(x.size(0)):
        q = torch.relu(q)
    return q.dequantize()


def in_list(x: torch.Tensor):
    qs = [torch.quantize_per_tensor(x, 0.1, 0, torch.qint8)]
    return qs[x.size(0) - 1].dequantize()


def without_rule(x: torch.Tensor):
    return torch.sort(torch.quantize_per_tensor(x, 0.1, 0, torch.qint8))[0].dequantize()


def unknown_op(x: torch.Tensor):
    return torch.ops.quantized.add_scalar(torch.quantize_per_tensor(x, 0.1, 0, torch.qint8), 0.1).dequantize()


def not_quantized(x: torch.Tensor):
    return torch.ops.quantized.add(x, x, 0.1, 0).dequantize()


def is_asked(x: torch.Tensor):
    q = torch.quantize_per_tensor(x, 0.1, 0, torch.qint8)
    return x if q.is_quantized else x + 1


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (returned, "a quantized tensor is a result of the program"),
        (through_branch, "a quantized tensor is what a branch gives"),
        (through_loop, "a quantized tensor is carried through a loop"),
        (in_list, "a quantized tensor is put into a list"),
        (without_rule, "aten::sort has no form for quantized tensors"),
        (unknown_op, "quantized::add_scalar has no form for quantized tensors"),
        (not_quantized, "a quantized op takes a tensor that is not quantized"),
        (is_asked, "whether a tensor is quantized"),
    ],
)
def test_refusals(program, message):
    with pytest.raises(Exception, match=rf"test_quantized.py:\d+: .*{message}[\s\S]*do: "):
        compiled(program, ["n", 4])
