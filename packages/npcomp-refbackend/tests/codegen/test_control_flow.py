"""scf around dispatches: branches, counted and conditional loops, carried tensors, guards."""

from __future__ import annotations

import numpy as np
import pytest
from contract_text import Text, V, double, insert
from harness import GuardError, compile_text, random


def block(t: Text, build) -> str:
    """The lines that `build` adds, taken out of the function's own."""
    start = len(t.lines)
    build()
    lines, t.lines[start:] = t.lines[start:], []
    return "\n".join(lines)


def test_if_yields_a_computed_tensor_or_an_argument():
    t = Text()
    x, p = t.arg("tensor<?xf32>"), t.arg("i1")
    then = block(t, lambda: t.lines.append(f"scf.yield {double(t, x, 'i', x.type).name} : {x.type}"))
    t.lines.append(f"%r = scf.if {p.name} -> (tensor<?xf32>) {{\n{then}\n}} else {{\nscf.yield {x.name} : {x.type}\n}}")
    program = compile_text(t.returns(double(t, V("%r", x.type), "i", x.type)))
    a = random(5)
    np.testing.assert_array_equal(program(a, True), 4 * a)
    np.testing.assert_array_equal(program(a, False), 2 * a)


def counted(t: Text, high: V, inits: dict[str, V], inside: str) -> list[V]:
    """`scf.for %k = 0 to high` around the lines `inside`, carrying the named values."""
    low, step = t.index(0), t.index(1)
    carried = ", ".join(f"{name} = {v.name}" for name, v in inits.items())
    types = ", ".join(v.type for v in inits.values())
    head = f"%r:{len(inits)} = scf.for %k = {low.name} to {high.name} step {step.name}"
    t.lines.append(f"{head} iter_args({carried}) -> ({types}) {{\n{inside}\n}}")
    return [V(f"%r#{n}", v.type) for n, v in enumerate(inits.values())]


@pytest.mark.parametrize("n", [0, 1, 7])
def test_for_carries_a_tensor(n):
    t = Text()
    x, count = t.arg("tensor<?xf32>"), t.arg("i64")
    high = t.line(f"arith.index_cast {count.name} : i64 to index", "index")

    def body():
        y = t.map([(V("%acc", x.type), "i"), (x, "i")], "i", x.type, lambda e, a, b: e("arith.addf", a, b))
        t.lines.append(f"scf.yield {y.name} : {x.type}")

    inside = block(t, body)
    program = compile_text(t.returns(*counted(t, high, {"%acc": x}, inside)))
    a = random(19)
    np.testing.assert_allclose(program(a, n), a * (n + 1), rtol=1e-5)


def test_loop_fills_a_tensor_row_by_row_without_copies():
    t = Text()
    x, count = t.arg("tensor<8xf32>"), t.arg("i64")
    high = t.line(f"arith.index_cast {count.name} : i64 to index", "index")
    empty = t.empty("tensor<?x8xf32>", [high])

    def body():
        f = t.line("arith.index_cast %k : index to i64", "i64")
        s = t.line(f"arith.sitofp {f.name} : i64 to f32", "f32")
        y = t.map([(x, "i")], "i", x.type, lambda e, a: e("arith.mulf", a, s))
        out = insert(t, y, V("%acc", empty.type), "%k, 0", "1, 8")
        t.lines.append(f"scf.yield {out.name} : {out.type}")

    inside = block(t, body)
    program = compile_text(t.returns(*counted(t, high, {"%acc": empty}, inside)))
    a = random(8)
    for n in (0, 1, 5):
        np.testing.assert_allclose(program(a, n), np.arange(n)[:, None] * a, rtol=1e-6)


def test_while_stops_on_a_computed_value():
    t = Text()
    x = t.arg("tensor<f32>")
    limit = t.const("100.0", "f32")

    def before():
        value = t.line(f"tensor.extract %a[] : {x.type}", "f32")
        t.lines.append(f"%more = arith.cmpf olt, {value.name}, {limit.name} : f32\nscf.condition(%more) %a : {x.type}")

    def after():
        t.lines.append(f"scf.yield {double(t, V('%b', x.type), '', x.type).name} : {x.type}")

    first, second = block(t, before), block(t, after)
    t.lines.append(
        f"%r = scf.while (%a = {x.name}) : ({x.type}) -> {x.type} {{\n{first}\n}} do {{\n"
        f"^bb0(%b: {x.type}):\n{second}\n}}"
    )
    program = compile_text(t.returns(V("%r", x.type)))
    assert program(np.array(3, np.float32)) == 192
    assert program(np.array(300, np.float32)) == 300


def test_nested_control_flow_swaps_carried_tensors():
    t = Text()
    x, y = t.arg("tensor<?xf32>"), t.arg("tensor<?xf32>")
    high = t.index(3)
    kind = x.type

    def body():
        t.lines.append("%bit = arith.trunci %kk : i64 to i1")
        inner = block(t, lambda: t.lines.append(f"scf.yield {double(t, V('%p', kind), 'i', kind).name} : {kind}"))
        t.lines.append(f"%c = scf.if %bit -> ({kind}) {{\n{inner}\n}} else {{\nscf.yield %p : {kind}\n}}")
        t.lines.append(f"scf.yield %q, %c : {kind}, {kind}")

    inside = "%kk = arith.index_cast %k : index to i64\n" + block(t, body)
    program = compile_text(t.returns(*counted(t, high, {"%p": x, "%q": y}, inside)))
    a, b = random(4), random(4)
    p, q = a, b
    for k in range(3):
        p, q = q, (2 * p if k % 2 else p)
    first, second = program(a, b)
    np.testing.assert_array_equal(first, p)
    np.testing.assert_array_equal(second, q)


def test_guard_stops_the_program_with_its_values():
    t = Text()
    x, y = t.arg("tensor<?xf32>"), t.arg("tensor<?xf32>")
    m, n = t.dim(x, 0), t.dim(y, 0)
    t.lines.append(
        f"%same = arith.cmpi eq, {m.name}, {n.name} : index\n"
        f'tcf.guard %same, "RuntimeError", "sizes {{0}} and {{1}}"({m.name}, {n.name}) : index, index'
    )
    program = compile_text(t.returns(t.map([(x, "i"), (y, "i")], "i", x.type, lambda e, a, b: e("arith.addf", a, b))))
    a = random(5)
    np.testing.assert_array_equal(program(a, a), 2 * a)
    with pytest.raises(GuardError, match="sizes"):
        program(a, random(6))
    np.testing.assert_array_equal(program(a, a), 2 * a)


def test_scalars_in_and_out():
    t = Text()
    x, n, f = t.arg("tensor<?xf32>"), t.arg("i64"), t.arg("f64")
    narrow = t.line(f"arith.truncf {f.name} : f64 to f32", "f32")
    y = t.map([(x, "i")], "i", x.type, lambda e, a: e("arith.mulf", a, narrow))
    more = t.line(f"arith.addi {n.name}, {n.name} : i64", "i64")
    program = compile_text(t.returns(y, more, f))
    a = random(6)
    values, count, number = program(a, 21, 2.5)
    np.testing.assert_array_equal(values, a * np.float32(2.5))
    assert (count, number) == (42, 2.5)
