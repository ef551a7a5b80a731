"""Is this machine fit to build npcomp? Each check that fails names what is missing and the command that brings it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

NEEDED_GIB = 8


class Unfit(Exception):
    """Something this machine lacks; the text says what, why and what to do."""


def check_python() -> None:
    if sys.version_info[:2] != (3, 11):
        raise Unfit(
            f"Python is {sys.version.split()[0]}, npcomp builds with 3.11\n  do: PYTHON=/path/to/python3.11 ./nox …"
        )
    header = Path(sysconfig.get_path("include"), "Python.h")
    if not header.exists():
        raise Unfit(f"{header} is missing, the extensions compile against it\n  do: apt-get install python3.11-dev")


def compiler() -> str:
    """The C++ compiler that CMake will find: `CXX` if set, else the first of c++, g++, clang++."""
    names = [os.environ["CXX"]] if os.environ.get("CXX") else ["c++", "g++", "clang++"]
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        raise Unfit(f"no C++ compiler: tried {', '.join(names)}\n  do: apt-get install g++  (or set CXX)")
    return found


def check_compiler() -> None:
    cxx = compiler()
    probe = "#include <memory_resource>\nint main() { return 0; }\n"
    run = subprocess.run(
        [cxx, "-std=c++17", "-x", "c++", "-", "-fsyntax-only"], input=probe, text=True, capture_output=True
    )
    if run.returncode:
        raise Unfit(f"{cxx} cannot compile C++17: {run.stderr.strip().splitlines()[:1]}\n  do: apt-get install g++")


def check_disk(where: Path) -> None:
    free = shutil.disk_usage(where).free / 2**30
    if free < NEEDED_GIB:
        raise Unfit(
            f"{free:.1f} GiB free below {where}, the first build needs {NEEDED_GIB}\n"
            "  do: free some space, or clone onto another disk"
        )


def check_git(where: Path) -> None:
    if shutil.which("git") is None:
        raise Unfit("git is missing, the pins are checked against the submodule entry\n  do: apt-get install git")


def check(where: Path, *, fresh: bool) -> None:
    """Raises `Unfit` for the first thing missing. `fresh`: nothing is built yet, so the disk is asked for too."""
    check_python()
    check_compiler()
    check_git(where)
    if fresh:
        check_disk(where)
