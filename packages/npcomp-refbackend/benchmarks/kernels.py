"""Our product and convolution kernels against torch (MKL, oneDNN) in one process, on one thread.

    OMP_NUM_THREADS=1 python packages/npcomp-refbackend/benchmarks/kernels.py [--json] [--only gemm] [--rounds 9]

Times are CPU time, the median and the best of rounds that take turns, so that a busy machine disturbs both alike.
The kernels are called through ctypes with prepared headers (about 0.3 µs), torch through its Python API with `out=`
where it has one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "kernels"))

from dispatches import Compiled, Region, compile_dispatch
from npcomp_refbackend.codegen import contraction, convolution
from test_contraction import einsum
from test_convolution import Conv, region
from test_vmath import _kernel as math_kernel

GEMMS = [(512, 512, 512), (128, 768, 768), (128, 3072, 768), (128, 768, 3072), (1024, 1024, 1024), (32, 512, 784),
         (8, 512, 512), (1, 512, 512), (1, 768, 768), (32, 10, 512)]  # fmt: skip
CONVS = [(56, 64, 64, 3, 1), (28, 128, 128, 3, 1), (14, 256, 256, 3, 1), (7, 512, 512, 3, 1), (56, 64, 128, 3, 2),
         (56, 64, 128, 1, 2), (28, 128, 256, 3, 2), (14, 256, 512, 3, 2), (224, 3, 64, 7, 2)]  # fmt: skip
FUNCTIONS = ["exp", "log", "tanh", "erf", "sin", "expm1", "log1p"]


@dataclass
class Row:
    what: str
    work: float  # operations
    torch_us: float
    ours_us: float
    torch_best_us: float
    ours_best_us: float
    compile_ms: float
    error: float

    @property
    def ratio(self) -> float:
        return self.torch_us / self.ours_us

    def text(self) -> str:
        rates = [self.work / us / 1e3 for us in (self.torch_us, self.torch_best_us, self.ours_us, self.ours_best_us)]
        return (
            f"{self.what:44s} {rates[0]:7.1f} ({rates[1]:6.1f}) {rates[2]:7.1f} ({rates[3]:6.1f}) "
            f"{self.ratio:6.2f}x {self.ours_us:9.1f} us {self.compile_ms:6.0f} ms  {self.error:.0e}"
        )


def race(work: float, candidates: list[Callable[[], object]], rounds: int) -> list[tuple[float, float]]:
    """(median, best) microseconds of each candidate."""
    repeats = [max(1, int(2e-3 / max(_once(f), 1e-6))) for f in candidates]
    samples: list[list[float]] = [[] for _ in candidates]
    for _ in range(rounds):
        for f, count, found in zip(candidates, repeats, samples):
            f()
            start = time.process_time()
            for _ in range(count):
                f()
            found.append((time.process_time() - start) / count * 1e6)
    return [(statistics.median(found), min(found)) for found in samples]


def _once(f: Callable[[], object]) -> float:
    f()
    start = time.perf_counter()
    f()
    return time.perf_counter() - start


def compiled(source: Region, family: object) -> tuple[Compiled, float]:
    start = time.process_time()
    result = compile_dispatch(source, family)
    return result, (time.process_time() - start) * 1e3


def measure(what: str, work: float, theirs: Callable, ours: Callable, pair: tuple, built_ms: float, rounds: int) -> Row:
    want, got = theirs(), (ours(), pair[0])[1]
    error = float((got - pair[1](want)).abs().max() / want.abs().max().clamp_min(1e-30))
    (torch_us, torch_best), (ours_us, ours_best) = race(work, [theirs, ours], rounds)
    return Row(what, work, torch_us, ours_us, torch_best, ours_best, built_ms, error)


def gemms(rounds: int) -> Iterator[Row]:
    for m, n, k in GEMMS:
        for layout, spec in (("dynamic", "mk,kn->mn"), ("dynamic B^T", "mk,nk->mn"), ("linear+relu", "mk,nk->mn")):
            yield gemm(m, n, k, layout, spec, rounds)


def gemm(m: int, n: int, k: int, layout: str, spec: str, rounds: int) -> Row:
    """All sizes dynamic against mm, or static constant weights with bias and relu against linear and relu."""
    a, b, bias = torch.randn(m, k), torch.randn(k, n), torch.randn(n)
    w, out, want = b.t().contiguous(), torch.empty(m, n), torch.empty(m, n)
    right = b if spec == "mk,kn->mn" else w
    what, work = f"{m}x{n}x{k} {layout}", 2.0 * m * n * k
    if layout == "linear+relu":
        source = einsum(spec, {"m": None, "n": n, "k": k}, constant=(1,), epilogue=("bias", "relu"))
        kernel, ms = compiled(source, contraction.emit)
        call = kernel.bind(a, w, bias, outs=[out])
        theirs: Callable = lambda: torch.nn.functional.linear(a, w, bias).relu_()  # noqa: E731
    else:
        kernel, ms = compiled(einsum(spec, dict.fromkeys("mnk")), contraction.emit)
        call = kernel.bind(a, right, outs=[out])
        theirs = lambda: torch.mm(a, b if right is b else w.t(), out=want)  # noqa: E731
    return measure(what, work, theirs, call, (out, _same), ms, rounds)


def convs(rounds: int) -> Iterator[Row]:
    for size, c, f, k, s in CONVS:
        pad = k // 2
        x, w, bias = torch.randn(1, c, size, size), torch.randn(f, c, k, k) / (c * k * k) ** 0.5, torch.randn(f)
        padded = torch.nn.functional.pad(x, (pad,) * 4)
        conv = Conv(1, c, f, tuple(padded.shape[2:]), (k, k), (s, s))
        work = 2.0 * f * conv.out_space[0] * conv.out_space[1] * c * k * k
        for last in (False, True):
            kernel, ms = compiled(region(conv, constant=True, epilogue=("bias", "relu"), last=last), convolution.emit)
            source = padded.permute(0, 2, 3, 1).contiguous() if last else padded
            shape = (1, *conv.out_space, f) if last else (1, f, *conv.out_space)
            out = torch.empty(shape)
            call = kernel.bind(source, w, bias, outs=[out])
            theirs = packed_onednn(x, w, bias, pad, s) if last else plain_torch(x, w, bias, pad, s)
            turn = (lambda t: t.permute(0, 2, 3, 1)) if last else _same
            peer = "NHWC / packed oneDNN" if last else "NCHW / conv2d"
            yield measure(f"{size}x{size} {c}->{f} {k}x{k}/{s} {peer}", work, theirs, call, (out, turn), ms, rounds)


def plain_torch(x: torch.Tensor, w: torch.Tensor, bias: torch.Tensor, pad: int, s: int) -> Callable[[], torch.Tensor]:
    return lambda: torch.conv2d(x, w, bias, s, pad).relu_()


def packed_onednn(x: torch.Tensor, w: torch.Tensor, bias: torch.Tensor, pad: int, s: int) -> Callable[[], torch.Tensor]:
    """What torch.compile's freezing runs: weights packed beforehand, channels last, relu fused."""
    ops = torch.ops.mkldnn
    form = torch.channels_last
    turned = x.contiguous(memory_format=form)
    packed = ops._reorder_convolution_weight(
        w.contiguous(memory_format=form), [pad] * 2, [s] * 2, [1, 1], 1, list(x.shape)
    )
    return lambda: ops._convolution_pointwise(turned, packed, bias, [pad] * 2, [s] * 2, [1, 1], 1, "relu", [], "")


