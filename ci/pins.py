"""Versions and pins. A version is `0.E.R`: E is the contract epoch that the five wheels share, R the wheel's own.

python ci/pins.py check
python ci/pins.py bump npcomp-dialects   (R + 1, and the pins of its leaves)
python ci/pins.py bump epoch             (E + 1 everywhere, R = 0)
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMES = ["npcomp-dialects", "npcomp-acap", "npcomp-torchscript", "npcomp-refbackend", "npcomp-curriculum"]
VERSION = re.compile(r'^version = "([^"]*)"$', re.M)
PIN = re.compile(r"(npcomp-[a-z]+)(?:\[[a-z,-]+\])?==([0-9.]+)")


def pyproject(name: str, root: Path = ROOT) -> Path:
    return root / "packages" / name / "pyproject.toml"


def versions(root: Path = ROOT) -> dict[str, str]:
    return {name: tomllib.loads(pyproject(name, root).read_text())["project"]["version"] for name in NAMES}


def gitlink(root: Path) -> str:
    entry = subprocess.run(
        ["git", "ls-files", "--stage", "llvm-project"], cwd=root, capture_output=True, text=True, check=True
    ).stdout.split()
    return entry[1] if entry else ""


def dunder_versions(root: Path) -> list[str]:
    """Each package repeats its version as `__version__`, because an installed wheel must say it without metadata."""
    problems = []
    for name, version in versions(root).items():
        init = root / "packages" / name / "src" / name.replace("-", "_") / "__init__.py"
        found = re.search(r'^__version__ = "([^"]*)"$', init.read_text(), re.M)
        if found is None or found.group(1) != version:
            said = found.group(1) if found else "nothing"
            problems.append(f"{init.relative_to(root)}: __version__ says {said}, {name} is {version}")
    return problems


def pin_problems(root: Path) -> list[str]:
    have, problems = versions(root), []
    if len({version.split(".")[1] for version in have.values()}) != 1:
        problems.append(f"packages/*/pyproject.toml: contract epochs differ: {have}")
    for name in NAMES:
        for pinned, version in PIN.findall(pyproject(name, root).read_text()):
            if have.get(pinned) != version:
                problems.append(
                    f"{pyproject(name, root).relative_to(root)}: pins {pinned}=={version}, which is {have.get(pinned)}"
                )
    return problems


def llvm_problems(root: Path) -> list[str]:
    llvm, problems = tomllib.loads((root / "ci" / "llvm.toml").read_text()), []
    if gitlink(root) != llvm["commit"]:
        problems.append(f"llvm-project: the submodule is at {gitlink(root)}, ci/llvm.toml says {llvm['commit']}")
    constraints = (root / "ci" / "constraints.txt").read_text().splitlines()
    for package, version in llvm["prebuilt"].items():
        if f"{package}=={version}" not in constraints:
            problems.append(f"ci/constraints.txt: lacks {package}=={version}, which ci/llvm.toml names")
        if not version.startswith(llvm["version"]):
            problems.append(f"ci/llvm.toml: {package} {version} is not LLVM {llvm['version']}")
    return problems


def problems(root: Path = ROOT) -> list[str]:
    return pin_problems(root) + dunder_versions(root) + llvm_problems(root)


def next_versions(target: str, have: dict[str, str]) -> dict[str, str]:
    """The versions after bumping `target`, a package name or "epoch"."""
    if target == "epoch":
        return {name: f"0.{int(version.split('.')[1]) + 1}.0" for name, version in have.items()}
    if target not in have:
        raise SystemExit(f"pins: no package {target!r}\n  do: one of {', '.join(have)}, or epoch")
    major, epoch, own = have[target].split(".")
    return {**have, target: f"{major}.{epoch}.{int(own) + 1}"}


def write(wanted: dict[str, str], root: Path = ROOT) -> None:
    for name in NAMES:
        path = pyproject(name, root)
        text = VERSION.sub(f'version = "{wanted[name]}"', path.read_text(), count=1)
        path.write_text(
            PIN.sub(lambda pin: pin.group(0).replace(f"=={pin.group(2)}", f"=={wanted[pin.group(1)]}"), text)
        )
        init = root / "packages" / name / "src" / name.replace("-", "_") / "__init__.py"
        init.write_text(
            re.sub(r'^__version__ = "[^"]*"$', f'__version__ = "{wanted[name]}"', init.read_text(), count=1, flags=re.M)
        )


def main(arguments: list[str]) -> None:
    if arguments == ["check"]:
        found = problems()
        if found:
            raise SystemExit(
                "pins disagree:\n  " + "\n  ".join(found) + "\n  do: ./nox -s bump, or edit the file named"
            )
        print("pins agree: " + ", ".join(f"{name} {version}" for name, version in versions().items()))
    elif len(arguments) == 2 and arguments[0] == "bump":
        write(next_versions(arguments[1], versions()))
        main(["check"])
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
