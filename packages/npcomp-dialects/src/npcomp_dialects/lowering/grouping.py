"""Which dims of a reshape belong together."""

from __future__ import annotations

from collections.abc import Sequence

from .polynomial import ONE, Poly
from .shape_rules import product

Pairs = list[tuple[list[int], list[int]]]


def group(before: Sequence[Poly], after: Sequence[Poly]) -> Pairs | None:
    """Pairs of consecutive dims with the same number of elements, the smallest there are; None when nothing proves
    any. Dims of size 1 join a neighbour. A tensor without dims gives no pairs."""
    left = [d for d, p in enumerate(before) if p != ONE]
    right = [d for d, p in enumerate(after) if p != ONE]
    pairs: Pairs = []
    i = j = 0
    while i < len(left) or j < len(right):
        found = _smallest(before, after, left[i:], right[j:])
        if found is None:
            return None
        m, n = found
        pairs.append((left[i : i + m], right[j : j + n]))
        i, j = i + m, j + n
    if not pairs:
        return _all_ones(len(before), len(after))
    return [
        (_spread(pairs, number, 0, len(before)), _spread(pairs, number, 1, len(after))) for number in range(len(pairs))
    ]


def _smallest(
    before: Sequence[Poly], after: Sequence[Poly], left: Sequence[int], right: Sequence[int]
) -> tuple[int, int] | None:
    for total in range(2, len(left) + len(right) + 1):
        for m in range(max(1, total - len(right)), min(len(left), total - 1) + 1):
            n = total - m
            if product([before[d] for d in left[:m]]) == product([after[d] for d in right[:n]]):
                return m, n
    return None


def _all_ones(before: int, after: int) -> Pairs | None:
    """One element on both sides."""
    if before == 0 or after == 0:
        return []
    return [(list(range(before)), list(range(after)))]


def _spread(pairs: Pairs, number: int, side: int, rank: int) -> list[int]:
    """The dims from the start of a pair to the start of the next, so that dims of size 1 are covered."""
    first = 0 if number == 0 else pairs[number][side][0]
    last = rank if number == len(pairs) - 1 else pairs[number + 1][side][0]
    return list(range(first, last))


def singles(before: Sequence[Poly], after: Sequence[Poly]) -> list[int | None] | None:
    """When only dims of size 1 come or go: for each dim before, the dim after (None for a dim of size 1)."""
    left = [d for d, p in enumerate(before) if p != ONE]
    right = [d for d, p in enumerate(after) if p != ONE]
    if [before[d] for d in left] != [after[d] for d in right]:
        return None
    partner = dict(zip(left, right, strict=True))
    return [partner.get(d) for d in range(len(before))]
