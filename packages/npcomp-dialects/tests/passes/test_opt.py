"""The command line of npcomp-opt: what it reads, prints, and how it fails."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from npcomp_dialects import opt

TANH = 'func.func @f(%x: !torch.tensor) -> !torch.tensor {\n  %0 = torch.operator "aten.tanh"(%x)'
TANH += " : (!torch.tensor) -> !torch.tensor\n  return %0 : !torch.tensor\n}\n"
WRONG = TANH.replace('"aten.tanh"', '"aten.tanh_"').replace("!torch.tensor", "!torch.vtensor")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    def run(text: str, *arguments: str) -> tuple[int, str, str]:
        path = tmp_path / "in.mlir"
        path.write_text(text)
        code = opt.main([str(path), *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_prints_the_module_as_it_is_without_passes(run) -> None:
    code, out, _ = run(TANH)
    assert code == 0
    assert 'torch.operator "aten.tanh"' in out


def test_runs_ours_and_upstream_passes_in_order(run) -> None:
    code, out, err = run(TANH, "-p", "aten-recognize-kernels, func.func(canonicalize,cse) ,maximize-value-semantics")
    assert (code, err) == (0, "")
    assert "torch.aten.tanh %arg0 : !torch.vtensor -> !torch.vtensor" in out


def test_reads_stdin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(TANH))
    assert opt.main(["-p", "aten-recognize-kernels", "-"]) == 0
    assert "torch.aten.tanh" in capsys.readouterr().out


def test_writes_a_file(run, tmp_path: Path) -> None:
    code, out, _ = run(TANH, "-o", str(tmp_path / "out.mlir"))
    assert (code, out) == (0, "")
    assert "aten.tanh" in (tmp_path / "out.mlir").read_text()


def test_prints_locations_and_generic_form(run) -> None:
    _, out, _ = run(TANH, "--print-locations", "--print-generic")
    assert '"torch.operator"' in out
    assert "loc(" in out


def test_lists_passes(run) -> None:
    code, out, _ = run("", "--list-passes")
    assert code == 0
    assert out.count("\n") >= 13
    assert "refine-types" in out


def test_plugin_brings_passes(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_passes.py").write_text(
        "from npcomp_dialects.passes import register\n"
        "from npcomp_dialects.mlir import ir\n"
        '@register("mark")\n'
        "def mark(module):\n"
        '    """Mark the module."""\n'
        '    module.operation.attributes["my.mark"] = ir.UnitAttr.get(module.context)\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    code, out, _ = run(TANH, "--plugin", "my_passes", "-p", "mark")
    assert code == 0
    assert "my.mark" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-p", "no-such-pass"], "there is no pass 'no-such-pass'"),
        (["-p", "func.func(cse"], "parentheses do not match"),
        (["--plugin", "no_such_module"], "cannot import plug-in 'no_such_module'"),
        (["-o", "/no/such/folder/x"], "cannot write '/no/such/folder/x'"),
    ],
)
def test_wrong_usage_is_exit_code_2(run, arguments: list[str], said: str) -> None:
    code, _, err = run(TANH, *arguments)
    assert code == 2
    assert said in err


def test_a_missing_input_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert opt.main(["/no/such/file.mlir"]) == 2
    assert "cannot read '/no/such/file.mlir'" in capsys.readouterr().err


def test_a_syntax_error_names_file_and_line(run) -> None:
    code, out, err = run("func.func @f() {\n  nonsense\n}")
    assert (code, out) == (1, "")
    assert "in.mlir:2: " in err


def test_a_failing_pass_prints_its_error_and_no_module(run) -> None:
    code, out, err = run(WRONG, "-p", "aten-recognize-kernels")
    assert (code, out) == (1, "")
    assert "aten.tanh_ writes to a value" in err


def test_parts_are_apart_and_keep_the_line_numbers_of_the_file(run) -> None:
    code, out, err = run(f"{TANH}// -----\n{WRONG}", "--split-input-file", "-p", "aten-recognize-kernels")
    assert code == 1
    assert "torch.aten.tanh" in out
    assert ":7: aten.tanh_" in err


def test_expected_diagnostics(run) -> None:
    announced = WRONG.replace("  %0", "  // expected-error @below {{writes to a value}}\n  %0")
    assert run(announced, "-p", "aten-recognize-kernels", "--verify-diagnostics")[0] == 0
    code, _, err = run(WRONG, "-p", "aten-recognize-kernels", "--verify-diagnostics")
    assert code == 1
    assert "unexpected error at line 2" in err
    code, _, err = run(announced, "--verify-diagnostics")
    assert code == 1
    assert "did not come: error at line 3" in err
