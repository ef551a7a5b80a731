"""`python -m npcomp_torchscript` is the command `npcomp-torchscript`."""

import sys

from npcomp_torchscript.cli import main

sys.exit(main())
