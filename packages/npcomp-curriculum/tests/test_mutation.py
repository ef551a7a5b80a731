"""A caller's tensor changes if and only if eager torch changes it: results, arguments and identities, through both
frontends, with dense and strided arguments."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

import mutation_control_programs  # noqa: F401  registers its programs
import npcomp_acap as acap
import npcomp_torchscript as nts
import pytest
import torch
from mutation_programs import PROGRAMS, MutatingProgram
from torch import Tensor
from torch.utils import _pytree as pytree

DTYPES = {
    "f32": torch.float32, "f64": torch.float64, "f16": torch.float16, "bf16": torch.bfloat16, "bool": torch.bool,
    "i64": torch.int64, "i32": torch.int32, "i16": torch.int16, "i8": torch.int8, "u8": torch.uint8,
}  # fmt: skip


def make(text: str, generator: torch.Generator) -> Any:
    """An argument as `mutation_programs` writes it."""
    if text == "bool":
        return bool(torch.randint(0, 2, (), generator=generator))
    if text == "int":
        return int(torch.randint(0, 5, (), generator=generator))
    if text[0] in "[(":
        items = [make(part, generator) for part in text[1:-1].split(";")]
        return items if text[0] == "[" else tuple(items)
    if text[0] == "{":
        pairs = [part.split(":") for part in text[1:-1].split(";")]
        return {key: make(part, generator) for key, part in pairs}
    name, sizes = re.fullmatch(r"(\w+)\[(.*)\]", text).groups()
    shape = [int(size) for size in sizes.split(",") if size]
    dtype = DTYPES[name]
    if dtype.is_floating_point:
        return torch.randn(shape, generator=generator).to(dtype)
    return torch.randint(0, 2 if dtype is torch.bool else 3, shape, generator=generator).to(dtype)


def strided(x: Any) -> Any:
    """The same values in memory with gaps and another order of dimensions."""
    if not isinstance(x, Tensor):
        return x
    if not x.dim():
        return torch.zeros(3, dtype=x.dtype)[1].copy_(x)
    room = torch.zeros([2 * size + 1 for size in reversed(x.shape)], dtype=x.dtype)
    view = room.permute(*reversed(range(x.dim())))[tuple(slice(1, None, 2) for _ in x.shape)]
    return view.copy_(x)


def same(x: Any) -> Any:
    return x.clone() if isinstance(x, Tensor) else x


def spec(x: Any, dynamic: bool) -> Any:
    if isinstance(x, Tensor):
        return nts.TensorSpec([None] * x.dim() if dynamic else list(x.shape), x.dtype)
    if isinstance(x, (list, tuple)):
        return type(x)(spec(item, dynamic) for item in x)
    return {key: spec(item, dynamic) for key, item in x.items()} if isinstance(x, dict) else type(x)


@functools.cache
def compiled(program: MutatingProgram, frontend: str) -> Callable[..., Any]:
    examples = [make(text, torch.Generator().manual_seed(0)) for text in program.arguments]
    if frontend == "acap":
        return acap.trace(program.function, *examples)
    return nts.compile(torch.jit.script(program.function), [spec(x, program.dynamic) for x in examples])


def cases() -> Iterator[Any]:
    for program in PROGRAMS:
        for frontend in ("torchscript", "acap"):
            if program.only in (None, frontend):
                yield pytest.param(program, frontend, id=f"{program.function.__name__}-{frontend}")


def outcome(function: Callable[..., Any], arguments: list[Any]) -> tuple[Any, list[Any], list[int | None]]:
    """The result, the arguments afterwards, and which of them each result is."""
    result = function(*arguments)
    leaves = pytree.tree_leaves(arguments)
    numbers = [next((n for n, x in enumerate(leaves) if x is y), None) for y in pytree.tree_leaves(result)]
    return result, leaves, numbers


@pytest.mark.parametrize("lay_out", [same, strided])
@pytest.mark.parametrize(("program", "frontend"), list(cases()))
def test_results_arguments_and_identities(program, frontend, lay_out) -> None:
    call = compiled(program, frontend)
    for seed in range(1, 4):
        drawn = [make(text, torch.Generator().manual_seed(seed)) for text in program.arguments]
        ours, theirs = (pytree.tree_map(lay_out, drawn) for _ in range(2))
        result, arguments, identities = outcome(call, ours)
        wanted, changed, same_objects = outcome(program.function, theirs)
        torch.testing.assert_close(result, wanted)
        torch.testing.assert_close(arguments, changed)
        assert identities == same_objects
