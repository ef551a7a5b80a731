"""Random programs of maps, permutes, broadcasts and reductions, with what numpy makes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from contract_text import Text, V

_UNARY: dict[str, Callable[[Any], Any]] = {"math.absf": np.abs, "arith.negf": np.negative, "math.exp": np.exp}
_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "arith.addf": np.add,
    "arith.subf": np.subtract,
    "arith.maximumf": np.maximum,
}
_REDUCE: dict[str, tuple[str, Callable[..., Any]]] = {
    "arith.addf": ("0.0", np.sum),
    "arith.maximumf": ("0xFF800000", np.max),
    "arith.minimumf": ("0x7F800000", np.min),
}


@dataclass
class Made:
    """A value of the program, its loops by letter, and its numbers."""

    value: V
    letters: str
    numbers: np.ndarray


class RandomProgram:
    def __init__(self, seed: int):
        self.rng = np.random.default_rng(seed)
        self.text = Text()
        self.sizes = {c: int(self.rng.choice([1, 2, 3, 5, 8, 16, 17, 33])) for c in "abc"}
        self.static = {c: bool(self.rng.integers(2)) for c in "abc"}
        self.arguments: list[np.ndarray] = []
        self.made = [self._argument() for _ in range(3)]
        for _ in range(int(self.rng.integers(3, 9))):
            self.made.append(self._step())

    def build(self) -> tuple[str, list[np.ndarray], list[np.ndarray]]:
        """Text, arguments, expected results: the last value and another one."""
        other = self.made[int(self.rng.integers(3, len(self.made)))]
        chosen = [self.made[-1], other]
        return self.text.returns(*(m.value for m in chosen)), self.arguments, [m.numbers for m in chosen]

    def _type(self, letters: str) -> str:
        dims = "".join((str(self.sizes[c]) if self.static[c] else "?") + "x" for c in letters)
        return f"tensor<{dims}f32>"

    def _letters(self) -> str:
        count = int(self.rng.integers(1, 4))
        return "".join(self.rng.permutation(list("abc"))[:count])

    def _argument(self) -> Made:
        letters = self._letters()
        numbers = self.rng.standard_normal([self.sizes[c] for c in letters]).astype(np.float32)
        self.arguments.append(numbers)
        return Made(self.text.arg(self._type(letters)), letters, numbers)

    def _step(self) -> Made:
        kind = self.rng.choice(["unary", "binary", "binary", "reduce", "permute"])
        x = self.made[int(self.rng.integers(len(self.made)))]
        if kind == "reduce" and len(x.letters) > 1:
            return self._reduce(x)
        if kind == "binary":
            return self._binary(x, self.made[int(self.rng.integers(len(self.made)))])
        return self._unary(x, permute=kind == "permute")

    def _unary(self, x: Made, permute: bool) -> Made:
        op = str(self.rng.choice(list(_UNARY)))
        out = "".join(self.rng.permutation(list(x.letters))) if permute else x.letters
        tame = np.clip(x.numbers, -3, 3) if op == "math.exp" else x.numbers
        numbers = np.einsum(f"{x.letters}->{out}", _UNARY[op](tame))

        def body(e: Any, a: V) -> V:
            if op != "math.exp":
                return e(op, a)
            low = e("arith.maximumf", a, e.const("-3.0", "f32"))
            return e(op, e("arith.minimumf", low, e.const("3.0", "f32")))

        return Made(self._map([x], out, body), out, numbers)

    def _binary(self, x: Made, y: Made) -> Made:
        op = str(self.rng.choice(list(_BINARY)))
        out = "".join(dict.fromkeys(x.letters + y.letters))
        shape = [self.sizes[c] for c in out]
        wide = [np.broadcast_to(self._align(m, out), shape) for m in (x, y)]
        return Made(self._map([x, y], out, lambda e, a, b: e(op, a, b)), out, _BINARY[op](*wide))

    def _align(self, made: Made, out: str) -> np.ndarray:
        order = [c for c in out if c in made.letters]
        numbers = np.einsum(f"{made.letters}->{''.join(order)}", made.numbers)
        return numbers.reshape([self.sizes[c] if c in made.letters else 1 for c in out])

    def _reduce(self, x: Made) -> Made:
        op = str(self.rng.choice(list(_REDUCE)))
        start, reference = _REDUCE[op]
        gone = x.letters[int(self.rng.integers(len(x.letters)))]
        out = x.letters.replace(gone, "")
        value = self.text.reduce(
            x.value, " ".join(x.letters), " ".join(out), self._type(out), start, lambda e, a, acc: e(op, a, acc)
        )
        return Made(value, out, reference(x.numbers, axis=x.letters.index(gone)))

    def _map(self, inputs: list[Made], out: str, body: Callable[..., V]) -> V:
        reads = [(m.value, " ".join(m.letters)) for m in inputs]
        return self.text.map(reads, " ".join(out), self._type(out), body)
