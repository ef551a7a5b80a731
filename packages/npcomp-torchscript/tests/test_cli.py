"""The command line: good runs, progress, JSON, and errors that say what to do."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch
from npcomp_torchscript.cli import main


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(6, 2)

    @torch.jit.export
    def double(self, x):
        return x * 2

    def forward(self, x, scale: float = 1.0):
        return self.linear(x) * scale


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "model.pt"
    torch.jit.save(torch.jit.script(Model()), path)
    return path


def test_inspect(archive, capsys):
    assert main(["inspect", str(archive)]) == 0
    out = capsys.readouterr().out
    assert "forward(x: Tensor, scale: float = 1.0) -> Tensor" in out
    assert "linear.weight  parameter  float32[2, 6]" in out
    assert "1 × aten.linear" in out
    assert "problems: none" in out


def test_inspect_json(archive, capsys):
    assert main(["inspect", str(archive), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["methods"][0]["arguments"][1] == {"name": "scale", "type": "float", "default": "1.0"}
    assert {op["name"] for op in found["ops"]} == {"aten.linear", "aten.mul.Scalar"}


def test_inspect_lists_problems(tmp_path, capsys):
    class Complex(torch.nn.Module):
        def forward(self, x):
            return x + 2j

    torch.jit.save(torch.jit.script(Complex()), tmp_path / "complex.pt")
    assert main(["inspect", str(tmp_path / "complex.pt")]) == 0
    assert f"{__file__}:" in capsys.readouterr().out


def test_compile_writes_a_program(archive, capsys):
    import npcomp_refbackend

    assert main(["compile", str(archive), "--arg", "f32[batch,6]"]) == 0
    captured = capsys.readouterr()
    assert "compiling" in captured.err and "KiB" in captured.out
    program = npcomp_refbackend.load(archive.with_suffix(".npc"))
    assert program(torch.randn(3, 6).numpy()).shape == (3, 2)


def test_compile_named_arguments_another_method_and_json(archive, tmp_path, capsys):
    output = tmp_path / "double.npc"
    command = ["compile", str(archive), "--method", "double", "--arg", "x=i64[?]", "-o", str(output), "--json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["output"] == str(output)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--arg", "f99[2]"], "unknown dtype 'f99'"),
        (["--arg", "batch,784"], "is not the type of a tensor"),
        ([], "nothing is known of argument 'x'"),
        (["--arg", "f32[?,6]", "--arg", "x=int"], "some --arg are named"),
        (["--arg", "f32[?,6]", "--arg", "float", "--arg", "int"], "there are 3 specs for 2 arguments"),
        (["--method", "nosuch"], "has no compiled method 'nosuch'; it has"),
        (["--arg", "f32[?,6]", "--backend", "nosuch"], "nosuch"),
        (["--arg", "f32[?,6]", "-o", "/no/such/folder/x.npc"], "/no/such/folder"),
    ],
)
def test_errors_of_compile(archive, capsys, arguments, message):
    assert main(["compile", str(archive), *arguments]) == 1
    assert message in capsys.readouterr().err


def test_files_that_are_no_archive(tmp_path, capsys):
    (tmp_path / "text.pt").write_text("hello")
    assert main(["inspect", str(tmp_path / "text.pt")]) == 1
    assert main(["compile", str(tmp_path / "missing.pt"), "--json"]) == 1
    captured = capsys.readouterr()
    assert "is not a TorchScript archive" in captured.err
    assert "there is no file" in json.loads(captured.out)["error"]


@pytest.mark.parametrize("command", [["--help"], ["compile", "--help"], ["inspect", "--help"]])
def test_help(command, capsys):
    with pytest.raises(SystemExit) as exit:
        main(command)
    assert exit.value.code == 0
    assert "usage: npcomp-torchscript" in capsys.readouterr().out


def test_wrong_commands_exit_with_two():
    for command in ([], ["nosuch"], ["compile"]):
        with pytest.raises(SystemExit) as exit:
            main(command)
        assert exit.value.code == 2


def test_as_a_process(archive):
    command = [sys.executable, "-W", "ignore", "-m", "npcomp_torchscript", "inspect", str(archive)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "operators" in done.stdout
