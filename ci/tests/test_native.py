"""Installing into the source tree: what changed is replaced in one step, what is stale goes, the rest stays."""

from __future__ import annotations

from pathlib import Path

import native
import pytest


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_only_changed_files_are_replaced(tmp_path: Path) -> None:
    stage = tree(tmp_path / "stage", {"a/same": "1", "a/changed": "new", "b/added": "3"})
    target = tree(tmp_path / "target", {"a/same": "1", "a/changed": "old", "hand_written": "4"})
    kept, replaced = (target / "a/same").stat().st_ino, (target / "a/changed").stat().st_ino
    assert native.replace_changed(stage, target) == 2
    assert (target / "a/changed").read_text() == "new"
    assert (target / "b/added").read_text() == "3"
    assert (target / "a/same").stat().st_ino == kept
    assert (target / "a/changed").stat().st_ino != replaced, "an open library must not be written into"
    assert (target / "hand_written").exists()
    assert native.replace_changed(stage, target) == 0


def test_stale_files_go_from_the_folder_that_holds_generated_ones(tmp_path: Path) -> None:
    stage = tree(tmp_path / "stage", {"mlir/kept.py": ""})
    target = tree(
        tmp_path / "target", {"mlir/kept.py": "", "mlir/old.so": "", "mlir/__pycache__/kept.pyc": "", "x.py": ""}
    )
    native.remove_stale(stage / "mlir", target / "mlir")
    assert sorted(p.name for p in target.rglob("*") if p.is_file()) == ["kept.py", "kept.pyc", "x.py"]


def test_a_missing_submodule_build_names_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(native, "SUBMODULE", tmp_path)
    with pytest.raises(SystemExit, match=r"do: \./nox -s llvm"):
        native.mlir_config("submodule")


def test_a_missing_tool_names_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(native, "BIN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="pip install ninja"):
        native.tool("ninja")


def test_a_failing_command_shows_its_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"build\.log"):
        native.run(["sh", "-c", "echo 'x.cpp:1: error: no such thing'; exit 3"], tmp_path / "build.log")
    assert "error: no such thing" in capsys.readouterr().out
