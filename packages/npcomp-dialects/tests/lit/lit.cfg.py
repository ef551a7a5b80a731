# ruff: noqa: F821  (lit puts `config` in scope)
"""FileCheck tests: each file runs `npcomp-opt` from this interpreter and LLVM's FileCheck from the prebuilt wheels."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import lit.formats

config.name = "npcomp"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.test_source_root = str(Path(__file__).parent)
config.test_exec_root = str(Path(__file__).resolve().parents[4] / "build" / "lit")
tools = Path(find_spec("llvm").submodule_search_locations[0]) / "bin"
config.substitutions += [
    ("npcomp-opt", f"{sys.executable} -m npcomp_dialects.opt"),
    ("FileCheck", str(tools / "FileCheck")),
    (r"\bnot\b", str(tools / "not")),
]
for variable in ("PYTHONPATH", "PATH"):
    if variable in os.environ:
        config.environment[variable] = os.environ[variable]
