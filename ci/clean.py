"""Removes what was built: build/, dist/, caches and the generated bindings in the source tree."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--others", "--ignored", "--exclude-standard", "--directory"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for name in sorted(listed):
        if name == "build/":
            continue  # the nox that runs this lives there
        path = ROOT / name
        print(f"clean: {name}")
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in (ROOT / "build").glob("*"):
        if path.name != "nox":
            print(f"clean: build/{path.name}")
            shutil.rmtree(path) if path.is_dir() else path.unlink()


if __name__ == "__main__":
    main()
