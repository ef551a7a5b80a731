"""The development environment: one venv below build/ with every tool, every package's source on its path and the
native parts built. Running it again costs about a second.

    python ci/dev.py [--no-native]
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import machine

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / "build" / "venv"
PYTHON = VENV / "bin" / "python"
PACKAGES = ["npcomp-dialects", "npcomp-acap", "npcomp-torchscript", "npcomp-refbackend", "npcomp-curriculum"]
REQUIREMENTS = [ROOT / "ci" / "requirements-dev.txt", ROOT / "ci" / "constraints.txt"]


def say(text: str) -> None:
    print(f"dev: {text}", flush=True)


def digest(paths: list[Path]) -> str:
    state = hashlib.sha256()
    for path in paths:
        state.update(path.read_bytes())
    return state.hexdigest()


def run(what: str, command: list[str]) -> None:
    """Runs a long step: says what, how long it took, and on failure the whole output and the command to repeat."""
    say(f"{what} …")
    start = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.stdout.write(done.stdout)
        raise SystemExit(f"dev: {what} failed ({done.returncode})\n  do: {' '.join(map(str, command))}")
    say(f"{what}: {time.monotonic() - start:.0f} s")


def make_venv() -> None:
    """Creates the venv and installs the pinned tools, unless the stamp says that just these are there."""
    stamp = VENV / ".requirements"
    wanted = digest(REQUIREMENTS)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say("first build: about 3 minutes of downloads (4 GB on disk) and 5 minutes of compiling on two cores")
    if not PYTHON.exists():
        run("creating the virtual environment", [sys.executable, "-m", "venv", str(VENV)])
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    run(
        "installing tools, torch and the prebuilt MLIR",
        [*pip, "-r", str(REQUIREMENTS[0]), "-c", str(REQUIREMENTS[1])],
    )
    stamp.write_text(wanted)


def link_sources() -> None:
    """Puts every package's `src` on the venv's path and gives it its commands and entry points."""
    site = next((VENV / "lib").glob("python3*/site-packages"))
    (site / "npcomp-dev.pth").write_text("".join(f"{ROOT / 'packages' / p / 'src'}\n" for p in PACKAGES))
    import metadata

    metadata.install(site, VENV / "bin", [ROOT / "packages" / p for p in PACKAGES])


def build_native() -> None:
    command = [str(PYTHON), str(ROOT / "ci" / "native.py")]
    if subprocess.run(command, cwd=ROOT).returncode:
        raise SystemExit(f"dev: the native build failed\n  do: {' '.join(command)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-native", action="store_true", help="leave the native parts as they are")
    options = parser.parse_args()
    try:
        machine.check(ROOT, fresh=not VENV.exists())
    except machine.Unfit as unfit:
        raise SystemExit(f"dev: {unfit}") from None
    make_venv()
    link_sources()
    if not options.no_native:
        build_native()


if __name__ == "__main__":
    main()
