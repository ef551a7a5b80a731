"""`npcomp-opt`: read IR, run passes on it, print it. `--verify-diagnostics` checks the errors it gives instead."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from npcomp_dialects import context, pass_list, passes
from npcomp_dialects.diagnostics import Message, capture, parse_module, verify
from npcomp_dialects.errors import CompileError, NpcompError, OptionError
from npcomp_dialects.expectations import Expectation, expectations, mismatches
from npcomp_dialects.mlir import ir

_SEPARATOR = "// -----"


def main(argv: list[str] | None = None) -> int:
    """Exit codes: 0 done, 1 the IR or a pass failed (or a diagnostic was not as expected), 2 wrong usage."""
    arguments = _parser().parse_args(argv)
    try:
        return _run(arguments)
    except OptionError as error:
        print(f"npcomp-opt: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="npcomp-opt", description="Run npcomp's and MLIR's passes on IR.")
    parser.add_argument("input", nargs="?", default="-", help="a file with IR; - (the default) reads stdin")
    parser.add_argument("-o", "--output", default="-", help="where to write the result; - is stdout")
    parser.add_argument(
        "-p", "--passes", default="", metavar="A,B", help="passes in order: ours by name, MLIR's by pipeline text"
    )
    parser.add_argument("--plugin", action="append", default=[], metavar="MODULE", help="import a module with passes")
    parser.add_argument("--split-input-file", action="store_true", help=f"treat parts between {_SEPARATOR} apart")
    parser.add_argument("--verify-diagnostics", action="store_true", help="check `expected-error` comments")
    parser.add_argument("--print-locations", action="store_true", help="print the location of each op")
    parser.add_argument("--print-generic", action="store_true", help="print in MLIR's generic form")
    parser.add_argument("--list-passes", action="store_true", help="list our passes and stop")
    return parser


def _run(arguments: argparse.Namespace) -> int:
    for plugin in arguments.plugin:
        _import(plugin)
    if arguments.list_passes:
        print("\n".join(f"{found.name:32} {found.summary}" for found in passes.all_passes()))
        return 0
    text, name = _read(arguments.input)
    chunks = _split(text) if arguments.split_input_file else [text]
    steps = pass_list.parse(arguments.passes)
    if arguments.verify_diagnostics:
        failures = [line for chunk in chunks for line in _check(chunk, name, steps)]
        print("".join(f"{line}\n" for line in failures), end="", file=sys.stderr)
        return 1 if failures else 0
    results = [_process(chunk, name, steps, arguments) for chunk in chunks]
    _write(arguments.output, f"{_SEPARATOR}\n".join(result for result in results if result is not None))
    return 1 if None in results else 0


def _import(plugin: str) -> None:
    try:
        importlib.import_module(plugin)
    except ImportError as error:
        raise OptionError(f"cannot import plug-in {plugin!r}: {error}\ndo: install it, or set PYTHONPATH") from None


def _read(path: str) -> tuple[str, str]:
    if path == "-":
        return sys.stdin.read(), "<stdin>"
    try:
        return Path(path).read_text(), path
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"cannot read {path!r}: {error}\ndo: give a file with MLIR text, or - for stdin") from None


def _write(path: str, text: str) -> None:
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text)
    except OSError as error:
        raise OptionError(f"cannot write {path!r}: {error}") from None


def _split(text: str) -> list[str]:
    """The parts of a file, each after as many blank lines as stand before it, so that line numbers are the file's."""
    parts: list[str] = []
    line = 0
    for part in text.split(f"{_SEPARATOR}\n"):
        parts.append("\n" * line + part)
        line += part.count("\n") + 1
    return parts


def _apply(chunk: str, name: str, steps: list[pass_list.Step], ctx: ir.Context) -> ir.Module:
    module = parse_module(chunk, ctx, name)
    for step in steps:
        with ctx:
            step.apply(module)
        verify(module, step.name)
    return module


def _process(chunk: str, name: str, steps: list[pass_list.Step], arguments: argparse.Namespace) -> str | None:
    ctx = context()
    with capture(ctx) as found:
        try:
            module = _apply(chunk, name, steps, ctx)
        except OptionError:
            raise
        except NpcompError as error:
            print(f"error: {error}", file=sys.stderr)
            module = None
    for message in found:
        if message.severity in ("warning", "remark"):
            print(f"{message.location or name}: {message.severity}: {message.text}", file=sys.stderr)
    if module is None:
        return None
    asm = module.operation.get_asm(
        enable_debug_info=arguments.print_locations, print_generic_op_form=arguments.print_generic
    )
    return asm.rstrip("\n") + "\n"


def _check(chunk: str, name: str, steps: list[pass_list.Step]) -> list[str]:
    """What differs between the diagnostics of one part and those its comments announce."""
    expected: list[Expectation] = expectations(chunk)
    ctx = context()
    with capture(ctx) as found:
        try:
            _apply(chunk, name, steps, ctx)
        except CompileError as error:
            found.append(Message("error", error.message, error.location))
    return mismatches(expected, found, name)


if __name__ == "__main__":
    sys.exit(main())
