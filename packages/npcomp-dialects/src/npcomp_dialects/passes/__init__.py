"""The passes of npcomp: each is one file of this folder, named as the pass is.

A pass is a function on a module. It takes valid IR, leaves valid IR, does not rely on another pass having
cleaned up before it, and raises `CompileError` with the user's line when it cannot go on. A downstream package
adds its own by an entry point in the group `npcomp.passes` (name = pass name, object = the function), or with
`register` in a module that `npcomp-opt --plugin` imports.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from npcomp_dialects.errors import OptionError

PassFunction = Callable[[Any], None]
_PASSES: dict[str, Pass] = {}
_loaded = False


@dataclass(frozen=True)
class Pass:
    """A registered pass: its name, what it does to an `ir.Module`, and its prose."""

    name: str
    apply: PassFunction
    doc: str

    @property
    def summary(self) -> str:
        return self.doc.strip().partition("\n")[0]


def register(name: str) -> Callable[[PassFunction], PassFunction]:
    """Register a function as the pass `name`; its docstring is the pass's documentation."""

    def add(apply: PassFunction) -> PassFunction:
        if name in _PASSES and _PASSES[name].apply is not apply:
            raise OptionError(f"two passes are called {name!r}\ndo: rename one of them")
        doc = inspect.getdoc(apply) or ""
        if not doc:
            raise OptionError(f"pass {name!r} says nothing about itself\ndo: give its function a docstring")
        _PASSES[name] = Pass(name, apply, doc)
        return apply

    return add


def all_passes() -> list[Pass]:
    """Every registered pass, by name."""
    _load()
    return [_PASSES[name] for name in sorted(_PASSES)]


def descriptions() -> dict[str, str]:
    """Name and prose of every pass of this package."""
    return {found.name: found.doc for found in all_passes()}


def find(name: str) -> Pass | None:
    """The pass of that name, or None. Installed packages are searched for names that are not ours."""
    _load()
    if name not in _PASSES:
        for entry in entry_points(group="npcomp.passes", name=name):
            register(name)(entry.load())
    return _PASSES.get(name)


def lookup(name: str) -> Pass:
    """The pass of that name; an unknown name is an error that lists what there is."""
    if (found := find(name)) is not None:
        return found
    known = ", ".join(p.name for p in all_passes())
    raise OptionError(f"there is no pass {name!r}\ndo: use one of {known}")


def _load() -> None:
    global _loaded
    if _loaded:
        return
    _loaded = True
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    importlib.import_module("npcomp_dialects.contract")
