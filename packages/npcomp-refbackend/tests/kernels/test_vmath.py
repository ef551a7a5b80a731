"""Elementary functions of vmath against numpy in f64, over random bit patterns and the special values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from launch import HOST, TARGETS, Kernel, compile_kernel
from npcomp_refbackend.codegen import vmath

LANES = 16
SPECIAL = np.array(
    [
        0.0,
        -0.0,
        np.inf,
        -np.inf,
        np.nan,
        1,
        -1,
        2,
        0.5,
        -0.5,
        3,
        -3,
        1e-30,
        -1e-30,
        1e30,
        -1e30,
        88.7,
        -87.3,
        1e-8,
        -17.0,
    ],
    np.float32,
)


def _erf(x: np.ndarray) -> np.ndarray:
    import torch

    return torch.erf(torch.from_numpy(x)).numpy()


UNARY: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2, "log10": np.log10,
    "log1p": np.log1p, "tanh": np.tanh, "sinh": np.sinh, "cosh": np.cosh, "erf": _erf, "sin": np.sin, "cos": np.cos,
    "tan": np.tan, "atan": np.arctan, "asin": np.arcsin, "cbrt": np.cbrt, "rsqrt": lambda x: 1 / np.sqrt(x),
}  # fmt: skip


def _kernel(op: str, arity: int, dtype: str = "f32", lanes: int = LANES, target=HOST) -> Kernel:
    def build(kb) -> None:
        arrays = [kb.operand(i, dtype, 1) for i in range(arity + 1)]

        def block(i) -> None:
            values = [kb.load(a, i, lanes) for a in arrays[:arity]]
            kb.store(vmath.OPS[f"math.{op}"](kb, *values), arrays[arity], i)

        kb.loop(kb.begin, kb.end, block, step=lanes)

    return compile_kernel(build, target)[0]


def _run(kernel: Kernel, *inputs: np.ndarray) -> np.ndarray:
    count = -(-inputs[0].size // LANES) * LANES
    padded = [np.resize(x, count) for x in inputs]
    out = np.zeros(count, inputs[0].dtype)
    kernel([*padded, out], [], 0, count)
    return out[: inputs[0].size]


def _patterns(count: int, seed: int) -> np.ndarray:
    """Every exponent and sign alike, subnormals left out."""
    bits = np.random.default_rng(seed).integers(0, 2**32, count, dtype=np.uint32)
    values = bits.view(np.float32)
    return np.where(np.abs(values) < np.finfo(np.float32).tiny, np.float32(0), values)


def _samples(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    parts = [SPECIAL, _patterns(20000, seed)]
    parts += [(rng.standard_normal(20000) * scale).astype(np.float32) for scale in (1e-3, 0.3, 1, 5, 40, 2000)]
    parts += [(1 + rng.standard_normal(5000) * 1e-3).astype(np.float32)]
    return np.concatenate(parts)


def _close(got: np.ndarray, want: np.ndarray, rtol: float, label: str) -> None:
    with np.errstate(all="ignore"):
        narrow = want.astype(np.float32)
        error = np.abs(got.astype(np.float64) - want)
    tiny = np.finfo(np.float32).tiny
    good = error <= rtol * np.abs(want) + tiny
    good |= np.isnan(got) & np.isnan(want)
    good |= got == narrow
    worst = np.flatnonzero(~good)
    assert worst.size == 0, (
        f"{label}: {worst.size} bad, first at {worst[0]}: got {got[worst[0]]!r}, want {want[worst[0]]!r}"
    )


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("op", UNARY)
def test_unary(op: str, target: str) -> None:
    x = _samples(1)
    with np.errstate(all="ignore"):
        want = UNARY[op](x.astype(np.float64))
    got = _run(_kernel(op, 1, target=TARGETS[target]), x)
    _close(got, want, 6e-7, op)
    zero = np.array([0.0, -0.0], np.float32)
    if op in ("tanh", "erf", "sin", "tan", "expm1", "log1p", "sinh", "atan"):
        assert (np.signbit(_run(_kernel(op, 1), np.tile(zero, 8))) == np.tile([False, True], 8)).all()


@pytest.mark.parametrize("target", TARGETS)
def test_pow(target: str) -> None:
    rng = np.random.default_rng(3)
    grid = np.stack(np.meshgrid(SPECIAL, SPECIAL), -1).reshape(-1, 2)
    random = np.stack([_patterns(30000, 5), (rng.standard_normal(30000) * 3).astype(np.float32)], -1)
    near = np.stack([(1 + rng.standard_normal(30000) * 0.5), rng.standard_normal(30000) * 60], -1).astype(np.float32)
    whole = np.stack([rng.standard_normal(20000) * 4, rng.integers(-9, 9, 20000)], -1).astype(np.float32)
    x, y = np.concatenate([grid, random, near, whole]).T
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    with np.errstate(all="ignore"):
        want = np.power(x.astype(np.float64), y.astype(np.float64))
    _close(_run(_kernel("powf", 2, target=TARGETS[target]), x, y), want, 4e-7, "pow")


def test_atan2() -> None:
    grid = np.stack(np.meshgrid(SPECIAL, SPECIAL), -1).reshape(-1, 2)
    random = np.stack([_patterns(30000, 7), _patterns(30000, 8)], -1)
    near = np.random.default_rng(9).standard_normal((30000, 2)).astype(np.float32)
    y, x = (np.ascontiguousarray(column) for column in np.concatenate([grid, random, near]).T)
    with np.errstate(all="ignore"):
        want = np.arctan2(y.astype(np.float64), x.astype(np.float64))
    _close(_run(_kernel("atan2", 2), y, x), want, 4e-7, "atan2")


@pytest.mark.parametrize("op", ["exp", "log", "tanh", "erf", "sin", "rsqrt"])
def test_f64_goes_to_the_c_library(op: str) -> None:
    x = np.random.default_rng(2).standard_normal(64) * 3
    with np.errstate(all="ignore"):
        want = UNARY[op](x)
    np.testing.assert_allclose(_run(_kernel(op, 1, "f64"), x), want, rtol=1e-14)


@pytest.mark.parametrize("lanes", [1, 2, 64])
def test_lane_counts(lanes: int) -> None:
    x = np.linspace(-9, 9, 128, dtype=np.float32)
    out = np.zeros_like(x)
    _kernel("tanh", 1, lanes=lanes)([x, out], [], 0, x.size)
    np.testing.assert_allclose(out, np.tanh(x), rtol=4e-7)


def test_saturation_is_exact() -> None:
    x = np.linspace(-40, 40, 4096, dtype=np.float32)
    for op in ("tanh", "erf"):
        got = _run(_kernel(op, 1), x)
        assert np.abs(got).max() == 1.0
