"""torch's own operator database through npcomp_acap and RefBackend, compared with eager torch.

    python ci/opinfo.py [ENTRY…] [--dtype f32]… [--samples 4] [--fast] [--json FILE] [--update]

ENTRY is a name of `torch.testing._internal.common_methods_invocations.op_db`, such as `add`, `linalg.svd` or
`nn.functional.pad.constant`, or a pattern like `'nn.functional.*pool*'`. Of each entry and dtype as many samples are
taken, spread over all that torch generates; each is traced, run on its own values and on others. Progress goes to
stderr; samples that are not right and the summary go to stdout. Exits with 1 on a crash or a wrong result, on an entry
worse than docs/opinfo.json says or without the reason that ci/opinfo.toml should give, and when a whole run misses the
goals: 99 % of samples right, 85 % of entries without kernel fallback.
"""

from __future__ import annotations

import argparse
import collections
import fnmatch
import functools
import json
import os
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import opinfo_samples
import opinfo_workers
from tqdm import tqdm

BOARD = Path(__file__).resolve().parent.parent / "docs" / "opinfo.json"
STATUSES = ("right", "refused", "raised", "wrong", "crash", "slow", "skipped")
FATAL = ("wrong", "crash", "slow")
RIGHT_GOAL, NATIVE_GOAL = 0.99, 0.85

Board = dict[str, dict[str, Any]]


def jobs_of(names: Iterable[str], dtypes: list[str], most: int, fast: bool) -> list[opinfo_workers.Job]:
    jobs = [(name, dtype, most) for name in names for dtype in opinfo_samples.dtypes_of(name, dtypes)]
    if not fast:
        return jobs
    firsts = {name: (name, dtype, 1) for name, dtype, _ in reversed(jobs)}
    return list(firsts.values())


def selected(patterns: list[str]) -> list[str]:
    names = [n for n in opinfo_samples.entries() if not patterns or any(fnmatch.fnmatch(n, p) for p in patterns)]
    if not names:
        raise SystemExit(f"opinfo: no entry matches {' '.join(patterns)}\n  do: ./nox -s opinfo -- 'nn.functional.*'")
    return names


def add(board: Board, job: opinfo_workers.Job, outcomes: list[opinfo_samples.Outcome]) -> None:
    """Counts the outcomes of a job in its entry's row."""
    row = board.setdefault(job[0], {"samples": 0, "right": 0, "fallbacks": [], "not_right": {}})
    for outcome in outcomes:
        row["fallbacks"] = sorted({*row["fallbacks"], *outcome.fallbacks})
        if outcome.status == "skipped":
            continue
        row["samples"] += 1
        if outcome.status == "right":
            row["right"] += 1
            continue
        statuses = row["not_right"].setdefault(outcome.status, {"count": 0, "dtypes": [], "first": outcome.why})
        statuses["count"] += 1
        statuses["dtypes"] = sorted({*statuses["dtypes"], job[1]})


def is_native(row: dict[str, Any]) -> bool:
    """Every sample compiled, and none calls a kernel of torch's."""
    return row["samples"] > 0 and not row["fallbacks"] and not any(s in row["not_right"] for s in ("refused", "crash"))


def summary(board: Board) -> dict[str, Any]:
    counts: collections.Counter[str] = collections.Counter(right=sum(row["right"] for row in board.values()))
    for row in board.values():
        counts.update({status: told["count"] for status, told in row["not_right"].items()})
    tried = [row for row in board.values() if row["samples"]]
    samples = sum(row["samples"] for row in tried)
    native = sum(is_native(row) for row in tried)
    return {
        "entries": len(tried),
        "native_entries": native,
        "native_share": round(native / max(len(tried), 1), 4),
        "samples": samples,
        "right_share": round(counts["right"] / max(samples, 1), 4),
        **{status: counts[status] for status in STATUSES if counts[status]},
    }


def told(total: dict[str, Any]) -> str:
    statuses = ", ".join(f"{total[status]} {status}" for status in STATUSES if status in total)
    return (
        f"opinfo: {total['entries']} entries, {total['native_share']:.1%} native; "
        f"{total['samples']} samples, {total['right_share']:.2%} right ({statuses})"
    )


