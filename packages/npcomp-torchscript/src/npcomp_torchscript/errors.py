"""What the TorchScript frontend can refuse, and how several refusals become one error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from npcomp_dialects.errors import SourceLocation, UnsupportedError


@dataclass(frozen=True)
class Problem:
    """One thing in a program that cannot be imported."""

    message: str
    location: SourceLocation | None = None
    do: str = ""


class TorchScriptError(UnsupportedError):
    """A TorchScript program cannot be compiled. `problems` lists everything that was found, in program order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        first, *rest = self.problems
        super().__init__(first.message, first.location, do=first.do)
        if rest:
            texts = [str(UnsupportedError(p.message, p.location, do=p.do)) for p in self.problems]
            listed = "\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1))
            self.args = (f"{len(texts)} problems keep this program from compiling:\n{listed}",)


class Refusal(Exception):
    """Raised inside the importer where one construct cannot be imported; the importer notes it and goes on."""

    def __init__(self, message: str, do: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.do = do


def refuse(message: str, do: str = "", location: SourceLocation | None = None) -> TorchScriptError:
    """The error of a single problem."""
    return TorchScriptError([Problem(message, location, do)])
