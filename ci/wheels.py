"""Builds the five wheels into a folder.

python ci/wheels.py dist [npcomp-dialects …]
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from dev import PACKAGES, ROOT


def build(name: str, into: Path) -> Path:
    """Builds one wheel with the tools of this environment and returns its path."""
    into.mkdir(parents=True, exist_ok=True)
    for old in into.glob(f"{name.replace('-', '_')}-*.whl"):
        old.unlink()
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", str(into), str(ROOT / "packages" / name)]
    if (ROOT / "packages" / name / "CMakeLists.txt").exists():
        command += [f"--config-settings=build-dir={ROOT / 'build' / 'wheel' / name}"]  # kept, so that the next is quick
    start = time.monotonic()
    if subprocess.run(command, cwd=ROOT).returncode:
        raise SystemExit(f"wheels: {name} failed\n  do: {' '.join(command)}")
    wheel = next(into.glob(f"{name.replace('-', '_')}-*.whl"))
    weight = wheel.stat().st_size / 2**20
    print(f"wheels: {wheel.name}: {weight:.1f} MiB, {time.monotonic() - start:.0f} s", flush=True)
    return wheel


def main(arguments: list[str]) -> None:
    if not arguments:
        raise SystemExit(__doc__)
    for name in arguments[1:] or PACKAGES:
        build(name, ROOT / arguments[0])


if __name__ == "__main__":
    main(sys.argv[1:])
