"""Division, remainders and powers."""

from __future__ import annotations

from .cases import bf16, case, f16, f32, i1, i64, u8
from .dtypes import DType
from .errors import InferError
from .families.elementwise import Elementwise
from .promotion import operand_of, promote, promote_numbers, promote_to_float
from .registry import op

BROADCAST = [(3, 3), (1, 3), (3, 1)]


def fmod(b, x, y):
    """The remainder with the sign of x, as C's fmod."""
    if not x.dtype.is_float:
        return b.math.fmod(x, y)
    magnitude = b.math.abs(x) % (abs(y) if isinstance(y, (int, float)) else b.math.abs(y))
    return b.select(x < 0, -magnitude, magnitude)


def divide_whole(b, x, y, mode):
    """x / y rounded down (`floor`) or towards 0 (`trunc`)."""
    if x.dtype.is_float:
        return b.math.trunc(x / y) if mode == "trunc" else x // y
    return x // y if mode == "floor" or not x.dtype.is_signed else (x - fmod(b, x, y)) // y


def guard_divisor(b, x, y):
    """Integers have no answer for a zero divisor: refuse it before the loop runs."""
    message = "ZeroDivisionError: an integer tensor is divided by zero"
    if operand_of(x).dtype.is_float or operand_of(y).dtype.is_float:
        return
    if isinstance(y, int):
        if y == 0:
            raise InferError(message)
        return
    if not hasattr(y, "rank"):
        b.guard(y != 0, message)
        return
    nonzero = b.map(lambda b, e: e != 0, y, dtype=DType.bool)
    b.guard(b.item(b.reduce("all", nonzero, list(range(y.rank)))), message)


@op("aten::div.Tensor(Tensor self, Tensor other) -> Tensor", inplace="aten::div_.Tensor", out="aten::div.out")
@op("aten::divide.Tensor(Tensor self, Tensor other) -> Tensor", inplace="aten::divide_.Tensor", out="aten::divide.out")
@op(
    "aten::true_divide.Tensor(Tensor self, Tensor other) -> Tensor",
    inplace="aten::true_divide_.Tensor",
    out="aten::true_divide.out",
)
@op(
    "aten::div.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::div_.Scalar",
    out="aten::div.Scalar_out",
    cases=[case(f32(3, 4), 2), case(i64("?"), 3), case(f16("?", 3), 7)],
)
class Div(Elementwise):
    """self / other, always a float."""

    dtype = promote_to_float

    def scalar(b, x, y):
        return x / y

    cases = [case(f32(3, 4, special=True), f32(4)), case(i64("a", 4), f32("b", 4), at=BROADCAST), case(i64(3), i64(3))]


@op(
    "aten::div.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor",
    inplace="aten::div_.Tensor_mode",
    out="aten::div.out_mode",
)
@op(
    "aten::div.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor",
    inplace="aten::div_.Scalar_mode",
    out="aten::div.Scalar_mode_out",
    cases=[
        case(f32(3, 4), 0.3, rounding_mode="floor"),
        case(i64("?"), -3, rounding_mode="trunc"),
        case(i64("?"), -3, rounding_mode="floor"),
        case(f32("?"), 2, rounding_mode=None),
    ],
)
class DivMode(Elementwise):
    """self / other, as it is, rounded down or towards 0."""

    def rule(args):
        return promote_to_float if args[2] is None else promote

    def preconditions(b, x, y, mode):
        if mode is not None:
            guard_divisor(b, x, y)

    @classmethod
    def lower(cls, b, x, y, mode):
        """Of 16-bit floats torch rounds the quotient to 16 bits before it drops the fraction."""
        dtype = cls.rule((x, y, mode)).result(cls.operands((x, y, mode)))
        if mode != "trunc" or not dtype.is_half:
            return super().lower(b, x, y, mode)
        quotient = super().lower(b, x, y, None)
        return b.map(lambda b, e: b.cast(b.math.trunc(b.cast(e, DType.f32)), dtype), quotient, dtype=dtype)

    def scalar(b, x, y, mode):
        return x / y if mode is None else divide_whole(b, x, y, mode)

    cases = [
        case(f32(3, 4), f32(4, low=0.1), rounding_mode="floor"),
        case(i64("a", 4), i64("b", 4, low=1), rounding_mode="trunc", at=BROADCAST),
        case(i64(5, 4), i64(4, low=-4, high=0), rounding_mode="floor"),
        case(u8(5), u8(5, low=1), rounding_mode="trunc"),
        case(bf16(50, low=-90, high=90), bf16(50, low=0.1), rounding_mode="trunc"),
        case(i64(3), i64(3, low=1), rounding_mode=None),
    ]


@op(
    "aten::floor_divide(Tensor self, Tensor other) -> Tensor",
    inplace="aten::floor_divide_.Tensor",
    out="aten::floor_divide.out",
)
@op(
    "aten::floor_divide.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::floor_divide_.Scalar",
    out="aten::floor_divide.Scalar_out",
    cases=[case(f32(3, 4), 0.3), case(i64("?"), -3)],
)
class FloorDivide(Elementwise):
    """self / other rounded down."""

    preconditions = guard_divisor

    def scalar(b, x, y):
        return divide_whole(b, x, y, "floor")

    cases = [
        case(f32(3, 4, low=-9, high=9), f32(4, low=0.1)),
        case(i64("a", 4), i64("b", 4, low=1), at=BROADCAST),
        case(f32(3, 5), f32(5, special=True)),
    ]


