"""Instances of loaded programs: methods, state and counters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

try:
    import npcomp_refbackend._runtime as native
except ImportError as error:
    raise ImportError(
        f"npcomp_refbackend's native runtime does not load: {error}. do: python ci/native.py, or reinstall the wheel"
    ) from error

ArtifactError = native.ArtifactError

_ABI = 1
if native.ABI != _ABI:
    raise ImportError(
        f"npcomp_refbackend's native runtime has ABI {native.ABI}, its Python sources need {_ABI}. "
        "do: python ci/native.py, or reinstall the wheel"
    )


class Instance:
    """A loaded program with state of its own. Methods are attributes and C callables; `instance(…)` calls `forward`."""

    def __init__(self, program: Any, header: Mapping[str, Any], outputs: str = "auto"):
        if outputs not in ("auto", "torch", "numpy"):
            raise ValueError(f"outputs is {outputs!r}. do: pass 'auto', 'torch' or 'numpy'")
        self._slots: list[dict[str, Any]] = header.get("slots", [])
        self._native = native.Instance(program, _fallback_plans(header.get("fallbacks", [])))
        names = [row.get("name") or row["signature"]["name"] for row in header.get("methods", [])]
        self.methods = {name: native.method(self._native, n, outputs) for n, name in enumerate(names)}
        taken = set(dir(type(self)))
        self.__dict__.update({name: method for name, method in self.methods.items() if name not in taken})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        known = ", ".join(self.__dict__.get("methods", {})) or "none"
        raise AttributeError(f"the program has no method {name!r}; its methods are: {known}")

    def __repr__(self) -> str:
        return f"<npcomp instance: {'; '.join(method.signature for method in self.methods.values())}>"

    def stats(self) -> dict[str, Any]:
        """Calls so far, those that failed, and how often each op ran as a kernel of torch."""
        fallbacks: dict[str, int] = {}
        for label, count in self._native.fallback_counts():
            fallbacks[label] = fallbacks.get(label, 0) + count
        return {"calls": self._native.calls, "failures": self._native.failures, "fallbacks": fallbacks}

    def state(self) -> dict[str, Any]:
        """The program's state by name: copies as numpy arrays (bf16 as the uint16 bits), and Python numbers."""
        return {row["name"]: self._native.state(n) for n, row in enumerate(self._slots)}

    def set_state(self, values: Mapping[str, Any]) -> None:
        """Replace parts of the state, as `state` returned them."""
        numbers = {row["name"]: n for n, row in enumerate(self._slots)}
        for name, value in values.items():
            if name not in numbers:
                raise KeyError(f"the program has no state {name!r}. do: use one of {', '.join(numbers) or 'none'}")
            is_tensor = self._slots[numbers[name]]["kind"] == "tensor"
            self._native.set_state(numbers[name], np.array(value, order="C") if is_tensor else value)

    def reset(self) -> None:
        """Every part of the state as it was when the program was loaded."""
        self._native.reset()


def instance_of_parts(header: Mapping[str, Any], code: bytes, constants: list[np.ndarray], outputs: str) -> Instance:
    """An instance of a program that was never saved."""
    arrays = [np.ascontiguousarray(array).reshape(-1).view(np.uint8) for array in constants]
    return Instance(native.Program.from_parts(json.dumps(header), code, arrays), header, outputs)


def instance_of_file(file: Any, header: Mapping[str, Any], outputs: str) -> Instance:
    """An instance whose constants are read from the mapped file when they are used."""
    return Instance(native.Program.from_file(file), header, outputs)


def _fallback_plans(rows: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    if not rows:
        return None
    from .fallback import plans  # brings torch in

    return plans(rows)
