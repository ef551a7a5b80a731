"""Specs, examples, annotations and defaults: what reaches the signature and the argument types."""

from __future__ import annotations

import json
from typing import Dict, List, NamedTuple, Optional, Tuple  # noqa: UP035 torch.jit.script reads these names

import npcomp_torchscript as nts
import pytest
import torch
from npcomp_torchscript.importer import build

F32 = nts.TensorSpec(["n", 3], torch.float32)


def signatures(module, find):
    texts = [op.attributes["npcomp.signature"].value for op in find(module, "func.func")
             if "npcomp.signature" in op.attributes]  # fmt: skip
    return {entry["name"]: entry for entry in map(json.loads, texts)}


def compiled_signature(program, find, specs=None, examples=None):
    return signatures(build(program, specs, examples, None, strict=True), find)["forward"]


def bounds(module, find) -> list[str]:
    found = []
    for op in find(module, "func.func"):
        if "arg_attrs" in op.attributes:
            found += [str(a["torch.type_bound"]) for a in op.attributes["arg_attrs"] if "torch.type_bound" in a]
    return found


def two(x, y):
    return x + y


def test_tensor_specs(find):
    module = nts.import_module(two, [F32, nts.TensorSpec([2, None], torch.int64)])
    assert bounds(module, find) == ["!torch.vtensor<[?,3],f32>", "!torch.vtensor<[2,?],si64>"]
    assert signatures(module, find)["forward"]["args"] == [
        {"kind": "tensor", "dtype": "f32", "dims": ["n", 3], "name": "x"},
        {"kind": "tensor", "dtype": "i64", "dims": [2, None], "name": "y"},
    ]


def test_examples_are_static_specs(find):
    example = torch.zeros(4, 3)
    by_spec = compiled_signature(two, find, [example, F32])
    assert [a["dims"] for a in by_spec["args"]] == [[4, 3], ["n", 3]]
    by_example = compiled_signature(two, find, None, (example, example))
    assert [a["dims"] for a in by_example["args"]] == [[4, 3], [4, 3]]


def test_specs_by_name(find):
    found = compiled_signature(two, find, {"y": F32, "x": torch.zeros(1)})
    assert [a["dims"] for a in found["args"]] == [[1], ["n", 3]]


def test_traced_programs_know_their_arguments(find):
    found = compiled_signature(torch.jit.trace(two, (torch.zeros(2, 3), torch.zeros(3))), find)
    assert [a["dims"] for a in found["args"]] == [[2, 3], [3]]


def test_open_rank_and_dtype_are_honoured_by_import_and_refused_by_compile(find):
    anything, ranked = nts.TensorSpec(None, torch.float32), nts.TensorSpec([None], None)
    module = nts.import_module(two, [anything, ranked])
    assert bounds(module, find) == ["!torch.vtensor<*,f32>", "!torch.vtensor<[?],unk>"]
    with pytest.raises(nts.TorchScriptError, match="argument 'x' has unknown rank"):
        nts.compile(two, [anything, F32])
    with pytest.raises(nts.TorchScriptError, match="argument 'y' has unknown dtype"):
        nts.compile(two, [F32, ranked])


def test_missing_spec_names_the_argument():
    with pytest.raises(nts.TorchScriptError, match=r"argument 'y', a Tensor[\s\S]*TensorSpec"):
        nts.compile(two, [F32])


def numbers(x, n: int, s: float = 0.5, flag: bool = True):
    return x * s + n if flag else x


def test_scalars_and_defaults(find):
    found = compiled_signature(numbers, find, [F32])
    assert found["args"][1:] == [
        {"kind": "int", "name": "n"},
        {"kind": "float", "default": 0.5, "name": "s"},
        {"kind": "const", "value": True, "name": "flag"},
    ]
    said = compiled_signature(numbers, find, [F32, int, 0.25, bool])["args"]
    assert said[1:] == [*found["args"][1:3], {"kind": "bool", "default": True, "name": "flag"}]


def optional(x, y: Optional[torch.Tensor] = None, mode: str = "sum"):  # noqa: UP045
    if y is not None:
        x = x + y
    return x if mode == "sum" else x * 2


def test_optionals_and_strings_are_specialised(find):
    plain = compiled_signature(optional, find, [F32])
    assert plain["args"][1:] == [{"kind": "none", "name": "y"}, {"kind": "const", "value": "sum", "name": "mode"}]
    full = compiled_signature(optional, find, [F32, F32, "mean"])
    assert full["args"][1]["dims"] == ["n", 3]
    assert full["args"][2]["value"] == "mean"


class Pair(NamedTuple):
    left: torch.Tensor
    right: torch.Tensor


def nested(t: Tuple[torch.Tensor, int], items: List[torch.Tensor], d: Dict[str, torch.Tensor], p: Pair):  # noqa: UP006
    return Pair(t[0] + t[1], items[0]), [p.left], {"a": d["a"]}, "text", None


def test_containers(find):
    found = compiled_signature(nested, find, [(F32, int), [F32, F32], {"a": F32}, (F32, F32)])
    tuple_, list_, dict_, pair = found["args"]
    assert [item["kind"] for item in tuple_["items"]] == ["tensor", "int"]
    assert (list_["kind"], len(list_["items"])) == ("list", 2)
    assert (dict_["keys"], dict_["items"][0]["dims"]) == (["a"], ["n", 3])
    assert (pair["kind"], pair["fields"]) == ("namedtuple", ["left", "right"])
    kinds = [item["kind"] for item in found["returns"]["items"]]
    assert kinds == ["namedtuple", "list", "dict", "str", "none"]
    assert found["returns"]["items"][0]["name"] == "Pair"


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ([F32, F32, F32], r"there are 3 specs for 2 arguments[\s\S]*x, y"),
        ({"z": F32}, r"a spec for 'z', which is no argument[\s\S]*x, y"),
        ([None, F32], "argument 'x' is a Tensor, but its spec is None"),
        ([int, F32], "argument 'x' is a Tensor, but its spec is <class 'int'>"),
        (F32, "which is not a list"),
    ],
)
def test_wrong_specs_say_which_and_why(specs, message):
    with pytest.raises(nts.TorchScriptError, match=message):
        nts.compile(two, specs)


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ([F32, 1.5], "argument 'n' is an int, but its spec is 1.5"),
        ([F32, int, "a"], "argument 's' is a float"),
        ([F32, True], "argument 'n' is an int, but its spec is True"),
    ],
)
def test_wrong_scalars(specs, message):
    with pytest.raises(nts.TorchScriptError, match=message):
        nts.compile(numbers, specs)


def test_all_problems_of_all_methods_are_reported():
    class Model(torch.nn.Module):
        @nts.annotate_args([F32, F32])
        def forward(self, x):
            return x

        @nts.export
        def other(self, y):
            return y

    with pytest.raises(nts.TorchScriptError) as caught:
        nts.compile(Model())
    assert [p.message.partition(" ")[0] for p in caught.value.problems] == ["there", "method"]
    assert "2 problems" in str(caught.value)


def test_specs_and_examples_together_are_refused():
    with pytest.raises(nts.TorchScriptError, match="pass one of the two"):
        nts.compile(two, [F32, F32], example_inputs=(torch.zeros(1), torch.zeros(1)))
