"""Errors name the user's place, show the line, and say what to do."""

from __future__ import annotations

from pathlib import Path

import npcomp_dialects
import pytest
from npcomp_dialects.diagnostics import as_exceptions, capture, parse_module, verify
from npcomp_dialects.errors import CompileError, ParseError, SourceLocation, resolve
from npcomp_dialects.mlir import ir


def test_the_message_has_place_line_caret_and_advice(tmp_path: Path) -> None:
    source = tmp_path / "model.py"
    source.write_text("def f(x):\n    return x @ x\n")
    error = CompileError("it is wrong", SourceLocation(str(source), 2, 12), do="write it right")
    assert str(error).splitlines() == [
        f"{source}:2: it is wrong",
        "    return x @ x",
        "           ^",
        "do: write it right",
    ]


def test_without_place_or_file() -> None:
    assert str(CompileError("it is wrong")) == "it is wrong"
    assert str(CompileError("it is wrong", SourceLocation("/no/such.py", 3))) == "/no/such.py:3: it is wrong"


def test_locations_resolve_to_the_user() -> None:
    with npcomp_dialects.context():
        callee, caller = ir.Location.file("a.py", 1, 2), ir.Location.file("b.py", 3, 4)
        unknown = ir.Location.unknown()
        assert resolve(ir.Location.callsite(callee, [caller])) == SourceLocation("a.py", 1, 2)
        assert resolve(ir.Location.callsite(unknown, [caller])) == SourceLocation("b.py", 3, 4)
        assert resolve(ir.Location.name("x", callee)) == SourceLocation("a.py", 1, 2)
        assert resolve(ir.Location.fused([unknown, caller])) == SourceLocation("b.py", 3, 4)
        assert resolve(unknown) is None
        assert resolve(None) is None


def test_parse_errors_name_the_file() -> None:
    with pytest.raises(ParseError) as caught:
        parse_module("func.func @f() {\n  what\n}", npcomp_dialects.context(), "some.mlir")
    assert str(caught.value).startswith("some.mlir:2: ")


def test_an_upstream_failure_becomes_an_exception_with_its_diagnostic() -> None:
    module = parse_module("func.func @f(%x: i32) -> i32 {\n  return %x : i32\n}", npcomp_dialects.context())
    with module.context:
        module.body.operations[0].operation.attributes["function_type"] = ir.TypeAttr.parse("() -> i32")
        with pytest.raises(CompileError, match="IR is invalid after my-pass"):
            verify(module, "my-pass")
        with pytest.raises(CompileError, match="something"), as_exceptions("something"):
            module.operation.verify()


def test_capture_collects_what_mlir_says() -> None:
    context = npcomp_dialects.context()
    with capture(context) as found, context:
        ir.Location.file("a.py", 1, 2).emit_error("oh no")
    assert [(m.severity, m.text, m.location) for m in found] == [("error", "oh no", SourceLocation("a.py", 1, 2))]
