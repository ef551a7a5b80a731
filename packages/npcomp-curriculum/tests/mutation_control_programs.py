"""Programs that write in place inside control flow, containers and calls; the rest of `mutation_programs`."""

from __future__ import annotations

from typing import Optional

from mutation_programs import program
from torch import Tensor

# Control flow (a capture takes one way through it)


@program("f32[4,3]", "bool", only="torchscript")
def in_a_branch(x: Tensor, flag: bool):
    if flag:
        x.add_(1)
    return x * 2


@program("f32[4,3]", "bool", only="torchscript")
def either_argument_row(x: Tensor, flag: bool):
    if flag:
        x[0] = 1.0
    else:
        x.t()[0].mul_(2)
    return x


@program("f32[4,3]")
def rows_in_a_loop(x: Tensor):
    for i in range(x.size(0)):
        x[i] = x[i] * i + 1


@program("f32[6]")
def running_sum(x: Tensor):
    for i in range(1, x.size(0)):
        x[i] += x[i - 1]
    return x


@program("f32[4,3]", "int", only="torchscript")
def loop_of_run_time_length(x: Tensor, n: int):
    y = x[1:]
    for i in range(n):
        if i % 2 == 0:
            y.mul_(2)
        else:
            x.sub_(i)
    return y


@program("f32[4,3]", only="torchscript")
def while_loop(x: Tensor):
    n = 0
    while bool(x.sum() < 50) and n < 20:
        x[n % 4].add_(1)
        n += 1
    return n


# Containers


@program("f32[4,3]", "f32[4,3]")
def items_of_a_list(x: Tensor, y: Tensor):
    xs = [x, y]
    xs[0].add_(xs[1])
    xs[1] *= 2
    return xs[1]


@program("f32[4,3]", "f32[4,3]")
def items_of_a_tuple(x: Tensor, y: Tensor):
    pair = (x[0], y)
    pair[0].add_(1)
    a, b = pair
    b.mul_(2)
    return a


@program("[f32[4,3];f32[2]]")
def a_list_argument(xs: list[Tensor]):
    for x in xs:
        x.add_(1)
    return xs[0]


@program("(f32[4,3];f32[2])")
def a_tuple_argument(xs: tuple[Tensor, Tensor]):
    xs[1].mul_(2)
    return xs[1], xs[0]


@program("{a:f32[4,3];b:f32[2]}")
def a_dict_argument(table: dict[str, Tensor]):
    table["a"].add_(1)
    return table["a"] * 2


# Calls


def _scale(x: Tensor, by: float):
    x.mul_(by)
    return x


@program("f32[4,3]")
def in_a_call(x: Tensor):
    y = _scale(x, 2.0)
    _scale(y[1], 3.0)
    return y


@program("f32[4,3]")
def optional_target(x: Tensor):
    y: Optional[Tensor] = x  # noqa: UP045 TorchScript reads it
    if y is not None:
        y.add_(1)
    return x
