"""The forms in which a program can be given, reduced to one: a scripted module, or a scripted function."""

from __future__ import annotations

import inspect
import os
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from npcomp_dialects.errors import SourceLocation

from npcomp_torchscript.annotations import ClassAnnotator, is_exported, of_callable
from npcomp_torchscript.errors import TorchScriptError, refuse
from npcomp_torchscript.locations import is_library, parse

FUNCTION = torch.jit.ScriptFunction


@dataclass(frozen=True)
class Export:
    """One method that callers of the program can use. `path` leads from the root to it."""

    path: tuple[str, ...]
    function: Any
    annotated: list[Any] | None = None
    wanted: bool = True  # by the user in so many words; else it is left out when its arguments are unknown

    @property
    def name(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True)
class Source:
    """A program: `root` is the scripted module, or None for a function."""

    root: Any
    exports: list[Export] = field(default_factory=list)


def load(given: Any, annotator: ClassAnnotator | None = None) -> Source:
    """Reduces what the user gave. Raises `TorchScriptError` where torch cannot script it."""
    if isinstance(given, str | os.PathLike):
        given = load_archive(Path(given))
    if isinstance(given, torch.nn.Module) and not isinstance(given, torch.jit.ScriptModule):
        given = _script(given)
    if isinstance(given, torch.jit.ScriptModule):
        return Source(given, _exports(given, annotator or ClassAnnotator()))
    if isinstance(given, FUNCTION):
        return Source(None, [Export(("forward",), given, _annotated_function(given))])
    if callable(given) and not isinstance(given, type):
        return Source(None, [Export(("forward",), _script(given), of_callable(given))])
    kind = f"the class {given.__name__}" if isinstance(given, type) else f"an object of type {type(given).__name__}"
    raise refuse(
        f"{kind} is not a program",
        "pass a torch.nn.Module, what torch.jit.script or torch.jit.trace gave, a function, or the path of an archive",
    )


def load_archive(path: Path) -> Any:
    """`torch.jit.load` with errors that say what is wrong with the file."""
    if not path.exists():
        raise refuse(f"there is no file {path}", "check the path")
    if path.is_dir():
        raise refuse(f"{path} is a folder", "pass the file that torch.jit.save wrote")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return torch.jit.load(str(path), map_location="cpu")
    except (RuntimeError, ValueError, OSError) as error:
        reason = str(error).strip().splitlines()[0].partition(". ")[0][:200]
        raise refuse(
            f"{path} is not a TorchScript archive: {reason}",
            "write it with torch.jit.save(torch.jit.script(model), path); a state dict or a pickle is no program",
        ) from None


def _script(given: Any) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return torch.jit.script(given)
    except Exception as error:
        raise _unscriptable(given, error) from None


def _unscriptable(given: Any, error: Exception) -> TorchScriptError:
    """torch's own message, without the excerpts, at the user's line."""
    name = given.__class__.__name__ if isinstance(given, torch.nn.Module) else given.__name__
    text = str(error)
    do = "rewrite the line within TorchScript's subset of Python, or trace the program with npcomp_acap.trace"
    return refuse(f"torch.jit.script refuses {name}: {_headline(text)}", do, _user_place(text))


def _headline(text: str) -> str:
    """The first sentences of torch's message: everything before the source excerpt."""
    head = re.split(r':?\n  File "', text, maxsplit=1)[0]
    lines = [line.strip() for line in head.strip().splitlines() if line.strip()]
    return " ".join(lines)[:400].rstrip(" :")


def _user_place(text: str) -> SourceLocation | None:
    """The first place in the message that is not inside torch."""
    places = [parse(chunk) for chunk in re.split(r'(?=  File ")', text) if 'File "' in chunk]
    found = [place for place in places if place is not None]
    return next((place for place in found if not is_library(place.file)), found[0] if found else None)


def _annotated_function(function: Any) -> list[Any] | None:
    return of_callable(getattr(function, "_torchdynamo_inline", None))


def _exports(root: Any, annotator: ClassAnnotator) -> list[Export]:
    specs = annotator.arguments(root)
    chosen = dict.fromkeys(annotator.exported_paths(root), True)
    if not annotator.exports_nothing(root):
        for name in sorted(root._c._method_names(), key=lambda name: name != "forward"):
            wanted = _export_wish(root, name)
            if wanted is not None:
                chosen.setdefault((name,), wanted)
    for path in specs:
        chosen.setdefault(path, True)
    exports = [_export(root, path, specs.get(path), wanted) for path, wanted in chosen.items()]
    if not exports:
        raise refuse(
            f"{_class_name(root)} exports no method",
            "give it a forward method, mark one with @npcomp_torchscript.export, or name one with "
            "ClassAnnotator.exportPath",
        )
    return exports


def _export_wish(root: Any, name: str) -> bool | None:
    """Is a compiled method of the root exported: on the user's word (True), by torch.jit.export (False), not (None)?"""
    python = _python_method(root, name)
    if name == "forward" or (python is not None and is_exported(python)):
        return True
    if python is None:
        return None
    modifier = getattr(python, "_torchscript_modifier", None)
    return False if modifier is torch._jit_internal.FunctionModifiers.EXPORT else None


def _export(root: Any, path: tuple[str, ...], specs: list[Any] | None, wanted: bool) -> Export:
    owner = root
    for depth, name in enumerate(path[:-1]):
        if name not in owner._modules:
            missing = ".".join(path[: depth + 1])
            raise refuse(
                f"the path {'.'.join(path)} leads nowhere: {_class_name(root)} has no submodule {missing!r}",
                "check the names with model.named_modules()",
            )
        owner = owner._modules[name]
    if not owner._c._has_method(path[-1]):
        raise refuse(
            f"{_class_name(owner)} has no compiled method {path[-1]!r}; it has {', '.join(owner._c._method_names())}",
            "mark it with @torch.jit.export, so that torch.jit.script compiles it",
        )
    if specs is None:
        python = _python_method(owner, path[-1])
        specs = None if python is None else of_callable(python)
    return Export(path, owner._c._get_method(path[-1]), specs, wanted)


def _python_method(owner: Any, name: str) -> Callable[..., Any] | None:
    """The Python method behind a compiled one; archives have none."""
    concrete = getattr(owner, "_concrete_type", None)
    python = getattr(concrete.py_class, name, None) if concrete is not None else None
    return python if inspect.isfunction(python) else None


def _class_name(owner: Any) -> str:
    return owner._c._type().name()
