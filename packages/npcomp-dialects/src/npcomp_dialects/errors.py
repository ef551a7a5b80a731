"""The exceptions of npcomp: each says what failed, where in the user's source, why, and what to do."""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SourceLocation:
    """A place in a file that a person wrote."""

    file: str
    line: int
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    def excerpt(self) -> str:
        """Return the source line with a caret below its column, or "" if the file cannot be read."""
        text = linecache.getline(self.file, self.line).rstrip("\n")
        if not text.strip():
            return ""
        if not 0 < self.column <= len(text):
            return f"    {text.strip()}"
        indent = len(text) - len(text.lstrip())
        return f"    {text.strip()}\n    {' ' * max(self.column - 1 - indent, 0)}^"


class NpcompError(Exception):
    """Base of every error that npcomp raises on purpose."""


class CompileError(NpcompError):
    """A program cannot be compiled.

    `message` says what failed and why, `do` what the user can change, `location` is a place in the user's
    source: a `SourceLocation`, or an MLIR location, which is resolved to the innermost user line.
    """

    def __init__(self, message: str, location: object = None, *, do: str = "") -> None:
        self.message = message
        self.location = resolve(location)
        self.do = do
        super().__init__(self._format())

    def _format(self) -> str:
        where = f"{self.location}: " if self.location else ""
        parts = [f"{where}{self.message}"]
        if self.location and (excerpt := self.location.excerpt()):
            parts.append(excerpt)
        if self.do:
            parts.append(f"do: {self.do}")
        return "\n".join(parts)


class ParseError(CompileError):
    """Text that should be IR is not."""


class UnsupportedError(CompileError):
    """The program uses something that npcomp does not compile."""


class InferenceError(CompileError):
    """Sizes or dtypes of the program cannot be right."""

    @staticmethod
    def like(kind: str, message: str, location: object = None) -> InferenceError:
        """The refusal of a call that eager torch refuses with `kind`: who expects that exception catches this one."""
        return _REFUSALS[kind](message, location)


class RuntimeRefusal(InferenceError, RuntimeError):
    """A call that raises RuntimeError in eager torch."""


class NotImplementedRefusal(InferenceError, NotImplementedError):
    """A call that raises NotImplementedError in eager torch."""


class IndexRefusal(InferenceError, IndexError):
    """A call that raises IndexError in eager torch."""


class TypeRefusal(InferenceError, TypeError):
    """A call that raises TypeError in eager torch."""


class ValueRefusal(InferenceError, ValueError):
    """A call that raises ValueError in eager torch."""


class DivisionRefusal(InferenceError, ZeroDivisionError):
    """A call that raises ZeroDivisionError in eager torch."""


class KeyRefusal(InferenceError, KeyError):
    """A call that raises KeyError in eager torch."""

    __str__ = Exception.__str__


_REFUSALS: dict[str, type[InferenceError]] = {
    "RuntimeError": RuntimeRefusal,
    "NotImplementedError": NotImplementedRefusal,
    "IndexError": IndexRefusal,
    "TypeError": TypeRefusal,
    "ValueError": ValueRefusal,
    "ZeroDivisionError": DivisionRefusal,
    "KeyError": KeyRefusal,
}


class OptionError(NpcompError):
    """A wrong option, pass name, backend name or pipeline."""


class ContractError(CompileError):
    """A module does not satisfy the contract that the next part of the compiler relies on."""

    def __init__(self, contract: str, violations: list[Violation]) -> None:
        first = violations[0]
        self.contract = contract
        self.violations = violations
        more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
        message = f"{contract} contract, rule {first.rule}: {first.message}{more}"
        super().__init__(message, first.location, do=first.do)


@dataclass(frozen=True)
class Violation:
    """One op that breaks one rule of a contract."""

    rule: str
    message: str
    location: SourceLocation | None
    do: str


def resolve(location: Any) -> SourceLocation | None:
    """Return the user's place that an MLIR location stands for: the callee of a call unless that is torch's own code,
    the first of a fusion."""
    if location is None or isinstance(location, SourceLocation):
        return location
    if location.is_a_file():
        return SourceLocation(location.filename, location.start_line, location.start_col)
    if location.is_a_callsite():
        called, caller = resolve(location.callee), resolve(location.caller)
        return caller if called is None or (caller is not None and _is_library(called)) else called
    if location.is_a_name():
        return resolve(location.child_loc)
    if location.is_a_fused():
        return next((found for part in location.locations if (found := resolve(part))), None)
    return None


def _is_library(place: SourceLocation) -> bool:
    return "-packages/torch/" in place.file.replace("\\", "/")
