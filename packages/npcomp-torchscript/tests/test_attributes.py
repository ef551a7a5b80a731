"""Attributes of modules: every kind becomes a slot with its value."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

import npcomp_torchscript as nts
import pytest
import torch


class Held(torch.nn.Module):
    """Gives back an attribute, so that it is used."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value

    def forward(self):
        return self.value


def slot(module: Any, find: Any, name: str = "value") -> Any:
    (found,) = [op for op in find(module, "torch.slot") if op.attributes["name"].value == name]
    return found.operands[0]


@pytest.mark.parametrize(
    ("value", "type", "constant"),
    [
        (True, "!torch.bool", "torch.constant.bool"),
        (3, "!torch.int", "torch.constant.int"),
        (-2.5, "!torch.float", "torch.constant.float"),
        (float("inf"), "!torch.float", "torch.constant.float"),
        ("tag", "!torch.str", "torch.constant.str"),
        ('two\nlines "quoted" = <x object at 0x1>', "!torch.str", "torch.constant.str"),
    ],
)
def test_primitives(find, value, type, constant):
    held = slot(nts.import_module(Held(value)), find)
    assert (str(held.type), held.owner.name) == (type, constant)
    assert held.owner.attributes["value"].value == value


def test_none(find):
    assert str(slot(nts.import_module(Held(None)), find).type) == "!torch.none"


def test_optional_is_derefined(find):
    class Model(torch.nn.Module):
        def __init__(self, bound: int | None) -> None:
            super().__init__()
            self.bound = torch.jit.Attribute(bound, Optional[int])  # noqa: UP045

        def forward(self):
            return self.bound

    for value, constant in ((None, "torch.constant.none"), (4, "torch.constant.int")):
        held = slot(nts.import_module(Model(value)), find, "bound")
        assert str(held.type) == "!torch.optional<int>"
        assert held.owner.operands[0].owner.name == constant


def test_list(find):
    held = slot(nts.import_module(Held([1, 2, 3])), find)
    assert (str(held.type), len(held.owner.operands)) == ("!torch.list<int>", 3)


def test_tuple_and_nest(find):
    held = slot(nts.import_module(Held((1, "a", [2.0]))), find)
    assert str(held.type) == "!torch.tuple<int, str, list<float>>"


def test_dict(find):
    held = slot(nts.import_module(Held({"a": 1, "b": 2})), find)
    assert str(held.type) == "!torch.dict<str, int>"
    assert [o.owner.attributes["value"].value for o in held.owner.operands] == ["a", "b", 1, 2]


class Pair(NamedTuple):
    left: torch.Tensor
    right: int


def test_named_tuple_with_a_tensor(find):
    held = slot(nts.import_module(Held(Pair(torch.ones(2), 3))), find)
    assert str(held.type) == "!torch.tuple<tensor, int>"


def test_list_of_tensors(find):
    held = slot(nts.import_module(Held([torch.ones(2), torch.ones(3)])), find)
    assert str(held.type) == "!torch.list<tensor>"


DTYPES = {
    torch.float32: "f32", torch.float64: "f64", torch.float16: "f16", torch.bfloat16: "bf16", torch.int8: "si8",
    torch.uint8: "ui8", torch.int16: "si16", torch.int32: "si32", torch.int64: "si64", torch.bool: "i1",
}  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", [(), (0,), (3,), (2, 3), (17, 5)])
def test_tensors(find, dtype, sizes):
    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("value", torch.ones(sizes).to(dtype))

        def forward(self):
            return self.value

    held = slot(nts.import_module(Model()), find)
    dims = ",".join(map(str, sizes))
    assert str(held.type) == f"!torch.tensor<[{dims}],{DTYPES[dtype]}>"


def test_large_weights_are_shared_resources_not_text():
    model = torch.nn.Linear(1000, 1000)
    text = str(nts.import_module(model))
    assert "dense_resource" in text


def test_parameter_and_untouched_attributes(find):
    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(2))
            self.register_buffer("unused", torch.ones(3))

        def forward(self):
            return self.weight

    names = [op.attributes["name"].value for op in find(nts.import_module(Model()), "torch.slot")]
    assert names == ["weight", "unused", "training"]


def test_one_tensor_under_two_names_is_one_value(find):
    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = torch.nn.Linear(2, 2, bias=False)
            self.second = torch.nn.Linear(2, 2, bias=False)
            self.second.weight = self.first.weight

        def forward(self, x):
            return self.second(self.first(x))

    for source in (Model(), torch.jit.script(Model())):
        module = nts.import_module(source)
        weights = [op.operands[0] for op in find(module, "torch.slot") if op.attributes["name"].value == "weight"]
        assert len(weights) == 2 and weights[0] == weights[1]


def test_one_module_under_two_names_is_one_object(find, tmp_path):
    """Given a scripted submodule: of a plain one, torch.jit.script itself makes two that share their tensors."""

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = torch.jit.script(torch.nn.Linear(2, 2))
            self.second = self.first
            self.third = torch.nn.Linear(2, 2)

        def forward(self, x):
            return self.third(self.second(self.first(x)))

    path = tmp_path / "model.pt"
    torch.jit.save(torch.jit.script(Model()), path)
    for source in (Model(), path):
        assert len(find(nts.import_module(source), "torch.nn_module")) == 3


def test_one_list_under_two_names_becomes_two(find):
    """TorchScript's own rule: it copies Python lists into the module one by one."""

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = self.second = [1]

        def forward(self):
            return self.first[0] + self.second[0]

    module = nts.import_module(Model())
    assert slot(module, find, "first") != slot(module, find, "second")


def test_two_instances_share_a_class_and_differ_in_values(find):
    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.items = torch.nn.ModuleList([torch.nn.Linear(2, 2) for _ in range(3)])

        def forward(self, x):
            for item in self.items:
                x = item(x)
            return x

    module = nts.import_module(Model())
    assert len(find(module, "torch.nn_module")) == 5
    assert len(find(module, "torch.class_type")) == 3


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (torch.ones(2, dtype=torch.float8_e4m3fn), "float8"),
        (torch.eye(2).to_sparse(), "sparse"),
        (torch.ones(2, device="meta"), "meta device"),
    ],
)
def test_tensors_without_a_form_are_refused(value, reason):
    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("odd", value)

        def forward(self):
            return self.odd

    with pytest.raises(nts.TorchScriptError, match=rf"attribute 'odd'.*{reason}[\s\S]*do: "):
        nts.import_module(Model())


class Rows(torch.nn.Module):
    """A buffer, and a view of its first row."""

    def __init__(self, writes: bool) -> None:
        super().__init__()
        self.register_buffer("table", torch.ones(3, 4))
        self.first = self.table[0]
        self.writes = writes

    def forward(self, x):
        if self.writes:
            self.table[1:].add_(x)
        return self.first + x


def test_a_view_of_another_attribute(find):
    class Reads(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("table", torch.ones(3, 4))
            self.first = self.table[0]

        def forward(self, x):
            return self.first + self.table + x

    held = slot(nts.import_module(Reads()), find, "first")
    assert str(held.type) == "!torch.tensor<[4],f32>"


def test_a_written_attribute_that_shares_memory_is_refused():
    with pytest.raises(nts.TorchScriptError, match=r"'table' is written and shares memory with attribute 'first'"):
        nts.import_module(Rows(True))
