"""What a program of the curriculum is, and the list of them.

A program is a module class with a stable name, a level, the dtypes and dims of its arguments, and at least two
assignments of sizes to its dynamic dims: it is compiled once and run at each. Everything random is seeded by the
program's name, so two runs see the same numbers."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

LEVELS = {
    1: "elementwise",
    2: "contractions",
    3: "multi-layer perceptrons",
    4: "convolution and normalization",
    5: "sequences",
    6: "attention",
    7: "training",
}
FAMILIES = [
    "elementwise",
    "contraction",
    "mlp",
    "convolution",
    "normalization",
    "resnet",
    "sequence",
    "attention",
    "training",
]


@dataclass(frozen=True)
class Arg:
    """One tensor argument: a str dim is dynamic and named, an int dim static. Integers are drawn below `high`."""

    dtype: torch.dtype
    dims: tuple[int | str, ...]
    high: int = 10

    def draw(self, sizes: Mapping[str, int], generator: torch.Generator) -> torch.Tensor:
        shape = [sizes[dim] if isinstance(dim, str) else dim for dim in self.dims]
        if self.dtype.is_floating_point:
            return torch.randn(shape, generator=generator, dtype=torch.float32).to(self.dtype)
        return torch.randint(0, self.high, shape, generator=generator).to(self.dtype)


@dataclass(frozen=True)
class Program:
    """`build()` makes the module, or the function, freshly and deterministically."""

    name: str
    level: int
    summary: str
    build: Callable[[], torch.nn.Module]
    args: tuple[Arg, ...]
    sizes: tuple[Mapping[str, int], ...]
    frontends: tuple[str, ...]
    rtol: float
    atol: float

    @property
    def seed(self) -> int:
        return zlib.crc32(self.name.encode())

    def module(self) -> torch.nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return self.build()

    def inputs(self, sizes: Mapping[str, int]) -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(self.seed + sum(sizes.values()))
        return [arg.draw(sizes, generator) for arg in self.args]


_programs: dict[str, Program] = {}


def f32(*dims: int | str) -> Arg:
    return Arg(torch.float32, dims)


def i64(*dims: int | str, high: int = 10) -> Arg:
    return Arg(torch.int64, dims, high)


def program(
    name: str,
    *args: Arg,
    level: int,
    sizes: Sequence[Mapping[str, int]],
    frontends: Sequence[str] = ("torchscript", "acap"),
    rtol: float = 1e-4,
    atol: float = 1e-5,
    train: bool = False,
) -> Callable[[type[torch.nn.Module]], type[torch.nn.Module]]:
    """Registers a module class as a program; its docstring is the summary. `train`: leave the module in train mode."""

    def register(cls: type[torch.nn.Module]) -> type[torch.nn.Module]:
        if name in _programs:
            raise ValueError(f"two programs are named {name!r}")
        summary = (cls.__doc__ or "").strip().splitlines()[0]
        _programs[name] = Program(
            name, level, summary, lambda: cls().train(train), args, tuple(sizes), tuple(frontends), rtol, atol
        )
        return cls

    return register


def programs() -> list[Program]:
    """All programs, by level, then by name."""
    for family in FAMILIES:
        importlib.import_module(f"npcomp_curriculum.programs.{family}")
    return sorted(_programs.values(), key=lambda p: (p.level, p.name))


def matching(pattern: str | None, level: int | None = None) -> list[Program]:
    """The programs whose name contains `pattern`. Raises `LookupError` where there is none."""
    chosen = [p for p in programs() if (not pattern or pattern in p.name) and level in (None, p.level)]
    if not chosen:
        raise LookupError(f"no program matches {pattern!r}" + (f" on level {level}" if level else ""))
    return chosen
