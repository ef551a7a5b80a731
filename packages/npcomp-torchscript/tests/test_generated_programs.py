"""Random programs: each compiles to what eager torch computes, or is refused. There is no third outcome."""

from __future__ import annotations

import importlib.util
import random

import npcomp_torchscript as nts
import pytest
import torch
from npcomp_dialects.errors import CompileError

PROGRAMS = 24
UNARY = ["tanh", "relu", "abs", "neg", "exp", "sigmoid", "sin", "floor"]


class Writer:
    """Writes one function `f(x, y, n: int, s: float)` with branches, loops, early exits, lists and in-place writes."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines = ["import torch", "", "", "def f(x, y, n: int, s: float):"]
        self.tensors, self.integers, self.serial = ["x", "y"], ["n"], 0

    def text(self) -> str:
        self.block(1, False)
        self.lines.append(f"    return {self.tensor()}, {self.integer()}")
        return "\n".join(self.lines) + "\n"

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    def name(self, prefix: str) -> str:
        self.serial += 1
        return f"{prefix}{self.serial}"

    def tensor(self, depth: int = 0) -> str:
        if depth > 2 or self.random.random() < 0.3:
            return self.pick(*self.tensors)
        inner, other = self.tensor(depth + 1), self.tensor(depth + 1)
        return self.pick(
            f"{inner}.{self.pick(*UNARY)}()", f"({inner} {self.pick('+', '-', '*')} {other})",
            f"({inner} * {self.number()})", f"torch.where({inner} > 0, {other}, s)", f"torch.softmax({inner}, -1)",
        )  # fmt: skip

    def integer(self, depth: int = 0) -> str:
        if depth > 1 or self.random.random() < 0.5:
            return self.pick(*self.integers, "2", "-1")
        left, right = self.integer(depth + 1), self.integer(depth + 1)
        return self.pick(f"({left} + {right})", f"({left} // 2)", f"({left} % 3)", f"min({left}, {right})", "x.size(0)")

    def number(self) -> str:
        return self.pick("s", "0.5", f"float({self.integer(1)})")

    def condition(self) -> str:
        return self.pick(
            f"{self.integer()} {self.pick('<', '==', '>=')} {self.integer()}",
            f"bool({self.tensor(1)}.sum() > {self.number()})", "s < 0.1",
        )  # fmt: skip

    def block(self, depth: int, in_loop: bool) -> None:
        indent = "    " * depth
        for _ in range(self.random.randint(1, 3)):
            write = self.random.choice([self.assign, self.change, self.branch, self.loop, self.leave, self.use_list])
            write(indent, depth, in_loop)
        self.lines.append(f"{indent}pass")

    def assign(self, indent: str, depth: int, in_loop: bool) -> None:
        known = self.tensors[2:]
        name = self.name("t") if depth == 1 or not known else self.pick(*known)
        if depth > 1 and not known:
            return
        self.lines.append(f"{indent}{name} = {self.tensor()} + 0")
        if name not in self.tensors:
            self.tensors.append(name)

    def change(self, indent: str, depth: int, in_loop: bool) -> None:
        if self.tensors[2:]:
            name = self.pick(*self.tensors[2:])
            self.lines.append(f"{indent}{name} = {name} * 1")
            self.lines.append(indent + self.pick(f"{name}[0:1] *= s", f"{name}.add_({name})", f"{name}.t()[0].zero_()"))

    def branch(self, indent: str, depth: int, in_loop: bool) -> None:
        if depth < 4:
            self.lines.append(f"{indent}if {self.condition()}:")
            self.block(depth + 1, in_loop)
            self.lines.append(f"{indent}else:")
            self.block(depth + 1, in_loop)

    def loop(self, indent: str, depth: int, in_loop: bool) -> None:
        if depth < 3:
            index = self.name("k")
            self.lines.append(f"{indent}for {index} in range({self.pick('n', '2', 'x.size(0)')}):")
            self.integers.append(index)
            self.block(depth + 1, True)
            self.integers.remove(index)

    def leave(self, indent: str, depth: int, in_loop: bool) -> None:
        exits = [f"return {self.tensor()}, {self.integer()}", "raise ValueError('n is %d' % n)"]
        exits += ["break", "continue"] if in_loop else []
        if depth > 1:
            self.lines += [f"{indent}if {self.condition()}:", f"{indent}    {self.pick(*exits)}"]

    def use_list(self, indent: str, depth: int, in_loop: bool) -> None:
        if depth == 1:
            items, name = self.name("l"), self.name("t")
            self.lines.append(f"{indent}{items} = [{self.tensor()}, {self.tensor()}]")
            self.lines.append(f"{indent}{items}.append({self.tensor()})")
            self.lines.append(f"{indent}{name} = {items}[{self.pick('0', '-1')}]")
            self.tensors.append(name)


def outcome(function, *arguments):
    try:
        return function(*[a.clone() if isinstance(a, torch.Tensor) else a for a in arguments])
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("seed", range(PROGRAMS))
def test_a_generated_program(seed, tmp_path):
    path = tmp_path / f"generated_{seed}.py"
    path.write_text(Writer(seed).text())
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tensor = nts.TensorSpec([None, 3], torch.float32)
    try:
        program = nts.compile(module.f, [tensor, tensor, int, float])
    except CompileError as error:
        assert str(error)
        return
    generator = torch.Generator().manual_seed(seed)
    for rows, n, s in ((2, 3, 0.7), (1, 0, -0.4), (4, -1, 1.2)):
        x, y = (torch.randn(rows, 3, generator=generator) for _ in range(2))
        wanted, found = outcome(module.f, x, y, n, s), outcome(program, x, y, n, s)
        if isinstance(wanted, type):
            assert isinstance(found, type), path.read_text()
        else:
            torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4, equal_nan=True)
