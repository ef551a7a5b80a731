"""as_strided in captures: right on dense tensors and on views of them, refused elsewhere."""

from __future__ import annotations

import npcomp_acap as acap
import pytest
import torch

FUNCTIONS = {
    "dense": lambda x: x.as_strided((2, 3), (4, 1), 1),
    "transposed": lambda x: x.t().as_strided((2, 2), (1, 2)),
    "computed": lambda x: (x * 2).t().as_strided((2, 3), (1, 4)),
    "cut": lambda x: x[1:].as_strided((2, 2), (1, 2)),
    "cut, from the storage's start": lambda x: x[1:].as_strided((2, 2), (1, 2), 2),
    "expanded": lambda x: x[:1].expand(3, 4).as_strided((2, 2), (0, 1)),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_views_of_dense_tensors(function):
    program = acap.trace(function, torch.randn(3, 4))
    x = torch.randn(3, 4)
    torch.testing.assert_close(program(x), function(x))


def test_an_argument_in_another_order_is_refused():
    with pytest.raises(acap.CaptureError, match="row-major"):
        acap.trace(lambda x: x.as_strided((2, 2), (1, 2)), torch.randn(3, 4).t())
