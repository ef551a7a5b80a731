"""Random numbers of the usual distributions.

The generator is counter-based (philox.py), the key of each computation comes from the runtime. Values differ from
torch's, whose stream no version promises; distributions, ranges and dtypes are the same.
"""

from __future__ import annotations

import math

from . import philox
from .abstract import TensorInfo, broadcast
from .cases import case, f16, f32, f64, i32, i64
from .dtypes import DType
from .errors import NotStatic
from .factory import LIKE_OPTIONS, OPTIONS
from .families.random import Random, floats_only, guard_all
from .registry import op

INT_OPTIONS = OPTIONS.replace("dtype=None", "dtype=4")
GENERATOR = "*, Generator? generator=None"


@op(f"aten::rand(SymInt[] size, *, {OPTIONS}) -> Tensor", cases=[case([2, 3]), case([0]), case([], dtype=7)])
@op(f"aten::rand_like(Tensor self, *, {LIKE_OPTIONS}) -> Tensor", cases=[f32(3, 4), case(f16("?"), at=[5, 0])])
class Uniform01(Random):
    """Uniform in [0, 1)."""

    @classmethod
    def lower(cls, b, *args):
        _, sizes, dtype = cls.place(args)
        floats_only(dtype)
        return philox.draw(b, sizes, lambda b, words: philox.unit(b, words, dtype), dtype=dtype)


@op(f"aten::randn(SymInt[] size, *, {OPTIONS}) -> Tensor", cases=[case([2, 3]), case([0, 2]), case([], dtype=7)])
@op(f"aten::randn_like(Tensor self, *, {LIKE_OPTIONS}) -> Tensor", cases=[f32(3, 4), case(f16("?"), at=[5, 0])])
class Normal01(Random):
    """Of the standard normal distribution."""

    @classmethod
    def lower(cls, b, *args):
        _, sizes, dtype = cls.place(args)
        floats_only(dtype)
        return philox.draw(b, sizes, lambda b, words: philox.normal(b, words, dtype), dtype=dtype)


def integers(b, sizes, dtype, low, high):
    """Integers in [low, high) in a dtype."""
    b.guard(low < high, "random_ expects 'from' to be less than 'to', but got from={0} >= to={1}", low, high)
    check_range(b, dtype, low, "from")
    check_range(b, dtype, high - 1, "to - 1")
    count = high - low
    if isinstance(count, int) and count > 2**63:
        raise NotStatic("more than 2^63 integers to choose from")
    return philox.draw(b, sizes, lambda b, words: b.cast(philox.below(b, words, count) + low, dtype), dtype=dtype)


def check_range(b, dtype, bound, name):
    """A bound must be a number of the dtype."""
    if not isinstance(bound, int) or dtype.is_float or dtype is DType.bool:
        return
    b.guard(dtype.lowest <= bound <= dtype.highest, f"{name} is out of bounds for {dtype}")


@op(f"aten::randint(SymInt high, SymInt[] size, *, {INT_OPTIONS}) -> Tensor", cases=[case(5, [2, 3]), case(2, [0])])
@op(
    f"aten::randint.low(SymInt low, SymInt high, SymInt[] size, *, {INT_OPTIONS}) -> Tensor",
    cases=[case(1, 5, [2]), case(-4, 2**40, []), case(0, 2, [4], dtype=6)],
)
@op(
    f"aten::randint_like(Tensor self, SymInt high, *, {LIKE_OPTIONS}) -> Tensor",
    cases=[case(f32(3, 4), 7), case(i32("?"), 5)],
)
@op(
    f"aten::randint_like.low_dtype(Tensor self, SymInt low, SymInt high, *, {LIKE_OPTIONS}) -> Tensor",
    cases=[case(i32("?", 4), -3, 7), case(f32(3), 0, 3, dtype=4)],
)
class RandomInteger(Random):
    """Integers below a bound."""

    default = DType.i64

    @classmethod
    def lower(cls, b, *args):
        named, sizes, dtype = cls.place(args)
        return integers(b, sizes, dtype, named.get("low", 0), named["high"])


MOST = {DType.f16: 2**11, DType.bf16: 2**8, DType.f32: 2**24, DType.f64: 2**53, DType.bool: 1}
"""The largest of the integers that a float counts without gaps."""


@op(f"aten::random(Tensor self, {GENERATOR}) -> Tensor", inplace="aten::random_", cases=[f32(3, 4), i64("?")])
@op(
    f"aten::random.from(Tensor self, int from, int? to, {GENERATOR}) -> Tensor",
    inplace="aten::random_.from",
    cases=[case(f32(3, 4), 2, 9), case(i64("?"), 5, None)],
)
@op(
    f"aten::random.to(Tensor self, int to, {GENERATOR}) -> Tensor",
    inplace="aten::random_.to",
    cases=[case(f32(3, 4), 9), case(i32("?"), 5)],
)
class RandomFill(Random):
    """Integers in the range given, or of the whole dtype from 0 on."""

    @classmethod
    def lower(cls, b, *args):
        named, sizes, dtype = cls.place(args)
        low, high = named.get("from", 0), named.get("to")
        if high is None:
            high = MOST.get(dtype, dtype.highest) + 1
        return integers(b, sizes, dtype, low, high)


