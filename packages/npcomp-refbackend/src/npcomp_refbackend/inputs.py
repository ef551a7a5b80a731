"""Arguments for a method from the words of a command line, and random ones by its signature."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_DEFAULT_SIZE = 8
_NUMPY = {
    "u8": np.uint8, "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64,
    "f16": np.float16, "f32": np.float32, "f64": np.float64, "bool": np.bool_,
    "c64": np.complex64, "c128": np.complex128,
}  # fmt: skip
_WORDS = {"true": True, "false": False, "none": None}


class InputError(Exception):
    """An argument that cannot be made from what was given."""


@dataclass
class Inputs:
    """Keyword arguments of a call."""

    values: dict[str, Any]


def parse_inputs(signature: dict[str, Any], given: list[str], sizes: list[str], seed: int) -> Inputs:
    """The given arguments (`name=value`), and random ones for the rest that has no default."""
    values = {name: _value(name, text) for name, text in _pairs(given, "--input")}
    known = [row["name"] for row in signature.get("args", [])]
    for name in values:
        if name not in known:
            raise InputError(
                f"{signature['name']} has no argument {name!r}. do: use one of {', '.join(known) or 'none'}"
            )
    named = {name: _size(name, text) for name, text in _pairs(sizes, "--size")}
    random = _Random(seed, named)
    for row in signature.get("args", []):
        if row["name"] not in values and "default" not in row:
            values[row["name"]] = random.value(row)
    return Inputs(values)


def _pairs(texts: list[str], option: str) -> list[tuple[str, str]]:
    pairs = [text.partition("=") for text in texts]
    for name, equals, _ in pairs:
        if not equals:
            raise InputError(f"{option} {name} has no '='. do: write {option} NAME=VALUE")
    return [(name, value) for name, _, value in pairs]


def _size(name: str, text: str) -> int:
    if not text.isdigit():
        raise InputError(f"--size {name}={text} is not a size. do: give a number of 0 or more")
    return int(text)


def _value(name: str, text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if text.endswith(".npy"):
        return _array(name, Path(text))
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    raise InputError(f"--input {name}={text} is neither a .npy file nor a number. do: write an array with numpy.save")


def _array(name: str, path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"--input {name}={path} cannot be read: {error}. do: write it with numpy.save") from error


class _Random:
    """Random values of any kind in a signature."""

    def __init__(self, seed: int, sizes: dict[str, int]):
        self.rng = np.random.default_rng(seed)
        self.sizes = sizes

    def value(self, row: dict[str, Any]) -> Any:
        kind = row["kind"]
        if kind == "tensor":
            return self.tensor(row["dtype"], [self.size(dim) for dim in row["dims"]])
        if kind in ("int", "float", "bool"):
            return {"int": 1, "float": 1.0, "bool": True}[kind]
        if kind in ("const", "str"):
            return row["value"]
        if kind == "none":
            return None
        items = [self.value(item) for item in row["items"]]
        if kind == "dict":
            return dict(zip(row["keys"], items))
        return items if kind == "list" else tuple(items)

    def size(self, dim: int | str | None) -> int:
        if isinstance(dim, int):
            return dim
        return self.sizes.get(dim, _DEFAULT_SIZE) if dim is not None else _DEFAULT_SIZE

    def tensor(self, dtype: str, shape: list[int]) -> np.ndarray:
        if dtype == "bf16":
            return (self.rng.standard_normal(shape).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
        if dtype.startswith("f"):
            return self.rng.standard_normal(shape).astype(_NUMPY[dtype])
        if dtype.startswith("c"):
            return (self.rng.standard_normal(shape) + 1j * self.rng.standard_normal(shape)).astype(_NUMPY[dtype])
        return self.rng.integers(0, 2, shape).astype(_NUMPY[dtype])
