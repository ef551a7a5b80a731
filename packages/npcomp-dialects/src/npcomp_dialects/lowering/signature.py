"""The `npcomp.signature` attribute: what arguments and results mean, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

NO_SLOT = ("none", "const")


@dataclass(frozen=True)
class Signature:
    """A parsed signature."""

    fields: dict[str, Any]

    @staticmethod
    def parse(text: str) -> Signature:
        return Signature(json.loads(text))

    def argument_leaves(self) -> list[dict[str, Any]]:
        """The leaves that are arguments of the function, in order."""
        return [leaf for argument in self.fields["args"] for leaf in _leaves(argument)]


def _leaves(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "items" in node:
        for item in node["items"]:
            yield from _leaves(item)
    elif node["kind"] not in NO_SLOT:
        yield node
