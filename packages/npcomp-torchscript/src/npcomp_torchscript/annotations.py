"""How a model says which of its methods are exported and what their arguments are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch

from npcomp_torchscript.errors import refuse
from npcomp_torchscript.specs import TensorSpec

F = TypeVar("F", bound=Callable[..., Any])
ARGUMENTS = "__npcomp_arguments__"
EXPORTED = "__npcomp_exported__"


def export(method: F) -> F:
    """Marks a method as callable from outside, beside `forward`."""
    setattr(method, EXPORTED, True)
    torch.jit.export(method)
    return method


def annotate_args(arguments: Sequence[Any]) -> Callable[[F], F]:
    """Says what the arguments of a method or function are, in order.

    Each is a `TensorSpec`, `(dims, dtype)`, a Python type or value, or a nest of these. A leading None stands for
    `self` and may be left out."""
    specs = [_spec(argument) for argument in arguments]

    def annotate(method: F) -> F:
        setattr(method, ARGUMENTS, specs)
        return method

    return annotate


def _spec(argument: Any) -> Any:
    """`(dims, dtype)` and `(dims, dtype, has_value_semantics)` become a `TensorSpec`."""
    if isinstance(argument, tuple) and len(argument) in (2, 3) and isinstance(argument[1], torch.dtype | None):
        dims, dtype = argument[:2]
        if dims is None or (isinstance(dims, list | tuple) and all(isinstance(d, int | str | None) for d in dims)):
            return TensorSpec(dims, dtype)
    return argument


def of_callable(function: Any) -> list[Any] | None:
    """The annotations of a Python function, without the place of `self`."""
    return getattr(function, ARGUMENTS, None)


def is_exported(function: Any) -> bool:
    return getattr(function, EXPORTED, False)


class ClassAnnotator:
    """Says the same from outside, for classes that cannot be edited and for archives.

    Methods are named by a path from the root: `["forward"]`, or `["encoder", "forward"]` for a submodule's method.
    The root is a module, a scripted module or its class type."""

    def __init__(self) -> None:
        self._none: list[Any] = []
        self._exported: list[tuple[Any, tuple[str, ...]]] = []
        self._arguments: list[tuple[Any, tuple[str, ...], list[Any]]] = []

    def exportNone(self, root: Any) -> None:
        """Exports nothing of `root` but what `exportPath` names."""
        self._none.append(_class_of(root))

    def exportPath(self, root: Any, path: Sequence[str]) -> None:
        """Exports one method."""
        self._exported.append((_class_of(root), _path(path)))

    def annotateArgs(self, root: Any, path: Sequence[str], arguments: Sequence[Any]) -> None:
        """Says what the arguments of one method are, as `annotate_args` does."""
        self._arguments.append((_class_of(root), _path(path), [_spec(argument) for argument in arguments]))

    def exports_nothing(self, root: Any) -> bool:
        return any(_same_class(known, root) for known in self._none)

    def exported_paths(self, root: Any) -> list[tuple[str, ...]]:
        return [path for known, path in self._exported if _same_class(known, root)]

    def arguments(self, root: Any) -> dict[tuple[str, ...], list[Any]]:
        return {path: specs for known, path, specs in self._arguments if _same_class(known, root)}


def _path(path: Sequence[str]) -> tuple[str, ...]:
    if isinstance(path, str) or not path or not all(isinstance(part, str) for part in path):
        raise refuse(f"{path!r} is not a path", 'pass a list of names from the root, such as ["encoder", "forward"]')
    return tuple(path)


def _class_of(root: Any) -> Any:
    """A class type as it is; of a module its class type, or its Python class while it is not scripted."""
    if isinstance(root, torch.jit.ScriptModule):
        return root._c._type()
    return type(root) if isinstance(root, torch.nn.Module) else root


def _same_class(known: Any, root: Any) -> bool:
    """Is `root`, a scripted module, an instance of the class that the user named?"""
    if isinstance(known, type):
        concrete = getattr(root, "_concrete_type", None)
        return concrete is not None and concrete.py_class is known
    return known == root._c._type()
