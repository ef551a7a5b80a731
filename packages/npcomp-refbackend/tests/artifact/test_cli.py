"""The commands on artifact files."""

from __future__ import annotations

import json

import numpy as np
import pytest
from compiled import add_one, artifact, method, tensor
from npcomp_refbackend.cli import main


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.npc"
    add_one("batch", 3).save(path)
    return path


def output(capsys) -> str:
    return capsys.readouterr().out


def test_run_with_an_array(model, tmp_path, capsys):
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.save(tmp_path / "x.npy", x)
    assert (
        main(["run", str(model), "--input", f"x={tmp_path / 'x.npy'}", "--save", str(tmp_path / "out"), "--json"]) == 0
    )
    result = json.loads(output(capsys))["result"]
    assert result["shape"] == [2, 3] and result["data"] == (x + 1).tolist()
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "result.npy"), x + 1)


def test_run_with_random_tensors(model, capsys):
    assert main(["run", str(model), "--size", "batch=5"]) == 0
    text = output(capsys)
    assert "x: float32[5, 3]" in text and "result: float32[5, 3]" in text
    assert main(["run", str(model), "--seed", "1", "--json"]) == 0
    assert json.loads(output(capsys))["result"]["shape"] == [8, 3]


def test_run_with_every_kind_of_argument(tmp_path, capsys):
    args = [
        {"name": "d", "kind": "dict", "keys": ["a"], "items": [tensor(2, dtype="i64")]},
        {"name": "l", "kind": "list", "items": [tensor(2, dtype="bf16"), {"kind": "none"}]},
        {"name": "f", "kind": "float"}, {"name": "b", "kind": "bool"}, {"name": "n", "kind": "int", "default": 4},
        {"name": "c", "kind": "const", "value": "word"},
    ]  # fmt: skip
    returns = {"kind": "dict", "keys": ["n", "t"], "items": [{"kind": "int"}, {"kind": "tuple", "items": [tensor()]}]}
    path = tmp_path / "kinds.npc"
    source = "ENTRY(npcomp_forward) { r[0] = a[4]; r[1] = (int64_t)scalar_tensor(c, a[3]); }"
    artifact(source, method(args, returns)).save(path)
    assert main(["run", str(path), "--input", "f=2.5", "--input", "b=false"]) == 0
    assert output(capsys).splitlines()[-1] == "result: {'n': 4, 't': tuple(float32[] 0.)}"
    assert main(["run", str(path), "--input", "n=7", "--save", str(tmp_path / "out")]) == 0
    assert np.load(tmp_path / "out" / "result.t.0.npy") == 1


def test_inspect(model, capsys):
    assert main(["inspect", str(model)]) == 0
    assert "forward(x: f32[batch, 3]) -> f32[batch, 3]" in output(capsys)
    assert main(["inspect", str(model), "--json"]) == 0
    assert json.loads(output(capsys))["methods"][0]["entry"] == "npcomp_forward"


def test_bench(model, capsys):
    assert main(["bench", str(model), "--seconds", "0.01", "--json"]) == 0
    rows = json.loads(output(capsys))
    assert 0 < rows["best_us"] <= rows["median_us"] <= rows["p90_us"]
    assert main(["bench", str(model), "--seconds", "0.01"]) == 0
    assert output(capsys).startswith("forward: median ")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--method", "backward"], "has no method 'backward'. do: use one of forward"),
        (["--input", "y=3"], "forward has no argument 'y'. do: use one of x"),
        (["--input", "x"], "--input x has no '='"),
        (["--input", "x=word"], "--input x=word is neither a .npy file nor a number"),
        (["--input", "x=gone.npy"], "--input x=gone.npy cannot be read"),
        (["--size", "batch=many"], "--size batch=many is not a size"),
        (["--input", "x=3"], "raised TypeError: forward(): argument 'x' is a int but f32[batch, 3] is declared"),
    ],
)
def test_wrong_options(model, capsys, arguments, text):
    assert main(["run", str(model), *arguments]) == 2
    captured = capsys.readouterr()
    assert text in captured.err and captured.out == ""


def test_wrong_files(tmp_path, capsys):
    for command in ("run", "inspect", "bench"):
        assert main([command, str(tmp_path / "gone.npc")]) == 2
        assert "cannot be opened" in capsys.readouterr().err


def test_help(capsys):
    for words in (["--help"], ["run", "--help"]):
        with pytest.raises(SystemExit) as done:
            main(words)
        assert done.value.code == 0
        assert "usage: npcomp-refbackend" in output(capsys)
