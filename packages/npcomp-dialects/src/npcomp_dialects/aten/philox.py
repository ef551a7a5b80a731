"""Philox4x32-10, a counter-based generator (Salmon et al., SC 2011), as arithmetic in the bodies of maps.

An element's random words depend on the key of the computation and on the element's place alone. So drawing fuses with
what is computed from it, in any order and on any number of lanes. A word is an i64 in [0, 2^32).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from .dtypes import DType

_MASK = 0xFFFFFFFF
_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_INCREMENTS = 0x9E3779B9, 0xBB67AE85
_ROUNDS = 10
_SIGNIFICANT = {DType.f16: 11, DType.bf16: 8, DType.f32: 24}
"""How many bits a uniform number of a dtype has: more would round to 1."""


def draw(b: Any, sizes: Sequence[Any], fn: Callable[..., Any], *tensors: Any, dtype: Any) -> Any:
    """`fn(b, words, *elements)` for every element of the sizes, with four fresh words each."""
    seed, offset = b.random_key()
    places = _places(b, sizes)
    strides = [_product(sizes[d + 1 :]) for d in range(len(sizes))] or [1]

    def body(b: Any, *elements: Any) -> Any:
        index = elements[0] * strides[0]
        for place, stride in zip(elements[1 : len(places)], strides[1:], strict=True):
            index = index + place * stride
        counter = [*_halves(b, index), *_halves(b, offset)]
        drawn = fn(b, _rounds(b, counter, _schedule(b, seed)), *elements[len(places) :])
        if isinstance(dtype, tuple):
            return tuple(b.cast(value, kind) for value, kind in zip(drawn, dtype, strict=True))
        return b.cast(drawn, dtype)

    return b.map(body, *places, *tensors, dtype=dtype)


def _product(sizes: Sequence[Any]) -> Any:
    total: Any = 1
    for size in sizes:
        total = total * size
    return total


def _places(b: Any, sizes: Sequence[Any]) -> list[Any]:
    """One tensor a dim that holds the element's place in it."""
    if not sizes:
        return [b.full([], 0, DType.i64)]
    rank = len(sizes)
    return [
        b.reshape(b.iota(size, DType.i64), [size if e == d else 1 for e in range(rank)]) for d, size in enumerate(sizes)
    ]


def _halves(b: Any, number: Any) -> tuple[Any, Any]:
    """The two words of a number that is not negative."""
    return number & _MASK, b.shift("right", number, 32)


def _schedule(b: Any, seed: Any) -> list[tuple[Any, Any]]:
    """The two keys of each round."""
    low, high = _halves(b, seed)
    return [((low + i * _INCREMENTS[0]) & _MASK, (high + i * _INCREMENTS[1]) & _MASK) for i in range(_ROUNDS)]


def _rounds(b: Any, counter: list[Any], keys: Sequence[tuple[Any, Any]]) -> list[Any]:
    for low, high in keys:
        first, second = counter[0] * _MULTIPLIERS[0], counter[2] * _MULTIPLIERS[1]
        counter = [
            _upper(b, second) ^ counter[1] ^ low,
            second & _MASK,
            _upper(b, first) ^ counter[3] ^ high,
            first & _MASK,
        ]
    return counter


def _upper(b: Any, product: Any) -> Any:
    return b.shift("right", product, 32) & _MASK


def computing(dtype: DType) -> DType:
    """The dtype to compute random numbers in."""
    return DType.f64 if dtype is DType.f64 else DType.f32


def _bits(b: Any, word: Any, count: int, dtype: DType) -> Any:
    """The upper bits of a word, at most 31, as a float."""
    return b.cast(b.cast(b.shift("right", word, 32 - count), DType.i32), dtype)


def _fraction(b: Any, words: Sequence[Any]) -> Any:
    """53 random bits as an integral f64."""
    return _bits(b, words[0], 27, DType.f64) * 2.0**26 + _bits(b, words[1], 26, DType.f64)


def unit(b: Any, words: Sequence[Any], dtype: DType) -> Any:
    """Uniform in [0, 1), as f64 or f32; 1 is not reached by rounding to `dtype` either."""
    if dtype is DType.f64:
        return _fraction(b, words) * 2.0**-53
    count = _SIGNIFICANT[dtype]
    return _bits(b, words[0], count, DType.f32) * 2.0**-count


def open_unit(b: Any, words: Sequence[Any], dtype: DType) -> Any:
    """Uniform in (0, 1), as f64 or f32."""
    if dtype is DType.f64:
        return b.minimum(_fraction(b, words) * 2.0**-53 + 2.0**-54, 1.0 - 2.0**-53)
    return b.minimum(_bits(b, words[0], 31, DType.f32) * 2.0**-31 + 2.0**-32, 1.0 - 2.0**-24)


def normal(b: Any, words: Sequence[Any], dtype: DType) -> Any:
    """Of the standard normal distribution, as f64 or f32 (Box and Muller)."""
    compute = computing(dtype)
    radius = b.math.sqrt(b.math.log(open_unit(b, words[:2], compute)) * -2.0)
    return radius * b.math.cos(unit(b, words[2:], compute) * (2.0 * math.pi))


def exponential(b: Any, words: Sequence[Any], dtype: DType) -> Any:
    """Of the exponential distribution of rate 1, never 0, as f64 or f32."""
    return -b.math.log(open_unit(b, words, computing(dtype)))


def below(b: Any, words: Sequence[Any], count: Any) -> Any:
    """An integer in [0, count), as i64."""
    if isinstance(count, int) and count <= 2**31:
        return b.shift("right", words[0] * count, 32)
    bits = b.shift("left", b.shift("right", words[0], 1), 32) + words[1]
    return bits if isinstance(count, int) and count == 2**63 else bits % count
