"""Compiled programs against eager torch, on fresh random inputs and at several sizes, zero and one among them."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Tuple  # noqa: UP035 torch.jit.script reads these names

import npcomp_torchscript as nts
import pytest
import torch
from torch import nn

F32 = torch.float32


def check(program, eager, *inputs) -> None:
    """Same values, dtypes, sizes and structure."""
    with torch.no_grad():
        wanted = eager(*[x.clone() if isinstance(x, torch.Tensor) else x for x in inputs])
    torch.testing.assert_close(program(*inputs), wanted, rtol=1e-4, atol=1e-5)


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 3))


@pytest.mark.parametrize("form", ["module", "scripted", "traced", "archive"])
def test_mlp_in_every_form(form, tmp_path):
    model = mlp()
    source = {
        "module": lambda: model,
        "scripted": lambda: torch.jit.script(model),
        "traced": lambda: torch.jit.trace(model, torch.randn(2, 6)),
        "archive": lambda: torch.jit.save(torch.jit.script(model), tmp_path / "m.pt") or tmp_path / "m.pt",
    }[form]()
    program = nts.compile(source, [nts.TensorSpec(["batch", 6], F32)])
    for batch in (1, 3, 0, 17):
        check(program, model, torch.randn(batch, 6))


class ConvNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2),
            nn.Conv2d(8, 5, 3, stride=2), nn.ReLU(),
        )  # fmt: skip
        self.pool = nn.AdaptiveAvgPool2d((1, 1))
        self.head = nn.Linear(5, 4)

    def forward(self, x):
        return self.head(torch.flatten(self.pool(self.body(x)), 1))


def test_conv_net_with_any_image_size():
    model = ConvNet().eval()
    program = nts.compile(model, [nts.TensorSpec([None, 3, None, None], F32)])
    for sizes in ((1, 3, 16, 16), (2, 3, 19, 31)):
        check(program, model, torch.randn(sizes))


class Block(nn.Module):
    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.norm_one = nn.BatchNorm2d(out)
        self.two = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.norm_two = nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)
        self.skip = nn.Identity() if stride == 1 and channels == out else nn.Sequential(
            nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out)
        )  # fmt: skip

    def forward(self, x):
        y = self.relu(self.norm_one(self.one(x)))
        y = self.norm_two(self.two(y))
        y += self.skip(x)
        return self.relu(y)


class ResNet18(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 7, 2, 3, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),
        )
        blocks, channels = [], width
        for stage in range(4):
            out = width << stage
            blocks += [Block(channels, out, 1 if stage == 0 else 2), Block(out, out, 1)]
            channels = out
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(channels, 10)

    def forward(self, x):
        return self.head(torch.flatten(nn.functional.adaptive_avg_pool2d(self.blocks(self.stem(x)), 1), 1))


def test_resnet_18():
    model = ResNet18(8).eval()
    program = nts.compile(model, [nts.TensorSpec([None, 3, None, None], F32)])
    for sizes in ((1, 3, 32, 32), (2, 3, 45, 64)):
        check(program, model, torch.randn(sizes))


class Branches(nn.Module):
    def forward(self, x):
        if bool(x.sum() > 0):
            y = x * 2
        elif bool(x.sum() < -10):
            y = x.tanh()
        else:
            y = x - 1
        return y


def test_branches_on_a_tensors_value():
    program = nts.compile(Branches(), [nts.TensorSpec([None, 3], F32)])
    for shift in (2.0, -20.0, -0.5):
        check(program, Branches(), torch.rand(4, 3) + shift)


class Loops(nn.Module):
    def forward(self, x, limit: float = 10.0):
        for i in range(x.size(0)):
            x = x + x[i] * i
        while bool(x.abs().sum() < limit):
            x = x * 2 + 1
        return x


def test_loops_run_zero_and_many_times():
    program = nts.compile(Loops(), [nts.TensorSpec([None, 3], F32)])
    for rows in (1, 4, 7):
        check(program, Loops(), torch.randn(rows, 3))
    check(program, Loops(), torch.randn(2, 3), 100.0)


class Leaves(nn.Module):
    """Early return, break and continue."""

    def forward(self, x, n: int):
        if n < 0:
            return x.neg()
        for i in range(n):
            if i == 1:
                continue
            if i > 3:
                break
            x = x + i
        return x


def test_early_return_break_continue():
    program = nts.compile(Leaves(), [nts.TensorSpec([None], F32), int])
    for n in (-1, 0, 1, 3, 9):
        check(program, Leaves(), torch.randn(5), n)


class Lstm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = 7
        self.inputs = nn.Linear(5, 28)
        self.states = nn.Linear(7, 28)

    def forward(self, x):
        h = torch.zeros(x.size(1), self.hidden)
        c = torch.zeros(x.size(1), self.hidden)
        for step in range(x.size(0)):
            i, f, g, o = (self.inputs(x[step]) + self.states(h)).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h, c


def test_lstm_cell_in_a_loop():
    model = Lstm()
    program = nts.compile(model, [nts.TensorSpec(["time", "batch", 5], F32)])
    for sizes in ((3, 2, 5), (1, 1, 5), (6, 4, 5), (0, 2, 5)):
        check(program, model, torch.randn(sizes))


class Encoder(nn.Module):
    def __init__(self, width: int = 16, heads: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm_one, self.norm_two = nn.LayerNorm(width), nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 32), nn.Linear(32, width)

    def split(self, x):
        batch, time, width = x.shape
        return x.view(batch, time, self.heads, width // self.heads).transpose(1, 2)

    def forward(self, x):
        batch, time, width = x.shape
        q, k, v = self.qkv(x).chunk(3, -1)
        scores = self.split(q) @ self.split(k).transpose(-2, -1) / float(width // self.heads) ** 0.5
        mixed = torch.softmax(scores, -1) @ self.split(v)
        x = self.norm_one(x + self.out(mixed.transpose(1, 2).reshape(batch, time, width)))
        return self.norm_two(x + self.down(nn.functional.gelu(self.up(x))))


def test_transformer_encoder():
    model = Encoder().eval()
    program = nts.compile(model, [nts.TensorSpec(["batch", "time", 16], F32)])
    for sizes in ((2, 5, 16), (1, 1, 16), (3, 17, 16)):
        check(program, model, torch.randn(sizes))


class Pair(NamedTuple):
    total: torch.Tensor
    count: int


def structures(x, t: Tuple[torch.Tensor, int], items: List[torch.Tensor], d: Dict[str, torch.Tensor]):  # noqa: UP006
    return Pair(x + t[0] * t[1], t[1] + 1), [items[1], items[0] + d["a"]], None


def test_containers_in_and_out():
    spec = nts.TensorSpec(["n"], F32)
    program = nts.compile(structures, [spec, (spec, int), [spec, spec], {"a": spec}])
    x = torch.randn(3)
    total, items, nothing = program(x, (x, 2), [x, x + 1], {"a": x})
    torch.testing.assert_close(total[0], x * 3)
    assert total[1] == 3 and type(total).__name__ == "Pair" and nothing is None
    torch.testing.assert_close(items[1], 2 * x)


def maybe(x, y: Optional[torch.Tensor] = None, scale: float = 2.0):  # noqa: UP045
    if y is not None:
        x = x + y
    return x * scale


def test_optional_and_default_arguments():
    spec = nts.TensorSpec(["n"], F32)
    x = torch.randn(4)
    torch.testing.assert_close(nts.compile(maybe, [spec])(x), x * 2)
    both = nts.compile(maybe, [spec, spec])
    torch.testing.assert_close(both(x, x), x * 4)
    torch.testing.assert_close(both(x, x, scale=0.5), x)


class Counter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("total", torch.zeros(3))
        self.calls = 0

    def forward(self, x):
        self.total.add_(x.sum(0))
        self.calls += 1
        return self.total * self.calls

    @nts.export
    def reset(self):
        self.total.zero_()
        self.calls = 0


def test_state_lives_in_the_program_and_not_in_the_module():
    model, eager = Counter(), Counter()
    program = nts.compile(model, [nts.TensorSpec([None, 3], F32)])
    for rows in (2, 5):
        check(program, eager, torch.randn(rows, 3))
    program.reset()
    eager.reset()
    check(program, eager, torch.randn(1, 3))
    assert model.calls == 0 and not model.total.any()


def test_changing_the_modules_weights_does_not_change_the_program():
    model = nn.Linear(4, 40)
    program = nts.compile(model, [nts.TensorSpec([None, 4], F32)])
    x = torch.randn(2, 4)
    before = program(x).clone()
    with torch.no_grad():
        model.weight.zero_()
    torch.testing.assert_close(program(x), before)


def test_a_wrong_size_is_an_error_and_the_next_call_works():
    program = nts.compile(nn.Linear(4, 2), [nts.TensorSpec(["n", 4], F32)])
    with pytest.raises(Exception, match="4"):
        program(torch.randn(2, 5))
    assert program(torch.randn(2, 4)).shape == (2, 2)


def raises(x, n: int):
    if n > 2:
        raise ValueError("n is %d" % n)  # noqa: UP031
    assert x.size(0) > 1, "too short"
    return x + n


def test_exceptions_of_the_program_are_pythons():
    program = nts.compile(raises, [nts.TensorSpec([None], F32), int])
    with pytest.raises(ValueError, match="n is"):
        program(torch.ones(3), 3)
    with pytest.raises(AssertionError, match="too short"):
        program(torch.ones(1), 1)
    torch.testing.assert_close(program(torch.ones(3), 1), torch.full((3,), 2.0))


def writes(x):
    x[0].mul_(2)
    return x


def test_writing_into_an_argument():
    program = nts.compile(writes, [nts.TensorSpec([None, 3], F32)])
    ours, theirs = torch.ones(2, 3), torch.ones(2, 3)
    assert program(ours) is ours
    torch.testing.assert_close(ours, writes(theirs))


def test_saved_programs_run(tmp_path):
    import npcomp_refbackend

    model = mlp()
    nts.compile(model, [nts.TensorSpec(["batch", 6], F32)]).save(tmp_path / "mlp.npc")
    x = torch.randn(5, 6)
    found = npcomp_refbackend.load(tmp_path / "mlp.npc")(x.numpy())
    torch.testing.assert_close(torch.from_numpy(found), model(x).detach(), rtol=1e-4, atol=1e-5)
