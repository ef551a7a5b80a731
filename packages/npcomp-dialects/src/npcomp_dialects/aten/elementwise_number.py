"""Number theory and scaling: divisors, shifts, powers of two and ten, logarithms that meet zero."""

from __future__ import annotations

import math

from .cases import bf16, case, f16, f32, f64, i8, i32, i64, u8
from .dtypes import DType
from .elementwise_float import FloatFunction
from .errors import InferError
from .families.decomposed import Decomposed
from .families.elementwise import Elementwise
from .promotion import Rule, promote_floats
from .registry import op

BROADCAST = [(3, 3), (1, 3), (3, 1)]


def integers_only(dtype: DType) -> DType:
    """For ops that torch offers on integers proper."""
    if not dtype.is_integer:
        raise InferError(f"the op is not implemented for {dtype} tensors; do: cast the input to an integer dtype")
    return dtype


class Integers(Elementwise):
    """A function of integers alone."""

    dtype = Rule("integers_only", integers_only, integers_only)


def gcd(b, x, y):
    """Euclid's algorithm on the sizes."""
    x, y = (b.math.abs(v) if v.dtype.is_signed else v for v in (x, y))

    def step(b, x, y):
        done = x == 0
        rest = b.math.fmod(y, b.select(done, b.const(1, x.dtype), x))
        following = b.select(done, x, rest)
        return following != 0, following, b.select(done, y, x)

    return b.loop(step, x, y)[1]


@op("aten::gcd(Tensor self, Tensor other) -> Tensor", inplace="aten::gcd_", out="aten::gcd.out")
class Gcd(Integers):
    """The greatest common divisor."""

    def scalar(b, x, y):
        return gcd(b, x, y)

    cases = [
        case(i64(3, 4, low=-60, high=60), i64(4, low=-60, high=60)),
        case(i32("a", 4), i64("b", 4), at=BROADCAST),
        case(u8(9, high=256), u8(9, high=256)),
        case(i8(9, low=-128, high=128), i8(9, low=-128, high=128)),
    ]


