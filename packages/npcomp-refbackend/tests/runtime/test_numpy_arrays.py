"""numpy arrays in and out: memory, strides, dtypes, lifetimes."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from compiled import add_one, artifact, method, tensor
from npcomp_refbackend import _runtime

ADDRESS = "ENTRY(npcomp_forward) { r[0] = (int64_t)tensor(a[0])->data; }"
COPY = """
ENTRY(npcomp_forward) {
  T x = tensor(a[0]), y = like(c, x);
  memcpy(y->data, x->data, SIZE * x->numel);
  r[0] = (int64_t)y;
}
"""
DTYPES = {
    "u8": np.uint8, "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64,
    "f16": np.float16, "f32": np.float32, "f64": np.float64, "bool": np.bool_, "bf16": np.uint16,
}  # fmt: skip


def copier(dtype: str, rank: int):
    """A program that returns a copy of a tensor of any size."""
    size = np.dtype(DTYPES[dtype]).itemsize
    spec = tensor(*[None] * rank, dtype=dtype)
    return artifact(COPY.replace("SIZE", str(size)), method([spec], spec)).load()


def test_dense_arrays_are_read_where_they_are():
    program = artifact(ADDRESS, method([tensor(None, None)], {"kind": "int"})).load()
    x = np.zeros((3, 4), np.float32)
    assert program(x) == x.ctypes.data
    assert program(x[1:]) == x[1:].ctypes.data
    assert program(x[:, :1][:1]) == x.ctypes.data
    assert program(x.T) != x.ctypes.data
    x.flags.writeable = False
    assert program(x) == x.ctypes.data


def test_results_own_what_the_program_wrote():
    before = _runtime.live_tensors()
    result = add_one("n").load()(np.zeros(5, np.float32))
    assert result.flags.writeable and result.base is not None and result.ctypes.data % 64 == 0
    view = result[1:3]
    del result
    gc.collect()
    np.testing.assert_array_equal(view, [1, 1])
    del view
    gc.collect()
    assert _runtime.live_tensors() == before


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (7,), (3, 0, 2), (2, 3, 5)])
def test_every_dtype_and_shape(dtype, shape):
    x = np.random.default_rng(0).integers(0, 2 if dtype == "bool" else 100, shape).astype(DTYPES[dtype])
    result = copier(dtype, len(shape))(x)
    assert result.dtype == x.dtype and result.shape == x.shape
    np.testing.assert_array_equal(result, x)


@pytest.mark.parametrize("dtype", ["u8", "i16", "f32", "f64"])
def test_every_stride(dtype):
    rng = np.random.default_rng(1)
    x = rng.integers(0, 100, (6, 70, 35)).astype(DTYPES[dtype])
    views = [
        x.transpose(2, 1, 0), x.transpose(0, 2, 1), x.transpose(1, 0, 2), x[::-1, ::2, ::-3], x[:, 3:4, :],
        np.broadcast_to(x[:, :1], x.shape), np.broadcast_to(x[0, 0, 0], (2, 3, 4)), x[2:2], x[:, ::-1][:, :1],
        np.moveaxis(x, 0, -1)[1:, :-1],
    ]  # fmt: skip
    program = copier(dtype, 3)
    for view in views:
        np.testing.assert_array_equal(program(view), view)


def test_arrays_that_are_not_aligned():
    record = np.zeros(5, np.dtype([("tag", "u1"), ("value", "f4")]))
    record["value"] = np.arange(5)
    np.testing.assert_array_equal(copier("f32", 1)(record["value"]), np.arange(5))


@pytest.mark.parametrize("bad", [np.zeros(2, ">f4"), np.zeros(2, np.longdouble), np.array(["a"]), np.zeros(2, "M8[s]")])
def test_arrays_that_programs_cannot_take(bad):
    with pytest.raises(TypeError, match=r"is a numpy array of .*, which programs cannot take"):
        add_one("n").load()(bad)


class OnlyDlpack:
    """What another library's array looks like."""

    def __init__(self, array: np.ndarray):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


@pytest.mark.parametrize("dtype", ["u8", "i8", "i16", "i32", "i64", "f16", "f32", "f64", "bool"])
def test_dlpack_objects(dtype):
    x = np.arange(12).reshape(3, 4).astype(DTYPES[dtype])
    program = copier(dtype, 2)
    for view in (x, x.T[1:], x[::2]):
        np.testing.assert_array_equal(program(OnlyDlpack(view)), view)
    address = artifact(ADDRESS, method([tensor(None, None, dtype=dtype)], {"kind": "int"})).load()
    assert address(OnlyDlpack(x)) == x.ctypes.data


def test_dlpack_that_fails():
    class Broken:
        def __dlpack__(self):
            raise KeyError("gone")

    class Wrong:
        def __dlpack__(self):
            return 3

    program = add_one("n").load()
    with pytest.raises(KeyError, match="gone"):
        program(Broken())
    with pytest.raises(TypeError, match="does not return a DLPack capsule"):
        program(Wrong())


def test_results_follow_the_argument_library():
    class Namespaced(OnlyDlpack):
        def __array_namespace__(self):
            class Library:
                @staticmethod
                def from_dlpack(array):
                    return ("theirs", np.from_dlpack(array))

            return Library

    name, result = add_one("n").load()(Namespaced(np.zeros(2, np.float32)))
    assert name == "theirs"
    np.testing.assert_array_equal(result, [1, 1])
