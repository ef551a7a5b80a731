"""Comments that announce a diagnostic: `// expected-error @+1 {{part of its text}}`.

The line is that of the comment, or relative to it (`@+1`, `@-2`, `@below`, `@above`), or `@unknown` for a diagnostic
with no place in the file; the text of the latter starts with the place that it has, such as `model.py:12: `.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from npcomp_dialects.diagnostics import Message

_COMMENT = re.compile(
    r"//\s*expected-(?P<severity>error|warning|remark|note)\s*(?:@(?P<line>[+-]\d+|above|below|unknown))?\s*"
    r"\{\{(?P<text>.*?)\}\}"
)
_WORDS = {"above": -1, "below": 1, None: 0}


@dataclass(frozen=True)
class Expectation:
    """A diagnostic that must come; `line` None is one outside the file."""

    severity: str
    text: str
    line: int | None

    def __str__(self) -> str:
        where = "outside the file" if self.line is None else f"at line {self.line}"
        return f"{self.severity} {where}: {self.text}"


def expectations(text: str) -> list[Expectation]:
    """The diagnostics that the comments of a text announce."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        for match in _COMMENT.finditer(line):
            found.append(Expectation(match["severity"], match["text"], _line(match["line"], number)))
    return found


def _line(offset: str | None, number: int) -> int | None:
    if offset == "unknown":
        return None
    return number + (_WORDS[offset] if offset in _WORDS else int(offset))


def mismatches(expected: list[Expectation], found: list[Message], name: str) -> list[str]:
    """One line for each announced diagnostic that did not come, and for each error that nobody announced."""
    open_ones = list(expected)
    lines = []
    for message in found:
        inside = message.location is not None and message.location.file in ("-", name)
        line = message.location.line if inside else None
        text = message.text if inside or message.location is None else f"{message.location}: {message.text}"
        match = next((e for e in open_ones if _fits(e, message.severity, line, text)), None)
        if match is not None:
            open_ones.remove(match)
        elif message.severity in ("error", "warning"):
            lines.append(f"{name}: unexpected {Expectation(message.severity, text, line)}")
    return lines + [f"{name}: did not come: {e}" for e in open_ones]


def _fits(expectation: Expectation, severity: str, line: int | None, text: str) -> bool:
    return expectation.severity == severity and expectation.line == line and expectation.text in text
