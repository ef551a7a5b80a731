"""The generator against the known answers of its authors (Random123's kat_vectors)."""

from __future__ import annotations

import pytest
import torch
from aten.eager_builder import EagerBuilder, S
from npcomp_dialects.aten import philox
from npcomp_dialects.aten.dtypes import DType

ONES = 0xFFFFFFFF
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES,) * 4, (ONES,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


def number(value: int) -> S:
    return S(torch.tensor(value))


@pytest.mark.parametrize("counter,key,wanted", KNOWN)
def test_known_answers(counter: tuple[int, ...], key: tuple[int, int], wanted: tuple[int, ...]) -> None:
    b = EagerBuilder()
    low, high = map(number, key)
    rounds = [
        ((low + number(i * 0x9E3779B9)) & ONES, (high + number(i * 0xBB67AE85)) & ONES) for i in range(philox._ROUNDS)
    ]
    words = philox._rounds(b, [number(c) for c in counter], rounds)
    assert tuple(int(w.value) for w in words) == wanted


def test_the_schedule_adds_the_golden_ratio() -> None:
    seed = 0x299F31D0A4093822
    first, second = philox._schedule(EagerBuilder(), number(seed))[:2]
    assert [int(k.value) for k in first] == [0xA4093822, 0x299F31D0]
    assert [int(k.value) for k in second] == [(0xA4093822 + 0x9E3779B9) & ONES, (0x299F31D0 + 0xBB67AE85) & ONES]


@pytest.mark.parametrize("dtype", [DType.f16, DType.bf16, DType.f32, DType.f64])
def test_uniform_numbers_stay_below_one(dtype: DType) -> None:
    b = EagerBuilder()
    most = philox.unit(b, [number(ONES)] * 4, dtype)
    assert float(b.cast(most, dtype).value) < 1
    for words in ([number(ONES)] * 4, [number(0)] * 4):
        assert 0 < float(philox.open_unit(b, words, philox.computing(dtype)).value) < 1
        assert philox.normal(b, words, dtype).value.isfinite()
