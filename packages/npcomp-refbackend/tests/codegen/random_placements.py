"""Random programs of slices, inserts, concats and pads around computed tensors: who may write where."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from contract_text import Text, V, double, insert, slice_of

_MOST = 5000  # elements of a tensor


class RandomPlacements:
    def __init__(self, seed: int):
        self.rng = np.random.default_rng(seed)
        self.text = Text()
        self.arguments: list[np.ndarray] = []
        self.made: list[tuple[V, np.ndarray]] = []
        for _ in range(2):
            numbers = self.rng.standard_normal((self._draw(2, 7), self._draw(2, 20))).astype(np.float32)
            self.arguments.append(numbers)
            self.made.append((self.text.arg(_type(numbers.shape)), numbers))
        steps: list[Callable[[V, np.ndarray], tuple[V, np.ndarray]]] = [
            self._double, self._add, self._slice, self._insert, self._concat, self._pad, self._centre
        ]  # fmt: skip
        for _ in range(self._draw(4, 12)):
            step = steps[self._draw(0, len(steps))]
            self.made.append(step(*self._pick(lambda a: True)))
            if self.made[-1][1].size > _MOST:
                break

    def build(self) -> tuple[str, list[np.ndarray], list[np.ndarray]]:
        """Text, arguments, expected results: the last value and some others."""
        last = len(self.made) - 1
        chosen = sorted({last, self._draw(2, last + 1), self._draw(2, last + 1)})
        values = [self.made[n] for n in chosen]
        return self.text.returns(*(v for v, _ in values)), self.arguments, [a for _, a in values]

    def _draw(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high))

    def _pick(self, fits: Callable[[np.ndarray], bool]) -> tuple[V, np.ndarray]:
        candidates = [m for m in self.made if fits(m[1])]
        return candidates[self._draw(0, len(candidates))]

    def _double(self, x: V, a: np.ndarray) -> tuple[V, np.ndarray]:
        return double(self.text, x, "i j", x.type), 2 * a

    def _add(self, x: V, a: np.ndarray) -> tuple[V, np.ndarray]:
        y, b = self._pick(lambda other: other.shape == a.shape)
        reads = [(x, "i j"), (y, "i j")]
        return self.text.map(reads, "i j", x.type, lambda e, p, q: e("arith.addf", p, q)), a + b

    def _slice(self, x: V, a: np.ndarray) -> tuple[V, np.ndarray]:
        row, column = (self._draw(0, d) for d in a.shape)
        rows, columns = self._draw(1, a.shape[0] - row + 1), self._draw(1, a.shape[1] - column + 1)
        kind = _type((rows, columns))
        made = slice_of(self.text, x, f"{row}, {column}", f"{rows}, {columns}", "1, 1", kind)
        return made, a[row : row + rows, column : column + columns]

    def _insert(self, x: V, a: np.ndarray) -> tuple[V, np.ndarray]:
        y, b = self._pick(lambda other: all(s <= t for s, t in zip(other.shape, a.shape)))
        row, column = (self._draw(0, t - s + 1) for s, t in zip(b.shape, a.shape))
        numbers = a.copy()
        numbers[row : row + b.shape[0], column : column + b.shape[1]] = b
        return insert(self.text, y, x, f"{row}, {column}", f"{b.shape[0]}, {b.shape[1]}"), numbers

    def _concat(self, x: V, a: np.ndarray) -> tuple[V, np.ndarray]:
        y, b = self._pick(lambda other: other.shape[0] == a.shape[0])
        out = self.text.empty(_type((a.shape[0], a.shape[1] + b.shape[1])))
        left = insert(self.text, x, out, "0, 0", f"{a.shape[0]}, {a.shape[1]}")
        made = insert(self.text, y, left, f"0, {a.shape[1]}", f"{b.shape[0]}, {b.shape[1]}")
        return made, np.concatenate([a, b], 1)

    def _pad(self, x: V, a: np.ndarray) -> tuple[V, np.ndarray]:
        value, kind = self.text.const("0.5", "f32"), _type((a.shape[0] + 2, a.shape[1] + 1))
        region = f"{{\n^bb0(%row: index, %column: index):\ntensor.yield {value.name} : f32\n}}"
        made = self.text.line(f"tensor.pad {x.name} low[1, 0] high[1, 1] {region} : {x.type} to {kind}", kind)
        return made, np.pad(a, ((1, 1), (0, 1)), constant_values=0.5)

    def _centre(self, x: V, a: np.ndarray) -> tuple[V, np.ndarray]:
        row = f"tensor<{a.shape[0]}xf32>"
        total = self.text.reduce(x, "i j", "i", row, "0.0", lambda e, p, acc: e("arith.addf", p, acc))
        reads = [(x, "i j"), (total, "i")]
        made = self.text.map(reads, "i j", x.type, lambda e, p, s: e("arith.subf", p, s))
        return made, a - a.sum(1, keepdims=True)


def _type(shape: tuple[int, ...]) -> str:
    return "tensor<" + "".join(f"{s}x" for s in shape) + "f32>"
