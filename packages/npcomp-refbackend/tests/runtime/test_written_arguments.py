"""New contents of arguments reach the caller's memory through any strides, from Python and from C."""

from __future__ import annotations

import ctypes
from pathlib import Path

import npcomp_refbackend
import numpy as np
import pytest
import torch
from compiled import artifact, method, tensor
from npcomp_refbackend import _runtime

SWAP = "ENTRY(npcomp_forward) { r[0] = a[0]; r[1] = a[1]; r[2] = a[0]; }"
FAILS = "ENTRY(npcomp_forward) { refrt_guard_fail(c, 0, 0, 0); }"
WRONG = "ENTRY(npcomp_forward) { r[0] = a[0]; r[1] = (int64_t)scalar_tensor(c, 1); r[2] = a[0]; }"


def swap(source: str = SWAP):
    """Returns the old first argument; each argument gets the contents of the other."""
    row = method([tensor(None, 3, writes=True), tensor(None, 3, name="y", writes=True)], tensor(None, 3))
    guards = [{"kind": "IndexError", "message": "no", "loc": "model.py:3"}]
    return artifact(source, row, guards=guards)


@pytest.mark.parametrize("order", ["C", "F"])
def test_two_arguments_change_places(order):
    x, y = np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros((8, 6), np.float32, order=order)[::4, ::-2]
    old = x.copy()
    result = swap().load().forward(x, y)
    assert not x.any() and (y == old).all() and (result == old).all()


def test_results_of_torch_are_kept_apart():
    before = _runtime.live_tensors()
    x, y = torch.ones(2, 3), torch.zeros(3, 2).t()
    result = swap().load().forward(x, y)
    assert x.sum() == 0 and y.sum() == 6 and result.sum() == 6
    assert (x._version, y._version) == (1, 1)
    x.fill_(5)
    assert result.sum() == 6
    del result
    assert _runtime.live_tensors() == before


@pytest.mark.parametrize(("source", "error"), [(FAILS, IndexError), (WRONG, RuntimeError)])
def test_a_failing_call_writes_nothing(source, error):
    before = _runtime.live_tensors()
    x, y = np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32)
    with pytest.raises(error):
        swap(source).load().forward(x, y)
    assert x.all() and not y.any() and _runtime.live_tensors() == before


def test_an_argument_that_is_returned_is_itself():
    program = artifact(SWAP, method([tensor(None, 3)], tensor(None, 3, alias=0))).load()
    for x in (np.ones((2, 3), np.float32), torch.ones(3, 2).t()):
        assert program.forward(x) is x


class Error(ctypes.Structure):
    _fields_ = (("kind", ctypes.c_char * 64), ("message", ctypes.c_char * 4096))


def call_from_c(path: Path, *arrays: np.ndarray) -> tuple[int, str]:
    """`refrt_call` with wrapped arrays; the status and the kind of error."""
    library = ctypes.CDLL(str(Path(npcomp_refbackend.__file__).parent / "lib" / "librefrt.so"))
    for name in ("refrt_program_open", "refrt_instance_new", "refrt_tensor_wrap"):
        getattr(library, name).restype = ctypes.c_void_p
    error = Error()
    program = ctypes.c_void_p(library.refrt_program_open(str(path).encode(), ctypes.byref(error)))
    instance = ctypes.c_void_p(library.refrt_instance_new(program))
    handles = []
    for array in arrays:
        sizes, strides = ((ctypes.c_int64 * 2)(*v) for v in (array.shape, [s // 4 for s in array.strides]))
        data = ctypes.c_void_p(array.ctypes.data)
        handles.append(library.refrt_tensor_wrap(data, 6, ctypes.c_int64(2), sizes, strides))
    slots, results = (ctypes.c_int64 * 2)(*handles), (ctypes.c_int64 * 1)()
    status = library.refrt_call(instance, ctypes.c_int64(0), slots, results, ctypes.byref(error))
    for handle in (*handles, *(results if status == 0 else ())):
        library.refrt_tensor_drop(ctypes.c_void_p(handle))
    library.refrt_instance_delete(instance)
    library.refrt_program_close(program)
    return status, error.kind.decode()


def test_from_c(tmp_path):
    swap().save(tmp_path / "swap.npc")
    x, y = np.ones((2, 3), np.float32), np.zeros((4, 6), np.float32)[::2, ::2]
    assert call_from_c(tmp_path / "swap.npc", x, y) == (0, "")
    assert not x.any() and y.all()
    assert call_from_c(tmp_path / "swap.npc", y, y) == (1, "ValueError")
    repeated = np.lib.stride_tricks.as_strided(x, (2, 3), (0, 4))
    assert call_from_c(tmp_path / "swap.npc", repeated, y) == (1, "RuntimeError")
