"""The whole test suite, step by step: what `./nox -s tests` and CI run.

    python ci/suite.py [--only STEP…] [--list]

Every step runs even if an earlier one failed; the last line counts them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
PYTEST = [PYTHON, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal", "-p", "no:cacheprovider"]
STEPS: dict[str, list[str]] = {
    "pins": [PYTHON, "ci/pins.py", "check"],
    "lint": [PYTHON, "ci/lint.py"],
    "types": [PYTHON, "-m", "mypy", "--config-file", "ci/mypy.ini"],
    "gen": [PYTHON, "ci/gen.py", "--check"],
    "lit": [PYTHON, str(Path(PYTHON).parent / "lit"), "-s", "packages/npcomp-dialects/tests/lit"],
    "unit": [*PYTEST, "packages", "ci/tests"],
    "opcheck": [PYTHON, "ci/opcheck.py"],
    "opinfo": [PYTHON, "ci/opinfo.py", "--fast"],
    "curriculum": [PYTHON, "-m", "npcomp_curriculum", "run"],
    "demo": [PYTHON, "-m", "npcomp_curriculum.demo"],
    "docs": [PYTHON, "ci/docs.py"],
    "isolation": [PYTHON, "ci/isolation.py"],
}


def run_step(name: str) -> bool:
    print(f"\n━━ {name}: {' '.join(STEPS[name][1:])}", flush=True)
    start = time.monotonic()
    code = subprocess.run(STEPS[name], cwd=ROOT).returncode
    verdict = "ok" if code == 0 else f"FAILED ({code})"
    print(f"━━ {name}: {verdict}, {time.monotonic() - start:.0f} s", flush=True)
    return code == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=STEPS, metavar="STEP", help=f"of {', '.join(STEPS)}")
    parser.add_argument("--list", action="store_true", help="name the steps and stop")
    options = parser.parse_args()
    if options.list:
        print("\n".join(f"{name:12} {' '.join(command[1:])}" for name, command in STEPS.items()))
        return
    results = {name: run_step(name) for name in options.only or STEPS}
    failed = [name for name, good in results.items() if not good]
    if failed:
        print(f"\nfailed: {', '.join(failed)}\n  do: ./nox -s tests -- --only {' '.join(failed)}")
    print(f"\nsteps: {len(results) - len(failed)} passed, {len(failed)} failed", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
