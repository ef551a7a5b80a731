"""What ops on indices, order and run-time counts share."""

from __future__ import annotations

from typing import Any, ClassVar

from ..abstract import TensorInfo
from ..block import Block
from ..dtypes import DType

_LARGEST = (1 << 63) - 1
OUTSIDE = "index {0} is out of bounds for dimension {dim} with size {1}"


class Ordering(Block):
    """Values in order along a dim, where each came from, where each goes."""

    family = "indexing"
    dtypes_decide_sizes = True
    makes: ClassVar[tuple[DType | None, ...]] = ()
    """The dtypes of the results where sizes are not known; None is that of the first argument."""

    @classmethod
    def give_up(cls, args: Any) -> Any:
        first = args[0]
        if not cls.makes or not isinstance(first, TensorInfo):
            return cls.unknown_results()
        made = tuple(TensorInfo(None, dtype or first.dtype) for dtype in cls.makes)
        return made if len(made) > 1 else made[0]


def with_dim(b: Any, x: Any) -> Any:
    """A 0-d tensor as one of one element."""
    return x if x.rank else b.reshape(x, [1])


def flat(b: Any, x: Any) -> Any:
    """All elements in a row."""
    return b.reshape(x, [b.numel(x)])


def along(b: Any, x: Any, dim: int, rank: int) -> Any:
    """A tensor of one dim as dim `dim` of a tensor of `rank` dims that broadcasts."""
    return b.reshape(x, [x.sizes[0] if d == dim else 1 for d in range(rank)])


def taken(b: Any, x: Any, dim: int, k: Any, keepdim: bool) -> Any:
    """Index `k` of a dim."""
    part = b.slice(x, dim, k, k + 1, 1)
    return part if keepdim else b.reshape(part, [s for d, s in enumerate(part.sizes) if d != dim])


def taken_each(b: Any, x: Any, dim: int, index: Any, keepdim: bool) -> Any:
    """The element of each row that an index, which has size 1 in the dim, names; it lies inside."""
    part = b.gather(x, dim, index, error=None)
    return part if keepdim else b.reshape(part, [s for d, s in enumerate(part.sizes) if d != dim])


def all_of(x: Any) -> list[int]:
    return list(range(x.rank))


def guarded(b: Any, index: Any, n: Any, dim: int, error: str, text: str = OUTSIDE) -> Any:
    """The index as i64, guarded to lie in [0, n)."""
    index = b.cast(index, DType.i64)
    signless = b.map(lambda b, i: i & _LARGEST, index, dtype=DType.i64)
    worst = b.item(b.reduce("max", signless, all_of(index)))
    shown = b.select(worst > _LARGEST >> 1, worst - _LARGEST - 1, worst)
    b.guard(worst < n, text.replace("{dim}", str(dim)), shown, n, error=error)
    return index


def wrapped(b: Any, index: Any, n: Any, dim: int, error: str | None, text: str = OUTSIDE) -> Any:
    """The index as i64, negative ones counted from the end; guarded to lie in [-n, n) unless `error` is None."""
    index = b.cast(index, DType.i64)
    if error is not None:
        guard_distance(b, index, n, dim, error, text)
    return b.map(lambda b, i: b.select(i < 0, i + n, i), index, dtype=DType.i64)


def guard_distance(b: Any, index: Any, n: Any, dim: int, error: str, text: str) -> None:
    """Guards that every index lies in [-n, n); the message shows the one farthest away."""
    distance = b.map(lambda b, i: b.select(i < 0, i * -2 - 1, i * 2), index, dtype=DType.i64)
    worst = b.item(b.reduce("max", distance, all_of(index)))
    shown = b.select(worst % 2 == 0, worst // 2, (worst // 2) * -1 - 1)
    b.guard(worst < n * 2, text.replace("{dim}", str(dim)), shown, n, error=error)


def positions(b: Any, mask: Any) -> tuple[Any, Any]:
    """The indices where a mask of one dim holds, and how many they are: a size that run time decides."""
    ones = b.cast(mask, DType.i64)
    count = b.item(b.reduce("sum", ones, [0]))
    b.guard(count >= 0, "a count is negative: {0}", count)
    places = b.map(lambda b, m, r: b.select(m, r - 1, count), mask, b.scan("sum", ones, 0), dtype=DType.i64)
    made = b.scatter("set", b.full([count + 1], 0, DType.i64), 0, places, b.iota(mask.sizes[0], DType.i64))
    return b.slice(made, 0, 0, count, 1), count


def coordinates(b: Any, places: Any, sizes: Any) -> list[Any]:
    """Positions in a flattened tensor as one index a dim."""
    found, stride = [], 1
    for n in reversed(sizes):
        found.append(b.map(lambda b, p, n=n, stride=stride: p // stride % n, places, dtype=DType.i64))
        stride = stride * n
    return found[::-1]