@op(
    "aten::remainder.Tensor(Tensor self, Tensor other) -> Tensor",
    inplace="aten::remainder_.Tensor",
    out="aten::remainder.Tensor_out",
)
@op(
    "aten::remainder.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::remainder_.Scalar",
    out="aten::remainder.Scalar_out",
    cases=[case(f32(3, 4), 0.25), case(f32(3, 4), -0.3), case(i64("?"), -3), case(u8("?"), 3)],
)
@op(
    "aten::remainder.Scalar_Tensor(Scalar self, Tensor other) -> Tensor",
    out="aten::remainder.Scalar_Tensor_out",
    cases=[case(5, i64(3, 4, low=1)), case(2.5, f32("?", low=0.1))],
)
class Remainder(Elementwise):
    """What floor division leaves; it has the sign of the divisor."""

    dtype = promote_numbers
    preconditions = guard_divisor

    def scalar(b, x, y):
        return x % y

    cases = [
        case(f32(3, 4, low=-9, high=9), f32(4, low=0.1)),
        case(f32(3, 4, low=-9, high=9), f32(4, low=-3, high=-0.1)),
        case(i64("a", 4), i64("b", 4, low=-4, high=0), at=BROADCAST),
    ]


@op("aten::fmod.Tensor(Tensor self, Tensor other) -> Tensor", inplace="aten::fmod_.Tensor", out="aten::fmod.Tensor_out")
@op(
    "aten::fmod.Scalar(Tensor self, Scalar other) -> Tensor",
    inplace="aten::fmod_.Scalar",
    out="aten::fmod.Scalar_out",
    cases=[case(f32(3, 4), 0.3), case(f32(3, 4), -0.3), case(i64("?"), -3)],
)
class FMod(Elementwise):
    """What division towards 0 leaves; it has the sign of the dividend."""

    dtype = promote_numbers
    preconditions = guard_divisor
    scalar = fmod
    cases = [
        case(f32(3, 4, low=-9, high=9), f32(4, low=0.1)),
        case(i64("a", 4), i64("b", 4, low=-4, high=0), at=BROADCAST),
        case(u8(4), u8(4, low=1)),
    ]


def int_power(b, x, y):
    """x to the power of the integer y, wrapping around; negative powers are 0 but for x = 1 and -1."""

    def step(b, result, square, left):
        result = b.select(left % 2 == 1, result * square, result)
        left = left // 2
        return left != 0, result, square * square, left

    result = b.loop(step, b.const(1, x.dtype), x, b.maximum(y, 0))[0]
    if not x.dtype.is_signed:
        return result
    sign = b.select(y % 2 == 1, x, b.const(1, x.dtype))
    inverse = b.select(x == 1, x, b.select(x == -1, sign, b.const(0, x.dtype)))
    return b.select(y < 0, inverse, result)


def constant_power(b, x, y):
    """x to a power known at compile time, None when there is no shortcut."""
    if x.dtype.is_float:
        shortcuts = {0.5: b.math.sqrt, -0.5: b.math.rsqrt, -1.0: lambda x: 1.0 / x, -2.0: lambda x: 1.0 / (x * x)}
        if y in shortcuts:
            return shortcuts[y](x)
    if y not in (1, 2, 3, 4):
        return None
    square = x * x
    return {1: x, 2: square, 3: square * x, 4: square * square}[int(y)]


@op(
    "aten::pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor",
    inplace="aten::pow_.Tensor",
    out="aten::pow.Tensor_Tensor_out",
)
@op(
    "aten::pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor",
    inplace="aten::pow_.Scalar",
    out="aten::pow.Tensor_Scalar_out",
    cases=[
        *(case(f32(3, 4, special=True), p) for p in (0, 1, 2, 3, 0.5, -0.5, -1, -2, 4, 1.5, -3)),
        case(f32("?", 4), 2),
        case(i64("?"), 3),
        case(i64(5), 5),
        case(i64(5, low=1), 0.5),
        case(i1(4), 2),
    ],
)
@op(
    "aten::pow.Scalar(Scalar self, Tensor exponent) -> Tensor",
    out="aten::pow.Scalar_out",
    cases=[case(2.0, f32(3, 4)), case(2, i64("?", low=0)), case(0.5, i64("?"))],
)
class Pow(Elementwise):
    """self to the power of exponent; integers stay integers."""

    def preconditions(b, x, y):
        if isinstance(y, int) and y < 0 and not x.dtype.is_float:
            raise InferError("Integers to negative integer powers are not allowed.")

    def scalar(b, x, y):
        if isinstance(y, (bool, int, float)):
            found = constant_power(b, x, y)
            if found is not None:
                return found
        dtype = y.dtype if isinstance(x, (bool, int, float)) else x.dtype
        x, y = (b.const(v, dtype) if isinstance(v, (bool, int, float)) else v for v in (x, y))
        return b.math.pow(x, y) if dtype.is_float else int_power(b, x, y)

    cases = [
        case(f32(3, 4, low=0), f32(4)),
        case(f32("a", 4), i64("b", 4), at=BROADCAST),
        case(i64(3, 4), i64(4, low=-2, high=7)),
        case(i64(9), i64(9, low=-900, high=900)),
        case(i64(3), i1(3)),
    ]
