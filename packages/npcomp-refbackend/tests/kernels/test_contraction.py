"""Contractions against torch: sizes around every edge, transpositions, batches, dtypes, epilogues, constants."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from dispatches import TORCH, Compiled, Region, compile_dispatch, tensor_type
from launch import HOST, TARGETS
from npcomp_refbackend.codegen import contraction

SIZES = [0, 1, 2, 3, 5, 8, 13, 17, 31, 32, 33, 64, 100]


def multiply_add(a: str, b: str, sums: str) -> str:
    kind = "f" if sums.startswith(("f", "b")) else "i"
    return f"""%p = arith.mul{kind} {a}, {b} : {sums}
        %q = arith.add{kind} %acc, %p : {sums}
        linalg.yield %q : {sums}"""


def einsum(
    spec: str,
    sizes: dict[str, int | None],
    dtype: str = "f32",
    sums: str | None = None,
    constant: Sequence[int] = (),
    epilogue: Sequence[str] = (),
) -> Region:
    """A region for `spec`; `epilogue` is any of bias relu tanh residual sum, applied in order."""
    lhs, rhs, out = spec.replace("->", ",").split(",")
    region, sums = Region(), sums or dtype
    types = {s: tensor_type([sizes[c] for c in s], dtype) for s in (lhs, rhs)}
    wide = tensor_type([sizes[c] for c in out], sums)
    a, b = (region.add(types[s], i in constant) for i, s in enumerate((lhs, rhs)))
    loops = out + "".join(sorted(set(lhs + rhs) - set(out)))
    kinds = "".join("p" if c in out else "r" for c in loops)
    extras = [(name, region.add(tensor_type([sizes[c] for c in (out[-1:] if name == "bias" else out)], sums)))
              for name in epilogue if name in ("bias", "residual")]  # fmt: skip
    chain = ["%r"] + [f"%s{i}" for i in range(len(epilogue))]
    dest = region.out(wide, chain[-1])
    scalar = "f" if sums.startswith(("f", "b")) else "i"
    zero = "0.0" if scalar == "f" else "0"
    region.lines.append(f"%z = arith.constant {zero} : {sums}")
    region.lines.append(f"%init = linalg.fill ins(%z : {sums}) outs({dest} : {wide}) -> {wide}")
    ext = "arith.extf" if scalar == "f" else "arith.extsi"
    widen = "" if sums == dtype else f"%w0 = {ext} %x0 : {dtype} to {sums}\n%w1 = {ext} %x1 : {dtype} to {sums}\n"
    x0, x1 = ("%w0", "%w1") if widen else ("%x0", "%x1")
    body = f"{widen}{multiply_add(x0, x1, sums)}"
    region.generic("%r", loops, kinds, [(a, types[lhs], lhs), (b, types[rhs], rhs)], ("%init", wide, out), body)
    named = dict(extras)
    for i, name in enumerate(epilogue):
        _stage(region, name, chain[i], chain[i + 1], named, dest, wide, out, sums, sizes)
    return region


def _stage(
    region: Region, name: str, x: str, y: str, named: dict, dest: str, wide: str, out: str, sums: str, sizes: dict
) -> None:
    bodies = {
        "relu": f"%c = arith.constant 0.0 : {sums}\n%v = arith.maximumf %x0, %c : {sums}",
        "tanh": f"%v = math.tanh %x0 : {sums}",
        "bias": f"%v = arith.addf %x0, %x1 : {sums}",
        "residual": f"%v = arith.addf %x0, %x1 : {sums}",
        "position": (
            f"%i = linalg.index {len(out) - 1} : index\n%j = linalg.index {len(out) - 2} : index\n"
            f"%k = arith.cmpi sle, %i, %j : index\n%c = arith.constant -1.0 : {sums}\n"
            f"%v = arith.select %k, %x0, %c : {sums}"
        ),
    }
    ins = [(x, wide, out)]
    if name in named:
        letters = out[-1:] if name == "bias" else out
        ins.append((named[name], tensor_type([sizes[c] for c in letters], sums), letters))
    region.generic(y, out, "p" * len(out), ins, (dest, wide, out), f"{bodies[name]}\nlinalg.yield %v : {sums}")


def data(shape: Sequence[int], dtype: str, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    if dtype.startswith("i"):
        return torch.randint(-100, 100, tuple(shape), generator=generator).to(TORCH[dtype])
    return torch.randn(tuple(shape), generator=generator).to(TORCH[dtype])


EPILOGUES: dict[str, Callable[..., torch.Tensor]] = {
    "relu": lambda x, extra: torch.relu(x),
    "tanh": lambda x, extra: torch.tanh(x),
    "bias": lambda x, extra: x + extra,
    "residual": lambda x, extra: x + extra,
    "position": lambda x, extra: torch.where(
        torch.arange(x.shape[-1])[None, :] <= torch.arange(x.shape[-2])[:, None], x, torch.tensor(-1.0)
    ),
}


def check(
    compiled: Compiled, spec: str, sizes: dict[str, int], dtype: str, sums: str, epilogue: Sequence[str] = ()
) -> None:
    lhs, rhs, out = spec.replace("->", ",").split(",")
    a, b = data([sizes[c] for c in lhs], dtype, 1), data([sizes[c] for c in rhs], dtype, 2)
    extras = {
        n: data([sizes[c] for c in (out[-1:] if n == "bias" else out)], sums, 3)
        for n in epilogue
        if n in ("bias", "residual")
    }
    got = torch.full([sizes[c] for c in out], 7).to(TORCH[sums])
    compiled(a, b, *extras.values(), outs=[got])
    exact = torch.float64 if TORCH[sums].is_floating_point else torch.int64
    want = torch.einsum(spec, a.to(exact), b.to(exact))
    for name in epilogue:
        want = EPILOGUES[name](want, extras.get(name, torch.zeros(())).to(exact))
    label = f"{spec} {sizes} {dtype}"
    if exact is torch.int64:
        assert torch.equal(got, want.to(got.dtype)), label
        return
    depth = max([1] + [sizes[c] for c in set(lhs) - set(out)])
    eps = {torch.float64: 1e-15, torch.float32: 2e-7, torch.bfloat16: 8e-3, torch.float16: 1e-3}[got.dtype]
    torch.testing.assert_close(got.double(), want, rtol=4 * eps, atol=2 * eps * depth, msg=lambda m: f"{label}: {m}")


DYNAMIC = dict.fromkeys("bhmnkqrs")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("spec", ["mk,kn->mn", "mk,nk->mn", "km,kn->mn", "km,nk->mn"])
def test_dynamic_sizes(spec: str, target: str) -> None:
    compiled = compile_dispatch(einsum(spec, DYNAMIC), contraction.emit, TARGETS[target])
    for m in SIZES:
        for n in (0, 1, 17, 32, 100):
            for k in (0, 1, 16, 33):
                check(compiled, spec, {"m": m, "n": n, "k": k}, "f32", "f32")
    check(compiled, spec, {"m": 150, "n": 70, "k": 600}, "f32", "f32")


@pytest.mark.parametrize("constant", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("spec", ["mk,kn->mn", "mk,nk->mn", "km,kn->mn", "mk,kn->nm"])
def test_constants_are_packed(spec: str, constant: tuple[int, ...]) -> None:
    for m, n, k in [(1, 2, 3), (7, 10, 5), (2, 1, 7), (140, 70, 300), (12, 32, 256), (133, 33, 17)]:
        sizes: dict[str, int | None] = {"m": m, "n": n, "k": k}
        compiled = compile_dispatch(einsum(spec, sizes, constant=constant), contraction.emit)
        assert set(compiled.schedule.packs) == set(constant)
        check(compiled, spec, {"m": m, "n": n, "k": k}, "f32", "f32")


@pytest.mark.parametrize(
    "spec",
    ["bmk,bkn->bmn", "bmk,kn->bmn", "bhmk,bhnk->bhmn", "bmhk,bnhk->bhmn", "bhmk,bnhk->bmhn", "mk,bkn->bmn",
     "bkm,bkn->bmn", "bmk,bnk->mbn", "mqk,qkn->mn", "mqk,kqn->mn", "mqrk,rnkq->mn", "mk,kn->nm", "bmk,k->bm",
     "k,kn->n", "mk,k->m"],
)  # fmt: skip
def test_batches_and_joins(spec: str) -> None:
    compiled = compile_dispatch(einsum(spec, DYNAMIC), contraction.emit)
    for sizes in [(2, 3, 5, 7, 9, 4, 2), (3, 1, 40, 65, 33, 2, 3), (1, 2, 130, 3, 1, 0, 1)]:
        check(compiled, spec, dict(zip("bhmnkqr", sizes)), "f32", "f32")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "dtype,sums",
    [("f64", "f64"), ("f16", "f32"), ("bf16", "f32"), ("bf16", "bf16"), ("f16", "f16"), ("i32", "i32"),
     ("i64", "i64"), ("i8", "i8"), ("i8", "i32"), ("i16", "i64")],
)  # fmt: skip
def test_dtypes(dtype: str, sums: str, target: str) -> None:
    for spec in ("mk,kn->mn", "mk,nk->mn"):
        compiled = compile_dispatch(einsum(spec, DYNAMIC, dtype, sums), contraction.emit, TARGETS[target])
        for m, n, k in [(1, 1, 1), (9, 17, 33), (40, 70, 300), (3, 64, 0)]:
            check(compiled, spec, {"m": m, "n": n, "k": k}, dtype, sums)
    static = {"m": 30, "n": 20, "k": 40}
    compiled = compile_dispatch(
        einsum("mk,nk->mn", static, dtype, sums, constant=(1,)), contraction.emit, TARGETS[target]
    )
    check(compiled, "mk,nk->mn", static, dtype, sums)


@pytest.mark.parametrize(
    "epilogue",
    [
        ["bias"],
        ["bias", "relu"],
        ["bias", "tanh", "residual"],
        ["residual", "bias"],
        ["position"],
        ["tanh", "position"],
    ],
)
@pytest.mark.parametrize("spec", ["mk,kn->mn", "bmk,kn->bmn"])
def test_epilogues(spec: str, epilogue: list[str]) -> None:
    compiled = compile_dispatch(einsum(spec, DYNAMIC, epilogue=epilogue), contraction.emit)
    for m, n, k in [(1, 1, 1), (5, 33, 7), (13, 64, 50), (140, 10, 300), (0, 4, 4), (4, 4, 0)]:
        check(compiled, spec, {"b": 2, "m": m, "n": n, "k": k}, "f32", "f32", epilogue)


def test_grid_may_be_cut() -> None:
    """Any split of the units gives the same result: that is how threads share a kernel."""
    compiled = compile_dispatch(einsum("bmk,kn->bmn", DYNAMIC), contraction.emit)
    a, b = data([2, 140, 20], "f32", 1), data([20, 70], "f32", 2)
    got = torch.zeros(2, 140, 70)
    arrays = [t.numpy() for t in (a, b, got)]
    extent = compiled.extent(arrays)
    for unit in range(extent):
        compiled.kernel(arrays, [], unit, unit + 1)
    torch.testing.assert_close(got, a @ b)


def test_the_plan_can_be_read() -> None:
    compiled = compile_dispatch(einsum("mk,nk->mn", {"m": None, "n": 64, "k": 32}, constant=(1,)), contraction.emit)
    assert "right packed at compile time" in compiled.schedule.parameters["plan"]
    assert HOST.vector_bytes >= 16
