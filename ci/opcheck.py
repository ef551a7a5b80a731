"""Every case of the op library, end to end: both frontends, unknown sizes, every binding of them, against eager torch.

    python ci/opcheck.py [OP…] [--frontend torchscript|acap] [--json FILE]

OP is a name such as aten.tanh, or a part of one with a trailing `*`. Progress goes to stderr, failures and the count to
stdout.
"""

from __future__ import annotations

import argparse
import fnmatch
import functools
import json
import math
import multiprocessing
import os
import sys
import time
import tomllib
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from npcomp_dialects.aten import registry
from npcomp_dialects.aten.block import Block
from npcomp_dialects.aten.cases import Case, TensorSpec, as_case
from opcheck_programs import DTYPES, Runnable, acap_program, eager_program, torchscript_program

TOLERANCE = {torch.float16: (1e-2, 1e-2), torch.bfloat16: (4e-2, 4e-2), torch.float64: (1e-7, 1e-9)}
STATUSES = ("native", "fallback", "skipped", "known", "wrong")
FRONTENDS: dict[str, Callable[..., Runnable]] = {"torchscript": torchscript_program, "acap": acap_program}


@dataclass
class Result:
    """One case through one frontend. `status`: native, fallback (right, but torch's kernel ran), skipped, known (it
    disagrees, as the table says), or wrong."""

    op: str
    case: str
    frontend: str
    status: str
    why: str = ""


def draw(spec: TensorSpec, binding: Mapping[str, int], generator: torch.Generator) -> torch.Tensor:
    """Uniform values of the case's range; `special` mixes in nan, infinities and signed zeros."""
    dtype = DTYPES[spec.dtype]
    sizes = spec.sizes(binding)
    if not dtype.is_floating_point:
        return torch.randint(int(spec.low), int(spec.high), sizes, generator=generator).to(dtype)
    values = torch.rand(sizes, generator=generator, dtype=torch.float64) * (spec.high - spec.low) + spec.low
    if spec.special and values.numel():
        extra = torch.tensor([float("nan"), float("inf"), float("-inf"), 0.0, -0.0], dtype=torch.float64)
        flat = values.view(-1)
        flat[: len(extra)] = extra[: flat.numel()]
    return values.to(dtype)


