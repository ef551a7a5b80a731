"""What compiling costs before code generation: import, passes and lowering, for each op of a program.

OMP_NUM_THREADS=1 python packages/npcomp-curriculum/benchmarks/compile_time.py [PROGRAM…] [--rounds 3] [--steps]

Every program of the curriculum and a chain of 200 elementwise ops, through each of its frontends. Times are of this
process alone, so that other work on the machine does not count. `capture` is torch's own: scripting, or recording the
function; `import` is what the frontend does. `ops` counts the ATen calls that are imported or that become of them. A
program of one op pays for the context and the walks of every pass; `start` is that, the whole of `relu`. The median
over programs of what an op costs beyond it (`ms/op`) is the number to keep below 1 ms.
"""

from __future__ import annotations

import argparse
import fnmatch
import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import npcomp_acap as acap
import npcomp_torchscript as nts
import torch
from npcomp_acap import traced
from npcomp_curriculum.registry import Arg, Program, programs
from npcomp_dialects import pipelines
from npcomp_dialects.passes import walk
from npcomp_dialects.program import CompileOptions, Report

ENOUGH = 10
"""Programs of fewer ops say little about an op."""
STEPS = ("capture", "import", "passes", "lowering")


@dataclass
class Row:
    """Seconds of the steps of one compilation."""

    program: str
    frontend: str
    ops: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    report: Report = field(default_factory=Report)

    @property
    def ours(self) -> float:
        """Milliseconds outside torch and code generation."""
        return 1000 * sum(self.seconds[step] for step in STEPS if step != "capture")

    def per_op(self, start: float) -> float:
        """Milliseconds of each op after the first."""
        return (self.ours - start) / max(self.ops - 1, 1)


class Chain(torch.nn.Module):
    """200 elementwise ops in a row: TorchScript unrolls the loop over a list of modules."""

    def __init__(self) -> None:
        super().__init__()
        self.links = torch.nn.ModuleList(Link() for _ in range(40))

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        for link in self.links:
            x = link(x, y)
        return x


class Link(torch.nn.Module):
    """Five of them."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x * y + 0.5) - torch.cos(x)


CHAIN = Program(
    name="chain200",
    level=1,
    summary="200 elementwise ops",
    build=Chain,
    args=(Arg(torch.float32, ("n", 64)), Arg(torch.float32, ("n", 64))),
    sizes=({"n": 5}, {"n": 3}),
    frontends=("torchscript", "acap"),
    rtol=1e-5,
    atol=1e-5,
)


RELU = Program(
    name="relu",
    level=1,
    summary="one op",
    build=torch.nn.ReLU,
    args=(Arg(torch.float32, ("n", 64)),),
    sizes=({"n": 5}, {"n": 3}),
    frontends=("torchscript", "acap"),
    rtol=1e-5,
    atol=1e-5,
)


def by_torchscript(program: Program, row: Row) -> Any:
    specs = [nts.TensorSpec(list(arg.dims), arg.dtype) for arg in program.args]
    scripted = _timed(row, "capture", lambda: _scripted(program))
    return _timed(row, "import", lambda: nts.import_module(scripted, specs))


def _scripted(program: Program) -> Any:
    module = program.module()
    return torch.jit.script(module) if isinstance(module, torch.nn.Module) else module


def by_acap(program: Program, row: Row) -> Any:
    names = {
        position: {dim: name for dim, name in enumerate(arg.dims) if isinstance(name, str)}
        for position, arg in enumerate(program.args)
    }
    module, inputs = program.module(), program.inputs(program.sizes[0])
    recorded = 0.0
    capture = traced.capture

    def timed(*arguments: Any, **keywords: Any) -> Any:
        nonlocal recorded
        start = time.process_time()
        try:
            return capture(*arguments, **keywords)
        finally:
            recorded += time.process_time() - start

    traced.capture = timed
    try:
        imported = _timed(row, "import", lambda: acap.import_function(module, *inputs, dynamic=names))
    finally:
        traced.capture = capture
    row.seconds["capture"] = recorded
    row.seconds["import"] -= recorded
    return imported


FRONTENDS: dict[str, Callable[[Program, Row], Any]] = {"torchscript": by_torchscript, "acap": by_acap}


def _timed(row: Row, step: str, work: Callable[[], Any]) -> Any:
    start = time.process_time()
    made = work()
    row.seconds[step] = row.seconds.get(step, 0.0) + time.process_time() - start
    return made


def measure(program: Program, frontend: str) -> Row:
    row, options = Row(program.name, frontend), CompileOptions()
    gc.collect()
    module = FRONTENDS[frontend](program, row)
    row.ops = count(module)
    _timed(row, "passes", lambda: pipelines.lower_to_torch_contract(module, options, row.report))
    row.ops = max(row.ops, count(module))
    _timed(row, "lowering", lambda: pipelines.lower_to_backend_contract(module, options, row.report))
    return row


def best(program: Program, frontend: str, rounds: int) -> Row:
    return min((measure(program, frontend) for _ in range(rounds)), key=lambda row: row.ours)


def count(module: Any) -> int:
    """The ATen calls of a module."""
    with module.context:
        ops = walk.nested(module.body)
        return sum(op.name == "torch.operator" or op.name.startswith("torch.aten.") for op in ops)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many")
    parser.add_argument("--steps", action="store_true", help="milliseconds of each pass, of all programs together")
    options = parser.parse_args()
    wanted = options.programs or ["*"]
    chosen = [p for p in [CHAIN, *programs()] if any(fnmatch.fnmatch(p.name, w) for w in wanted)]
    start = {f: best(RELU, f, 5).ours for f in FRONTENDS}
    print(f"start: {', '.join(f'{ms:.1f} ms {frontend}' for frontend, ms in start.items())}")
    print(f"{'program':28} {'frontend':12} {'ops':>5} " + " ".join(f"{s:>9}" for s in STEPS) + "    ms/op")
    rows = []
    for program in chosen:
        for frontend in program.frontends:
            row = best(program, frontend, options.rounds)
            rows.append(row)
            steps = " ".join(f"{1000 * row.seconds[s]:9.1f}" for s in STEPS)
            print(f"{row.program:28} {frontend:12} {row.ops:5} {steps} {row.per_op(start[frontend]):8.2f}", flush=True)
    for frontend in FRONTENDS:
        found = [row.per_op(start[frontend]) for row in rows if row.frontend == frontend and row.ops >= ENOUGH]
        if found:
            median = statistics.median(found)
            print(f"median over {len(found)} programs of {ENOUGH} ops and more, {frontend}: {median:.2f} ms an op")
    if options.steps:
        totals: dict[str, float] = {}
        for row in rows:
            for name, seconds in row.report.seconds.items():
                totals[name] = totals.get(name, 0.0) + seconds
        for name, seconds in sorted(totals.items(), key=lambda item: -item[1]):
            print(f"{name:32} {1000 * seconds:9.1f} ms")


if __name__ == "__main__":
    main()
