"""Builds MLIR from the llvm-project submodule into build/llvm. Two hours on two cores, once.

python ci/llvm.py [--jobs N]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE, BUILD = ROOT / "llvm-project", ROOT / "build" / "llvm"
BIN = Path(sys.executable).parent


def fetch() -> None:
    """Checks the submodule out at the pinned commit, unless it is there."""
    if (SOURCE / "mlir" / "CMakeLists.txt").exists():
        return
    commit = tomllib.loads((ROOT / "ci" / "llvm.toml").read_text())["commit"]
    print(f"llvm: fetching llvm-project at {commit[:12]} (200 MB)", flush=True)
    command = ["git", "submodule", "update", "--init", "--checkout", "--depth", "1", "llvm-project"]
    if subprocess.run(command, cwd=ROOT).returncode:
        raise SystemExit(
            f"llvm: the submodule could not be fetched\n  do: {' '.join(command)}, or unpack LLVM at that commit there"
        )


def configure() -> None:
    launcher = ["-DLLVM_CCACHE_BUILD=ON"] if shutil.which("ccache") else []
    options = {
        "CMAKE_BUILD_TYPE": "Release",
        "LLVM_ENABLE_PROJECTS": "mlir",
        "LLVM_TARGETS_TO_BUILD": "X86",
        "LLVM_ENABLE_ASSERTIONS": "ON",
        "LLVM_INSTALL_UTILS": "ON",
        "MLIR_ENABLE_BINDINGS_PYTHON": "ON",
        "Python3_EXECUTABLE": sys.executable,
        "CMAKE_MAKE_PROGRAM": str(BIN / "ninja"),
    }
    command = [str(BIN / "cmake"), "-G", "Ninja", "-S", str(SOURCE / "llvm"), "-B", str(BUILD), *launcher]
    subprocess.run([*command, *(f"-D{key}={value}" for key, value in options.items())], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    fetch()
    configure()
    subprocess.run([str(BIN / "ninja"), "-C", str(BUILD), f"-j{options.jobs}"], check=True)
    print("llvm: built\n  do: ./nox -s native -- --from submodule")


if __name__ == "__main__":
    main()
