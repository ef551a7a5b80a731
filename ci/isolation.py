"""Builds every wheel and tries each alone, in a bare environment that has only what the wheel itself asks for.

python ci/isolation.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))
import wheels
from dev import ROOT


class Trial(NamedTuple):
    """What to install beside numpy, what to run there, and what must not have been imported by it."""

    wheels: list[str]
    torch: bool
    program: str
    absent: list[str]


TRIALS = {
    "npcomp-dialects": Trial(
        ["npcomp-dialects"], False,
        "import npcomp_dialects; from npcomp_dialects.mlir import ir\n"
        "with npcomp_dialects.context():\n"
        "    ir.Module.parse('func.func @f(%x: !torch.vtensor<[?],f32>) -> !torch.vtensor<[?],f32> {\\n'\n"
        "                    ' %0 = torch.aten.tanh %x : !torch.vtensor<[?],f32> -> !torch.vtensor<[?],f32>\\n'\n"
        "                    ' return %0 : !torch.vtensor<[?],f32>\\n}').operation.verify()",
        ["torch", "npcomp_refbackend", "npcomp_acap", "npcomp_torchscript"],
    ),
    "npcomp-refbackend": Trial(
        ["npcomp-dialects", "npcomp-refbackend"], False,
        "import npcomp_refbackend as nrb\n"
        "try: nrb.load('/nowhere.npc')\n"
        "except nrb.ArtifactError: pass",
        ["torch", "npcomp_dialects", "npcomp_acap", "npcomp_torchscript"],
    ),
    "npcomp-torchscript": Trial(
        ["npcomp-dialects", "npcomp-torchscript"], True,
        "import torch, npcomp_torchscript as nts\n"
        "module = nts.import_module(torch.nn.Linear(2, 3), [nts.TensorSpec(['n', 2], torch.float32)])\n"
        "assert 'aten.linear' in str(module)",
        ["npcomp_refbackend", "npcomp_acap"],
    ),
    "npcomp-acap": Trial(
        ["npcomp-dialects", "npcomp-acap"], True,
        "import torch, npcomp_acap as acap\n"
        "assert 'aten.addmm' in str(acap.import_function(torch.nn.Linear(2, 3), torch.zeros(4, 2)))",
        ["npcomp_refbackend", "npcomp_torchscript"],
    ),
    "npcomp-curriculum": Trial(
        ["npcomp-curriculum"], True,
        "from npcomp_curriculum import registry; assert registry.programs()",
        ["npcomp_dialects", "npcomp_refbackend", "npcomp_acap", "npcomp_torchscript"],
    ),
}  # fmt: skip
CHECK = "\nimport sys; found = [m for m in {absent!r} if m in sys.modules]\nassert not found, f'imported {{found}}'"


def make_environment(folder: Path, trial: Trial, built: dict[str, Path]) -> Path:
    """A bare venv with the trial's wheels. torch, which is large, is lent by a .pth line from this environment."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if trial.torch:
        lend_torch(folder)
    subprocess.run([*pip, "-c", str(ROOT / "ci" / "constraints.txt"), "numpy"], check=True)
    subprocess.run([*pip, "--no-deps", *(str(built[name]) for name in trial.wheels)], check=True)
    return python


def lend_torch(folder: Path) -> None:
    """Links torch and what it needs into the venv: everything of this environment but npcomp itself."""
    here = next(Path(sys.prefix, "lib").glob("python3*/site-packages"))
    there = next((folder / "lib").glob("python3*/site-packages"))
    for entry in here.iterdir():
        if not entry.name.startswith(("npcomp", "numpy", "pip", "__pycache__")) and not (there / entry.name).exists():
            (there / entry.name).symlink_to(entry)


def attempt(name: str, built: dict[str, Path], folder: Path) -> str | None:
    trial = TRIALS[name]
    python = make_environment(folder, trial, built)
    program = trial.program + CHECK.format(absent=trial.absent)
    done = subprocess.run([str(python), "-I", "-c", program], capture_output=True, text=True, cwd=folder)
    return done.stderr if done.returncode else None


def main() -> None:
    built = {name: wheels.build(name, ROOT / "dist") for name in TRIALS}
    failed = []
    for name in TRIALS:
        with tempfile.TemporaryDirectory() as folder:
            problem = attempt(name, built, Path(folder))
        print(f"isolation: {name} alone: {'FAILED' if problem else 'ok'}", flush=True)
        failed += [f"{name}:\n{problem}"] if problem else []
    if failed:
        raise SystemExit("\n".join(failed))


if __name__ == "__main__":
    main()
