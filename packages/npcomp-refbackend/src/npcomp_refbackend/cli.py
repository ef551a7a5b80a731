"""Commands on artifact files: run, inspect, bench."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .artifact import Artifact
from .inputs import InputError, Inputs, parse_inputs
from .runtime import ArtifactError


class CommandError(Exception):
    """What ends a command with a message and status 2."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `npcomp-refbackend`."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
        return 0
    except (CommandError, ArtifactError, InputError) as error:
        print(f"npcomp-refbackend: {error}", file=sys.stderr)
    except Exception as error:  # what the program itself raised
        print(f"npcomp-refbackend: the program raised {type(error).__name__}: {error}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="npcomp-refbackend", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, function, text in (
        ("run", _run, "call a method and print what it returns"),
        ("inspect", _inspect, "show methods, constants, state, kernels and what the program needs"),
        ("bench", _bench, "time a method"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("file", help="an artifact written by save()")
        command.add_argument("--json", action="store_true", help="print JSON")
        command.set_defaults(command=function)
        if name != "inspect":
            _add_call_options(command)
        if name == "bench":
            command.add_argument("--seconds", type=float, default=1.0, help="how long to measure (default 1)")
        if name == "run":
            command.add_argument("--save", metavar="FOLDER", help="write tensors of the result there as .npy files")
    return parser


def _add_call_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--method", default="forward", help="default: forward")
    command.add_argument(
        "--input", action="append", default=[], metavar="NAME=VALUE", dest="inputs",
        help="an argument: a .npy file, or a number, true, false or none. Others are random",
    )  # fmt: skip
    command.add_argument(
        "--size", action="append", default=[], metavar="NAME=N", dest="sizes",
        help="a named dynamic dimension of random tensors (default 8; a nameless one is 8)",
    )  # fmt: skip
    command.add_argument("--seed", type=int, default=0, help="of random tensors (default 0)")


def _call(options: argparse.Namespace) -> tuple[Callable[[], Any], Inputs]:
    """The call that the options describe, ready to be made."""
    artifact = Artifact.load_file(options.file)
    rows = {row.get("name") or row["signature"]["name"]: row["signature"] for row in artifact.header["methods"]}
    if options.method not in rows:
        raise CommandError(f"{options.file} has no method {options.method!r}. do: use one of {', '.join(rows)}")
    inputs = parse_inputs(rows[options.method], options.inputs, options.sizes, options.seed)
    method = artifact.load(outputs="numpy").methods[options.method]
    return lambda: method(**inputs.values), inputs


def _run(options: argparse.Namespace) -> None:
    call, inputs = _call(options)
    result = call()
    if options.save:
        _save_tensors(Path(options.save), result)
    if options.json:
        print(
            json.dumps({"inputs": {name: _as_json(v) for name, v in inputs.values.items()}, "result": _as_json(result)})
        )
        return
    for name, value in inputs.values.items():
        print(f"{name}: {_as_text(value)}")
    print(f"result: {_as_text(result)}")


def _bench(options: argparse.Namespace) -> None:
    call, _ = _call(options)
    start = time.perf_counter()
    call()
    first = time.perf_counter() - start
    times: list[float] = []
    stop = time.perf_counter() + options.seconds
    while len(times) < 3 or time.perf_counter() < stop:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    rows = {
        "calls": len(times), "first_us": first * 1e6, "best_us": min(times) * 1e6,
        "median_us": float(np.median(times)) * 1e6, "p90_us": float(np.quantile(times, 0.9)) * 1e6,
    }  # fmt: skip
    if options.json:
        print(json.dumps(rows))
        return
    print(f"{options.method}: median {rows['median_us']:.2f} µs, best {rows['best_us']:.2f}, "
          f"90% within {rows['p90_us']:.2f}, first call {rows['first_us']:.1f} ({len(times)} calls)")  # fmt: skip


def _inspect(options: argparse.Namespace) -> None:
    artifact = Artifact.load_file(options.file)
    header = artifact.header
    summary = {
        "file_bytes": Path(options.file).stat().st_size,
        "object_bytes": len(artifact.object),
        "constant_bytes": sum(array.nbytes for array in artifact.constants),
        **header,
    }
    if options.json:
        print(json.dumps(summary))
        return
    print(f"{options.file}: {summary['file_bytes']:,} bytes, {summary['object_bytes']:,} of code, "
          f"{summary['constant_bytes']:,} of constants")  # fmt: skip
    _section("methods", [_signature_text(row["signature"]) for row in header["methods"]])
    _section("constants", [f"{n}: {row['dtype']}{row['sizes']}" for n, row in enumerate(header.get("constants", []))])
    _section("state", [f"{row['name']}: {row['kind']}" for row in header.get("slots", [])])
    _section("guards", [f"{row['kind']}: {row['message']}  ({row.get('loc', '')})" for row in header.get("guards", [])])
    _section(
        "ops run by torch, which has to be installed",
        [f"{row['op']}  ({row.get('loc', '')})" for row in header.get("fallbacks", [])],
    )
    _section("kernels", [json.dumps(row) for row in header.get("kernels", [])])
    _section("target", [f"{key}: {value}" for key, value in header.get("target", {}).items()])


def _signature_text(signature: dict[str, Any]) -> str:
    arguments = ", ".join(f"{row['name']}: {_kind_text(row)}" for row in signature.get("args", []))
    return f"{signature['name']}({arguments}) -> {_kind_text(signature.get('returns', {'kind': 'none'}))}"


def _kind_text(row: dict[str, Any]) -> str:
    if row["kind"] == "tensor":
        dims = row.get("dims")
        inner = "…" if dims is None else ", ".join("?" if dim is None else str(dim) for dim in dims)
        return f"{row.get('dtype', 'tensor')}[{inner}]"
    if row["kind"] == "const":
        return repr(row["value"])
    if "items" in row:
        labels = row.get("keys") or row.get("fields") or [None] * len(row["items"])
        items = ", ".join(
            (f"{label}: " if label is not None else "") + _kind_text(i) for label, i in zip(labels, row["items"])
        )
        return f"{row['kind']}({items})"
    return row["kind"]


def _section(title: str, lines: list[str]) -> None:
    if lines:
        print(f"{title}:", *(f"  {line}" for line in lines), sep="\n")


def _as_text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        shown = np.array2string(value, threshold=20, edgeitems=3, precision=5)
        return f"{value.dtype}{list(value.shape)} {shown}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_as_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}({', '.join(_as_text(item) for item in value)})"
    return repr(value)


def _as_json(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"dtype": str(value.dtype), "shape": list(value.shape), "data": value.tolist()}
    if isinstance(value, dict):
        return {str(key): _as_json(item) for key, item in value.items()}
    return [_as_json(item) for item in value] if isinstance(value, list | tuple) else value


def _save_tensors(folder: Path, result: Any, name: str = "result") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(result, np.ndarray):
        np.save(folder / f"{name}.npy", result)
    elif isinstance(result, dict):
        for key, item in result.items():
            _save_tensors(folder, item, f"{name}.{key}")
    elif isinstance(result, list | tuple):
        for n, item in enumerate(result):
            _save_tensors(folder, item, f"{name}.{n}")


if __name__ == "__main__":
    sys.exit(main())
