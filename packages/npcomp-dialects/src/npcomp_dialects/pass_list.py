"""Lists of passes as text: ours by name, upstream's by their pipeline text, separated by commas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from npcomp_dialects import passes
from npcomp_dialects.diagnostics import as_exceptions
from npcomp_dialects.errors import OptionError
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.passmanager import PassManager


@dataclass(frozen=True)
class Step:
    """One pass to run on a module."""

    name: str
    apply: Callable[[ir.Module], None]


def parse(text: str) -> list[Step]:
    """The steps of `a,b,canonicalize,func.func(cse)`."""
    return [_step(part) for part in _split(text)]


def _split(text: str) -> list[str]:
    """The parts between commas that stand outside parentheses and braces."""
    parts, depth = [""], 0
    for char in text:
        depth += (char in "({[") - (char in ")}]")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    if depth != 0:
        raise OptionError(f"parentheses do not match in the pass list {text!r}")
    return [part.strip() for part in parts if part.strip()]


def _step(text: str) -> Step:
    found = passes.find(text)
    return Step(text, found.apply) if found else upstream(text)


def upstream(text: str) -> Step:
    """A pass or nested pipeline of MLIR."""

    def apply(module: ir.Module) -> None:
        with as_exceptions(f"pass {text!r}"):
            _manager(text, module.context).run(module.operation)

    return Step(text, apply)


def _manager(text: str, context: ir.Context) -> PassManager:
    pipeline = text if text.startswith("builtin.module(") else f"builtin.module({text})"
    try:
        return PassManager.parse(pipeline, context)
    except (ValueError, ir.MLIRError) as error:
        known = ", ".join(found.name for found in passes.all_passes())
        raise OptionError(
            f"there is no pass {text!r}: {str(error).strip()}\ndo: use one of {known}, or a pass of MLIR"
        ) from None
