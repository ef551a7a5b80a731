"""Random programs that write in place: through views, in branches and in loops, with tensors under several names."""

from __future__ import annotations

import random

TENSOR = "!torch.tensor"
ROWS, COLUMNS = 4, 3
Shape = tuple[int, ...]


class Generator:
    """Writes one function `f(cond: bool, n: int, x: tensor)` that returns every tensor it still names."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.count = 0
        self.depth = 1

    def program(self) -> str:
        ints = "".join(f"  %c{n} = torch.constant.int {n}\n" for n in range(ROWS + 1))
        self.emit("%true = torch.constant.bool true")
        named: dict[str, Shape] = {"%x": (ROWS, COLUMNS)}
        fresh = self.fresh(named, "%x")
        named = {fresh: (ROWS, COLUMNS)} if self.random.random() < 0.5 else {**named, fresh: (ROWS, COLUMNS)}
        for _ in range(self.random.randint(3, 9)):
            self.statement(named)
        kinds = ", ".join([TENSOR] * len(named))
        header = f"func.func @f(%cond: !torch.bool, %n: !torch.int, %x: {TENSOR})"
        end = f"  return {', '.join(named)} : {kinds}\n"
        return f"{header} -> ({kinds}) {{\n{ints}" + "".join(self.lines) + end + "}\n"

    def emit(self, text: str) -> None:
        self.lines.append("  " * self.depth + text + "\n")

    def name(self) -> str:
        self.count += 1
        return f"%v{self.count}"

    def call(self, op: str, *operands: str) -> str:
        result = self.name()
        kinds = ", ".join(self.kind(o) for o in operands)
        self.emit(f'{result} = torch.operator "aten.{op}"({", ".join(operands)}) : ({kinds}) -> {TENSOR}')
        return result

    def kind(self, operand: str) -> str:
        if operand.startswith("%c") and operand[2:].isdigit():
            return "!torch.int"
        return "!torch.list<int>" if operand.startswith("%l") else TENSOR

    def statement(self, named: dict[str, Shape]) -> None:
        choices = [self.write] * 4 + [self.view] * 4 + [self.compute] * 2 + [self.show_otherwise]
        if self.depth < 3:
            choices += [self.branch, self.loop, self.choose]
        self.random.choice(choices)(named)

    def pick(self, named: dict[str, Shape]) -> str:
        return self.random.choice(list(named))

    def fresh(self, named: dict[str, Shape], source: str) -> str:
        result = self.call("mul.Scalar", source, "%c2")
        named[result] = named[source]
        return result

    def compute(self, named: dict[str, Shape]) -> None:
        source = self.pick(named)
        same = [other for other, shape in named.items() if shape == named[source]]
        if self.random.random() < 0.5:
            self.fresh(named, source)
            return
        result = self.call("add.Tensor", source, self.random.choice(same), "%c1")
        named[result] = named[source]

    def view(self, named: dict[str, Shape]) -> None:
        source = self.pick(named)
        shape = named[source]
        kind = self.random.choice(["slice", "select", "transpose", "unsqueeze", "view", "reshape"])
        if kind == "unsqueeze" and len(shape) < 4:
            named[self.call("unsqueeze", source, "%c0")] = (1, *shape)
        elif kind == "transpose" and len(shape) >= 2:
            named[self.call("transpose.int", source, "%c0", "%c1")] = (shape[1], shape[0], *shape[2:])
        elif kind == "select" and len(shape) > 1 and shape[0] > 0:
            index = self.random.randrange(min(shape[0], ROWS))
            named[self.call("select.int", source, "%c0", f"%c{index}")] = shape[1:]
        elif kind == "slice" and shape and shape[0] > 0:
            start = self.random.randrange(min(shape[0], ROWS))
            stop = self.random.randint(start, min(shape[0], ROWS))
            step = self.random.choice([1, 1, 2])
            size = max(0, (stop - start + step - 1) // step)
            operands = ("%c0", f"%c{start}", f"%c{stop}", f"%c{step}")
            named[self.call("slice.Tensor", source, *operands)] = (size, *shape[1:])
        elif kind == "reshape":
            total = 1
            for size in shape:
                total *= size
            sizes = self.name().replace("%v", "%l")
            minus = self.name()
            self.emit(f"{minus} = torch.constant.int {total}")
            self.emit(f"{sizes} = torch.prim.ListConstruct {minus} : (!torch.int) -> !torch.list<int>")
            named[self.call("reshape", source, sizes)] = (total,)

    def show_otherwise(self, named: dict[str, Shape]) -> None:
        """A new tensor, a view of it, then the tensor itself becomes another view of its memory."""
        source = self.pick(named)
        tensor, shape = self.fresh(named, source), named[source]
        if shape:
            named[self.call("slice.Tensor", tensor, "%c0", "%c0", "%c1", "%c1")] = (min(shape[0], 1), *shape[1:])
        if len(shape) >= 2:
            self.call("transpose_", tensor, "%c0", "%c1")
            named[tensor] = (shape[1], shape[0], *shape[2:])
        elif len(shape) < 4:
            self.call("unsqueeze_", tensor, "%c0")
            named[tensor] = (1, *shape)

    def write(self, named: dict[str, Shape]) -> None:
        target = self.pick(named)
        kind = self.random.choice(["add_.Scalar", "mul_.Tensor", "copy_", "fill_.Scalar", "zero_", "div_.Scalar"])
        if kind in ("add_.Scalar",):
            written = self.call(kind, target, "%c2", "%c1")
        elif kind in ("fill_.Scalar", "div_.Scalar"):
            written = self.call(kind, target, "%c3")
        elif kind == "zero_":
            written = self.call(kind, target)
        else:
            same = [other for other, shape in named.items() if shape == named[target]]
            other = self.random.choice(same)
            if kind == "copy_":
                self.emit("%false" + str(self.count + 1) + " = torch.constant.bool false")
                result = self.name()
                kinds = f"{self.kind(target)}, {self.kind(other)}, !torch.bool"
                call = f'torch.operator "aten.copy_"({target}, {other}, %false{self.count})'
                self.emit(f"{result} = {call} : ({kinds}) -> {TENSOR}")
                written = result
            else:
                written = self.call(kind, target, other)
        if self.random.random() < 0.3:
            named[written] = named[target]

    def branch(self, named: dict[str, Shape]) -> None:
        self.emit("torch.prim.If %cond -> () {")
        self.region(named, "torch.prim.If.yield")
        self.emit("} else {")
        self.region(named, "torch.prim.If.yield")
        self.emit("}")

    def region(self, named: dict[str, Shape], end: str) -> None:
        self.depth += 1
        inner = dict(named)
        for _ in range(self.random.randint(0, 3)):
            self.statement(inner)
        self.emit(end)
        self.depth -= 1

    def choose(self, named: dict[str, Shape]) -> None:
        """A variable that is one of two tensors."""
        source = self.pick(named)
        same = [other for other, shape in named.items() if shape == named[source]]
        result = self.name()
        self.emit(f"{result} = torch.prim.If %cond -> ({TENSOR}) {{")
        self.depth += 1
        one = self.random.choice(same)
        self.emit(f"torch.prim.If.yield {one} : {TENSOR}")
        self.depth -= 1
        self.emit("} else {")
        self.depth += 1
        other = self.random.choice(same)
        if self.random.random() < 0.4:
            other = self.call("mul.Scalar", other, "%c2")
        self.emit(f"torch.prim.If.yield {other} : {TENSOR}")
        self.depth -= 1
        self.emit("}")
        named[result] = named[source]

    def loop(self, named: dict[str, Shape]) -> None:
        source = self.pick(named)
        result, turn, carried = self.name(), self.name(), self.name()
        self.emit(f"{result} = torch.prim.Loop %n, %true, init({source}) {{")
        self.emit(f"^bb0({turn}: !torch.int, {carried}: {TENSOR}):")
        self.depth += 1
        inner = {**named, carried: named[source]}
        for _ in range(self.random.randint(1, 3)):
            self.statement(inner)
        same = [other for other, shape in inner.items() if shape == named[source]]
        last = self.random.choice([carried, self.random.choice(same)])
        self.emit(f"torch.prim.Loop.condition %true, iter({last} : {TENSOR})")
        self.depth -= 1
        self.emit(f"}} : (!torch.int, !torch.bool, {TENSOR}) -> {TENSOR}")
        named[result] = named[source]
