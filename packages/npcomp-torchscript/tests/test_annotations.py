"""Annotations inside the model and outside it."""

from __future__ import annotations

import json

import npcomp_torchscript as nts
import pytest
import torch
from npcomp_torchscript.importer import build

F32 = nts.TensorSpec(["n", 3], torch.float32)


class Encoder(torch.nn.Module):
    @torch.jit.export
    def encode(self, x):
        return x + 1

    def forward(self, x):
        return self.encode(x)


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    @nts.annotate_args([None, ([-1, 3], torch.float32, True)])
    def forward(self, x):
        self.steps += 1
        return self.encoder(x)

    @nts.export
    @nts.annotate_args([nts.TensorSpec(["n"], torch.int64), int])
    def longest(self, lengths, shift: int):
        return lengths.max() + shift

    @nts.export
    def reset(self):
        self.steps.zero_()


def signatures(module, find):
    texts = [op.attributes["npcomp.signature"].value for op in find(module, "func.func")
             if "npcomp.signature" in op.attributes]  # fmt: skip
    return {entry["name"]: entry for entry in map(json.loads, texts)}


def exported(program, find, annotator=None, specs=None):
    return signatures(build(program, specs, None, annotator, strict=True), find)


def test_decorators(find):
    found = exported(Model(), find)
    assert set(found) == {"forward", "longest", "reset"}
    assert found["forward"]["args"][0]["dims"] == [None, 3]
    assert found["longest"]["args"] == [
        {"kind": "tensor", "dtype": "i64", "dims": ["n"], "name": "lengths"},
        {"kind": "int", "name": "shift"},
    ]
    assert found["reset"] == {"name": "reset", "args": [], "returns": {"kind": "none"}}


def test_specs_of_the_call_go_before_annotations(find):
    assert exported(Model(), find, specs=[F32])["forward"]["args"][0]["dims"] == ["n", 3]
    by_method = exported(Model(), find, specs={"longest": [nts.TensorSpec([4], torch.int64), int]})
    assert by_method["longest"]["args"][0]["dims"] == [4]


def test_annotated_function(find):
    @nts.annotate_args([F32])
    def double(x):
        return x * 2

    assert exported(double, find)["forward"]["args"][0]["dims"] == ["n", 3]
    assert exported(torch.jit.script(double), find)["forward"]["args"][0]["dims"] == ["n", 3]


def test_class_annotator_on_an_archive(find, tmp_path):
    path = tmp_path / "model.pt"
    torch.jit.save(torch.jit.script(Model()), path)
    loaded = torch.jit.load(path)
    annotator = nts.ClassAnnotator()
    annotator.exportNone(loaded)
    annotator.exportPath(loaded, ["longest"])
    annotator.annotateArgs(loaded, ["longest"], [nts.TensorSpec([None], torch.int64)])
    annotator.exportPath(loaded, ["encoder", "encode"])
    annotator.annotateArgs(loaded, ["encoder", "encode"], [None, ([-1, 3], torch.float32)])
    found = exported(loaded, find, annotator)
    assert set(found) == {"longest", "encoder.encode"}
    assert found["encoder.encode"]["args"][0]["dims"] == [None, 3]


def test_class_annotator_takes_class_types_and_python_classes(find):
    scripted = torch.jit.script(Model())
    for root, program in ((scripted._c._type(), scripted), (Model, Model()), (scripted, scripted)):
        annotator = nts.ClassAnnotator()
        annotator.exportNone(root)
        annotator.exportPath(root, ["forward"])
        assert set(exported(program, find, annotator)) == {"forward"}


def test_archives_export_forward_alone(find, tmp_path):
    torch.jit.save(torch.jit.script(Model()), tmp_path / "model.pt")
    assert set(exported(tmp_path / "model.pt", find, specs=[F32])) == {"forward"}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (["nowhere", "forward"], "has no submodule 'nowhere'"),
        (["nothing"], r"has no compiled method 'nothing'; it has .*forward"),
        (["encoder", "nothing"], "Encoder has no compiled method 'nothing'"),
        ("forward", "is not a path"),
        ([], "is not a path"),
    ],
)
def test_wrong_paths(path, message):
    annotator = nts.ClassAnnotator()
    with pytest.raises(nts.TorchScriptError, match=message):
        annotator.exportPath(Model, path)
        nts.import_module(Model(), annotator=annotator)


def test_nothing_exported():
    annotator = nts.ClassAnnotator()
    annotator.exportNone(Model)
    with pytest.raises(nts.TorchScriptError, match=r"Model exports no method[\s\S]*exportPath"):
        nts.import_module(Model(), annotator=annotator)


def test_an_unannotated_export_is_left_out_with_a_warning(find):
    class Loose(torch.nn.Module):
        def forward(self, x):
            return x

        @torch.jit.export
        def other(self, y):
            return y

    with pytest.warns(UserWarning, match="method 'other' is not compiled: nothing is known of argument 'y'"):
        assert set(exported(Loose(), find, specs=[F32])) == {"forward"}


def test_a_wrong_annotation_says_which():
    class Wrong(torch.nn.Module):
        @nts.annotate_args([None, F32, F32])
        def forward(self, x):
            return x

    with pytest.raises(nts.TorchScriptError, match="there are 2 annotations for 1 arguments"):
        nts.compile(Wrong())
