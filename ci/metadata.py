"""Gives the development venv what `pip install -e` would: distribution metadata, entry points and commands.

The sources stay on the path through a .pth file, so that Python edits, new files included, are live; what is written
here are the `*.dist-info` folders that `importlib.metadata` reads and the scripts in `bin/`."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

SCRIPT = """#!{python}
import sys
from {module} import {function}
sys.exit({function}())
"""


def project_of(package: Path) -> dict:
    return tomllib.loads((package / "pyproject.toml").read_text())["project"]


def entry_points(project: dict) -> str:
    groups = dict(project.get("entry-points", {}))
    if project.get("scripts"):
        groups["console_scripts"] = project["scripts"]
    lines = []
    for group, points in groups.items():
        lines.append(f"[{group}]")
        lines += [f"{name} = {target}" for name, target in points.items()]
    return "\n".join(lines) + "\n"


def write_script(path: Path, python: Path, target: str) -> None:
    module, function = target.split(":")
    path.write_text(SCRIPT.format(python=python, module=module, function=function))
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def install(site: Path, bin_dir: Path, packages: list[Path]) -> None:
    """Writes metadata and scripts for each package folder; what an older run wrote for it is replaced."""
    for package in packages:
        project = project_of(package)
        stem = project["name"].replace("-", "_")
        for old in site.glob(f"{stem}-*.dist-info"):
            for file in old.iterdir():
                file.unlink()
            old.rmdir()
        info = site / f"{stem}-{project['version']}.dist-info"
        info.mkdir()
        requires = "".join(f"Requires-Dist: {need}\n" for need in project.get("dependencies", []))
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n{requires}"
        )
        (info / "entry_points.txt").write_text(entry_points(project))
        (info / "INSTALLER").write_text("npcomp-dev\n")
        (info / "RECORD").write_text("")
        for name, target in project.get("scripts", {}).items():
            write_script(bin_dir / name, bin_dir / "python", target)