def inputs_of(case: Case, binding: Mapping[str, int], seed: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [draw(spec, binding, generator) for spec in case.tensors()]


def agree(block: type[Block], case: Case, got: Any, wanted: Any) -> None:
    """Raises AssertionError unless dtype and shape are equal and values close."""
    if wanted is None:  # a result that was not asked for: ATen leaves it undefined, compiled code gives an empty tensor
        return
    if isinstance(wanted, (list, tuple)):
        assert len(got) == len(wanted), f"{len(got)} results instead of {len(wanted)}"
        for one, other in zip(got, wanted):
            agree(block, case, one, other)
    elif isinstance(wanted, torch.Tensor):
        assert got.dtype == wanted.dtype, f"{got.dtype} instead of {wanted.dtype}"
        assert got.shape == wanted.shape, f"{tuple(got.shape)} instead of {tuple(wanted.shape)}"
        if block.compare == "values":
            rtol, atol = (max(bound, case.rtol or 0) for bound in TOLERANCE.get(wanted.dtype, (1e-5, 1e-5)))
            torch.testing.assert_close(got, wanted, rtol=rtol, atol=atol, equal_nan=True)
    elif isinstance(wanted, float):  # torch computes some numbers in single precision
        close = isinstance(got, float) and math.isclose(got, wanted, rel_tol=1e-6)
        assert close or (got != got and wanted != wanted), f"{got!r} instead of {wanted!r}"
    else:
        assert type(got) is type(wanted) and got == wanted, f"{got!r} instead of {wanted!r}"


def check(block: type[Block], case: Case, frontend: str) -> Result:
    """Compiles the case once and runs it at each of its bindings."""
    result = Result(block.name(), str(case), frontend, "native")
    try:
        seed = zlib.crc32(f"{block.name()}{case}".encode())
        eager = eager_program(block, case)
        compiled = FRONTENDS[frontend](block, case, inputs_of(case, case.bindings()[0], seed))
        for run, binding in enumerate(case.bindings()):
            inputs = inputs_of(case, binding, seed + run)
            try:
                wanted = eager(*(x.clone() for x in inputs))
            except Exception as error:
                raise AssertionError(f"eager torch refuses the case itself at {binding}: {error}") from error
            try:
                agree(block, case, compiled(*inputs), wanted)
            except AssertionError as error:
                raise AssertionError(f"at {binding}: {error}") from None
        if compiled.fallbacks():
            result.status = "fallback"
    except NotImplementedError as skip:
        result.status, result.why = "skipped", str(skip)
    except Exception as error:
        result.status, result.why = "wrong", f"{type(error).__name__}: {error}"
    return result


@functools.cache
def known() -> dict[tuple[str, str, str], str]:
    """The table of cases that are known not to agree."""
    rows = tomllib.loads(Path(__file__).with_name("opcheck.toml").read_text())["known"]
    return {(row["op"], row["case"], row["frontend"]): row["reason"] for row in rows}


def judge(result: Result) -> Result:
    """Applies the table: a disagreement that it lists is known, an agreement that it does not expect is wrong."""
    reason = known().get((result.op, result.case, result.frontend))
    if reason and result.status == "wrong":
        result.status, result.why = "known", reason
    elif reason:
        result.status, result.why = (
            "wrong",
            "it agrees, but the table expects otherwise  do: remove its row in opcheck.toml",
        )
    return result


@functools.cache
def jobs(patterns: tuple[str, ...], frontends: tuple[str, ...]) -> list[tuple[type[Block], Case, str]]:
    """Every case to check, in an order that all processes agree on."""
    wanted = [p.replace("::", ".") for p in patterns] or ["*"]
    blocks = [b for b in registry.all_ops() if any(fnmatch.fnmatch(b.name(), p) for p in wanted)]
    return [(b, case, frontend) for b in blocks for case in map(as_case, b.cases) for frontend in frontends]


def check_job(number: int, patterns: tuple[str, ...], frontends: tuple[str, ...]) -> Result:
    torch.set_num_threads(1)
    return judge(check(*jobs(patterns, frontends)[number]))


def results_of(patterns: tuple[str, ...], frontends: tuple[str, ...], workers: int) -> Iterator[Result]:
    """The results in order, from as many processes as asked for."""
    run = functools.partial(check_job, patterns=patterns, frontends=frontends)
    numbers = range(len(jobs(patterns, frontends)))
    if workers == 1:
        yield from map(run, numbers)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(run, numbers, chunksize=8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ops", nargs="*", metavar="OP")
    parser.add_argument("--frontend", choices=FRONTENDS, action="append")
    parser.add_argument("--json", metavar="FILE", help="write every result there")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes, default one a core")
    options = parser.parse_args()
    patterns, frontends = tuple(options.ops), tuple(options.frontend or FRONTENDS)
    total = len(jobs(patterns, frontends))
    if not total:
        raise SystemExit(f"opcheck: no case matches {options.ops}\n  do: ./nox -s opcheck -- 'aten.add*'")
    start, results = time.monotonic(), []
    for result in results_of(patterns, frontends, options.workers if total > 32 else 1):
        results.append(result)
        if result.status == "wrong":
            print(f"{result.op} · {result.case} · {result.frontend}: {result.why}", flush=True)
        if len(results) % 100 == 0:
            print(f"opcheck: {len(results)}/{total}, {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump([asdict(result) for result in results], file, indent=1)
    counts = {status: sum(r.status == status for r in results) for status in STATUSES}
    summary = ", ".join(f"{count} {status}" for status, count in counts.items())
    print(f"opcheck: {len({r.op for r in results})} ops, {len(results)} cases: {summary}")
    sys.exit(1 if counts["wrong"] else 0)


if __name__ == "__main__":
    main()
