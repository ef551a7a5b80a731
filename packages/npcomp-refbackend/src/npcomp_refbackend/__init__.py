"""npcomp's reference backend: native code for programs, and the runtime that runs them.

Loading an artifact needs neither torch nor the compiler, so both names below import what they need when they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .artifact import Artifact
    from .backend import RefBackend
    from .runtime import Instance

__version__ = "0.1.0"
__all__ = ["Artifact", "ArtifactError", "Instance", "RefBackend", "load", "manual_seed"]

_HOMES = {"Artifact": "artifact", "RefBackend": "backend", "Instance": "runtime", "ArtifactError": "runtime"}


def load(path: Any, *, outputs: str = "auto") -> Instance:
    """Load an artifact file: a fresh instance whose methods are attributes, `forward` by calling it.

    Results are of the library that the arguments came from. `outputs="numpy"` or `"torch"` fixes the library.
    """
    from .artifact import Artifact

    return Artifact.load_file(path).load(outputs=outputs)


def manual_seed(seed: int) -> None:
    """Make the random numbers of programs reproducible from here on. Where torch is loaded, programs follow
    `torch.manual_seed` instead."""
    from .runtime import native

    native.manual_seed(seed % 2**64)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
