"""Recurrent cells in torch's own terms. ATen's fused cells read sizes as plain numbers, which would fix the dynamic
dimensions; during a capture these take their place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear
from torch.overrides import TorchFunctionMode

from npcomp_acap.layers import LAYERS
from npcomp_acap.readers import READERS


def lstm_cell(
    x: Tensor, hx: tuple[Tensor, Tensor], w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Hochreiter and Schmidhuber 1997 in the form of torch.nn.LSTMCell: gates i, f, g, o."""
    h, c = hx
    i, f, g, o = (linear(x, w_ih, b_ih) + linear(h, w_hh, b_hh)).chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def gru_cell(
    x: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """Cho et al. 2014 in the form of torch.nn.GRUCell: gates r, z, n."""
    r_x, z_x, n_x = linear(x, w_ih, b_ih).chunk(3, 1)
    r_h, z_h, n_h = linear(hx, w_hh, b_hh).chunk(3, 1)
    r, z = torch.sigmoid(r_x + r_h), torch.sigmoid(z_x + z_h)
    n = torch.tanh(n_x + r * n_h)
    return (hx - n) * z + n


def rnn_cell(activation: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    def cell(
        x: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
    ) -> Tensor:
        return activation(linear(x, w_ih, b_ih) + linear(hx, w_hh, b_hh))

    return cell


CELLS: dict[Any, Callable[..., Any]] = {
    torch.lstm_cell: lstm_cell,
    torch.gru_cell: gru_cell,
    torch.rnn_tanh_cell: rnn_cell(torch.tanh),
    torch.rnn_relu_cell: rnn_cell(torch.relu),
}


SUBSTITUTES = CELLS | LAYERS | READERS


class WithCells(TorchFunctionMode):
    """While active, torch's fused cells and the functions that read values are computed in torch's own terms, and
    recurrent layers stay whole."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return SUBSTITUTES.get(func, func)(*args, **(kwargs or {}))
