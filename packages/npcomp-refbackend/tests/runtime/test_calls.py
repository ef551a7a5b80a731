"""Calls from Python: arguments, keywords, containers, results, and what they say when something is wrong."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from compiled import add_one, artifact, method, tensor

SCALARS = """
ENTRY(npcomp_forward) {
  double f; memcpy(&f, &a[1], 8);
  f = f * 2 + a[0];
  r[0] = a[0] + 1; memcpy(&r[1], &f, 8); r[2] = !a[2];
}
"""


def kinds(*names: str) -> dict[str, Any]:
    return {"kind": "tuple", "items": [{"kind": name} for name in names]}


@pytest.fixture(scope="module")
def scalars():
    args = [
        {"name": "n", "kind": "int"},
        {"name": "f", "kind": "float", "default": 0.5},
        {"name": "flag", "kind": "bool", "default": False, "kwonly": True},
    ]
    return artifact(SCALARS, method(args, kinds("int", "float", "bool"))).load()


def test_scalars_keywords_and_defaults(scalars):
    assert scalars(3) == (4, 4.0, True)
    assert scalars(3, 1.5) == (4, 6.0, True)
    assert scalars(f=1, n=2, flag=True) == (3, 4.0, False)
    assert scalars(np.int64(3), np.float32(0.5), flag=np.bool_(True)) == (4, 4.0, False)
    result = scalars(2**63 - 1, math.inf)
    assert result[0] == -(2**63) and result[1] == math.inf


@pytest.mark.parametrize(
    ("args", "kwargs", "error", "text"),
    [
        ((), {}, TypeError, "argument 'n' is missing. do: call forward(n: int, f: float = 0.5, flag: bool = False)"),
        ((1, 2.0, True), {}, TypeError, "3 positional arguments are given and 2 are declared"),
        ((1,), {"m": 1}, TypeError, "there is no argument 'm'"),
        ((1,), {"n": 1}, TypeError, "argument 'n' is given twice"),
        ((1.5,), {}, TypeError, "argument 'n' is a float but int is declared"),
        (("1",), {}, TypeError, "argument 'n' is a str but int is declared"),
        ((1, "1"), {}, TypeError, "argument 'f' is a str but float is declared"),
        ((1,), {"flag": 1}, TypeError, "argument 'flag' is a int but bool is declared"),
        ((2**63,), {}, OverflowError, "argument 'n' is 9223372036854775808, which exceeds 64 bits"),
    ],
)
def test_wrong_scalars(scalars, args, kwargs, error, text):
    with pytest.raises(error, match=re.escape(text)):
        scalars(*args, **kwargs)
    assert scalars(1) == (2, 2.0, True)


ECHO = """
ENTRY(npcomp_forward) { for (int i = 0; i < COUNT; ++i) r[i] = a[i]; }
"""


def echo(arg: dict[str, Any], slots: int):
    """A program that returns its argument."""
    return artifact(ECHO.replace("COUNT", str(slots)), method([{**arg, "name": "x"}], arg)).load()


NESTED = {
    "kind": "dict",
    "keys": ["a", 1],
    "items": [
        {"kind": "list", "items": [tensor(2), {"kind": "int"}]},
        {"kind": "tuple", "items": [{"kind": "none"}, {"kind": "float"}, {"kind": "tuple", "items": []}]},
    ],
}


def test_nested_containers():
    program = echo(NESTED, 3)
    x = np.array([1, 2], np.float32)
    result = program({"a": [x, 5], 1: (None, 2.5, ())})
    assert list(result) == ["a", 1]
    assert isinstance(result["a"], list) and isinstance(result[1], tuple)
    np.testing.assert_array_equal(result["a"][0], x)
    assert result["a"][1] == 5 and result[1] == (None, 2.5, ())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([], "argument 'x' is a list but {'a': [f32[2], int], 1: (None, float, ())} is declared"),
        ({"a": []}, "argument 'x' is a dict of 1 items"),
        ({"a": [], 2: ()}, "argument 'x'['a'] is a list of 0 items"),
        ({"b": [], 2: ()}, "argument 'x' is a dict without key 'a'"),
        (
            {"a": [np.zeros(3, np.float32), 5], 1: (None, 2.5, ())},
            "argument 'x'['a'][0] is f32[3] but f32[2] is declared",
        ),
        ({"a": [np.zeros(2, np.float32), 5], 1: (3, 2.5, ())}, "argument 'x'[1][0] is a int but None is declared"),
    ],
)
def test_wrong_containers(value, text):
    with pytest.raises((TypeError, ValueError), match=re.escape(text)):
        echo(NESTED, 3)(value)


def test_namedtuple_and_constants():
    arg = {
        "kind": "namedtuple",
        "name": "Pair",
        "fields": ["left", "right"],
        "items": [{"kind": "int"}, {"kind": "const", "value": "mode"}],
    }
    program = echo(arg, 1)
    result = program((7, "mode"))
    assert type(result).__name__ == "Pair" and result.left == 7 and result.right == "mode"
    assert program(result) == result
    with pytest.raises(ValueError, match=r"argument 'x'\[1\] is 'other' but the program was compiled for 'mode'"):
        program((7, "other"))


def test_named_and_static_sizes():
    source = "ENTRY(npcomp_forward) { r[0] = tensor(a[0])->dims[0]; }"
    args = [tensor("batch", 784), tensor("batch", None, name="y")]
    program = artifact(source, method(args, {"kind": "int"})).load()
    x, y = np.zeros((3, 784), np.float32), np.zeros((3, 5), np.float32)
    assert program(x, y) == 3
    with pytest.raises(ValueError) as wrong:
        program(np.zeros((3, 100), np.float32), y)
    assert str(wrong.value) == (
        "forward(): argument 'x' is f32[3, 100] but f32[batch, 784] is declared: dimension 1 is 100, must be 784. "
        "do: pass that size, or compile with this dimension dynamic"
    )
    with pytest.raises(ValueError, match="dimension 0 is 4, but 'batch' is 3 in argument 'x'"):
        program(x, np.zeros((4, 5), np.float32))
    with pytest.raises(ValueError, match="it has 1 dimensions, must have 2"):
        program(x[0], y)
    with pytest.raises(TypeError, match=r"the dtype is f64, must be f32. do: convert it with .astype()"):
        program(x.astype(np.float64), y)
    with pytest.raises(TypeError, match=r"'x' is a list but f32\[batch, 784\] is declared"):
        program([1.0], y)
    assert program(x, y) == 3


def test_results_that_share_memory_are_copied():
    """A caller may change a result in place: nothing else may change with it."""
    source = """
    ENTRY(npcomp_forward) {
      T y = like(c, tensor(a[0]));
      memcpy(y->data, tensor(a[0])->data, 4 * y->numel);
      refrt_retain(c, y);
      int64_t one = 1, half = y->numel / 2;
      r[0] = a[0]; r[1] = (int64_t)y; r[2] = (int64_t)y;
      r[3] = (int64_t)refrt_view(c, y, 1, &half, &one, half);
      r[4] = (int64_t)refrt_constant(c, 0);
    }"""
    items = {"kind": "tuple", "items": [tensor(None) for _ in range(5)]}
    constant = np.array([9.0], np.float32)
    program = artifact(source, method([tensor(None)], items), constants=(constant,)).load()
    x = np.arange(4, dtype=np.float32)
    for _ in range(2):
        results = program(x)
        expected = [[0, 1, 2, 3]] * 3 + [[2, 3], [9]]
        for result, values in zip(results, expected):
            np.testing.assert_array_equal(result, values)
            result += 100
        np.testing.assert_array_equal(x, [0, 1, 2, 3])
    assert constant[0] == 9


def test_a_view_of_an_own_tensor_leaves_without_a_copy():
    source = """
    ENTRY(npcomp_forward) {
      int64_t sizes[2] = {3, 2}, strides[2] = {1, 3};
      T y = refrt_alloc(c, 6, 2, (int64_t[]){2, 3});
      for (int i = 0; i < 6; ++i) ((float *)y->data)[i] = i;
      r[0] = (int64_t)refrt_view(c, y, 2, sizes, strides, 0);
      refrt_release(c, y);
    }"""
    result = artifact(source, method([], tensor(3, 2))).load(outputs="numpy")()
    np.testing.assert_array_equal(result, np.arange(6, dtype=np.float32).reshape(2, 3).T)
    assert result.strides == (4, 12)


def test_unknown_method_and_repr():
    program = add_one("n").load()
    with pytest.raises(AttributeError, match="no method 'forwards'; its methods are: forward"):
        program.forwards  # noqa: B018
    assert "forward(x: f32[n]) -> f32[n]" in repr(program)
    assert program.forward.__name__ == "forward"
    assert program.methods["forward"] is program.forward


def test_stats_count_calls_and_failures():
    program = add_one(2).load()
    program(np.zeros(2, np.float32))
    with pytest.raises(ValueError):
        program(np.zeros(3, np.float32))
    assert program.stats() == {"calls": 1, "failures": 0, "fallbacks": {}}
