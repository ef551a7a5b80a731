"""ruff on Python, clang-format on C++. `--fix` repairs what can be repaired."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def sources(*suffixes: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [name for name in listed if name.endswith(suffixes) and (ROOT / name).exists()]


def commands(fix: bool) -> list[list[str]]:
    check = ["--fix"] if fix else []
    native = sources(".cpp", ".h", ".c")
    return [
        [str(BIN / "ruff"), "check", *check, "."],
        [str(BIN / "ruff"), "format", *([] if fix else ["--check"]), "."],
        *([[str(BIN / "clang-format"), *(["-i"] if fix else ["--dry-run", "-Werror"]), *native]] if native else []),
    ]


def main(arguments: list[str]) -> None:
    fix = arguments == ["--fix"]
    if arguments and not fix:
        raise SystemExit(f"lint: unknown arguments {arguments}\n  do: --fix, or nothing")
    codes = [subprocess.run(command, cwd=ROOT).returncode for command in commands(fix)]
    if any(codes):
        raise SystemExit("lint: differences found\n  do: ./nox -s lint -- --fix")


if __name__ == "__main__":
    main(sys.argv[1:])
