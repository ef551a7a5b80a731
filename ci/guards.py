"""Illegal calls of every op: compiled code refuses what eager torch refuses, with its exception and the user's line.

    python ci/guards.py [OP…] [--json FILE] [--workers N]

From each case of an op come calls with one size, rank, dtype, index or number changed. Eager torch judges them. Those
that it refuses are compiled twice: with unknown sizes, so that a guard has to notice at run time, and as they are, so
that the compiler has to. Those that it accepts and that a program with unknown sizes takes have to give torch's answer.
After each refusal the program computes the legal call. Failures and the count go to stdout, progress to stderr.
"""

from __future__ import annotations

import argparse
import fnmatch
import functools
import json
import os
import re
import sys
import time
import tomllib
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import apart
import illegal_calls
import npcomp_torchscript as nts
import torch
from npcomp_dialects.aten import registry
from npcomp_dialects.aten.block import Block
from npcomp_dialects.aten.cases import Case
from npcomp_dialects.errors import NpcompError
from opcheck import agree, inputs_of
from opcheck_programs import _dim, eager_program, graph_text

BAD = ("accepted", "other", "unclear", "strict", "wrong", "crash")
STATUSES = ("refused", "right", "known", "skipped", *BAD)
NOT_A_RULE = re.compile(
    r"not implemented for '|Expected a value of type|not supported on CPU|[Uu]nsupported dtype|a primitive|valid DType"
)
"""torch has no kernel for the dtype or oneDNN none for the sizes, or the binding to Python cannot read the arguments:
that says nothing about the op."""


@dataclass
class Finding:
    """What became of one changed call. `refused`: like torch. `right`: torch accepts it, the result is torch's.
    `accepted`: torch refuses it and we do not. `other`: another exception. `unclear`: the message lacks the op, a value
    or the line. `strict`: torch accepts it and we do not. `known`: the table says why."""

    op: str
    case: str
    change: str
    when: str
    status: str
    why: str = ""


def users_line(x: torch.Tensor) -> torch.Tensor:
    return x + 1  # every node of the checked programs says that it comes from this line


@functools.cache
def marked() -> tuple[Any, str]:
    """A node with a user's place, and how messages spell that place."""
    graph = torch.jit.script(users_line).graph
    node = next(n for n in graph.nodes() if n.kind() == "aten::add")
    return node, f"{Path(__file__).name}:{users_line.__code__.co_firstlineno + 1}"


def program(block: type[Block], case: Case, results: Any) -> Any:
    """The call as a compiled program whose user wrote `users_line`."""
    graph = torch._C.parse_ir(graph_text(block, case, results))
    for node in graph.nodes():
        node.copyMetadata(marked()[0])
    function = torch._C._create_function_from_graph("forward", graph)
    tensors = inputs_of(case, dict.fromkeys(case.symbols(), 2), 0)
    specs = [nts.TensorSpec([_dim(d) for d in s.dims], t.dtype) for s, t in zip(case.tensors(), tensors)]
    return nts.compile(function, specs)


