"""The forms in which a program can be given, and those that are no program."""

from __future__ import annotations

import npcomp_torchscript as nts
import pytest
import torch


class Small(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(3, 2)

    def forward(self, x):
        return self.linear(x).relu()

    @torch.jit.export
    def reset(self):
        self.linear.weight.zero_()


def half(x):
    return x / 2


OPS = ["aten.linear", "aten.relu"]


def test_plain_module_scripted_and_archive_agree(operators, tmp_path):
    model = Small()
    path = tmp_path / "small.pt"
    torch.jit.save(torch.jit.script(model), path)
    for source in (model, torch.jit.script(model), torch.jit.load(path), path, str(path)):
        assert {*OPS} <= {*operators(nts.import_module(source))}


def test_traced_module_and_function(operators):
    assert set(operators(nts.import_module(torch.jit.trace(Small(), torch.randn(4, 3))))) == {*OPS, "aten.zero_"}
    assert operators(nts.import_module(torch.jit.trace(half, torch.randn(4)))) == ["aten.div.Tensor"]


def test_functions(operators, find):
    for source in (half, torch.jit.script(half)):
        module = nts.import_module(source)
        (function,) = find(module, "func.func")
        assert function.attributes["sym_name"].value == "forward"
        assert "sym_visibility" not in function.attributes


def test_exported_methods_are_public(find):
    methods = {op.attributes["name"].value: op for op in find(nts.import_module(Small()), "torch.method")}
    public = {name for name, op in methods.items() if "isPrivate" not in op.attributes}
    assert "reset" in public


def test_training_state_is_respected(find):
    for training in (True, False):
        model = torch.nn.Sequential(torch.nn.Dropout()).train(training)
        slots = [op for op in find(nts.import_module(model), "torch.slot") if op.attributes["name"].value == "training"]
        assert {op.operands[0].owner.attributes["value"].value for op in slots} == {training}


def test_importing_leaves_the_module_alone():
    model = Small()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    nts.import_module(model)
    assert type(model) is Small
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize("given", [3, None, "no such file.pt", Small, {"a": 1}])
def test_what_is_no_program_is_refused(given):
    with pytest.raises(nts.TorchScriptError, match="do: "):
        nts.import_module(given)


def test_files_that_are_no_archive(tmp_path):
    (tmp_path / "garbage.pt").write_bytes(b"hello")
    torch.save({"weight": torch.ones(2)}, tmp_path / "state.pt")
    for name in ("garbage.pt", "state.pt"):
        with pytest.raises(nts.TorchScriptError, match=rf"{name} is not a TorchScript archive[\s\S]*torch.jit.save"):
            nts.import_module(tmp_path / name)
    with pytest.raises(nts.TorchScriptError, match="is a folder"):
        nts.import_module(tmp_path)


def test_truncated_archive(tmp_path):
    path = tmp_path / "small.pt"
    torch.jit.save(torch.jit.script(Small()), path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(nts.TorchScriptError, match="is not a TorchScript archive"):
        nts.import_module(path)
