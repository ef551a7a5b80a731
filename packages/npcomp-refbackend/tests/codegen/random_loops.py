"""Random loop nests on tensors: as text, and as Python that copies at every insert.

Most programs update each tensor along one line of values, which one kernel runs in place; some read, yield or carry old
values, which only copies get right.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np

TYPES = {
    "f32": np.float32, "f64": np.float64, "f16": np.float16, "i64": np.int64, "i32": np.int32, "i8": np.int8,
    "i1": np.bool_,
}  # fmt: skip
_DEPTH = 3


class RandomLoops:
    def __init__(self, seed: int):
        self.rng = np.random.default_rng(seed)
        self.element = str(self.rng.choice(list(TYPES)))
        self.wild = 0.1 if self.rng.random() < 0.4 else 0.0  # how often an old value is taken
        self.rank = self._draw(1, 3)
        self.kind = f"tensor<{'?x' * self.rank}{self.element}>"
        self.mlir: list[str] = []
        self.python: list[str] = []
        self.indent, self.count, self.depth = 0, 0, 0
        self.tensors: list[list[str]] = []  # a list for each line of values, oldest first
        self.scalars: list[str] = []
        self.indices: list[str] = []

    def build(self) -> tuple[str, Callable[..., Any]]:
        """The text of a function of three tensors of one shape, and what it computes."""
        self.tensors = [["a"], ["b"], ["c"]]
        if self.rng.random() < 0.5:  # a tensor that only the program has
            self._both(f"%d = linalg.fill ins(%zero : {self.element}) outs(%e : {self.kind}) -> {self.kind}",
                       "d = np.zeros_like(a)")  # fmt: skip
            self.tensors.append(["d"])
        self.scalars = ["zero"]
        for _ in range(self._draw(1, 4)):
            self._for(bound="n")
        results = [self._tensor() for _ in range(3)]
        names = ", ".join(f"%{r}" for r in results)
        types = ", ".join([self.kind] * 3)
        zero = {"i1": "false"}.get(self.element, f"{'0.0' if self.element[0] == 'f' else '0'} : {self.element}")
        head = [
            f"func.func @forward(%a: {self.kind}, %b: {self.kind}, %c: {self.kind}) -> ({types}) {{",
            "%c0 = arith.constant 0 : index\n%c1 = arith.constant 1 : index\n%c2 = arith.constant 2 : index",
            f"%n = tensor.dim %a, %c0 : {self.kind}\n%zero = arith.constant {zero}",
            f"%e = tensor.empty({', '.join(['%n'] * self.rank)}) : {self.kind}",
        ]
        text = "\n".join([*head, *self.mlir, f"return {names} : {types}\n}}"])
        source = "\n".join(["def forward(a, b, c):", " n = len(a)", " c0, c1, c2 = 0, 1, 2", " zero = T(0)",
                            *(f" {line}" for line in self.python), f" return {', '.join(results)}"])  # fmt: skip
        scope: dict[str, Any] = {"np": np, "T": TYPES[self.element], "insert": _insert}
        exec(source, scope)
        return text, scope["forward"]

    # -- text --------------------------------------------------------------------------------------------------

    def _draw(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high))

    def _pick(self, values: list[Any]) -> Any:
        return values[self._draw(0, len(values))]

    def _fresh(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def _both(self, mlir: str, python: str) -> None:
        self.mlir.append(mlir)
        self.python.append(" " * self.indent + python)

    @contextmanager
    def _inside(self):
        kept = [list(t) for t in self.tensors], list(self.scalars), list(self.indices)
        self.indent, self.depth = self.indent + 1, self.depth + 1
        yield
        self.indent, self.depth = self.indent - 1, self.depth - 1
        self.tensors, self.scalars, self.indices = kept

    def _tensor(self) -> str:
        """A tensor value, mostly a current one."""
        line = self._pick(self.tensors)
        return self._pick(line) if self.rng.random() < self.wild else line[-1]

    # -- statements --------------------------------------------------------------------------------------------

    def _body(self) -> None:
        for _ in range(self._draw(1, 5)):
            deeper = [self._for, self._if, self._while] if self.depth < _DEPTH else []
            self._pick([self._load, self._compute, self._store, self._store, self._index, *deeper])()

    def _where(self) -> str:
        return ", ".join(f"%{self._pick(self.indices)}" for _ in range(self.rank))

    def _load(self) -> None:
        name, source, where = self._fresh(), self._tensor(), self._where()
        self._both(f"%{name} = tensor.extract %{source}[{where}] : {self.kind}",
                   f"{name} = {source}[{where.replace('%', '')}]")  # fmt: skip
        self.scalars.append(name)

    def _index(self) -> None:
        name, x, y = self._fresh(), self._pick(self.indices), self._pick(self.indices)
        self._both(f"%{name}s = arith.addi %{x}, %{y} : index\n%{name} = arith.remui %{name}s, %n : index",
                   f"{name} = ({x} + {y}) % n")  # fmt: skip
        self.indices.append(name)

    def _compute(self) -> None:
        name, x, y = self._fresh(), self._pick(self.scalars), self._pick(self.scalars)
        kind = self.element[0] if self.element != "i1" else "b"
        op, sign = self._pick({
            "f": [("arith.addf", "{0} + {1}"), ("arith.mulf", "{0} * {1}"), ("arith.subf", "{0} - {1}")],
            "i": [("arith.addi", "{0} + {1}"), ("arith.muli", "{0} * {1}"), ("arith.subi", "{0} - {1}")],
            "b": [("arith.andi", "{0} & {1}"), ("arith.ori", "{0} | {1}"), ("arith.xori", "{0} ^ {1}")],
        }[kind])  # fmt: skip
        self._both(f"%{name} = {op} %{x}, %{y} : {self.element}", f"{name} = T({sign.format(x, y)})")
        self.scalars.append(name)

    def _store(self) -> None:
        line = self._pick(self.tensors)
        name, where, value = self._fresh(), self._where(), self._pick(self.scalars)
        target = self._pick(line) if self.rng.random() < self.wild else line[-1]
        self._both(f"%{name} = tensor.insert %{value} into %{target}[{where}] : {self.kind}",
                   f"{name} = insert({target}, ({where.replace('%', '')},), {value})")  # fmt: skip
        line.append(name)

    def _carried(self, names: list[str]) -> tuple[list[str], str]:
        """All current tensors and two scalars under new names; `names = values`, and their types."""
        values = [line[-1] for line in self.tensors] + [self._pick(self.scalars), "zero"]
        if self.rng.random() < self.wild:
            values[0] = self._tensor()
        names += [self._fresh() for _ in values]
        return values, ", ".join([self.kind] * len(self.tensors) + [self.element] * 2)

    def _enter(self, names: list[str]) -> None:
        for line, name in zip(self.tensors, names):
            line.append(name)
        self.scalars += names[len(self.tensors) :]

    def _ends(self) -> list[str]:
        ends = [line[-1] for line in self.tensors] + [self._pick(self.scalars), self._pick(self.scalars)]
        if self.rng.random() < self.wild:
            a, b = self._draw(0, len(self.tensors)), self._draw(0, len(self.tensors))
            ends[a], ends[b] = ends[b], ends[a]
        return ends

    def _for(self, bound: str = "") -> None:
        i, made, names = self._fresh(), [self._fresh() for _ in range(len(self.tensors) + 2)], []
        high = bound or self._pick(["n", "c2", *self.indices])
        values, types = self._carried(names)
        inits = ", ".join(f"%{a} = %{v}" for a, v in zip(names, values))
        results = ", ".join(f"%{m}" for m in made)
        parts = ", ".join(names)
        self._both(f"{results} = scf.for %{i} = %c0 to %{high} step %c1 iter_args({inits}) -> ({types}) {{",
                   f"{parts} = {', '.join(values)}")  # fmt: skip
        self._both(f"%{i}m = arith.remui %{i}, %n : index", f"for {i} in range({high}):")
        with self._inside():
            self._both("", f"{i}m = {i} % n")
            self._enter(names)
            self.indices.append(f"{i}m")
            self._body()
            ends = self._ends()
            self._both(f"scf.yield {', '.join(f'%{e}' for e in ends)} : {types}\n}}", f"{parts} = {', '.join(ends)}")
        self._both("", f"{', '.join(made)} = {parts}")
        self._enter(made)

    def _if(self) -> None:
        made = [self._fresh() for _ in range(len(self.tensors) + 2)]
        x, y = self._pick(self.indices), self._pick(self.indices)
        types = ", ".join([self.kind] * len(self.tensors) + [self.element] * 2)
        test = self._fresh()
        self._both(f"%{test} = arith.cmpi slt, %{x}, %{y} : index", f"{test} = {x} < {y}")
        self._both(f"{', '.join(f'%{m}' for m in made)} = scf.if %{test} -> ({types}) {{", f"if {test}:")
        for end, python in (("} else {", "else:"), ("}", "pass")):
            with self._inside():
                self._body()
                ends = self._ends()
                self._both(f"scf.yield {', '.join(f'%{e}' for e in ends)} : {types}",
                           f"{', '.join(made)} = {', '.join(ends)}")  # fmt: skip
            self._both(end, python)
        self._enter(made)

    def _while(self) -> None:
        """At most four rounds; the condition may look at a tensor."""
        made, names = [self._fresh() for _ in range(len(self.tensors) + 2)], []
        round_, test = self._fresh(), self._fresh()
        values, types = self._carried(names)
        inner = [self._fresh() for _ in names]
        inits = ", ".join([f"%{round_} = %c0", *(f"%{a} = %{v}" for a, v in zip(names, values))])
        full = f"index, {types}"
        results = ", ".join([f"%{round_}r", *(f"%{m}" for m in made)])
        parts = ", ".join(names)
        self._both(f"{results} = scf.while ({inits}) : ({full}) -> ({full}) {{",
                   f"{round_}, {parts} = 0, {', '.join(values)}")  # fmt: skip
        self._both("", "while True:")
        with self._inside():
            self._enter(names)
            self._load()
            end = f"({', '.join(f'%{v}' for v in [round_, *names])} : {full})"
            compare = "arith.cmpf une" if self.element[0] == "f" else "arith.cmpi ne"
            a, b = self.scalars[-1], self._pick(self.scalars)
            self._both(
                f"%{test}a = {compare}, %{a}, %{b} : {self.element}\n%{test}b = arith.cmpi ult, %{round_}, %{test}l : "
                f"index\n%{test} = arith.andi %{test}a, %{test}b : i1\nscf.condition(%{test}) {end[1:-1]}\n}} do {{",
                f"if not ({a} != {b} and {round_} < 4): break",
            )
            self.mlir[-1] = self.mlir[-1].replace(f"%{test}b =", f"%{test}l = arith.constant 4 : index\n%{test}b =")
            arguments = ", ".join(f"%{v}: {t}" for v, t in zip([f"{round_}i", *inner], full.split(", ")))
            self._both(f"^bb0({arguments}):", f"{round_}i, {', '.join(inner)} = {round_}, {parts}")
            for line in self.tensors:
                del line[-1]
            del self.scalars[-3:]
            self._enter(inner)
            self._body()
            ends = self._ends()
            self._both(f"%{round_}n = arith.addi %{round_}i, %c1 : index\n"
                       f"scf.yield %{round_}n, {', '.join(f'%{e}' for e in ends)} : {full}\n}}",
                       f"{round_}, {parts} = {round_}i + 1, {', '.join(ends)}")  # fmt: skip
        self._both("", f"{', '.join(made)} = {parts}")
        self._enter(made)


def _insert(tensor: np.ndarray, where: tuple[int, ...], value: Any) -> np.ndarray:
    changed = tensor.copy()
    changed[where] = value
    return changed
