"""Artifacts: compiled programs in memory and in files. The file format is described in native/core/artifact_file.h."""

from __future__ import annotations

import copy
import json
import os
import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .runtime import ArtifactError, Instance, instance_of_file, instance_of_parts, native

_ALIGNMENT = 64
_DTYPES = {
    "u8": np.uint8, "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64,
    "f16": np.float16, "f32": np.float32, "f64": np.float64, "bool": np.bool_, "bf16": np.uint16,
    "c64": np.complex64, "c128": np.complex128,
}  # fmt: skip


class Artifact:
    """A compiled program: a JSON header, object code, and constants (bf16 ones as uint16 arrays)."""

    def __init__(self, header: dict[str, Any], object: bytes, constants: Sequence[np.ndarray] = ()):
        self.header = header
        self.object = object
        self.constants = list(constants)
        self._file: Any = None

    @classmethod
    def load_file(cls, path: str | os.PathLike[str]) -> Artifact:
        """Map an artifact file. `ArtifactError` when it is none, is truncated, damaged, or newer than this version."""
        file = native.open_file(os.fspath(path))
        header = json.loads(file.header)
        artifact = cls(header, file.object, _arrays(header, file.constants))
        artifact._file = file
        return artifact

    def load(self, *, outputs: str = "auto") -> Instance:
        """A fresh instance in this process. `outputs` is as for `npcomp_refbackend.load`."""
        if self._file is not None:
            return instance_of_file(self._file, self.header, outputs)
        return instance_of_parts(self.header, self.object, self.constants, outputs)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one file. A file of this name is replaced only when the new one is complete."""
        header, blocks, size = _laid_out(self.header, self.constants)
        text = json.dumps(header).encode()
        header_at = native.PRELUDE_BYTES
        object_at = _aligned(header_at + len(text))
        constants_at = _aligned(object_at + len(self.object))
        pieces = [text, bytes(object_at - header_at - len(text))]
        pieces += [self.object, bytes(constants_at - object_at - len(self.object)), *blocks]
        prelude = struct.pack("<8sII", native.MAGIC, native.FORMAT_VERSION, native.PRELUDE_BYTES)
        prelude += struct.pack("<QQQQQQ", header_at, len(text), object_at, len(self.object), constants_at, size)
        prelude += struct.pack("<QQ", native.checksum(pieces), constants_at + size)
        prelude += struct.pack("<Q", native.checksum([prelude]))
        _write_whole(Path(path), [prelude.ljust(native.PRELUDE_BYTES, b"\0"), *pieces])


def _aligned(offset: int) -> int:
    return -(-offset // _ALIGNMENT) * _ALIGNMENT


def _laid_out(header: dict[str, Any], constants: list[np.ndarray]) -> tuple[dict[str, Any], list[Any], int]:
    """The header with every constant's place, the constants padded to the alignment, and their size in all."""
    placed = copy.copy(header)
    rows: list[dict[str, Any]] = []
    blocks: list[Any] = []
    size = 0
    for row, array in zip(header.get("constants", []), constants, strict=True):
        rows.append({**row, "offset": size, "nbytes": array.nbytes})
        blocks.append(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
        blocks.append(bytes(_aligned(array.nbytes) - array.nbytes))
        size += _aligned(array.nbytes)
    placed["constants"] = rows
    return placed, blocks, size


def _arrays(header: dict[str, Any], block: memoryview) -> list[np.ndarray]:
    """The constants as arrays over the mapped file."""
    arrays = []
    for row in header.get("constants", []):
        bytes_ = block[row["offset"] : row["offset"] + row["nbytes"]]
        arrays.append(np.frombuffer(bytes_, np.uint8).view(_DTYPES[row["dtype"]]).reshape(row["sizes"]))
    return arrays


def _write_whole(path: Path, pieces: list[Any]) -> None:
    handle, temporary = tempfile.mkstemp(prefix=path.name, suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            for piece in pieces:
                file.write(piece)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


__all__ = ["Artifact", "ArtifactError"]
