"""Small programs that write in place, for `test_mutation`. `@program("f32[4,3]", ...)` says what the arguments are;
`only=` names the frontend where just one can compile it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class MutatingProgram:
    function: Callable[..., Any]
    arguments: tuple[str, ...]
    only: str | None
    dynamic: bool


PROGRAMS: list[MutatingProgram] = []


def program(*arguments: str, only: str | None = None, dynamic: bool = True) -> Callable[[Any], Any]:
    def register(function: Any) -> Any:
        PROGRAMS.append(MutatingProgram(function, arguments, only, dynamic))
        return function

    return register


# The argument itself


@program("f32[4,3]")
def add_scalar(x: Tensor):
    return x.add_(1)


@program("f32[4,3]")
def add_then_nothing(x: Tensor):
    x.add_(1)


@program("f32[4,3]")
def identity(x: Tensor):
    return x


@program("f32[4,3]", "f32[4,3]")
def both_returned(x: Tensor, y: Tensor):
    return y, x.mul_(y), y


@program("f32[4,3]")
def old_value_is_kept(x: Tensor):
    old = x.clone()
    x.mul_(2)
    return old, x + old


@program("f32[4,3]", "f32[4,3]")
def swapped(x: Tensor, y: Tensor):
    z = x.clone()
    x.copy_(y)
    y.copy_(z)


@program("f32[4,4]")
def transposed_into_itself(x: Tensor):
    x.copy_(x.t().clone())
    return x[0]


@program("f32[]")
def of_no_dimensions(x: Tensor):
    x.add_(2)
    return x * 3


@program("f32[0,3]")
def empty(x: Tensor):
    x.add_(2)
    return x.sum()


@program("i64[5]")
def integers(x: Tensor):
    x += 3
    x *= 2
    return x


@program("i32[5]", "i64[5]")
def stored_as_narrower(x: Tensor, y: Tensor):
    x.add_(y)


@program("f64[4]", "f32[4]")
def stored_as_wider(x: Tensor, y: Tensor):
    x.mul_(y)
    return y


@program("bool[6]", "bool[6]")
def truth(x: Tensor, y: Tensor):
    x.logical_xor_(y)
    return ~x


@program("f16[8]")
def halves(x: Tensor):
    x.mul_(0.5).add_(1)


@program("bf16[8]")
def brain_floats(x: Tensor):
    x.add_(0.25)
    return x


@program("u8[8]")
def bytes_wrap(x: Tensor):
    x.add_(250)


@program("i8[8]", "i16[8]")
def small_integers(x: Tensor, y: Tensor):
    x.neg_()
    y.sub_(x)


@program("f32[4,3]")
def filled(x: Tensor):
    x.fill_(7)


@program("f32[4,3]")
def zeroed_after_use(x: Tensor):
    y = x * 2
    x.zero_()
    return y


@program("f32[4,3]", "f32[3]")
def broadcast_copy(x: Tensor, y: Tensor):
    x.copy_(y)


@program("f32[4,3]", "i64[4,3]")
def copy_converts(x: Tensor, y: Tensor):
    x.copy_(y)
    y.copy_(x * 2)


@program("f32[4,3]")
def relu_in_place(x: Tensor):
    return torch.relu_(x)


@program("f32[4,3]")
def functional_inplace(x: Tensor):
    return torch.nn.functional.relu(x, inplace=True) + 1


@program("f32[4,3]")
def clamped(x: Tensor):
    x.clamp_(-0.5, 0.5)


@program("f32[4,3]", "f32[4,3]", "f32[4,3]")
def fused_product(x: Tensor, y: Tensor, z: Tensor):
    x.addcmul_(y, z, value=0.5)


@program("f32[4,3]", "f32[4,3]")
def interpolated(x: Tensor, y: Tensor):
    x.lerp_(y, 0.25)


@program("f32[4,3]", "bool[4,3]")
def masked(x: Tensor, m: Tensor):
    x.masked_fill_(m, -1.0)


# Views


@program("f32[4,3]")
def a_slice(x: Tensor):
    x[0:2].add_(1)
    return x


@program("f32[5,3]")
def steps(x: Tensor):
    x[::2] = 0.0
    x[1::2].mul_(3)


@program("f32[5,3]")
def negative_bounds(x: Tensor):
    x[-2:, :-1] += 10
    return x.sum()


@program("f32[4,3]")
def one_row(x: Tensor):
    x[1] = 5.0
    x[-1].neg_()


@program("f32[4,3]", "f32[3]")
def a_row_from_a_tensor(x: Tensor, y: Tensor):
    x[2] = y
    y[0] = x[0, 0]


@program("f32[4,3]")
def one_element(x: Tensor):
    x[1, 2] = 9.0
    x[0, 0] += 1


@program("f32[4,3,2]")
def view_of_a_view(x: Tensor):
    y = x.transpose(0, 1)[1]
    z = y[2:].permute(1, 0)
    z.mul_(100)
    return y, z


@program("f32[4,3]")
def both_views_follow(x: Tensor):
    a, b = x[1:], x.t()
    a.add_(1)
    b[0] = 2.0
    return a, b, x


@program("f32[4,3]")
def reshaped_as_view(x: Tensor):
    v = x.t().unsqueeze(0).squeeze(0)
    v.add_(1)


@program("f32[2,6]")
def viewed(x: Tensor):
    y = torch.zeros(2, 6).copy_(x)
    y.view(3, 4)[1:].add_(1)
    y.view(-1)[0] = 50.0
    return y


@program("f32[4,4]")
def diagonal(x: Tensor):
    x.diagonal().fill_(1)
    return x


@program("f32[4,3]")
def off_diagonal(x: Tensor):
    x.diagonal(1).add_(3)


@program("f32[4,3]")
def narrowed(x: Tensor):
    x.narrow(0, 1, 2).mul_(0)


@program("f32[4,6]", dynamic=False)
def chunks(x: Tensor):
    a, b, c = x.chunk(3, 1)
    b.copy_(a)
    c.add_(b)
    return a * b


@program("f32[3,4]", dynamic=False)
def unbound(x: Tensor):
    a, b, c = x.unbind(0)
    b.add_(a)
    return c


@program("f32[5,2]", dynamic=False)
def split_by_sizes(x: Tensor):
    a, b = x.split([2, 3])
    a.zero_()
    return b


@program("f32[4,3]")
def moved(x: Tensor):
    x.movedim(0, 1)[0].add_(1)


@program("f32[4,3]")
def detached_shares(x: Tensor):
    y = x.detach()
    y.add_(1)
    return y


@program("f32[4,3]")
def same_size_expand(x: Tensor):
    x.expand(x.size(0), x.size(1)).add_(1)


@program("f32[4,3]")
def sliced_copy_of_itself(x: Tensor):
    x[1:] = x[:-1].clone()


# Indices


@program("f32[4,3]", "bool[4,3]")
def mask_assign(x: Tensor, m: Tensor):
    x[m] = -2.0


@program("f32[6,3]", "i64[4]")
def index_assign(x: Tensor, i: Tensor):
    x[i] = 4.0


@program("f32[4,3,5]", "i64[2]", "f32[3,2]")
def index_between(x: Tensor, i: Tensor, y: Tensor):
    x[1, :, i] = y


@program("f32[5]", "i64[8]", "f32[8]")
def accumulated(x: Tensor, i: Tensor, y: Tensor):
    x.index_put_([i], y, accumulate=True)


@program("f32[5,2]", "i64[3]", "f32[3,2]")
def index_added(x: Tensor, i: Tensor, y: Tensor):
    x.index_add_(0, i, y)


@program("f32[5,2]", "i64[3]")
def index_filled(x: Tensor, i: Tensor):
    x.index_fill_(0, i, 8.0)


# out=


@program("f32[4,3]", "f32[4,3]")
def out_argument(x: Tensor, y: Tensor):
    return torch.add(x, 1, out=y)


@program("f32[4,3]")
def out_is_an_input(x: Tensor):
    torch.mul(x, x, out=x)


@program("f32[4,3]", "f32[2,4,3]")
def out_is_a_view(x: Tensor, y: Tensor):
    torch.exp(x, out=y[1])
    return y.sum()


@program("f32[4,3]", "f32[3,5]", "f32[4,5]")
def product_out(x: Tensor, y: Tensor, z: Tensor):
    torch.mm(x, y, out=z)


@program("f32[4,3]")
def out_grows(x: Tensor):
    y = torch.empty(0)
    torch.add(x, x, out=y)
    return y


# Shapes that change in place


@program("f32[4,3]")
def unsqueezed(x: Tensor):
    y = x * 2
    row = y[0]
    y.unsqueeze_(0)
    row.add_(1)
    return y, row


@program("f32[3,3]")
def transposed_in_place(x: Tensor):
    y = x * 2
    z = y[0]
    y.t_()
    y[0] = 1.0
    return y, z


@program("f32[1,3,1]", dynamic=False)
def squeezed(x: Tensor):
    y = x + 1
    y.squeeze_(0).squeeze_()
    y.add_(1)
    return y


@program("f32[2,3,4]")
def view_transposed_in_place(x: Tensor):
    y = x[0]
    y.transpose_(0, 1)
    y[1].zero_()
    return y
