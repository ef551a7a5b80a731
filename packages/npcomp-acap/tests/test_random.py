"""Random numbers of captured programs: distributions, dtypes, seeds, and what gradients know of a mask."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import npcomp_acap as acap
import pytest
import torch
from npcomp_dialects.program import CompileOptions
from torch.nn import functional as F

COUNT = 40000
NATIVE = CompileOptions(fallback="forbid")


def program(function: Callable[..., Any], *examples: torch.Tensor) -> Any:
    """Compiled without one call of a kernel of torch."""
    return acap.trace(function, *examples, options=NATIVE)


def drawn(fill: Callable[[torch.Tensor], torch.Tensor], dtype: torch.dtype = torch.float32) -> torch.Tensor:
    torch.manual_seed(11)
    return program(lambda x: fill(torch.empty_like(x)), torch.zeros(200, COUNT // 200, dtype=dtype))(
        torch.zeros(200, COUNT // 200, dtype=dtype)
    )


def assert_moments(x: torch.Tensor, mean: float, deviation: float) -> None:
    """Within five standard errors."""
    x = x.double()
    error = deviation / math.sqrt(x.numel())
    assert abs(x.mean().item() - mean) < 5 * error, (x.mean(), mean)
    assert abs(x.std().item() - deviation) < 0.05 * deviation + 5 * error, (x.std(), deviation)


FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


@pytest.mark.parametrize("dtype", FLOATS)
def test_uniform_numbers(dtype: torch.dtype) -> None:
    x = drawn(lambda t: t.uniform_(-1, 3), dtype)
    assert x.dtype == dtype and x.min() >= -1 and x.max() < 3
    assert_moments(x, 1.0, 4 / math.sqrt(12))
    halves = x.flatten()[:-1].double() - 1, x.flatten()[1:].double() - 1
    assert abs((halves[0] * halves[1]).mean()) < 0.05


@pytest.mark.parametrize("dtype", FLOATS)
def test_normal_numbers(dtype: torch.dtype) -> None:
    x = drawn(lambda t: t.normal_(2, 0.5), dtype)
    assert x.dtype == dtype and x.isfinite().all()
    assert_moments(x, 2, 0.5)
    standard = (x.double() - 2) / 0.5
    assert abs((standard.abs() < 1).double().mean() - 0.6827) < 0.02
    assert abs((standard**4).mean() - 3) < 0.3


DISTRIBUTIONS = [
    (lambda t: t.exponential_(2.0), 0.5, 0.5, 0.0, math.inf),
    (lambda t: t.geometric_(0.25), 4.0, math.sqrt(0.75) / 0.25, 1, math.inf),
    (lambda t: t.log_normal_(0.0, 0.25), math.exp(0.03125), 0.2556, 0, math.inf),
    (lambda t: t.bernoulli_(0.3), 0.3, math.sqrt(0.21), 0, 1),
    (lambda t: t.random_(3, 9), 5.5, math.sqrt(35 / 12), 3, 8),
]


@pytest.mark.parametrize("fill,mean,deviation,low,high", DISTRIBUTIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_moments_and_ranges(
    fill: Any, mean: float, deviation: float, low: float, high: float, dtype: torch.dtype
) -> None:
    x = drawn(fill, dtype)
    assert x.min() >= low and x.max() <= high and x.isfinite().all()
    assert_moments(x, mean, deviation)


def test_cauchy_numbers_by_their_quartiles() -> None:
    x = drawn(lambda t: t.cauchy_(1.0, 2.0), torch.float64).flatten()
    quartiles = x.quantile(torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64))
    torch.testing.assert_close(quartiles, torch.tensor([-1.0, 1.0, 3.0], dtype=torch.float64), atol=0.15, rtol=0)


@pytest.mark.parametrize("low,high", [(0, 2), (-5, 5), (-(2**40), 2**50)])
def test_integers_reach_both_ends(low: int, high: int) -> None:
    torch.manual_seed(5)
    x = program(lambda n: torch.randint(low, high, (200, 200)) + n, torch.zeros((), dtype=torch.int64))(
        torch.zeros((), dtype=torch.int64)
    )
    assert x.dtype == torch.int64 and x.min() >= low and x.max() < high
    span = high - low
    assert x.min() < low + span / 1000 + 1 and x.max() > high - span / 1000 - 2
    assert_moments(x, (low + high - 1) / 2, math.sqrt((span**2 - 1) / 12))


FACTORIES = [
    (lambda x: torch.rand(3, 4), torch.float32),
    (lambda x: torch.rand(0, 4, dtype=torch.float64), torch.float64),
    (lambda x: torch.randn((), dtype=torch.bfloat16), torch.bfloat16),
    (lambda x: torch.randint(7, (x.shape[0],), dtype=torch.uint8), torch.uint8),
    (lambda x: torch.randint_like(x, 3), torch.float32),
    (lambda x: torch.rand_like(x, dtype=torch.float16), torch.float16),
    (lambda x: torch.normal(x, 1.0), torch.float32),
    (lambda x: torch.normal(2.0, x.abs()), torch.float32),
    (lambda x: torch.normal(x, x.abs()), torch.float32),
    (lambda x: torch.normal(1.0, 2.0, (2, 3)), torch.float32),
    (lambda x: torch.randperm(9, dtype=torch.int32), torch.int32),
    (lambda x: torch.bernoulli(x.sigmoid()), torch.float32),
    (lambda x: F.rrelu(x, training=True), torch.float32),
    (lambda x: x.random_(), torch.float32),
]


@pytest.mark.parametrize("function,dtype", FACTORIES)
def test_shapes_and_dtypes_are_torchs(function: Any, dtype: torch.dtype) -> None:
    x = torch.randn(5)
    wanted = function(x.clone())
    compiled = program(lambda x: function(x * 1), x)
    got = compiled(x)
    assert got.dtype == wanted.dtype == dtype and got.shape == wanted.shape


def test_two_calls_differ_and_a_seed_repeats_them() -> None:
    compiled = program(lambda x: (torch.rand_like(x), torch.randn_like(x), torch.rand_like(x)), torch.zeros(50))
    torch.manual_seed(3)
    first, second = compiled(torch.zeros(50)), compiled(torch.zeros(50))
    torch.manual_seed(3)
    again = compiled(torch.zeros(50))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], second[0]) and not torch.equal(first[0], first[2])


def test_programs_take_turns_with_torchs_generator() -> None:
    compiled = program(lambda x: torch.rand_like(x), torch.zeros(3))
    torch.manual_seed(1)
    one = compiled(torch.zeros(3))
    torch.manual_seed(1)
    torch.rand(1)
    assert not torch.equal(one, compiled(torch.zeros(3)))


def test_multinomial_follows_its_weights() -> None:
    weights = torch.tensor([[0.1, 0.0, 0.6, 0.3]] * 5000)
    torch.manual_seed(0)
    for samples, replacement in ((1, False), (8, True)):
        compiled = program(lambda w, n=samples, r=replacement: torch.multinomial(w, n, r), weights)
        counts = torch.bincount(compiled(weights).flatten(), minlength=4) / (5000 * samples)
        torch.testing.assert_close(counts, weights[0], atol=0.03, rtol=0)
    chosen = program(lambda w: torch.multinomial(w, 3), weights)(weights)
    assert (chosen.sort(1)[0] == torch.tensor([0, 2, 3])).all()
    assert abs((chosen[:, 0] == 2).double().mean() - 0.6) < 0.03


@pytest.mark.parametrize("bad", [[0.5, -1.0], [0.0, 0.0], [math.nan, 1.0]])
def test_multinomial_refuses_what_torch_refuses(bad: list[float]) -> None:
    compiled = program(lambda w: torch.multinomial(w, 1), torch.ones(2))
    with pytest.raises(RuntimeError, match=r"multinomial|probability tensor"):
        compiled(torch.tensor(bad))


def test_a_permutation_has_every_number_once() -> None:
    compiled = program(lambda x: torch.randperm(1000) + x, torch.zeros((), dtype=torch.int64))
    one, other = compiled(torch.zeros((), dtype=torch.int64)), compiled(torch.zeros((), dtype=torch.int64))
    assert torch.equal(one.sort()[0], torch.arange(1000)) and not torch.equal(one, other)
    assert abs((one[:500] < 500).double().mean() - 0.5) < 0.1


@pytest.mark.parametrize("p", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_dropout_keeps_and_scales(p: float, dtype: torch.dtype) -> None:
    x = torch.rand(100, 200).to(dtype) + 1
    y = program(lambda x: F.dropout(x, p, training=True), x)(x)
    kept = y != 0
    assert abs(kept.double().mean() - (1 - p)) < 0.02
    scale = torch.tensor(1 / (1 - p) if p < 1 else 0.0)
    torch.testing.assert_close(y[kept], (x.float() * scale).to(dtype)[kept], rtol=1e-2, atol=0)


@pytest.mark.parametrize("form", [F.dropout1d, F.feature_alpha_dropout])
def test_feature_dropout_decides_by_channel(form: Any) -> None:
    x = torch.ones(50, 40, 6)
    y = program(lambda x: form(x, 0.5, training=True), x)(x)
    assert (y == y[:, :, :1]).all() and y.unique().numel() == 2
    assert abs((y == y.max()).double().mean() - 0.5) < 0.05


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    x = torch.randn(200, 200)
    y = program(lambda x: F.alpha_dropout(x, 0.3, training=True), x)(x)
    assert abs(y.mean()) < 0.05 and abs(y.std() - 1) < 0.05


def test_gradients_agree_with_the_mask_of_their_step() -> None:
    weight = torch.randn(30, 20, requires_grad=True)

    def step(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = F.dropout(x @ weight, 0.4, training=True)
        (grad,) = torch.autograd.grad(hidden.square().sum(), weight)
        return hidden, grad

    x = torch.randn(7, 30)
    hidden, grad = program(step, x)(x)
    scale = 1 / (1 - 0.4)
    assert 0.3 < (hidden != 0).double().mean() < 0.9
    wanted = x.T @ (2 * hidden * scale * (hidden != 0))
    torch.testing.assert_close(grad, wanted, rtol=1e-4, atol=1e-4)


def test_random_numbers_inside_dynamic_sizes() -> None:
    compiled = acap.trace(lambda x: torch.rand_like(x) + x, torch.zeros(4, 3), dynamic={"x": {0: "n"}}, options=NATIVE)
    for n in (0, 1, 9):
        assert compiled(torch.zeros(n, 3)).unique().numel() == 3 * n
