"""State of instances: slots of tensors and numbers."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from compiled import artifact, method, tensor
from npcomp_refbackend import _runtime

SOURCE = """
ENTRY(npcomp_forward) {
  T old = refrt_slot_get(c, 0), y = like(c, old);
  for (int64_t i = 0; i < y->numel; ++i)
    ((float *)y->data)[i] = ((float *)old->data)[i] + ((float *)tensor(a[0])->data)[i];
  refrt_slot_set(c, 0, y);
  refrt_release(c, old);
  int64_t n = refrt_slot_get_scalar(c, 1) + 1;
  refrt_slot_set_scalar(c, 1, n);
  if (n % 7 == 0) refrt_guard_fail(c, 0, 1, &n);
  r[0] = (int64_t)y; r[1] = n;
}
ENTRY(npcomp_store) { refrt_slot_set(c, 0, tensor(a[0])); }
ENTRY(npcomp_bad) { r[0] = refrt_slot_get_scalar(c, a[0]); }
"""
START = np.array([1, 2, 3], np.float32)
SLOTS = [
    {"name": "total", "kind": "tensor", "constant": 0},
    {"name": "count", "kind": "int", "value": 0},
    {"name": "rate", "kind": "float", "value": 0.5},
    {"name": "on", "kind": "bool", "value": True},
]


@pytest.fixture
def made():
    returns = {"kind": "tuple", "items": [tensor(3), {"kind": "int"}]}
    methods = [
        method([tensor(3)], returns),
        method([tensor(3)], {"kind": "none"}, name="store"),
        method([{"name": "n", "kind": "int"}], {"kind": "int"}, name="bad"),
    ]
    guards = [{"kind": "RuntimeError", "message": "seventh call"}]
    return artifact(SOURCE, *methods, constants=(START,), slots=SLOTS, guards=guards)


def test_state_survives_calls_and_instances_are_independent(made):
    first, second = made.load(), made.load()
    x = np.ones(3, np.float32)
    np.testing.assert_array_equal(first(x)[0], [2, 3, 4])
    total, count = first(x)
    np.testing.assert_array_equal(total, [3, 4, 5])
    assert count == 2
    assert second.state()["count"] == 0
    np.testing.assert_array_equal(second.state()["total"], START)
    total += 100  # the caller's copy
    np.testing.assert_array_equal(first.state()["total"], [3, 4, 5])


def test_state_is_read_replaced_and_reset(made):
    program = made.load()
    program(np.ones(3, np.float32))
    saved = program.state()
    assert (saved["count"], saved["rate"], saved["on"]) == (1, 0.5, True)
    program(np.ones(3, np.float32))
    program.set_state({**saved, "rate": 2, "on": False})
    assert program.state()["count"] == 1 and program.state()["rate"] == 2.0 and program.state()["on"] is False
    np.testing.assert_array_equal(program.state()["total"], [2, 3, 4])
    program.reset()
    np.testing.assert_array_equal(program.state()["total"], START)
    with pytest.raises(KeyError, match="no state 'totals'"):
        program.set_state({"totals": 1})
    with pytest.raises(TypeError, match="state 'total' holds f32 of rank 1"):
        program.set_state({"total": np.zeros((3, 1), np.float32)})


def test_an_argument_that_becomes_state_is_copied(made):
    program = made.load()
    x = np.array([7, 8, 9], np.float32)
    assert program.store(x) is None
    x[:] = 0
    np.testing.assert_array_equal(program.state()["total"], [7, 8, 9])


def test_failing_calls_keep_what_they_stored(made):
    """As in eager: a write before the raise has happened."""
    before = _runtime.live_tensors()
    program = made.load()
    for n in range(1, 22):
        if n % 7 == 0:
            with pytest.raises(RuntimeError, match="seventh call"):
                program(np.ones(3, np.float32))
        else:
            program(np.ones(3, np.float32))
    np.testing.assert_array_equal(program.state()["total"], START + 21)
    del program
    assert _runtime.live_tensors() == before


def test_unknown_slots(made):
    for slot in (0, 9, -1):
        with pytest.raises(RuntimeError, match=f"the program uses state {slot}, which it does not list"):
            made.load().bad(slot)


def test_threads_take_turns(made):
    program = made.load()
    errors = []

    def work():
        try:
            for _ in range(300):
                try:
                    program(np.ones(3, np.float32))
                except RuntimeError as error:
                    assert str(error) == "seventh call"
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert program.state()["count"] == 1200


def test_long_calls_let_other_threads_run():
    """A call of the kind that took long before runs without the interpreter lock; its result is as before."""
    source = """
    ENTRY(npcomp_forward) {
      double total = 0;
      for (int64_t i = 0; i < a[0]; ++i) total += sin((double)i);
      memcpy(&r[0], &total, 8);
    }"""
    program = artifact(source, method([{"name": "n", "kind": "int"}], {"kind": "float"})).load()
    expected = program(200_000)
    results = []
    threads = [threading.Thread(target=lambda: results.extend(program(200_000) for _ in range(5))) for _ in range(4)]
    for thread in threads:
        thread.start()
    ticks = 0
    while any(thread.is_alive() for thread in threads):
        ticks += 1
    for thread in threads:
        thread.join()
    assert results == [expected] * 20 and ticks > 0
