"""What a capture records: state, gradients, lines, constants; and what it refuses, with the user's line."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch
from npcomp_acap import CaptureError, import_function
from torch import nn

HERE = __file__


def line_of(function: Callable[..., Any], text: str) -> int:
    lines, start = inspect.getsourcelines(function)
    return start + next(i for i, line in enumerate(lines) if text in line)


def test_every_call_is_an_operator_with_the_users_line() -> None:
    def scale(x: torch.Tensor) -> torch.Tensor:
        y = torch.tanh(x)
        return y * 2

    text = import_function(scale, torch.zeros(3)).operation.get_asm(enable_debug_info=True)
    assert 'torch.operator "aten.tanh"' in text
    assert 'torch.operator "aten.mul.Tensor"' in text
    assert f'"{HERE}":{line_of(scale, "torch.tanh")}' in text


def test_named_dimensions_are_unknown_in_the_type_and_named_in_the_signature() -> None:
    module = import_function(nn.Linear(4, 2), torch.zeros(3, 4), dynamic={"input": {0: "batch"}})
    function = module.body.operations[0]
    assert "!torch.vtensor<[?,4],f32>" in str(function.type)
    assert '"dims": ["batch", 4]' in str(function.attributes["npcomp.signature"]).replace("\\22", '"')


def test_gradients_are_operations() -> None:
    model = nn.Linear(4, 1)

    def gradient(x: torch.Tensor) -> torch.Tensor:
        return torch.autograd.grad(model(x).sum(), [model.weight])[0]

    text = str(import_function(gradient, torch.zeros(3, 4)))
    assert text.count('"aten.mm"') == 1


def test_capture_leaves_the_real_state_alone() -> None:
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = [p.detach().clone() for p in model.parameters()]

    def step(x: torch.Tensor) -> None:
        model(x).sum().backward()
        optimizer.step()

    import_function(step, torch.ones(3, 2))
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before))
    assert all(p.grad is None for p in model.parameters())
    assert type(model.weight) is nn.Parameter


def test_a_branch_on_a_value_is_refused_with_its_line() -> None:
    def branch(x: torch.Tensor) -> torch.Tensor:
        if x.sum() > 0:
            return x
        return -x

    with pytest.raises(CaptureError, match=r"needs the value of a tensor") as caught:
        import_function(branch, torch.zeros(3))
    assert f"{HERE}:{line_of(branch, 'if x.sum()')}" in str(caught.value)


def test_item_is_an_operation_not_a_constant() -> None:
    text = str(import_function(lambda x: x * x.max().item(), torch.zeros(3)))
    assert '"aten._local_scalar_dense"' in text


def test_a_size_that_depends_on_values_is_unknown() -> None:
    assert "!torch.vtensor<[?,1],si64>" in str(import_function(torch.nonzero, torch.zeros(3)))


def test_what_is_written_into_an_argument_is_a_result() -> None:
    text = str(import_function(lambda x: (x.add_(1), None), torch.zeros(3)))
    assert "\\22writes\\22: true" in text
    assert "\\22alias\\22: 0" in text


def test_other_sizes_of_an_argument_are_refused() -> None:
    with pytest.raises(CaptureError, match="tensor argument 0 gets other sizes"):
        import_function(lambda x: x.unsqueeze_(0), torch.zeros(3))


def test_writing_a_leaf_that_records_gradients_is_refused() -> None:
    with pytest.raises(CaptureError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        import_function(lambda x: x.add_(1), torch.zeros(3, requires_grad=True))


def test_a_fixed_dimension_is_named() -> None:
    def fixed(x: torch.Tensor) -> torch.Tensor:
        return x + torch.zeros(5)

    with pytest.raises(CaptureError, match="'n' is declared dynamic, but the function works only where it is 5"):
        import_function(fixed, torch.zeros(5), dynamic={0: {0: "n"}})


def test_two_names_that_must_be_equal() -> None:
    with pytest.raises(CaptureError, match="give dimensions that must be equal the same name"):
        import_function(torch.add, torch.zeros(5), torch.zeros(5), dynamic={0: {0: "n"}, 1: {0: "m"}})


@pytest.mark.parametrize(
    ("dynamic", "message"),
    [({"y": {0: "n"}}, "dynamic names argument 'y'"), ({0: {3: "n"}}, "dimension 3 of")],
)
def test_dynamic_names_what_does_not_exist(dynamic: dict, message: str) -> None:
    def identity(x: torch.Tensor) -> torch.Tensor:
        return x * 1

    with pytest.raises(CaptureError, match=message):
        import_function(identity, torch.zeros(5), dynamic=dynamic)


def test_missing_example() -> None:
    with pytest.raises(CaptureError, match="the examples do not fit the function: missing a required argument"):
        import_function(nn.Linear(2, 2))


def test_unsupported_argument_type() -> None:
    with pytest.raises(CaptureError, match="a object cannot cross the boundary"):
        import_function(lambda x, o: x * 2, torch.zeros(2), object())


def test_rare_dtypes_are_refused() -> None:
    with pytest.raises(CaptureError, match=r"torch.float8_e4m3fn .*not supported"):
        import_function(lambda x: x.to(torch.float32), torch.zeros(2, dtype=torch.float8_e4m3fn))
