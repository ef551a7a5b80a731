"""What the op library raises: a wrong schema, a call that torch would refuse, a fact that types alone cannot tell."""

from __future__ import annotations


class AtenError(Exception):
    """Base of the op library's errors."""


class SchemaError(AtenError):
    """A schema string or an op block does not follow the rules; names the text and the way out."""


class UnknownOpError(AtenError, KeyError):
    """No block has this name."""

    def __str__(self) -> str:
        return str(self.args[0])


class InferError(AtenError):
    """The call is invalid for these types: torch would raise `kind` at run time, so the program is refused."""

    def __init__(self, message: str, kind: str = "RuntimeError") -> None:
        super().__init__(message)
        self.kind = kind


class NotStatic(AtenError):
    """Types alone do not decide this (unknown rank, dtype, or an argument that only run time knows)."""
