"""Lets the tests share `compiled` (programs written in C against the runtime's ABI)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