@op("aten::lcm(Tensor self, Tensor other) -> Tensor", inplace="aten::lcm_", out="aten::lcm.out")
class Lcm(Integers):
    """The least common multiple; 0 beside 0."""

    def scalar(b, x, y):
        narrow = x.dtype
        if narrow.bytes < 4:  # C promotes to int
            x, y = b.cast(x, DType.i32), b.cast(y, DType.i32)
        divisor = gcd(b, x, y)
        nothing = divisor == 0
        value = b.math.abs((x // b.select(nothing, b.const(1, x.dtype), divisor)) * y)
        return b.cast(b.select(nothing, b.const(0, x.dtype), value), narrow)

    cases = [
        case(i64(3, 4, low=-60, high=60), i64(4, low=-60, high=60)),
        case(i32("a", 4), i64("b", 4), at=BROADCAST),
        case(u8(9, high=16), u8(9, high=16)),
        case(i8(9, low=-128, high=128), i8(9, low=-128, high=128)),
    ]


SHIFT_CASES = [
    case(i64(3, 4, low=-900, high=900), i64(4, low=-2, high=70)),
    case(i32("a", 4), i64("b", 4, low=0), at=BROADCAST),
    case(u8(9, high=256), u8(9, high=12)),
    case(i8(9, low=-128, high=128), i8(9, low=-2, high=12)),
]
SHIFT_SCALAR_CASES = [case(i64(3, 4), 3), case(i32("?", 4), 40), case(u8(4), 2)]


def count_inside(b, x, y, end):
    """Whether a shift stays within the width, and the shift with others made harmless."""
    inside = (y >= 0) & (y < end) if y.dtype.is_signed else y < end
    return inside, b.select(inside, y, b.const(0, y.dtype))


def as_elements(b, x, y):
    """Both operands as elements: one of them may be a number."""
    dtype = y.dtype if isinstance(x, int) else x.dtype
    return tuple(b.const(v, dtype) if isinstance(v, int) else v for v in (x, y))


@op(
    "aten::bitwise_left_shift.Tensor(Tensor self, Tensor other) -> Tensor",
    inplace="aten::bitwise_left_shift_.Tensor",
    out="aten::bitwise_left_shift.Tensor_out",
)
@op("aten::__lshift__.Tensor(Tensor self, Tensor other) -> Tensor", inplace="aten::__ilshift__.Tensor")
@op(
    "aten::bitwise_left_shift.Tensor_Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::bitwise_left_shift_.Tensor_Scalar",
    out="aten::bitwise_left_shift.Tensor_Scalar_out",
    cases=SHIFT_SCALAR_CASES,
)
@op(
    "aten::__lshift__.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::__ilshift__.Scalar",
    cases=SHIFT_SCALAR_CASES,
)
@op(
    "aten::bitwise_left_shift.Scalar_Tensor(Scalar self, Tensor other) -> Tensor",
    out="aten::bitwise_left_shift.Scalar_Tensor_out",
    cases=[case(3, i64(4, low=0, high=70)), case(-3, i64("?", low=0))],
)
class LeftShift(Integers):
    """self * 2^other in the low bits; 0 where the shift is negative or too wide."""

    def scalar(b, x, y):
        x, y = as_elements(b, x, y)
        inside, count = count_inside(b, x, y, 8 * x.dtype.bytes)
        return b.select(inside, b.shift("left", x, count), b.const(0, x.dtype))

    cases = SHIFT_CASES


@op(
    "aten::bitwise_right_shift.Tensor(Tensor self, Tensor other) -> Tensor",
    inplace="aten::bitwise_right_shift_.Tensor",
    out="aten::bitwise_right_shift.Tensor_out",
)
@op("aten::__rshift__.Tensor(Tensor self, Tensor other) -> Tensor", inplace="aten::__irshift__.Tensor")
@op(
    "aten::bitwise_right_shift.Tensor_Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::bitwise_right_shift_.Tensor_Scalar",
    out="aten::bitwise_right_shift.Tensor_Scalar_out",
    cases=SHIFT_SCALAR_CASES,
)
@op(
    "aten::__rshift__.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::__irshift__.Scalar",
    cases=SHIFT_SCALAR_CASES,
)
@op(
    "aten::bitwise_right_shift.Scalar_Tensor(Scalar self, Tensor other) -> Tensor",
    out="aten::bitwise_right_shift.Scalar_Tensor_out",
    cases=[case(300, i64(4, low=0, high=70)), case(-3, i64("?", low=0))],
)
class RightShift(Integers):
    """floor(self / 2^other); only the sign is left where the shift is negative or too wide."""

    def scalar(b, x, y):
        x, y = as_elements(b, x, y)
        inside, count = count_inside(b, x, y, 8 * x.dtype.bytes - 1 if x.dtype.is_signed else 8 * x.dtype.bytes)
        rest = b.select(x < 0, b.const(-1, x.dtype), b.const(0, x.dtype)) if x.dtype.is_signed else x - x
        return b.select(inside, b.shift("right", x, count), rest)

    cases = SHIFT_CASES


@op("aten::ldexp.Tensor(Tensor self, Tensor other) -> Tensor", inplace="aten::ldexp_", out="aten::ldexp.out")
class Ldexp(Decomposed):
    """self * 2^other; the power itself may overflow, as in torch."""

    def decompose(b, x, y):
        return b.aten.mul.Tensor(x, b.aten.pow.Scalar(2.0, y))

    cases = [case(f32(3, 4), i64(4)), case(f32("a", 4), f32("b", 4), at=BROADCAST), case(i64(3), i64(3))]


@op(
    "aten::round.decimals(Tensor self, *, int decimals) -> Tensor",
    inplace="aten::round_.decimals",
    out="aten::round.decimals_out",
)
class RoundDecimals(Elementwise):
    """The nearest multiple of a power of ten, halves to even."""

    dtype = promote_floats

    def scalar(b, x, decimals):
        power = 10.0 ** abs(decimals)
        if decimals < 0:
            return b.math.round(x / power) * power
        return b.math.round(x * power) / power

    cases = [
        case(f32(3, 4, special=True), decimals=2),
        case(f32("?", 5, low=-9000, high=9000), decimals=-3),
        case(f64(5), decimals=0),
    ]


class Angles(FloatFunction):
    """A factor of π / 180 one way or the other."""

    factor = 1.0

    @classmethod
    def scalar(cls, b, x):
        return x * cls.factor

    cases = [f32(3, 4, special=True), f32("?", 5), i64(3), f16(3)]


@op("aten::deg2rad(Tensor self) -> Tensor", inplace="aten::deg2rad_", out="aten::deg2rad.out")
class Deg2Rad(Angles):
    """Degrees as radians."""

    factor = math.pi / 180


@op("aten::rad2deg(Tensor self) -> Tensor", inplace="aten::rad2deg_", out="aten::rad2deg.out")
class Rad2Deg(Angles):
    """Radians as degrees."""

    factor = 180 / math.pi


@op("aten::sinc(Tensor self) -> Tensor", inplace="aten::sinc_", out="aten::sinc.out")
class Sinc(FloatFunction):
    """sin(πx) / πx, 1 at 0."""

    def scalar(b, x):
        angle = x * math.pi
        return b.select(x == 0.0, b.const(1.0, x.dtype), b.math.sin(angle) / angle)

    cases = [f32(3, 4, special=True), f32("?", 5), i64(3), bf16(3)]


@op("aten::acosh(Tensor self) -> Tensor", inplace="aten::acosh_", out="aten::acosh.out")
class Acosh(FloatFunction):
    """Inverse hyperbolic cosine, through log1p(x - 1 + …), which keeps arguments near 1 exact."""

    def scalar(b, x):
        above = x - 1.0
        near = b.math.log1p(above + b.math.sqrt(above) * b.math.sqrt(above + 2.0))
        return b.select(x > 1e9, b.math.log(x) + math.log(2), near)

    cases = [f32(3, 4, special=True), f32("?", 5, low=1, high=1.01), i64(3, low=1), f64(5, low=1, high=1e12)]


@op("aten::logaddexp2(Tensor self, Tensor other) -> Tensor", out="aten::logaddexp2.out")
class LogAddExp2(Elementwise):
    """log2(2^self + 2^other) without overflow."""

    dtype = promote_floats

    def scalar(b, x, y):
        gap = b.math.log1p(b.math.exp(b.math.abs(x - y) * -math.log(2))) * (1 / math.log(2))
        return b.select(x == y, x + 1.0, b.maximum(x, y) + gap)

    cases = [
        case(f32(3, 4, special=True), f32(4)),
        case(f32("a", 4), f32("b", 4), at=BROADCAST),
        case(f32(3, special=True), f32(3, special=True)),
    ]


def times_log(b, x, log):
    """x * log, 0 where x is 0, whatever the logarithm is."""
    x = b.const(x, log.dtype) if isinstance(x, float) else x
    return b.select(x == 0.0, b.const(0.0, log.dtype), x * log)


@op("aten::special_xlog1py(Tensor self, Tensor other) -> Tensor", out="aten::special_xlog1py.out")
@op(
    "aten::special_xlog1py.other_scalar(Tensor self, Scalar other) -> Tensor",
    out="aten::special_xlog1py.other_scalar_out",
    cases=[case(f32(3, 4), 2), case(i64("?"), 0.5)],
)
@op(
    "aten::special_xlog1py.self_scalar(Scalar self, Tensor other) -> Tensor",
    out="aten::special_xlog1py.self_scalar_out",
    cases=[case(2, f32(3, 4)), case(0.0, f32("?", special=True))],
)
class XLog1pY(FloatFunction):
    """self * log1p(other), 0 where self is 0."""

    def scalar(b, x, y):
        y = b.const(y, x.dtype) if isinstance(y, float) else y
        return b.select(b.isnan(y), y, times_log(b, x, b.math.log1p(y)))

    cases = [
        case(f32(3, 4, special=True), f32(4)),
        case(i64("?", 4), f32(4, low=-1)),
        case(f32(3, 4, low=0, high=1), f32(3, 4, special=True)),
    ]


@op("aten::special_entr(Tensor self) -> Tensor", out="aten::special_entr.out")
class Entr(FloatFunction):
    """-x log x, 0 at 0 and -inf below."""

    def scalar(b, x):
        below = b.select(x == 0.0, b.const(0.0, x.dtype), b.const(-math.inf, x.dtype))
        return b.select(b.isnan(x), x, b.select(x > 0.0, -(x * b.math.log(x)), below))

    cases = [f32(3, 4, special=True), f32("?", 5), i64(5)]
