"""Calls that fail: guards, memory, and what is left afterwards."""

from __future__ import annotations

import gc
import resource

import numpy as np
import pytest
from compiled import artifact, method, tensor
from npcomp_refbackend import _runtime

GUARD = """
ENTRY(npcomp_forward) {
  T x = tensor(a[0]);
  T y = like(c, x), view = refrt_view(c, y, 1, x->dims, x->dims, 0), same = refrt_contiguous(c, y);
  refrt_retain(c, view); refrt_retain(c, view);
  int64_t values[2] = {x->dims[0], a[1]};
  if (x->dims[0] != a[1]) refrt_guard_fail(c, a[2], 2, values);
  refrt_release(c, same); refrt_release(c, view); refrt_release(c, view); refrt_release(c, view);
  r[0] = (int64_t)y;
}
"""
NUMBER = {"kind": "int"}


@pytest.fixture(scope="module")
def guarded():
    guards = [
        {"kind": "RuntimeError", "message": "aten.add: sizes {0} and {1} differ, {2} {x} {", "loc": "model.py:12"},
        {"kind": "IndexError", "message": "index {1}"},
        {"kind": "MadeUpError", "message": "what"},
        {"kind": "print", "message": "not an exception"},
    ]
    args = [tensor(None), {**NUMBER, "name": "n"}, {**NUMBER, "name": "guard", "default": 0}]
    return artifact(GUARD, method(args, tensor(None)), guards=guards).load()


def test_messages(guarded):
    x = np.zeros(3, np.float32)
    with pytest.raises(RuntimeError) as wrong:
        guarded(x, 4)
    assert str(wrong.value) == "aten.add: sizes 3 and 4 differ, {2} {x} {\n  at model.py:12"
    with pytest.raises(IndexError, match=r"^index 5$"):
        guarded(x, 5, 1)
    with pytest.raises(RuntimeError, match=r"^MadeUpError: what$"):
        guarded(x, 5, 2)
    with pytest.raises(RuntimeError, match=r"^print: not an exception$"):
        guarded(x, 5, 3)
    for number in (17, -1):
        with pytest.raises(RuntimeError, match=f"guard {number} failed, which the program does not list"):
            guarded(x, 5, number)


def test_ten_thousand_failing_calls_leave_nothing(guarded):
    x = np.zeros(2000, np.float32)[::2]  # copied on the way in
    before, failures = _runtime.live_tensors(), guarded.stats()["failures"]
    assert guarded(x, 1000).shape == (1000,)
    gc.collect()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(10_000):
        with pytest.raises(RuntimeError, match="sizes 1000 and 7 differ"):
            guarded(x, 7)
    assert _runtime.live_tensors() == before
    assert guarded.stats()["failures"] == failures + 10_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident < 4096  # KiB
    assert guarded(x, 1000).shape == (1000,)


def test_a_hundred_thousand_calls_leave_nothing(guarded):
    x = np.zeros(3, np.float32)
    before = _runtime.live_tensors()
    for _ in range(100_000):
        guarded(x, 3)
    assert _runtime.live_tensors() == before


def test_wrong_arguments_after_copied_ones_leave_nothing(guarded):
    before = _runtime.live_tensors()
    for _ in range(100):
        with pytest.raises(TypeError, match="'n' is a NoneType"):
            guarded(np.zeros(6, np.float32)[::2], None)
    assert _runtime.live_tensors() == before


ALLOC = "ENTRY(npcomp_forward) { r[0] = (int64_t)refrt_alloc(c, 6, 2, a); }"


@pytest.mark.parametrize(
    ("sizes", "error", "text"),
    [
        ((2**31, 2**31), MemoryError, "no memory for a tensor of 4611686018427387904 elements"),
        ((2**40, 1), MemoryError, "no memory for a tensor of 1099511627776 elements of 4 bytes"),
        ((2**62, 2**62), MemoryError, "more elements than memory can hold"),
        ((-1, 4), RuntimeError, "negative dimension -1"),
    ],
)
def test_sizes_that_do_not_fit(sizes, error, text):
    args = [{**NUMBER, "name": "m"}, {**NUMBER, "name": "n"}]
    program = artifact(ALLOC, method(args, tensor(None, None))).load(outputs="numpy")
    with pytest.raises(error, match=text):
        program(*sizes)
    assert program(2**40, 0).shape == (2**40, 0)
    assert program(2, 3).shape == (2, 3)


def test_large_blocks_are_reused():
    args = [{**NUMBER, "name": "m"}, {**NUMBER, "name": "n"}]
    program = artifact(ALLOC, method(args, tensor(None, None))).load(outputs="numpy")
    first = program(2048, 2048).ctypes.data
    assert program(2048, 2056).ctypes.data == first
    assert _runtime.cached_memory() >= 2048 * 2048 * 4
    _runtime.trim()
    assert _runtime.cached_memory() == 0
    assert program(3, 3).shape == (3, 3)


def test_tensors_in_place():
    """refrt_unique gives the tensor itself when nobody else refers to it."""
    source = """
    ENTRY(npcomp_forward) {
      T y = like(c, tensor(a[0])), held = like(c, y);
      float *data = y->data;
      data[0] = 1;
      T same = refrt_unique(c, y), mine = refrt_unique(c, tensor(a[0]));
      refrt_retain(c, held);
      T other = refrt_unique(c, held);
      ((float *)mine->data)[0] = 5;
      r[0] = same == y; r[1] = other != held; r[2] = (int64_t)mine;
    }"""
    items = [NUMBER, NUMBER, tensor(1)]
    program = artifact(source, method([tensor(1)], {"kind": "tuple", "items": items})).load()
    x = np.zeros(1, np.float32)
    same, other, result = program(x)
    assert (same, other, result[0], x[0]) == (1, 1, 5, 0)


def test_results_over_dying_tensors():
    """refrt_reuse gives the tensor itself, with one more reference, or a fresh one of its sizes."""
    source = """
    ENTRY(npcomp_forward) {
      T y = like(c, tensor(a[0])), fresh = refrt_reuse(c, tensor(a[0]));
      T same = refrt_reuse(c, y), other = refrt_reuse(c, y);
      refrt_release(c, y);
      ((float *)other->data)[0] = 5;
      r[0] = same == y; r[1] = fresh != tensor(a[0]) && other != y && y->refcount == 1; r[2] = (int64_t)other;
    }"""
    items = [NUMBER, NUMBER, tensor(1)]
    program = artifact(source, method([tensor(1)], {"kind": "tuple", "items": items})).load()
    x = np.zeros(1, np.float32)
    same, other, result = program(x)
    assert (same, other, result[0], x[0]) == (1, 1, 5, 0)
