"""Random functions that view and write their arguments, as Python source, for the property test of both frontends."""

from __future__ import annotations

import random

Shape = tuple[int, ...]
WRITES = (
    "{}.add_(1)", "{}.mul_(0.5)", "{}.copy_({} * 2)", "{}.fill_(3)", "torch.add({}, {}, out={})", "{}[...] = {}.sum()",
)  # fmt: skip


class Writer:
    """Writes `def f(x, y)` line by line; `named` has the shape of each tensor that a name may be used for."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.named: dict[str, Shape] = {"x": (4, 3), "y": (3, 4)}
        self.lines = ["def f(x, y):"]
        for _ in range(self.random.randint(4, 8)):
            self.random.choice([self.view, self.view, self.write, self.write, self.compute, self.turn])()
        results = self.random.sample(list(self.named), min(3, len(self.named)))
        self.lines.append(f"    return {', '.join(results)},")

    def source(self) -> str:
        return "\n".join(self.lines) + "\n"

    def let(self, text: str, shape: Shape) -> str:
        name = f"v{len(self.lines)}"
        self.lines.append(f"    {name} = {text}")
        self.named[name] = shape
        return name

    def pick(self) -> str:
        return self.random.choice(list(self.named))

    def view(self) -> None:
        name = self.pick()
        shape = self.named[name]
        if len(shape) < 2:
            self.let(f"{name}.unsqueeze(0)", (1, *shape))
            return
        rows = shape[0]
        start = self.random.randrange(rows)
        step = self.random.choice([1, 2])
        text, result = self.random.choice([
            (f"{name}.t()" if len(shape) == 2 else f"{name}.transpose(0, 1)", (shape[1], shape[0], *shape[2:])),
            (f"{name}[{start}]", shape[1:]),
            (f"{name}[{start}::{step}]", (-(-(rows - start) // step), *shape[1:])),
            (f"{name}[:, {self.random.randrange(shape[1])}]", (rows, *shape[2:])),
            (f"{name}.narrow(0, {start}, 1)", (1, *shape[1:])),
            (f"{name}.detach()", shape),
        ])  # fmt: skip
        self.let(text, result)

    def write(self) -> None:
        name = self.pick()
        text = self.random.choice(WRITES)
        self.lines.append("    " + text.format(*[name] * text.count("{}")))

    def compute(self) -> None:
        name = self.pick()
        self.let(f"torch.sin({name}) + {self.random.randint(1, 3)}", self.named[name])

    def turn(self) -> None:
        """A new tensor with a view, and then other sizes in place."""
        name = self.pick()
        shape = self.named[name]
        new = self.let(f"{name} * 2", shape)
        self.let(f"{new}[0:1]", (1, *shape[1:]))
        if len(shape) == 2:
            self.lines.append(f"    {new}.t_()")
            self.named[new] = (shape[1], shape[0])
        else:
            self.lines.append(f"    {new}.unsqueeze_(0)")
            self.named[new] = (1, *shape)
