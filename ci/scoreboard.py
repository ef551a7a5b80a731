"""Measures what docs/scoreboard.md reports, and writes it: sizes, times, coverage. Run on a quiet machine.

python ci/scoreboard.py
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE, DATA = ROOT / "docs" / "scoreboard.md", ROOT / "docs" / "scoreboard.json"
SOURCES = (".py", ".cpp", ".h", ".td", ".c", ".mlir")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
IMPORTS = {
    "npcomp_dialects": "import npcomp_dialects; npcomp_dialects.context()",
    "npcomp_refbackend": "import npcomp_refbackend",
    "npcomp_torchscript (torch imported before)": "import npcomp_torchscript",
    "npcomp_acap (torch imported before)": "import npcomp_acap",
}
ONE_ELEMENT = """
import torch
from npcomp_curriculum import bench, frontends, registry
torch.set_num_threads(1)
entry = registry.matching("elementwise.add")[0]
program = frontends.compile_torchscript(entry, entry.module(), "refbackend")
x = torch.ones(1)
times = bench.measure({"eager": lambda: torch.add(x, x), "ours": lambda: program(x, x), "empty": lambda: None})
print({name: round(us - times["empty"], 3) for name, us in times.items()})
"""


def lines_per_file() -> dict[str, Any]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    counts = {n: len((ROOT / n).read_text().splitlines()) for n in listed if n.endswith(SOURCES)}
    longest = max(counts, key=lambda name: counts[name])
    return {
        "files": len(counts), "lines": sum(counts.values()), "median": statistics.median(counts.values()),
        "max": counts[longest], "longest": longest,
    }  # fmt: skip


def timed_import(statement: str) -> float:
    """Milliseconds, the best of five fresh processes; torch, where needed, is imported before the clock starts."""
    before = "import torch; " if "torchscript" in statement or "acap" in statement else ""
    code = f"{before}import time; t = time.perf_counter(); {statement}; print((time.perf_counter() - t) * 1e3)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(5)]
    return min(float(run.stdout.split()[-1]) for run in runs)


def run_json(*command: str) -> Any:
    """The JSON that a command prints, whatever its exit code."""
    print(f"scoreboard: {' '.join(command)}", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, *command], cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def opcheck_counts() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "opcheck.json")
        subprocess.run([sys.executable, "ci/opcheck.py", "--json", str(path)], cwd=ROOT, env=ENVIRONMENT)
        results = json.loads(path.read_text())
    statuses = [result["status"] for result in results]
    return {"ops": len({r["op"] for r in results}), "cases": len(results)} | {
        s: statuses.count(s) for s in set(statuses)
    }


def wheel_weights() -> dict[str, float]:
    return {path.name: path.stat().st_size / 2**20 for path in sorted((ROOT / "dist").glob("*.whl"))}


def cpu() -> str:
    flags = Path("/proc/cpuinfo").read_text()
    vector = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "SSE2"
    return f"{os.cpu_count()} cores, {platform.machine()}, {vector}"


def one_element_add() -> str:
    run = subprocess.run([sys.executable, "-c", ONE_ELEMENT], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    return run.stdout.strip() or f"failed ({run.returncode})"


def collect() -> dict[str, Any]:
    return {
        "date": time.strftime("%Y-%m-%d"), "machine": cpu(), "lines": lines_per_file(), "wheels_mib": wheel_weights(),
        "import_ms": {name: timed_import(statement) for name, statement in IMPORTS.items()},
        "one_element_add_us": one_element_add(),
        "opcheck": opcheck_counts(),
        "opinfo": json.loads((ROOT / "docs" / "opinfo.json").read_text())["summary"],
        "curriculum": run_json("-m", "npcomp_curriculum", "run", "--json"),
        "bench": run_json("-m", "npcomp_curriculum", "bench", "--json"),
    }  # fmt: skip


def page(data: dict[str, Any]) -> str:
    lines, outcomes = data["lines"], data["curriculum"]
    good = sum(o["status"] == "passed" for o in outcomes)
    parts = [
        f"# Scoreboard\n\nMeasured {data['date']} on {data['machine']}, one thread, by `python ci/scoreboard.py`.\n",
        f"- Curriculum: {good} of {len(outcomes)} (program × frontend) pass.",
        "- opcheck: " + ", ".join(f"{count} {status}" for status, count in data["opcheck"].items()) + ".",
        "- opinfo: "
        + ", ".join(f"{status} {count}" for status, count in data["opinfo"].items())
        + " ([every entry](opinfo.json)).",
        f"- One-element add, µs a call beyond an empty call: {data['one_element_add_us']}.",
        f"- Sources: {lines['files']} files, {lines['lines']} lines, median {lines['median']:.0f}, "
        f"max {lines['max']} ({lines['longest']}).",
        "- Import, ms: " + ", ".join(f"{name} {ms:.0f}" for name, ms in data["import_ms"].items()) + ".",
        "- Wheels, MiB: " + ", ".join(f"{name} {mib:.1f}" for name, mib in data["wheels_mib"].items()) + ".",
        "\n## Against eager torch in the same run\n",
        "| program | frontend | sizes | compile ms | eager µs | ours µs | eager/ours |\n|---|---|---|---|---|---|---|",
    ]
    parts += [
        f"| {r['program']} | {r['frontend']} | {' '.join(f'{k}={v}' for k, v in r['sizes'].items())} "
        f"| {r['compile_ms']:.0f} | {r['eager_us']:.1f} | {r['ours_us']:.1f} | {r['ratio']:.2f} |"
        for r in data["bench"]
    ]
    return "\n".join(parts) + "\n"


def main() -> None:
    data = collect()
    DATA.write_text(json.dumps(data, indent=1) + "\n")
    PAGE.write_text(page(data))
    print(f"scoreboard: wrote {PAGE.relative_to(ROOT)} and {DATA.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
