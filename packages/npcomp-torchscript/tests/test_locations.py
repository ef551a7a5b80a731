"""Every op knows the user's file and line, in every form of a program."""

from __future__ import annotations

import inspect

import npcomp_torchscript as nts
import torch
from npcomp_dialects.errors import SourceLocation
from npcomp_torchscript.locations import parse


class Model(torch.nn.Module):
    def forward(self, x):
        y = x.tanh()  # line of tanh
        if y.size(0) > 2:  # line of if
            y = y.relu()  # line of relu
        return y


LINES = {
    text.rpartition("line of ")[2]: number
    for number, text in enumerate(inspect.getsource(inspect.getmodule(Model)).splitlines(), 1)
    if "# line of " in text
}


def line_of(op) -> int:
    assert op.location.filename == __file__
    return op.location.start_line


def check(module, find) -> None:
    named = {op.attributes["name"].value: op for op in find(module, "torch.operator")}
    assert line_of(named["aten.tanh"]) == LINES["tanh"]
    assert line_of(named["aten.relu"]) == LINES["relu"]
    (branch,) = find(module, "torch.prim.If")
    assert line_of(branch) == LINES["if"]
    for op in (*find(module, "torch.prim.If.yield"), *find(module, "func.func"), *find(module, "func.return")):
        line_of(op)


def test_scripted(find):
    check(nts.import_module(Model()), find)


def test_archive(find, tmp_path):
    torch.jit.save(torch.jit.script(Model()), tmp_path / "m.pt")
    check(nts.import_module(tmp_path / "m.pt"), find)


def test_traced_names_the_users_line_not_torchs(find):
    class Calls(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(3, 3)

        def forward(self, x):
            return self.linear(x)  # line of linear

    text = inspect.getsource(inspect.getmodule(Model)).splitlines()
    wanted = 1 + next(i for i, line in enumerate(text) if "# line of linear" in line)
    module = nts.import_module(torch.jit.trace(Calls(), torch.randn(2, 3)))
    (op,) = find(module, "torch.operator")
    assert line_of(op) == wanted


def test_column_of_the_marked_text():
    text = '  File "model.py", line 7\n    def f(x):\n        return x.tanh()\n               ~~~~~~ <--- HERE\n'
    assert parse(text) == SourceLocation("model.py", 7, 16)


def test_empty_and_builtin_ranges_have_no_place():
    assert parse("") is None
    assert parse('  File "<string>", line 13\n  return a.mH\n') is None
