"""Random torch-contract programs with unknown sizes, each step paired with what eager torch does."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

Env = dict[str, torch.Tensor]
LIST = "!torch.list<int>"


@dataclass(frozen=True)
class Value:
    """A tensor of the program: its SSA name, rank, torch type and eager twin."""

    name: str
    rank: int
    type: str
    eager: Callable[[Env], torch.Tensor]


def tensor_type(sizes: Sequence[int | None]) -> str:
    return f"V<[{','.join('?' if s is None else str(s) for s in sizes)}],f32>"


class Program:
    """Arguments of rank 0 to 3, some sizes static, then a few random ops; the last value is the result."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.constants: dict[str, str] = {}
        self.values: list[Value] = []
        self.count = 0
        sizes = [self.random.choice([1, 2, 3, 5]) for _ in range(3)]
        self.shapes = [self._shape(sizes) for _ in range(self.random.randint(1, 3))]
        self.known = [[s if self.random.random() < 0.35 else None for s in shape] for shape in self.shapes]
        for i, known in enumerate(self.known):
            name = f"%x{i}"
            self.values.append(Value(name, len(known), tensor_type(known), lambda env, n=name: env[n]))
        for _ in range(self.random.randint(2, 9)):
            self.random.choice(STEPS)(self, self.random.choice(self.values))

    def _shape(self, sizes: list[int]) -> list[int]:
        return [self.random.choice([*sizes, 1]) for _ in range(self.random.randint(0, 3))]

    def text(self) -> str:
        arguments = ", ".join(f"{v.name}: {v.type}" for v in self.values[: len(self.shapes)])
        last = self.values[-1]
        body = "\n".join([*self.constants.values(), *self.lines])
        return f"func.func @forward({arguments}) -> {last.type} {{\n{body}\nreturn {last.name} : {last.type}\n}}"

    def inputs(self, first: bool) -> list[torch.Tensor]:
        """Tensors at the sizes the program was drawn with, or at others for the open dims."""
        renamed = {s: s if first else self.random.choice([0, 1, 1, 2, 3, 6]) for shape in self.shapes for s in shape}
        pairs = zip(self.shapes, self.known, strict=True)
        return [torch.randn([renamed[s] if k is None else k for s, k in zip(*p, strict=True)]) for p in pairs]

    def eager(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        env = {f"%x{i}": x for i, x in enumerate(inputs)}
        for value in self.values:
            env[value.name] = value.eager(env)
        return env[self.values[-1].name]

    # -- building

    def fresh(self) -> str:
        self.count += 1
        return f"%v{self.count}"

    def int(self, value: int) -> str:
        name = f"%c{'m' if value < 0 else ''}{abs(value)}"
        self.constants[name] = f"{name} = torch.constant.int {value}"
        return name

    def bool(self, value: bool) -> str:
        name = f"%{str(value).lower()}"
        self.constants[name] = f"{name} = torch.constant.bool {str(value).lower()}"
        return name

    def none(self) -> str:
        self.constants["%none"] = "%none = torch.constant.none"
        return "%none"

    def ints(self, items: Sequence[str]) -> str:
        name = self.fresh()
        kinds = ", ".join(["INT"] * len(items))
        self.lines.append(f"{name} = torch.prim.ListConstruct {', '.join(items)} : ({kinds}) -> {LIST}")
        return name

    def size(self, value: Value, dim: int) -> str:
        name = self.fresh()
        self.lines.append(f"{name} = torch.aten.size.int {value.name}, {self.int(dim)} : {value.type}, INT -> INT")
        return name

    def op(self, name: str, arguments: Sequence[tuple[str, str]], rank: int, eager: Callable[[Env], Any]) -> None:
        result, type = self.fresh(), tensor_type([None] * rank)
        names, types = ", ".join(a for a, _ in arguments), ", ".join(t for _, t in arguments)
        self.lines.append(f"{result} = torch.aten.{name} {names} : {types} -> {type}")
        self.values.append(Value(result, rank, type, eager))

    def dim(self, value: Value) -> int:
        return self.random.randrange(value.rank)

    def another(self, rank: int | None = None) -> Value | None:
        found = [v for v in self.values if rank is None or v.rank == rank]
        return self.random.choice(found) if found else None


def binary(p: Program, v: Value) -> None:
    w = p.another()
    assert w is not None
    x, y = v.name, w.name
    p.op("mul.Tensor", [(x, v.type), (y, w.type)], max(v.rank, w.rank), lambda env: env[x] * env[y])


def unary(p: Program, v: Value) -> None:
    name, x = p.random.choice(["relu", "tanh", "neg", "sigmoid"]), v.name
    p.op(name, [(x, v.type)], v.rank, lambda env: getattr(torch, name)(env[x]))


def reduction(p: Program, v: Value) -> None:
    if not v.rank:
        return
    d, keep, x = p.dim(v), p.random.random() < 0.5, v.name
    arguments = [(x, v.type), (p.ints([p.int(d)]), LIST), (p.bool(keep), "BOOL"), (p.none(), "!torch.none")]
    p.op("sum.dim_IntList", arguments, v.rank if keep else v.rank - 1, lambda env: env[x].sum(d, keepdim=keep))


def softmax(p: Program, v: Value) -> None:
    if v.rank:
        d, x = p.dim(v), v.name
        arguments = [(x, v.type), (p.int(d), "INT"), (p.none(), "!torch.none")]
        p.op("softmax.int", arguments, v.rank, lambda env: env[x].softmax(d))


def permute(p: Program, v: Value) -> None:
    order, x = list(range(v.rank)), v.name
    p.random.shuffle(order)
    if order:
        p.op("permute", [(x, v.type), (p.ints([p.int(d) for d in order]), LIST)], v.rank, lambda e: e[x].permute(order))


def unsqueeze(p: Program, v: Value) -> None:
    if v.rank < 4:
        d, x = p.random.randrange(v.rank + 1), v.name
        p.op("unsqueeze", [(x, v.type), (p.int(d), "INT")], v.rank + 1, lambda env: env[x].unsqueeze(d))


def select(p: Program, v: Value) -> None:
    if v.rank:
        d, x = p.dim(v), v.name
        arguments = [(x, v.type), (p.int(d), "INT"), (p.int(0), "INT")]
        p.op("select.int", arguments, v.rank - 1, lambda env: env[x].select(d, 0))


def flatten(p: Program, v: Value) -> None:
    x = v.name
    p.op("reshape", [(x, v.type), (p.ints([p.int(-1)]), LIST)], 1, lambda env: env[x].reshape(-1))


def merge(p: Program, v: Value) -> None:
    if v.rank > 1:
        x = v.name
        sizes = p.ints([p.size(v, 0), p.int(-1)])
        p.op("reshape", [(x, v.type), (sizes, LIST)], 2, lambda env: env[x].reshape(env[x].shape[0], -1))


def slice_(p: Program, v: Value) -> None:
    if v.rank:
        x, choose = v.name, p.random.choice
        numbers = (p.dim(v), choose([0, 1, -2, -1, 2]), choose([(1 << 63) - 1, 3, -1, 1]), choose([1, 1, 2]))
        arguments = [(x, v.type), *((p.int(n), "INT") for n in numbers)]
        p.op("slice.Tensor", arguments, v.rank, lambda env: torch.ops.aten.slice.Tensor(env[x], *numbers))


def expand(p: Program, v: Value) -> None:
    w = p.another()
    if w is not None and w.rank >= v.rank > 0:
        x, y = v.name, w.name
        sizes = p.ints([p.size(w, d) for d in range(w.rank)])
        arguments = [(x, v.type), (sizes, LIST), (p.bool(False), "BOOL")]
        p.op("expand", arguments, w.rank, lambda env: env[x].expand(env[y].shape))


def product(p: Program, v: Value) -> None:
    w = p.another(2)
    if w is not None and v.rank in (2, 3):
        x, y = v.name, w.name
        p.op("matmul", [(x, v.type), (y, w.type)], v.rank, lambda env: torch.matmul(env[x], env[y]))


STEPS = [
    binary, binary, unary, reduction, softmax, permute, unsqueeze, select, flatten, merge, slice_, expand, product
]  # fmt: skip
