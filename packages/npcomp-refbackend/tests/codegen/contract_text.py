"""Writes small programs at the backend contract as MLIR text.

t = Text()
x, b = t.arg("tensor<?x8xf32>"), t.arg("tensor<8xf32>")
y = t.map([(x, "i j"), (b, "j")], "i j", "tensor<?x8xf32>", lambda e, x, b: e("arith.addf", x, b))
text = t.returns(y)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class V:
    """A value: its name and its type."""

    name: str
    type: str

    @property
    def shape(self) -> list[str]:
        return (
            re.findall(r"\d+|\?", self.type[self.type.index("<") + 1 : self.type.rindex("x") + 1])
            if "x" in self.type
            else []
        )

    @property
    def element(self) -> str:
        return re.match(r"tensor<(?:[\d?]+x)*(\w+)>", self.type).group(1)


class Body:
    """Writes ops on scalars: `e("arith.addf", a, b)`; `type` gives the result where it is not that of the operands."""

    def __init__(self, text: Text):
        self.text = text

    def __call__(self, op: str, *operands: V, type: str | None = None) -> V:
        kind = type or operands[0].type
        if op.startswith(
            ("arith.ext", "arith.trunc", "arith.sitofp", "arith.fptosi", "arith.uitofp", "arith.index_cast")
        ):
            return self.text.line(f"{op} {operands[0].name} : {operands[0].type} to {kind}", kind)
        names = ", ".join(o.name for o in operands)
        if op.startswith("arith.cmp"):
            predicate, names = op.split()[1], names
            return self.text.line(f"{op.split()[0]} {predicate}, {names} : {operands[0].type}", "i1")
        if op == "arith.select":
            return self.text.line(f"arith.select {names} : {operands[1].type}", operands[1].type)
        return self.text.line(f"{op} {names} : {kind}", kind)

    def const(self, value: str, type: str) -> V:
        return self.text.const(value, type)

    def index(self, dim: int) -> V:
        return self.text.line(f"linalg.index {dim} : index", "index")

    def extract(self, tensor: V, *indices: V) -> V:
        names = ", ".join(i.name for i in indices)
        return self.text.line(f"tensor.extract {tensor.name}[{names}] : {tensor.type}", tensor.element)


class Text:
    def __init__(self, name: str = "forward"):
        self.name, self.lines, self.arguments, self.count = name, [], [], 0
        self.e = Body(self)

    def fresh(self) -> str:
        self.count += 1
        return f"%v{self.count}"

    def line(self, text: str, type: str) -> V:
        name = self.fresh()
        self.lines.append(f"{name} = {text}")
        return V(name, type)

    def arg(self, type: str) -> V:
        self.arguments.append(V(f"%arg{len(self.arguments)}", type))
        return self.arguments[-1]

    def const(self, value: str, type: str) -> V:
        return self.line(f"arith.constant {value}" + ("" if type == "i1" else f" : {type}"), type)

    def index(self, value: int) -> V:
        return self.const(str(value), "index")

    def dim(self, tensor: V, dim: int) -> V:
        return self.line(f"tensor.dim {tensor.name}, {self.index(dim).name} : {tensor.type}", "index")

    def empty(self, type: str, sizes: Sequence[V] = ()) -> V:
        return self.line(f"tensor.empty({', '.join(s.name for s in sizes)}) : {type}", type)

    def fill(self, value: str, out: V) -> V:
        c = self.const(value, out.element)
        return self.line(f"linalg.fill ins({c.name} : {c.type}) outs({out.name} : {out.type}) -> {out.type}", out.type)

    def map(
        self, inputs: Sequence[tuple[V, str]], out: str, type: str, body: Callable[..., V], init: V | None = None
    ) -> V:
        """An op over the loops of `out`; sizes come from the inputs. With `init`, loops not in `out` are reduced."""
        return self.multi(inputs, [out], [type], lambda *a: [body(*a)], None if init is None else [init])[0]

    def reduce(self, x: V, indices: str, out: str, type: str, start: str, body: Callable[..., V]) -> V:
        init = self.fill(start, self._shaped([(x, indices)], out, type))
        return self.map([(x, indices)], out, type, body, init)

    def multi(
        self,
        inputs: Sequence[tuple[V, str]],
        outs: Sequence[str],
        types: Sequence[str],
        body: Callable[..., Sequence[V]],
        inits: Sequence[V] | None = None,
        loops: str | None = None,
    ) -> list[V]:
        order = list(
            dict.fromkeys((loops or " ".join([*outs, *(re.sub(r"[^a-z ]", " ", i) for _, i in inputs)])).split())
        )
        given = inits or [self._shaped(inputs, o, t) for o, t in zip(outs, types)]
        maps = [
            f"affine_map<({', '.join(order)}) -> ({', '.join(i.split())})>" for i in [*(i for _, i in inputs), *outs]
        ]
        parallel = {name for o in outs for name in o.split()}
        kinds = ", ".join('"parallel"' if name in parallel else '"reduction"' for name in order)
        ins = f"ins({', '.join(v.name for v, _ in inputs)} : {', '.join(v.type for v, _ in inputs)}) " if inputs else ""
        outs_text = f"outs({', '.join(v.name for v in given)} : {', '.join(v.type for v in given)})"
        results = [self.fresh() for _ in types]
        elements = [V(self.fresh(), v.element) for v in [*(v for v, _ in inputs), *given]]
        block = ", ".join(f"{v.name}: {v.type}" for v in elements)
        self.lines.append(
            f"{', '.join(results)} = linalg.generic {{indexing_maps = [{', '.join(maps)}], iterator_types = [{kinds}]}}"
            f" {ins}{outs_text} {{\n^bb0({block}):"
        )
        used = elements if inits is not None else elements[: len(inputs)]
        made = body(self.e, *used)
        self.lines.append(f"linalg.yield {', '.join(v.name for v in made)} : {', '.join(v.type for v in made)}")
        self.lines.append("} -> " + (types[0] if len(types) == 1 else f"({', '.join(types)})"))
        return [V(r, t) for r, t in zip(results, types)]

    def _shaped(self, inputs: Sequence[tuple[V, str]], out: str, type: str) -> V:
        sizes = []
        for n, name in enumerate(out.split()):
            if V("", type).shape[n] == "?":
                source = next((v, i.split().index(name)) for v, i in inputs if name in i.split())
                sizes.append(self.dim(*source))
        return self.empty(type, sizes)

    def returns(self, *values: V) -> str:
        arguments = ", ".join(f"{a.name}: {a.type}" for a in self.arguments)
        types = ", ".join(v.type for v in values)
        body = "\n".join(self.lines)
        names = ", ".join(v.name for v in values)
        return f"func.func @{self.name}({arguments}) -> ({types}) {{\n{body}\nreturn {names} : {types}\n}}\n"


def double(t: Text, x: V, indices: str, kind: str) -> V:
    return t.map([(x, indices)], indices, kind, lambda e, a: e("arith.addf", a, a))


def slice_of(t: Text, x: V, offsets: str, sizes: str, steps: str, kind: str) -> V:
    return t.line(f"tensor.extract_slice {x.name}[{offsets}] [{sizes}] [{steps}] : {x.type} to {kind}", kind)


def insert(t: Text, x: V, into: V, offsets: str, sizes: str, steps: str = "1, 1") -> V:
    return t.line(
        f"tensor.insert_slice {x.name} into {into.name}[{offsets}] [{sizes}] [{steps}] : {x.type} into {into.type}",
        into.type,
    )


def softmax(t: Text, x: V, kind: str, row: str) -> V:
    top = t.reduce(x, "i j", "i", row, "0xFF800000", lambda e, a, acc: e("arith.maximumf", a, acc))
    power = t.map([(x, "i j"), (top, "i")], "i j", kind, lambda e, a, m: e("math.exp", e("arith.subf", a, m)))
    total = t.reduce(power, "i j", "i", row, "0.0", lambda e, a, acc: e("arith.addf", a, acc))
    return t.map([(power, "i j"), (total, "i")], "i j", kind, lambda e, a, s: e("arith.divf", a, s))
