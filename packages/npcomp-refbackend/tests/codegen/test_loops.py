"""Loop nests on tensors: in place where that is right, by copies where it is not."""

from __future__ import annotations

import loop_programs as programs
import numpy as np
import pytest
from harness import RNG, compile_text, random
from random_loops import RandomLoops

SIZES = [0, 1, 2, 7, 100]


def families(program) -> list[str]:
    return [k["family"] for k in program.header["kernels"]]


@pytest.fixture(scope="module")
def scatter_add():
    return compile_text(programs.SCATTER_ADD)


@pytest.mark.parametrize("n", SIZES)
def test_scatter_add_changes_a_copy_of_its_argument(scatter_add, n):
    assert families(scatter_add) == ["loops"]
    x, source = random(7), random(n)
    index = RNG.integers(0, 7, n)
    kept, expected = x.copy(), x.copy()
    np.add.at(expected, index, source)
    np.testing.assert_array_equal(scatter_add(x, index, source), expected)
    np.testing.assert_array_equal(x, kept)


def test_prefix_sums_run_row_by_row():
    program = compile_text(programs.CUMSUM)
    assert [k["plan"] for k in program.header["kernels"]] == ["parallel"]
    for shape in [(3, 5), (1, 1), (0, 4), (4, 0), (2, 1000)]:
        x = random(*shape)
        np.testing.assert_allclose(program(x), np.cumsum(x, 1, dtype=np.float32), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("text", "dtype"), [(programs.BUBBLE_SORT, "f64"), (programs.MERGE_SORT, "f32")])
def test_sorting(text, dtype):
    program = compile_text(text)
    assert families(program) == ["loops"]
    for n in [*SIZES, 64, 65]:
        x = random(n, dtype=dtype)
        np.testing.assert_array_equal(program(x), np.sort(x))


def test_while_to_convergence_gives_a_tensor_and_a_number():
    program = compile_text(programs.CONVERGE)
    assert families(program) == ["loops"]
    x = np.abs(random(50, dtype="f64")) + 0.1
    roots, steps = program(x)
    np.testing.assert_allclose(roots, np.sqrt(x), rtol=1e-12)
    assert 3 < steps < 30
    assert program(x[:0])[1] == 0


@pytest.mark.parametrize("kind", ["f64", "f32", "f16"])
def test_recurrence_starts_from_a_constant_each_time(kind):
    cast = "arith.addf %a, %a : f64" if kind == "f64" else f"arith.truncf %a : f64 to {kind}"
    text = programs.RECURRENCE.replace("KIND_ARG", "f64").replace("KIND", kind).replace("CAST", cast)
    program = compile_text(text)
    for n in SIZES:
        x = random(n, 3, dtype=kind)
        factor = x.dtype.type(0.5)
        h, expected = np.zeros(3, x.dtype), np.zeros_like(x)
        for i in range(n):
            h = expected[i] = factor * h + x[i]
        rows, last = program(x, 0.25 if kind == "f64" else 0.5)
        np.testing.assert_array_equal(rows, expected)
        np.testing.assert_array_equal(last, h)


def test_guard_inside_a_loop_leaves_the_kernel():
    program = compile_text(programs.GUARDED)
    assert families(program) == ["loops"]
    x = np.full(4, 9, np.int32)
    np.testing.assert_array_equal(program(x, np.array([2, 0, 2])), [1, 9, 2, 9])
    with pytest.raises(IndexError, match="index 7 of 4 elements"):
        program(x, np.array([2, 7]))
    with pytest.raises(IndexError, match="index -1 of 4 elements"):
        program(x, np.array([-1, 2]))
    np.testing.assert_array_equal(x, 9)


def test_what_is_read_later_is_kept():
    program = compile_text(programs.READ_LATER)
    assert families(program).count("loops") == 3
    x = random(5)
    doubled, first, third = program(x)
    np.testing.assert_array_equal(doubled, 2 * x)
    np.testing.assert_array_equal(first, 2 * x + 2)
    np.testing.assert_array_equal(third, 2 * x + 4)


def test_one_tensor_may_be_read_and_start_two_others():
    program = compile_text(programs.ONE_SOURCE)
    assert "loops" in families(program)
    for n in SIZES:
        a = random(n)
        x, y = program(a)
        np.testing.assert_array_equal(x, 2 * a[::-1])
        np.testing.assert_array_equal(y, 2 * a[::-1] + 2 * a)


def test_swapped_tensors_are_left_to_the_driver():
    program = compile_text(programs.SWAPPING)
    assert families(program) == []
    p, q = program(np.full(5, 7), np.full(5, 8))
    np.testing.assert_array_equal(p, [8, 1, 8, 3, 8])
    np.testing.assert_array_equal(q, [0, 7, 2, 7, 4])


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_random_nest(seed):
    made = RandomLoops(seed)
    text, expected = made.build()
    program = compile_text(text)
    if not made.wild:
        assert "loops" in families(program)
    for n in (0, 1, 3, 4):
        arguments = [random(*[n] * made.rank, dtype=made.element) for _ in range(3)]
        kept = [a.copy() for a in arguments]
        for found, wanted in zip(program(*arguments), expected(*arguments), strict=True):
            np.testing.assert_array_equal(found, wanted)
        for argument, before in zip(arguments, kept, strict=True):
            np.testing.assert_array_equal(argument, before)