def functions(rounds: int) -> Iterator[Row]:
    """Elements a second: `work` is one an element, so the rate reads as billions of elements."""
    count = 1 << 14
    x, out, want = torch.rand(count) + 0.5, torch.empty(count), torch.empty(count)
    for name in FUNCTIONS:
        start = time.process_time()
        kernel = math_kernel(name, 1)
        ms = (time.process_time() - start) * 1e3
        call = kernel.bind([x.numpy(), out.numpy()], [], 0, count)
        theirs = getattr(torch, name)
        yield measure(
            f"{name} f32 (Gelements/s)", count, lambda f=theirs: f(x, out=want), call, (out, _same), ms, rounds
        )


def _same(t: torch.Tensor) -> torch.Tensor:
    return t


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--only", choices=["gemm", "conv", "vmath"], help="one table")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    tables = {"gemm": gemms, "conv": convs, "vmath": functions}
    if not options.json:
        print(f"{'':44s} {'torch GF (best)':>16s} {'ours GF (best)':>16s}  ratio      median  compile  error")
    with torch.inference_mode():
        for name, table in tables.items():
            if options.only in (None, name):
                for row in table(options.rounds):
                    print(json.dumps({**asdict(row), "ratio": row.ratio}) if options.json else row.text(), flush=True)


if __name__ == "__main__":
    main()
