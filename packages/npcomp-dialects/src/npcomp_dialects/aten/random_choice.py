"""Choices: indices by weights, and permutations."""

from __future__ import annotations

from . import philox
from .abstract import TensorInfo, Unknown
from .cases import case, f32, f64
from .dtypes import DType, as_dtype
from .factory import OPTIONS
from .families.random import Random, floats_only, guard_all
from .registry import op

MOST_CATEGORIES = 2**24


@op(
    "aten::multinomial(Tensor self, SymInt num_samples, bool replacement=False, *, "
    "Generator? generator=None) -> Tensor",
    out="aten::multinomial.out",
)
class Multinomial(Random):
    """Indices drawn by weights."""

    def infer(x, samples, *_):
        if x.sizes is None:
            return TensorInfo(None, DType.i64)
        return TensorInfo((*x.sizes[:-1], samples if isinstance(samples, int) else None), DType.i64)

    @classmethod
    def lower(cls, b, *args):
        named, _, dtype = cls.place(args)
        x, samples, replacement = args[0], named["num_samples"], named["replacement"]
        if x.rank not in (1, 2):
            b.error("prob_dist must be 1 or 2 dim")
        floats_only(dtype)
        count = x.sizes[-1]
        b.guard(samples > 0, "cannot sample n_sample <= 0 samples")
        if not replacement:
            b.guard(samples <= count, "cannot sample n_sample > prob_dist.size(-1) samples without replacement")
        b.guard(count <= MOST_CATEGORIES, "number of categories cannot exceed 2^24")
        weights = b.cast(x, philox.computing(dtype))
        check_weights(b, weights)
        if isinstance(samples, int) and samples == 1:
            return b.arg_reduce("max", races(b, weights), x.rank - 1, True)
        if not replacement:
            order = b.sort(races(b, weights), x.rank - 1, True)[1]
            return b.slice(order, x.rank - 1, 0, samples, 1)
        return with_replacement(b, weights, samples)

    cases = [
        case(f32(3, 4, low=0.5, high=1), 2),
        case(f32("?", low=0.5, high=1), 1, at=[5]),
        case(f64("n", 4, low=0.5, high=1), 6, True, at=[3, 1]),
    ]


def check_weights(b, weights):
    """Weights are finite and not negative, and some weight of each row is positive."""
    last = weights.rank - 1
    fine = b.map(lambda b, w: (w >= 0.0) & (w - w == 0.0), weights, dtype=DType.bool)
    guard_all(b, fine, "probability tensor contains either `inf`, `nan` or element < 0")
    some = b.map(lambda b, s: s > 0.0, b.reduce("sum", weights, [last]), dtype=DType.bool)
    guard_all(b, some, "invalid multinomial distribution (sum of probabilities <= 0)")


def races(b, weights):
    """A number for each category; the largest are a draw without replacement, first the first (exponential clocks)."""
    dtype = weights.dtype
    return philox.draw(
        b, weights.sizes, lambda b, words, w: w / philox.exponential(b, words, dtype), weights, dtype=dtype
    )


def with_replacement(b, weights, samples):
    """Each sample is the first category whose running sum exceeds a uniform part of the whole."""
    dtype, last = weights.dtype, weights.rank - 1
    running = b.scan("sum", weights, last)
    count = weights.sizes[-1]
    total = b.slice(running, last, count - 1, count, 1)
    targets = philox.draw(
        b,
        [*weights.sizes[:-1], samples],
        lambda b, words, t: philox.unit(b, words, dtype) * t,
        total,
        dtype=dtype,
    )
    found = b.search(running, targets, True)
    return b.map(lambda b, i: b.minimum(i, count - 1), found, dtype=DType.i64)


@op(
    f"aten::randperm(SymInt n, *, {OPTIONS.replace('dtype=None', 'dtype=4')}) -> Tensor",
    cases=[case(5), case(0), case(7, dtype=3)],
)
class RandomPermutation(Random):
    """The numbers below n in random order: the order of random keys."""

    default = DType.i64

    @classmethod
    def infer(cls, n, dtype, *_):
        return TensorInfo((None if isinstance(n, Unknown) else n,), as_dtype(dtype) or cls.default)

    @classmethod
    def lower(cls, b, n, dtype, *_):
        b.guard(n >= 0, "n must be non-negative, got{0}", n)
        keys = philox.draw(b, [n], lambda b, words: philox.below(b, words, 2**63), dtype=DType.i64)
        return b.cast(b.sort(keys, 0, False)[1], dtype or cls.default)
