"""MLIR's diagnostics as Python exceptions, so that nothing the compiler says is lost or printed behind our back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from npcomp_dialects.errors import CompileError, ParseError, SourceLocation, resolve
from npcomp_dialects.mlir import ir


@dataclass(frozen=True)
class Message:
    """One diagnostic: severity is "error", "warning", "remark" or "note"."""

    severity: str
    text: str
    location: SourceLocation | None


def messages_of(error: ir.MLIRError) -> list[Message]:
    """Return the diagnostics that an `MLIRError` carries, notes after their error."""
    found: list[Message] = []
    for diagnostic in error.error_diagnostics:
        found += _flatten(diagnostic)
    return found


def _flatten(diagnostic: ir.DiagnosticInfo) -> list[Message]:
    severity = diagnostic.severity.name.lower()
    own = Message(severity, diagnostic.message, resolve(diagnostic.location))
    return [own, *(part for note in diagnostic.notes for part in _flatten(note))]


@contextmanager
def capture(context: ir.Context) -> Iterator[list[Message]]:
    """Collect every diagnostic that MLIR emits inside the block instead of printing it."""
    found: list[Message] = []

    def handle(diagnostic: ir.Diagnostic) -> bool:
        location = resolve(diagnostic.location)
        found.append(Message(diagnostic.severity.name.lower(), diagnostic.message, location))
        found.extend(Message("note", note.message, resolve(note.location)) for note in diagnostic.notes)
        return True

    handler = context.attach_diagnostic_handler(handle)
    try:
        yield found
    finally:
        handler.detach()


@contextmanager
def as_exceptions(what: str) -> Iterator[None]:
    """Turn an `MLIRError` raised inside the block into a `CompileError` that says `what` failed."""
    try:
        yield
    except ir.MLIRError as error:
        raise _compile_error(what, messages_of(error)) from None


def _compile_error(what: str, found: list[Message]) -> CompileError:
    errors = [message for message in found if message.severity == "error"] or found
    if not errors:
        return CompileError(f"{what} failed without saying why")
    notes = "".join(f"\n  note: {m.text}" for m in found if m.severity == "note")
    return CompileError(f"{what}: {errors[0].text}{notes}", errors[0].location)


def parse_module(text: str | bytes, context: ir.Context, name: str = "<text>") -> ir.Module:
    """Parse IR; a syntax or verifier error becomes a `ParseError` at its line of `name`."""
    try:
        return ir.Module.parse(text, context)
    except ir.MLIRError as error:
        first = next(iter(messages_of(error)), None)
        if first is None:
            raise ParseError(f"{name} is not IR") from None
        raise ParseError(first.text, _rename(first.location, name)) from None


def _rename(location: SourceLocation | None, name: str) -> SourceLocation | None:
    if location is None or location.file != "-":
        return location
    return SourceLocation(name, location.line, location.column)


def verify(module: ir.Module, after: str) -> None:
    """Check the IR's own rules; `after` names the step that left it broken."""
    with as_exceptions(f"IR is invalid after {after}"):
        module.operation.verify()
