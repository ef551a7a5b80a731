"""What cannot be compiled: one error with file, line, reason and way out; all problems at once; never a crash."""

from __future__ import annotations

import inspect
from typing import Any, List, Union  # noqa: UP035 torch.jit.script reads these names

import npcomp_torchscript as nts
import pytest
import torch


class Ignores(torch.nn.Module):
    @torch.jit.ignore
    def python(self, x):
        return x

    def forward(self, x):
        y = self.python(x)  # BAD
        return self.python(y)  # BAD


class Unused(torch.nn.Module):
    @torch.jit.unused
    def python(self, x):
        return x

    def forward(self, x):
        if x.size(0) > 2:
            x = self.python(x)
        return x


@torch.jit.script
class Point:
    def __init__(self, x: int) -> None:
        self.x = x


def complex_number(x):
    return x + 2j  # BAD


def forks(x):
    future = torch.jit.fork(torch.relu, x)  # BAD
    return torch.jit.wait(future)  # BAD


def objects(x):
    point = Point(3)  # BAD
    return x + point.x


def any_argument(x: Any, y):
    return y


def union_argument(x: Union[int, str]):  # noqa: UP007
    return x


def generator(x):
    yield x  # BAD


def imports(x):
    import os  # BAD

    return os.getpid() + x


def unknown_name(x):
    return x + undefined_name  # BAD  # noqa: F821


def comprehension_over_dict(x):
    return {str(k) for k in [1, 2]}  # BAD


def star_arguments(*args):
    return args[0]


def lambda_inside(x):
    f = lambda v: v + 1  # BAD  # noqa: E731
    return f(x)


def global_write(x):
    global counter  # BAD
    counter = 1
    return x


def isinstance_on_union(x, n: int):
    y: Union[int, List[int]] = n  # noqa: UP006, UP007
    if isinstance(y, int):
        return x + y
    return x


def try_block(x):
    try:  # BAD
        return x + 1
    except ValueError:
        return x


def async_function(x):
    async def inner(y):  # BAD
        return y

    return x


def bad_lines(program) -> list[int]:
    lines, start = inspect.getsourcelines(program)
    return [start + i for i, text in enumerate(lines) if "# BAD" in text]


@pytest.mark.parametrize(
    "program",
    [complex_number, objects, generator, imports, unknown_name, comprehension_over_dict, lambda_inside, global_write,
     try_block, async_function],
)  # fmt: skip
def test_one_error_at_the_users_line(program):
    with pytest.raises(nts.TorchScriptError) as caught:
        nts.import_module(program)
    first = caught.value.problems[0]
    assert (first.location.file, first.location.line) == (__file__, bad_lines(program)[0])
    assert first.do
    assert f"{__file__}:{first.location.line}: " in str(caught.value)


@pytest.mark.parametrize("program", [Ignores, forks])
def test_all_problems_are_reported_together(program):
    with pytest.raises(nts.TorchScriptError) as caught:
        nts.import_module(program() if inspect.isclass(program) else program)
    lines = {p.location.line for p in caught.value.problems}
    assert lines <= set(bad_lines(program)) and lines
    if program is Ignores:
        assert lines == set(bad_lines(program))
        assert "python is called, which TorchScript did not compile" in str(caught.value)


@pytest.mark.parametrize("program", [any_argument, union_argument, star_arguments])
def test_arguments_that_cannot_cross(program):
    with pytest.raises(nts.TorchScriptError, match="do: "):
        nts.import_module(program)


def test_isinstance_is_compiled_or_refused():
    try:
        assert nts.import_module(isinstance_on_union).operation.verify()
    except nts.TorchScriptError as error:
        assert "do: " in str(error)


def test_unused_methods_become_an_exception(find):
    assert len(find(nts.import_module(Unused()), "torch.prim.RaiseException")) == 1


def test_the_process_goes_on(operators):
    with pytest.raises(nts.TorchScriptError):
        nts.import_module(Ignores())
    assert operators(nts.import_module(torch.nn.Tanh())) == ["aten.tanh"]


class Packs(torch.nn.Module):
    def forward(self, x, lengths):
        packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths)  # BAD
        return torch.nn.utils.rnn.pad_packed_sequence(packed)[0]


def test_inside_torchs_own_code_the_users_line_is_named():
    with pytest.raises(nts.TorchScriptError, match=r"\(in .*rnn.py:\d+\)") as caught:
        nts.import_module(Packs())
    first = caught.value.problems[0]
    assert (first.location.file, first.location.line) == (__file__, bad_lines(Packs)[0])