@op(
    f"aten::uniform(Tensor self, float from=0., float to=1., {GENERATOR}) -> Tensor",
    inplace="aten::uniform_",
    cases=[f32(3, 4), case(f64("?"), -2.0, 5.0), case(f16(3), 1.0, 1.5)],
)
class Uniform(Random):
    """Uniform in [from, to)."""

    @classmethod
    def lower(cls, b, *args):
        named, sizes, dtype = cls.place(args)
        low, high = named["from"], named["to"]
        floats_only(dtype)
        b.guard(low <= high, "uniform_ expects to return a [from, to) range, but found from={0} > to={1}", low, high)
        compute = philox.computing(dtype)

        def body(b, words):
            value = b.cast(philox.unit(b, words, dtype) * (high - low) + low, dtype)
            return b.select(b.cast(value, compute) < high, value, b.const(low, dtype))

        return philox.draw(b, sizes, body, dtype=dtype)


@op(
    f"aten::normal_functional(Tensor self, float mean=0., float std=1., {GENERATOR}) -> Tensor",
    inplace="aten::normal_",
    cases=[f32(3, 4), case(f64("?"), 2.0, 0.5)],
)
@op(
    f"aten::normal.float_float(float mean, float std, SymInt[] size, {GENERATOR}, {OPTIONS}) -> Tensor",
    cases=[case(1.0, 2.0, [3, 4]), case(1.0, 0.0, [0], dtype=7)],
)
class Normal(Random):
    """Of the normal distribution."""

    @classmethod
    def lower(cls, b, *args):
        named, sizes, dtype = cls.place(args)
        mean, std = named["mean"], named["std"]
        floats_only(dtype)
        b.guard(std >= 0, "normal expects std >= 0.0, but found std {0}", std)
        return philox.draw(b, sizes, lambda b, words: philox.normal(b, words, dtype) * std + mean, dtype=dtype)


@op(
    f"aten::normal.Tensor_float(Tensor mean, float std=1., {GENERATOR}) -> Tensor",
    cases=[f32(3, 4), case(f64("?"), 0.5)],
)
@op(
    f"aten::normal.float_Tensor(float mean, Tensor std, {GENERATOR}) -> Tensor",
    cases=[case(1.0, f32(3, 4, low=0)), case(0.0, f32("?", low=0))],
)
@op(
    f"aten::normal.Tensor_Tensor(Tensor mean, Tensor std, {GENERATOR}) -> Tensor",
    cases=[case(f32(3, 4), f32(3, 4, low=0)), case(f32("n", 1), f32("m", low=0), at=[(3, 4), (1, 2)])],
)
class NormalOf(Random):
    """Of the normal distribution whose mean, deviation or both each element has."""

    @classmethod
    def infer(cls, mean, std, *_):
        tensors = [t for t in (mean, std) if isinstance(t, TensorInfo)]
        return TensorInfo(broadcast(t.sizes for t in tensors), tensors[0].dtype)

    @classmethod
    def lower(cls, b, mean, std, generator):
        tensors = [t for t in (mean, std) if hasattr(t, "rank")]
        dtype = tensors[0].dtype
        floats_only(dtype)
        if generator is not None or any(t.dtype is not dtype for t in tensors):
            raise NotStatic("a generator of the program's own, or dtypes that differ")
        compute = philox.computing(dtype)
        if hasattr(std, "rank"):
            fine = b.map(lambda b, s: s >= 0.0, b.cast(std, compute), dtype=DType.bool)
            guard_all(b, fine, "normal expects all elements of std >= 0.0")
        else:
            b.guard(std >= 0, "normal expects std >= 0.0, but found std {0}", std)
        sizes = b.map(lambda b, *e: b.const(False, DType.bool), *tensors, dtype=DType.bool).sizes

        def body(b, words, *elements):
            queue = iter(b.cast(e, compute) for e in elements)
            center, width = (next(queue) if hasattr(v, "rank") else v for v in (mean, std))
            return philox.normal(b, words, dtype) * width + center

        return philox.draw(b, sizes, body, *tensors, dtype=dtype)


