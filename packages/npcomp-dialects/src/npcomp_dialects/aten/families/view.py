"""View: the same elements in another shape; in torch often sharing storage, here values."""

from __future__ import annotations

from ..block import Block
from ..promotion import promote


class View(Block):
    """`lower` moves elements only; the dtype stays."""

    family = "view"
    dtype = promote