def not_right(board: Board) -> Iterator[str]:
    """One line for each entry and way of failing, with its first reason."""
    for name, row in sorted(board.items()):
        for status, told in row["not_right"].items():
            yield f"{name}: {told['count']} of {row['samples']} {status} ({' '.join(told['dtypes'])}): {told['first']}"


@functools.cache
def reasons() -> list[tuple[list[str], str]]:
    """The table: patterns of entries, and why these are not native."""
    rows = tomllib.loads(Path(__file__).with_name("opinfo.toml").read_text())["reason"]
    return [(row["entries"], row["reason"]) for row in rows]


def reason_of(name: str) -> str:
    return next((why for patterns, why in reasons() if any(fnmatch.fnmatch(name, p) for p in patterns)), "")


def unexplained(board: Board, whole: bool) -> list[str]:
    """Entries that want a reason in the table, and, after a whole run, reasons that nothing needs."""
    lines = []
    needed = {name for name, row in board.items() if row["samples"] and (row["fallbacks"] or row["not_right"])}
    for name in sorted(needed):
        if not reason_of(name):
            why = ", ".join([*board[name]["fallbacks"], *board[name]["not_right"]])
            lines.append(f"{name}: {why}, without a reason in ci/opinfo.toml")
    for pattern in (p for patterns, _ in reasons() for p in patterns) if whole else ():
        if not any(fnmatch.fnmatch(name, pattern) for name in needed):
            lines.append(f"{pattern}: nothing needs this reason any more  do: remove it from ci/opinfo.toml")
    return lines


def worse(board: Board) -> list[str]:
    """Entries that the committed scoreboard has right, or native, and this run has not."""
    rows = json.loads(BOARD.read_text())["entries"] if BOARD.exists() else {}
    lines = []
    for name, row in board.items():
        before = rows.get(name)
        if before is None:
            continue
        if row["right"] < row["samples"] and before["right"] == before["samples"]:
            lines.append(f"{name}: it was right in docs/opinfo.json")
        if row["fallbacks"] and before["samples"] and not before["fallbacks"]:
            lines.append(f"{name}: it was native in docs/opinfo.json, now {', '.join(row['fallbacks'])} fall back")
    return lines


def save(path: Path, board: Board, samples_each: int, dtypes: list[str]) -> None:
    """Writes the scoreboard, with the reason of every entry that needs one."""
    for name, row in board.items():
        if row["fallbacks"] or row["not_right"]:
            row["reason"] = reason_of(name)
    settings = {"samples_each": samples_each, "dtypes": dtypes}
    document = {"summary": summary(board), **settings, "entries": dict(sorted(board.items()))}
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("entries", nargs="*", metavar="ENTRY")
    parser.add_argument("--dtype", choices=opinfo_samples.DTYPES, action="append")
    parser.add_argument("--samples", type=int, default=4, metavar="N", help="most of each entry and dtype (4)")
    parser.add_argument("--fast", action="store_true", help="one sample of each entry, in its first dtype")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the scoreboard there")
    parser.add_argument("--update", action="store_true", help="replace what docs/opinfo.json says of these entries")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), metavar="N", help="processes, one a core")
    options = parser.parse_args()
    dtypes = options.dtype or list(opinfo_samples.DTYPES)
    jobs = jobs_of(selected(options.entries), dtypes, options.samples, options.fast)
    board: Board = {}
    workers = options.workers if len(jobs) > 8 else 1
    quiet = 1.0 if sys.stderr.isatty() else 30.0
    for job, outcomes in tqdm(opinfo_workers.run(jobs, workers), "opinfo", len(jobs), mininterval=quiet, unit="job"):
        add(board, job, outcomes)
    total = summary(board)
    if options.json:
        save(options.json, board, options.samples, dtypes)
    if options.update:
        save(BOARD, json.loads(BOARD.read_text())["entries"] | board, options.samples, dtypes)
    whole = not options.entries and not options.fast and not options.dtype
    regressions = worse(board) + unexplained(board, whole)
    print("\n".join([*not_right(board), *regressions, told(total)]))
    missed = whole and (total["right_share"] < RIGHT_GOAL or total["native_share"] < NATIVE_GOAL)
    sys.exit(1 if missed or regressions or any(status in total for status in FATAL) else 0)


if __name__ == "__main__":
    main()
