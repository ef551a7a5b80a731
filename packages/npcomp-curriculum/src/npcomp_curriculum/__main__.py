"""`python -m npcomp_curriculum` is the command `npcomp-curriculum`."""

import sys

from npcomp_curriculum.cli import main

sys.exit(main())
