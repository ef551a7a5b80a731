"""The command `npcomp-curriculum list|run|bench`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

import torch

from npcomp_curriculum import bench, registry, runner, table
from npcomp_curriculum.frontends import BACKENDS, FRONTENDS
from npcomp_curriculum.registry import LEVELS, Program


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="npcomp-curriculum", description=registry.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("list", "the programs, by level"),
        ("run", "compile and run programs, compare with eager torch"),
        ("bench", "compile time, time per call and ratio to eager torch"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--only", metavar="TEXT", help="programs whose name contains TEXT")
        command.add_argument("--level", type=int, choices=LEVELS, help="programs of one level")
        command.add_argument("--json", action="store_true", help="print JSON instead of a table")
        if name != "list":
            command.add_argument("--frontend", choices=FRONTENDS, action="append", help="default: every one")
            command.add_argument("--backend", default=None, action="append", help=f"default: {', '.join(BACKENDS)}")
        if name == "run":
            command.add_argument("--verbose", action="store_true", help="print the trace of every failure")
    return parser


def _progress(line: str) -> None:
    end = "\r" if sys.stderr.isatty() else "\n"
    print(f"\033[K{line}" if sys.stderr.isatty() else line, end=end, file=sys.stderr, flush=True)


def _describe(program: Program) -> dict[str, object]:
    dims = [arg.dims for arg in program.args]
    return {"name": program.name, "level": program.level, "summary": program.summary, "dims": dims}


def _list(programs: Sequence[Program], as_json: bool) -> int:
    if as_json:
        print(json.dumps([_describe(p) for p in programs], indent=1))
        return 0
    rows = [(p.level, p.name, ", ".join(p.frontends), p.summary) for p in programs]
    print(table.render(["level", "program", "frontends", "summary"], rows))
    return 0


def _run(programs: Sequence[Program], options: argparse.Namespace) -> int:
    frontends, backends = options.frontend or list(FRONTENDS), options.backend or BACKENDS
    outcomes = list(runner.run(programs, frontends, backends, progress=_progress))
    if options.json:
        print(json.dumps([outcome.json() for outcome in outcomes], indent=1))
    else:
        rows = [(o.level, o.program, o.frontend, o.backend, o.status, f"{o.compile_ms:.0f}", o.why) for o in outcomes]
        print(table.render(["level", "program", "frontend", "backend", "status", "compile ms", "why"], rows))
    if options.verbose:
        print("\n".join(outcome.detail for outcome in outcomes if outcome.detail), file=sys.stderr)
    bad = [outcome for outcome in outcomes if not outcome.good]
    print(f"{len(outcomes) - len(bad)} good, {len(bad)} bad, of {len(outcomes)}", file=sys.stderr)
    return 1 if bad else 0


def _bench(programs: Sequence[Program], options: argparse.Namespace) -> int:
    torch.set_num_threads(1)
    rows: list[bench.Row] = []
    work = [
        (p, f, b)
        for p in programs
        for f in options.frontend or FRONTENDS
        if f in p.frontends
        for b in options.backend or BACKENDS
    ]
    for number, (program, frontend, backend) in enumerate(work, 1):
        _progress(f"[{number}/{len(work)}] {program.name} · {frontend} · {backend}")
        rows += bench.bench(program, frontend, backend)
    if options.json:
        print(json.dumps([row.json() for row in rows], indent=1))
        return 0
    cells = [
        (
            r.program, r.frontend, " ".join(f"{k}={v}" for k, v in r.sizes.items()),
            f"{r.compile_ms:.0f}", f"{r.eager_us:.1f}", f"{r.ours_us:.1f}", f"{r.ratio:.2f}×",
        )
        for r in rows
    ]  # fmt: skip
    print(table.render(["program", "frontend", "sizes", "compile ms", "eager µs", "ours µs", "eager/ours"], cells))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        programs = registry.matching(options.only, options.level)
    except LookupError as error:
        print(f"npcomp-curriculum: {error}\n  do: npcomp-curriculum list", file=sys.stderr)
        return 2
    if options.command == "list":
        return _list(programs, options.json)
    return _run(programs, options) if options.command == "run" else _bench(programs, options)
