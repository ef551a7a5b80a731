"""Backends: what makes machine code of a module at the backend contract. Found by name through entry points."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any, Protocol, runtime_checkable

from npcomp_dialects.errors import OptionError

GROUP = "npcomp.backends"


class Instance(Protocol):
    """A loaded program with its state. Two instances of one artifact are independent."""

    methods: dict[str, Any]


class Artifact(Protocol):
    """Compiled code that can be kept in a file."""

    def load(self) -> Instance: ...

    def save(self, path: Any) -> None: ...


@runtime_checkable
class Backend(Protocol):
    """Compiles a module that satisfies the backend contract. It may refuse a part with an error at the user's line."""

    def compile(self, module: Any, options: Any) -> Artifact: ...


def lookup(backend: str | Backend) -> Backend:
    """The backend of a name in the entry-point group `npcomp.backends`, or the object itself."""
    if not isinstance(backend, str):
        if isinstance(backend, Backend):
            return backend
        raise OptionError(f"backend {backend!r} has no method compile(module, options)")
    for entry in entry_points(group=GROUP, name=backend):
        loaded = entry.load()
        return loaded() if isinstance(loaded, type) else loaded
    known = ", ".join(sorted({entry.name for entry in entry_points(group=GROUP)})) or "none"
    raise OptionError(
        f"there is no backend {backend!r} (installed: {known})\ndo: pip install npcomp-{backend}, or pass a Backend"
    )
