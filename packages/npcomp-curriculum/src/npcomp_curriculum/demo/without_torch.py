"""The second process of the demo: runs an artifact and proves what it did without.

python -m npcomp_curriculum.demo.without_torch ARTIFACT PIXELS.npy SCORES.npy
"""

from __future__ import annotations

import sys
from pathlib import Path


def main(artifact: str, pixels: str, scores: str) -> None:
    import npcomp_refbackend
    import numpy as np

    program = npcomp_refbackend.load(artifact)
    np.save(scores, program(np.load(pixels)))
    heavy = [name for name in ("torch", "npcomp_dialects", "npcomp_refbackend.codegen") if name in sys.modules]
    if heavy:
        raise SystemExit(f"the artifact pulled in {', '.join(heavy)}")
    print(f"{Path(artifact).name}: ran with {len(sys.modules)} Python modules, torch and the compiler not among them")


if __name__ == "__main__":
    main(*sys.argv[1:])
