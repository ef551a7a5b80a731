"""Arguments that a program writes, as callers pass them: overlapping, read-only, recording gradients, from numpy."""

from __future__ import annotations

import npcomp_acap as acap
import npcomp_refbackend as nrb
import npcomp_torchscript as nts
import numpy as np
import pytest
import torch
from npcomp_dialects.errors import CompileError

ROWS = nts.TensorSpec([None, 3], torch.float32)


def add_to_first(x, y):
    x.add_(y)
    return x


def twice(x):
    x.mul_(2)


@pytest.fixture(scope="module", params=["torchscript", "acap"])
def add(request):
    if request.param == "acap":
        dims = {0: {0: "rows"}, 1: {0: "rows"}}
        return acap.trace(add_to_first, torch.zeros(4, 3), torch.zeros(4, 3), dynamic=dims)
    return nts.compile(torch.jit.script(add_to_first), [ROWS, ROWS])


def test_the_same_tensor_twice_is_refused(add) -> None:
    x = torch.ones(2, 3)
    with pytest.raises(ValueError, match="argument 'x' shares memory with argument 'y', and the program writes to it"):
        add(x, x)
    assert torch.equal(x, torch.ones(2, 3))


def test_views_that_overlap_are_refused_and_others_are_not(add) -> None:
    base = torch.zeros(6, 6)
    with pytest.raises(ValueError, match="shares memory"):
        add(base[1:4, :3], base[:3, 2:5])
    for x, y in ((base[:, :3], base[:, 3:]), (base[::2, ::2], base[1::2, 1::2]), (base[:3, :3], base[3:, :3])):
        y.fill_(1)
        add(x, y)
        assert torch.equal(x, torch.ones_like(x))
        base.zero_()


def test_a_tensor_that_repeats_an_element_is_refused(add) -> None:
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor refers"):
        add(torch.zeros(1, 3).expand(4, 3), torch.ones(4, 3))
    assert torch.equal(add(torch.zeros(4, 3), torch.ones(1, 3).expand(4, 3)), torch.ones(4, 3))


def test_leaves_that_record_gradients_are_refused_as_in_eager(add) -> None:
    x, y = torch.zeros(4, 3, requires_grad=True), torch.ones(4, 3)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        add(x, y)
    with pytest.raises(RuntimeError, match="records gradients"):
        add(x * 1, y)
    with torch.no_grad():
        assert add(x, y) is x
    assert torch.equal(x.detach(), y)


def test_autograd_hears_of_the_write(add) -> None:
    x, weight = torch.ones(4, 3), torch.ones(4, 3, requires_grad=True)
    loss = (weight * x).sum()
    add(x, torch.ones(4, 3))
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_numpy_arrays_are_written(add) -> None:
    room = np.zeros((8, 6), np.float32)
    x = room[::2, ::-2]
    assert add(x, np.ones((4, 3), np.float32)) is x
    assert x.sum() == 12 and room.sum() == 12
    x.flags.writeable = False
    with pytest.raises(ValueError, match="read-only, but the program writes to it"):
        add(x, np.ones((4, 3), np.float32))


def test_nothing_is_written_when_a_call_fails(add) -> None:
    x = torch.ones(2, 3)
    with pytest.raises((RuntimeError, ValueError)):
        add(x, torch.ones(5, 3))
    assert torch.equal(x, torch.ones(2, 3))


def test_a_saved_program_writes_too(tmp_path) -> None:
    nts.compile(torch.jit.script(twice), [ROWS]).save(tmp_path / "twice.npc")
    x = np.ones((2, 3), np.float32)
    assert nrb.load(str(tmp_path / "twice.npc"))(x) is None
    assert (x == 2).all()


def test_a_leaf_may_be_written_where_the_function_said_so() -> None:
    def quietly(x):
        with torch.no_grad():
            x.add_(1)
        return x

    x = torch.zeros(3, requires_grad=True)
    program = acap.trace(quietly, torch.zeros(3, requires_grad=True))
    assert program(x) is x
    assert x.tolist() == [1, 1, 1]


def resized(x):
    y = x * 1
    y.resize_(2)
    return y


def argument_turned(x):
    x.t_()
    return x


def windows(x):
    x.unfold(1, 1, 1).add_(1)


def maybe_a_copy(x):
    x.reshape(3, -1).add_(1)
    return x


def maybe_an_argument(x, flag: bool):
    y = x if flag else x * 2
    y.add_(1)
    return x


def out_of_another_size(x):
    torch.add(x, 1, out=x[:1])


REFUSED = [
    (resized, "aten.resize_ changes the memory behind a tensor"),
    (argument_turned, "changes the shape of argument 'x' in place"),
    (windows, "writes through aten.unfold, which cannot be undone"),
    (maybe_a_copy, "may or may not be argument 'x'"),
    (maybe_an_argument, "may or may not be argument 'x'"),
]


@pytest.mark.parametrize(("function", "text"), REFUSED, ids=lambda value: getattr(value, "__name__", ""))
def test_what_cannot_be_followed_is_refused_with_its_line(function, text) -> None:
    specs = [ROWS, bool][: function.__code__.co_argcount]
    with pytest.raises(CompileError, match=text) as caught:
        nts.compile(torch.jit.script(function), specs)
    assert f"{__file__}:" in str(caught.value)


def test_an_out_argument_of_another_size_is_refused_when_it_runs() -> None:
    program = nts.compile(torch.jit.script(out_of_another_size), [ROWS])
    x = torch.ones(2, 3)
    with pytest.raises(RuntimeError, match="would resize its out argument"):
        program(x)
    assert torch.equal(x, torch.ones(2, 3))
