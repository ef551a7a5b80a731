"""The command `npcomp-torchscript compile|inspect`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import npcomp_dialects.errors
from npcomp_dialects.program import CompileOptions

from npcomp_torchscript import compiler, inspection, sources, specs
from npcomp_torchscript.annotations import ClassAnnotator
from npcomp_torchscript.errors import refuse

ARGUMENT = (
    "what an argument of the method is, in order: a tensor as dtype[dims], such as f32[batch,784], i64[?,3] or f32[], "
    "or int, float, bool, none, or a quoted string; NAME=... names the argument"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 when all went well, 1 for a program that does not compile, 2 for a wrong command."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except npcomp_dialects.errors.NpcompError as error:
        if options.json:
            print(json.dumps({"error": str(error)}))
        print(f"npcomp-torchscript: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="npcomp-torchscript", description="Compiles saved TorchScript programs.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    compile = commands.add_parser("compile", help="compile an archive to a file that runs without torch")
    compile.add_argument("--arg", action="append", default=[], metavar="SPEC", help=ARGUMENT)
    compile.add_argument("--method", default="forward", metavar="PATH", help="the method that --arg describes")
    compile.add_argument("--backend", default="refbackend", help="default: %(default)s")
    compile.add_argument("-O", dest="opt_level", type=int, default=2, choices=[0, 1, 2], help="default: %(default)s")
    compile.add_argument("--fallback", choices=["allow", "warn", "forbid"], default="allow",
                         help="operators that only torch can run; default: %(default)s")  # fmt: skip
    compile.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: the archive's name with .npc")
    inspect = commands.add_parser("inspect", help="show methods, attributes and operators of an archive")
    for command, run in ((compile, _compile), (inspect, _inspect)):
        command.add_argument("archive", type=Path, help="what torch.jit.save wrote")
        command.add_argument("--json", action="store_true", help="print JSON")
        command.set_defaults(run=run)
    return parser


def _compile(options: argparse.Namespace) -> int:
    progress = Progress()
    progress.step(f"loading {options.archive}")
    module = sources.load_archive(options.archive)
    annotator = ClassAnnotator()
    if options.method != "forward":
        annotator.exportNone(module)
        annotator.exportPath(module, options.method.split("."))
    given = {options.method: _arguments(options.arg)} if options.arg else None
    progress.step("compiling")
    settings = CompileOptions(opt_level=options.opt_level, fallback=options.fallback)
    program = compiler.compile(module, given, annotator=annotator, backend=options.backend, options=settings)
    output = options.output or options.archive.with_suffix(".npc")
    progress.step(f"writing {output}")
    try:
        program.save(output)
    except OSError as error:
        raise refuse(f"cannot write {output}: {error.strerror}", "choose another place with -o") from None
    seconds = progress.done()
    if options.json:
        print(json.dumps({"output": str(output), "bytes": output.stat().st_size, "seconds": round(seconds, 3)}))
    else:
        print(f"{output}: {output.stat().st_size / 1024:.0f} KiB in {seconds:.1f} s")
    return 0


def _arguments(texts: Sequence[str]) -> Any:
    """`--arg` values as a list, or as a mapping when they are named."""
    pairs = [text.partition("=") for text in texts]
    named = [name.strip() for name, equals, _ in pairs if equals and name.strip().isidentifier()]
    if not named:
        return [specs.parse(text) for text in texts]
    if len(named) != len(pairs):
        raise refuse("some --arg are named and some are not", "name all of them: --arg 'x=f32[?]' --arg 'n=int'")
    return {name.strip(): specs.parse(value.strip()) for name, _, value in pairs}


def _inspect(options: argparse.Namespace) -> int:
    module = sources.load_archive(options.archive)
    found = inspection.describe(sources.load(module), module)
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        print("\n".join(_lines(found)))
    return 0


def _lines(found: inspection.Json) -> list[str]:
    lines = ["methods"]
    for method in found["methods"]:
        listed = ", ".join(
            f"{a['name']}: {a['type']}" + (f" = {a['default']}" if "default" in a else "") for a in method["arguments"]
        )
        lines.append(f"  {method['name']}({listed}) -> {method['returns']}")
    lines.append("attributes")
    for attribute in found["attributes"]:
        text = f"{attribute['dtype']}{attribute['sizes']}" if "sizes" in attribute else attribute["value"]
        lines.append(f"  {attribute['name']}  {attribute['kind']}  {text}")
    lines.append("operators")
    lines += [f"  {op['count']:4} × {op['name']}  {op['runs']}" for op in found["ops"]]
    lines.append("problems" if found["problems"] else "problems: none")
    lines += [f"  {p['location'] + ': ' if p['location'] else ''}{p['message']}" for p in found["problems"]]
    return lines


class Progress:
    """One line on the error stream a step, with the time since the start."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def step(self, text: str) -> None:
        print(f"[{time.perf_counter() - self._start:5.1f} s] {text}", file=sys.stderr, flush=True)

    def done(self) -> float:
        return time.perf_counter() - self._start
