"""Python values that JSON lacks, as signatures spell them: dtypes, devices, complex numbers, slices, named results of
torch. Where torch is not imported its values stay their text."""

from __future__ import annotations

import collections
import sys
from collections.abc import Callable, Sequence
from typing import Any

_MAKERS: dict[str, Callable[[Any], Any]] = {
    "complex": lambda parts: complex(*parts),
    "slice": lambda parts: slice(*parts),
    "range": lambda parts: range(*parts),
    "ellipsis": lambda _: ...,
    "float": float,
}


def constant(of: str, value: Any) -> Any:
    """The value of a `const` of type `of`: "torch.dtype" and "torch.float32", "complex" and [re, im]."""
    if of in _MAKERS:
        return _MAKERS[of](value)
    torch = sys.modules.get("torch")
    if torch is None:
        return value
    return torch.device(value) if of == "torch.device" else getattr(torch, value.removeprefix("torch."))


def record_type(name: str, fields: Sequence[str], module: str) -> type:
    """The class of a named tuple: torch's own for what torch returns, else one of these fields."""
    found = getattr(sys.modules.get(module), name, None) if module == "torch.return_types" else None
    return found or collections.namedtuple(name, fields)