class Checker:
    """The calls around one legal case."""

    def __init__(self, block: type[Block], case: Case) -> None:
        self.block, self.case = block, case
        self.seed = zlib.crc32(f"{block.name()}{case}".encode())
        self.findings: list[Finding] = []
        self.inputs = inputs_of(case, {}, self.seed)
        self.wanted = self.eager(case, self.inputs)

    def eager(self, case: Case, inputs: list[torch.Tensor]) -> Any:
        with torch.no_grad():
            return eager_program(self.block, case)(*(x.clone() for x in inputs))

    def refuses(self, case: Case) -> BaseException | None:
        try:
            with apart.trying(str(case)):
                self.eager(case, inputs_of(case, {}, self.seed))
        except apart.Deadly as error:
            return error
        except NotImplementedError as error:
            raise _Skip from error
        except Exception as error:
            return error
        return None

    def note(self, change: str, when: str, status: str, why: str = "") -> None:
        self.findings.append(Finding(self.block.name(), str(self.case), change, when, status, why))

    def run(self) -> list[Finding]:
        refused, accepted = illegal_calls.illegal(self.case, self.refuses)
        refused = [(call, error) for call, error in refused if _is_rule(error)]
        if not refused:
            return []
        self.at_run_time(
            [(c, e) for c, e in refused if c.open], [c for c in accepted if c.open and self.block.compare == "values"]
        )
        for call, error in illegal_calls.few([(c, e) for c, e in refused if _types_show(c)], 2):
            self.at_compile_time(call, error)
        return self.findings

    def at_run_time(self, refused: list[tuple[illegal_calls.Call, BaseException]], accepted: list[Any]) -> None:
        if not refused:
            return
        try:
            compiled = program(self.block, illegal_calls.opened(self.case), self.wanted)
        except NotImplementedError as skip:
            return self.note("", "run", "skipped", str(skip))
        except Exception as error:
            return self.note("", "run", "strict", f"with unknown sizes: {type(error).__name__}: {error}")
        for call, wanted in refused:
            try:
                compiled(*inputs_of(call.case, {}, self.seed))
            except Exception as error:
                self.judge(call, "run", wanted, error)
            else:
                self.note(call.change, "run", "accepted", f"torch: {_first_line(wanted)}")
            self.compare("the legal call after " + call.change, compiled, self.case)
        for call in accepted:
            self.compare(call.change, compiled, call.case)

    def compare(self, change: str, compiled: Any, case: Case) -> None:
        inputs = inputs_of(case, {}, self.seed)
        try:
            got = compiled(*inputs)
        except Exception as error:
            return self.note(change, "run", "strict", _first_line(error))
        try:
            agree(self.block, case, got, self.eager(case, inputs))
        except AssertionError as error:
            return self.note(change, "run", "wrong", _first_line(error))
        self.note(change, "run", "right")

    def at_compile_time(self, call: illegal_calls.Call, wanted: BaseException) -> None:
        """Refused by the compiler; where only torch's own kernel knows, by the call."""
        try:
            compiled = program(self.block, call.case, self.wanted)
        except NotImplementedError as error:
            if not isinstance(error, NpcompError):
                return self.note(call.change, "compile", "skipped", str(error))
            return self.judge(call, "compile", wanted, error)
        except Exception as error:
            return self.judge(call, "compile", wanted, error)
        try:
            compiled(*inputs_of(call.case, {}, self.seed))
        except Exception as error:
            self.judge(call, "compile", wanted, error)
        else:
            self.note(call.change, "compile", "accepted", f"torch: {_first_line(wanted)}")

    def judge(self, call: illegal_calls.Call, when: str, wanted: BaseException, got: BaseException) -> None:
        place, text = marked()[1], str(got)
        if not isinstance(got, type(wanted)):
            why = f"{type(got).__name__}: {_first_line(got)} · torch: {type(wanted).__name__}: {_first_line(wanted)}"
            return self.note(call.change, when, "other", why)
        lacks = [] if re.search(r"\baten\.\w", text) else ["the op"]
        lacks += [] if place in text else ["the line"]
        lacks += [] if re.search(r"\d|[a-z]+\d|bool|rank|dim", text.replace(place, "")) else ["the values"]
        if lacks:
            why = f"no {', '.join(lacks)}: {_first_line(got)} · torch: {_first_line(wanted)}"
            return self.note(call.change, when, "unclear", why)
        self.note(call.change, when, "refused")


class _Skip(Exception):
    """The case cannot be called from Python."""


def _is_rule(error: BaseException) -> bool:
    return not isinstance(error, apart.Deadly) and not NOT_A_RULE.search(str(error))


def _types_show(call: illegal_calls.Call) -> bool:
    """False where values make the call illegal, which no compiler knows."""
    return "values →" not in call.change


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " | ".join(lines[:2])[:300]


def check(name: str) -> list[Finding]:
    """Everything about one op."""
    block = registry.lookup(name)
    findings: list[Finding] = []
    for case in illegal_calls.bases(block):
        try:
            findings += Checker(block, case).run()
        except (NotImplementedError, _Skip):
            continue
    return [apply_table(finding) for finding in findings]


@functools.cache
def table() -> list[dict[str, str]]:
    return tomllib.loads(Path(__file__).with_name("guards.toml").read_text())["known"]


def apply_table(finding: Finding) -> Finding:
    """A failure that the table explains is known."""
    for row in table():
        if (
            finding.status in row["status"].split()
            and fnmatch.fnmatch(finding.op, row["op"])
            and re.search(row.get("change", ""), finding.change)
            and re.search(row.get("why", ""), finding.why)
        ):
            finding.status, finding.why = "known", row["reason"]
            return finding
    return finding


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ops", nargs="*", metavar="OP")
    parser.add_argument("--json", metavar="FILE", help="write every finding there")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    wanted = [p.replace("::", ".") for p in options.ops] or ["*"]
    names = [b.name() for b in registry.all_ops() if b.cases and any(fnmatch.fnmatch(b.name(), p) for p in wanted)]
    if not names:
        raise SystemExit(f"guards: no op matches {options.ops}\n  do: ./nox -s guards -- 'aten.index*'")
    start, findings = time.monotonic(), list[Finding]()
    checked = apart.results(check, names, workers=options.workers, preload="guards")
    for number, (name, found) in enumerate(checked, 1):
        found = [Finding(name, "", "", "", "crash", str(found))] if isinstance(found, apart.Died) else found
        findings += found
        for f in found:
            if f.status in BAD:
                print(f"{f.status}: {f.op} · {f.case} · {f.change} · {f.when}: {f.why}", flush=True)
        if number % 20 == 0:
            print(f"guards: {number}/{len(names)} ops, {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    if options.json:
        Path(options.json).write_text(json.dumps([asdict(f) for f in findings], indent=1))
    counts = {status: sum(f.status == status for f in findings) for status in STATUSES}
    text = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    print(f"guards: {len(names)} ops, {len(findings)} calls: {text}")
    sys.exit(1 if any(counts[status] for status in BAD) else 0)


if __name__ == "__main__":
    main()
