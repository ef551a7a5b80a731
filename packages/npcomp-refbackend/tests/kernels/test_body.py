"""linalg bodies inlined as vectors: every dtype, conversions, integer edge cases, captured values and handlers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from dispatches import TORCH, as_array
from hypothesis import given, settings
from hypothesis import strategies as st
from launch import HOST, TARGETS, Kernel
from npcomp_dialects.mlir import ir
from npcomp_refbackend.codegen.body import UnsupportedBody, inline
from npcomp_refbackend.codegen.kernel import KernelBuilder
from npcomp_refbackend.codegen.lower_llvm import to_object
from npcomp_refbackend.codegen.target import Target

COUNT = 256


def compile_body(arguments: list[str], result: str, body: str, lanes: int = 16, target: Target = HOST) -> Kernel:
    """A kernel that maps `body` over one-dimensional arrays, with masked tails."""
    kinds = ", ".join(f"tensor<?x{t}>" for t in arguments)
    names = ", ".join(f"%x{i}: {t}" for i, t in enumerate(arguments))
    one = "affine_map<(d) -> (d)>"
    given = ", ".join(f"%a{i}: tensor<?x{t}>" for i, t in enumerate(arguments))
    text = f"""func.func @f({given}, %o: tensor<?x{result}>) {{
      %r = linalg.generic {{indexing_maps = [{", ".join([one] * (len(arguments) + 1))}], iterator_types = ["parallel"]}}
        ins({", ".join(f"%a{i}" for i in range(len(arguments)))} : {kinds}) outs(%o : tensor<?x{result}>) {{
        ^bb0({names}, %acc: {result}):
        {body}
        linalg.yield %y : {result} }} -> tensor<?x{result}>
      return }}"""
    with ir.Context(), ir.Location.unknown():
        source = ir.Module.parse(text)
        block = source.body.operations[0].regions[0].blocks[0].operations[0].regions[0].blocks[0]
        module = ir.Module.create()
        with KernelBuilder(module, "k", target) as kb:
            arrays = [kb.operand(i, t, 1) for i, t in enumerate([*arguments, result])]

            def step(i) -> None:
                mask = kb.tail_mask(kb.sub(kb.end, i), lanes)
                values = [kb.load(a, i, lanes, mask) for a in arrays[:-1]]
                handlers = {"linalg.index": lambda op, operands: _positions(kb, i, lanes)}
                results = inline(kb, block, [*values, kb.const(0, result)], lanes, handlers=handlers)
                kb.store(results[0], arrays[-1], i, mask)

            kb.loop(kb.begin, kb.end, step, step=lanes)
        return Kernel(to_object(module, target), "k")


def _positions(kb: KernelBuilder, start: ir.Value, lanes: int) -> ir.Value:
    from npcomp_dialects.mlir.dialects import arith

    return arith.AddIOp(kb.broadcast(start, lanes), kb.iota(lanes)).result if lanes > 1 else start


def run(kernel: Kernel, result: str, *inputs: torch.Tensor) -> torch.Tensor:
    out = torch.zeros(inputs[0].numel(), dtype=TORCH[result])
    kernel([as_array(x) for x in (*inputs, out)], [], 0, inputs[0].numel())
    return out


def numbers(dtype: str, count: int = COUNT) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    if dtype == "i1":
        return torch.rand(count, generator=generator) > 0.5
    if dtype.startswith("i"):
        low, high = -(2 ** (int(dtype[1:]) - 1)), 2 ** (int(dtype[1:]) - 1) - 1
        return torch.randint(max(low, -(2**31)), min(high, 2**31 - 1), (count,), generator=generator).to(TORCH[dtype])
    return (torch.randn(count, generator=generator) * 3).to(TORCH[dtype])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", ["f32", "f64", "f16", "bf16"])
@pytest.mark.parametrize("lanes", [1, 8, 32])
def test_floats(dtype: str, lanes: int, target: str) -> None:
    """Half floats round once, where the body ends."""
    body = f"%p = arith.mulf %x0, %x1 : {dtype}\n%y = arith.addf %p, %x1 : {dtype}"
    x, y = numbers(dtype), numbers(dtype).flip(0)
    got = run(compile_body([dtype, dtype], dtype, body, lanes, TARGETS[target]), dtype, x, y)
    wide = torch.float64 if dtype == "f64" else torch.float32
    want = (x.to(wide) * y.to(wide) + y.to(wide)).to(got.dtype)
    torch.testing.assert_close(got, want)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", ["f16", "bf16"])
def test_half_conversions_of_every_pattern(dtype: str, target: str) -> None:
    every = torch.arange(-(2**15), 2**15, dtype=torch.int16).view(TORCH[dtype])
    wide = run(
        compile_body([dtype], "f32", f"%y = arith.extf %x0 : {dtype} to f32", target=TARGETS[target]), "f32", every
    )
    torch.testing.assert_close(wide, every.float(), rtol=0, atol=0, equal_nan=True)
    bits = np.random.default_rng(1).integers(0, 2**32, 100000, dtype=np.uint32).view(np.float32)
    edges = np.array([65519, 65520, 65504, 6e-8, 2.9e-8, 3e-8, -0.0, np.inf, -np.inf, 6.1e-5, 3.4e38], np.float32)
    halves = (every.float() * (1 + 2.0**-12)).nan_to_num().numpy()
    x = torch.from_numpy(np.concatenate([bits, edges, halves, halves * np.float32(1.0005)]))
    narrow = run(
        compile_body(["f32"], dtype, f"%y = arith.truncf %x0 : f32 to {dtype}", target=TARGETS[target]), dtype, x
    )
    torch.testing.assert_close(narrow, x.to(TORCH[dtype]), rtol=0, atol=0, equal_nan=True)


INTEGER = {
    "divsi": lambda x, y: torch.div(x, y, rounding_mode="trunc"),
    "remsi": torch.fmod,
    "floordivsi": lambda x, y: torch.div(x, y, rounding_mode="floor"),
    "ceildivsi": lambda x, y: -torch.div(-x, y, rounding_mode="floor"),
}


@pytest.mark.parametrize("dtype", ["i8", "i32", "i64"])
@pytest.mark.parametrize("op", INTEGER)
def test_integer_division(op: str, dtype: str) -> None:
    kernel = compile_body([dtype, dtype], dtype, f"%y = arith.{op} %x0, %x1 : {dtype}")
    x = numbers(dtype) // 2
    y = torch.tensor([1, -1, 2, -2, 3, -7, 5, 100] * (COUNT // 8)).to(x.dtype)
    assert torch.equal(run(kernel, dtype, x, y), INTEGER[op](x, y))


@pytest.mark.parametrize("op", ["divsi", "remsi", "floordivsi", "ceildivsi", "divui", "remui", "ceildivui"])
def test_integer_division_never_traps(op: str) -> None:
    """Zero divisors and the one quotient that overflows, also in the lanes past a tail."""
    kernel = compile_body(["i32", "i32"], "i32", f"%y = arith.{op} %x0, %x1 : i32")
    x = torch.tensor([-(2**31), 5, 0, -(2**31), 7], dtype=torch.int32)
    run(kernel, "i32", x, torch.tensor([-1, 0, 0, 0, 1], dtype=torch.int32))


def test_integer_power() -> None:
    kernel = compile_body(["i64", "i64"], "i64", "%y = math.ipowi %x0, %x1 : i64")
    x = torch.tensor([2, -3, 0, 1, -1, -1, 7, 10, 2, 0], dtype=torch.int64)
    y = torch.tensor([10, 3, 0, -5, -5, -4, 0, 18, -1, 5], dtype=torch.int64)
    assert run(kernel, "i64", x, y).tolist() == [1024, -27, 1, 1, -1, 1, 1, 10**18, 0, 0]


def test_bools_are_bytes_in_memory() -> None:
    kernel = compile_body(
        ["i1", "f32"],
        "i1",
        "%z = arith.constant 0.0 : f32\n%p = arith.cmpf ogt, %x1, %z : f32\n%y = arith.xori %x0, %p : i1",
    )
    x, y = numbers("i1"), numbers("f32")
    assert torch.equal(run(kernel, "i1", x, y), x ^ (y > 0))


@pytest.mark.parametrize(
    "source,result,op",
    [("i64", "f32", "sitofp"), ("i8", "f32", "uitofp"), ("f32", "i64", "fptosi"), ("f32", "i8", "fptosi"),
     ("i8", "i64", "extsi"), ("i8", "i32", "extui"), ("i64", "i8", "trunci"), ("f32", "f64", "extf"),
     ("f64", "f32", "truncf"), ("f64", "bf16", "truncf"),
     ("i32", "f16", "sitofp"), ("i1", "f32", "uitofp"), ("f16", "f64", "extf")],
)  # fmt: skip
def test_conversions(source: str, result: str, op: str) -> None:
    x = numbers(source)
    got = run(compile_body([source], result, f"%y = arith.{op} %x0 : {source} to {result}"), result, x)
    read = x.view(torch.uint8) if op in ("uitofp", "extui") and source == "i8" else x
    torch.testing.assert_close(got, read.to(TORCH[result]))


def test_index_and_uniform_values() -> None:
    """A constant stays a scalar until it meets a vector; `linalg.index` counts lanes."""
    body = """%i = linalg.index 0 : index
        %c = arith.constant 3 : index
        %m = arith.muli %i, %c : index
        %j = arith.index_cast %m : index to i32
        %y = arith.addi %x0, %j : i32"""
    x = numbers("i32")
    assert torch.equal(
        run(compile_body(["i32"], "i32", body), "i32", x), x + 3 * torch.arange(COUNT, dtype=torch.int32)
    )
    whole = run(compile_body(["f32"], "f32", "%y = arith.constant 2.5 : f32"), "f32", numbers("f32", 5))
    assert whole.tolist() == [2.5] * 5


def test_an_op_without_vector_form_is_named() -> None:
    with pytest.raises(UnsupportedBody, match=r"vector\.broadcast.*do:"):
        compile_body(
            ["f32"],
            "f32",
            "%v = vector.broadcast %x0 : f32 to vector<2xf32>\n%y = vector.extract %v[0] : f32 from vector<2xf32>",
        )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 70))
def test_tails(count: int) -> None:
    """Whatever the length, what lies behind the array stays as it was."""
    x = torch.arange(80, dtype=torch.float32)
    out = torch.full((80,), -1.0)
    _DOUBLE([x.numpy(), out.numpy()], [], 0, count)
    assert torch.equal(out[:count], 2 * x[:count]) and (out[count:] == -1).all()


_DOUBLE = compile_body(["f32"], "f32", "%y = arith.addf %x0, %x0 : f32")
