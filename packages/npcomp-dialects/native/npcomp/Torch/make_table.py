"""Writes the op library's table as C++, for programs that use the dialect without Python.

    python make_table.py SRC_FOLDER OUTPUT.cpp

Only `npcomp_dialects.aten` is loaded, under an empty parent package: the rest may need what is being built.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path

HEADER = """// Written by make_table.py from the op library.
#include "npcomp/Torch/AtenOps.h"

llvm::StringRef npcomp::torch::getDefaultAtenTable() {
  return
"""


def table(source: Path) -> str:
    parent = types.ModuleType("npcomp_dialects")
    parent.__path__ = [str(source / "npcomp_dialects")]
    sys.modules["npcomp_dialects"] = parent
    from npcomp_dialects.aten import registry

    return registry.native_table()


def main() -> None:
    source, output = Path(sys.argv[1]), Path(sys.argv[2])
    rows = "".join(f'      R"row({row}\n)row"\n' for row in table(source).splitlines())
    output.write_text(f"{HEADER}{rows or '      llvm::StringRef()'};\n}}\n")


if __name__ == "__main__":
    main()