@op(
    f"aten::bernoulli(Tensor self, {GENERATOR}) -> Tensor",
    cases=[f32(3, 4, low=0, high=1), f32("?", low=0, high=1)],
)
@op(
    f"aten::bernoulli.p(Tensor self, float p, {GENERATOR}) -> Tensor",
    inplace=f"aten::bernoulli_.float(Tensor(a!) self, float p=0.5, {GENERATOR}) -> Tensor(a!)",
    cases=[case(f32(3, 4), 0.5), case(i64("?"), 0.25)],
)
@op(
    f"aten::bernoulli.Tensor(Tensor self, Tensor p, {GENERATOR}) -> Tensor",
    inplace="aten::bernoulli_.Tensor",
    cases=[case(i64(3, 4), f32(3, 4, low=0, high=1)), case(f32("n", 4), f64(4, low=0, high=1))],
)
class Bernoulli(Random):
    """1 with the probability given, else 0."""

    @classmethod
    def lower(cls, b, *args):
        named, sizes, dtype = cls.place(args)
        p = named.get("p", args[0])
        if not hasattr(p, "rank"):
            b.guard(0 <= p <= 1, "bernoulli_ expects p to be in [0, 1], but got p={0}", p)
            return philox.draw(
                b, sizes, lambda b, words: b.cast(philox.unit(b, words, DType.f32) < p, dtype), dtype=dtype
            )
        floats_only(p.dtype)
        compute = philox.computing(p.dtype)
        probability = b.cast(p, compute)
        fine = b.map(lambda b, e: (e >= 0.0) & (e <= 1.0), probability, dtype=DType.bool)
        guard_all(b, fine, "Expected p_in >= 0 && p_in <= 1 to be true, but got false.")
        return philox.draw(
            b,
            sizes,
            lambda b, words, e: b.cast(philox.unit(b, words, compute) < e, dtype),
            b.broadcast(probability, sizes),
            dtype=dtype,
        )


class Distribution(Random):
    """`sample(b, words, dtype, *numbers)` gives a number in the computing dtype, `allowed` what the numbers fulfil."""

    allowed = None
    complaint = ""
    integral = False

    @classmethod
    def lower(cls, b, *args):
        named, sizes, dtype = cls.place(args)
        numbers = [v for k, v in named.items() if k not in ("self", "generator")]
        if not cls.integral:
            floats_only(dtype)
        b.guard(cls.allowed(*numbers), cls.complaint, *numbers)
        compute = philox.computing(dtype)
        body = lambda b, words: b.cast(cls.sample(b, words, compute, *numbers), dtype)  # noqa: E731
        return philox.draw(b, sizes, body, dtype=dtype)


@op(
    f"aten::exponential(Tensor self, float lambd=1., {GENERATOR}) -> Tensor",
    inplace="aten::exponential_",
    cases=[f32(3, 4), case(f64("?"), 2.5)],
)
class Exponential(Distribution):
    """Of the exponential distribution."""

    complaint = "exponential_ expects lambda > 0.0, but found lambda={0}"

    def allowed(rate):
        return rate > 0

    def sample(b, words, dtype, rate):
        return philox.exponential(b, words, dtype) * (1.0 / rate)


@op(
    f"aten::geometric(Tensor self, float p, {GENERATOR}) -> Tensor",
    inplace="aten::geometric_",
    cases=[case(f32(3, 4), 0.25), case(i64("?"), 0.5)],
)
class Geometric(Distribution):
    """How many trials until the first success."""

    complaint = "geometric_ expects p to be in (0, 1), but got p={0}"
    integral = True

    def allowed(p):
        return 0 < p < 1

    def sample(b, words, dtype, p):
        return b.math.ceil(b.math.log(philox.open_unit(b, words, dtype)) / math.log1p(-p))


@op(
    f"aten::cauchy(Tensor self, float median=0., float sigma=1., {GENERATOR}) -> Tensor",
    inplace="aten::cauchy_",
    cases=[f32(3, 4), case(f64("?"), 2.0, 0.5)],
)
class Cauchy(Distribution):
    """Of the Cauchy distribution."""

    complaint = "cauchy_ expects sigma > 0.0, but found sigma={1}"

    def allowed(median, sigma):
        return sigma > 0

    def sample(b, words, dtype, median, sigma):
        return b.math.tan((philox.open_unit(b, words, dtype) - 0.5) * math.pi) * sigma + median


@op(
    f"aten::log_normal(Tensor self, float mean=1., float std=2., {GENERATOR}) -> Tensor",
    inplace="aten::log_normal_",
    cases=[f32(3, 4), case(f64("?"), 0.5, 0.25)],
)
class LogNormal(Distribution):
    """Numbers whose logarithm is of the normal distribution."""

    complaint = "log_normal_ expects std > 0.0, but found std={1}"

    def allowed(mean, std):
        return std > 0

    def sample(b, words, dtype, mean, std):
        return b.math.exp(philox.normal(b, words, dtype) * std + mean)
