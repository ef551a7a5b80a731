"""Methods and functions that call each other."""

from __future__ import annotations

import importlib.util
from typing import Dict, List, Optional  # noqa: UP035 torch.jit.script reads these names

import npcomp_torchscript as nts
import torch


def double(x):
    return x * 2


def named(x, scale: float = 2.0, shift: int = 1):
    return x * scale + shift


def maybe(x, y: Optional[torch.Tensor] = None):  # noqa: UP045
    if y is None:
        return x
    return x + y


class Inner(torch.nn.Module):
    def helper(self, x, times: int):
        return x * times

    def forward(self, x):
        return self.helper(x, times=3)


class Outer(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Inner()

    def forward(self, x):
        return double(self.inner(x)) + self.inner.helper(x, 4)


def symbols(module, find):
    return {op.attributes["sym_name"].value.rpartition(".")[2] for op in find(module, "func.func")}


def test_methods_call_methods_and_functions(find):
    module = nts.import_module(Outer())
    assert len(find(module, "torch.prim.CallMethod")) == 3
    (call,) = find(module, "func.call")
    assert call.attributes["callee"].value.endswith("double")
    assert symbols(module, find) == {"forward", "helper", "double"}


ARCHIVED = """
import torch

def triple(x, y: torch.Tensor | None):
    return (x if y is None else y) * 3

def double(x, y: torch.Tensor | None = None):
    return triple(x, y) + 1

class Model(torch.nn.Module):
    def forward(self, x):
        return double(x) + double(x, x) + double(x)
"""


def test_archives_keep_their_functions(find, tmp_path):
    """torch gives no handle on the functions of an archive; each way of calling one is imported, what it calls inside.

    torch cannot load functions of a module whose name is no identifier, as the name of this file is to pytest."""
    source, path = tmp_path / "archived.py", tmp_path / "model.pt"
    source.write_text(ARCHIVED)
    spec = importlib.util.spec_from_file_location("archived", source)
    archived = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(archived)
    torch.jit.save(torch.jit.script(archived.Model()), path)
    module = nts.import_module(torch.jit.load(path))
    callees = [op.attributes["callee"].value for op in find(module, "func.call")]
    assert callees == ["__torch__.archived.double", "__torch__.archived.double$1", "__torch__.archived.double"]
    (place,) = {op.location.start_line for op in find(module, "torch.operator")
                if op.attributes["name"].value == "aten.mul.Scalar"}  # fmt: skip
    assert ARCHIVED.splitlines()[place - 1] == "    return (x if y is None else y) * 3"


def test_keyword_and_default_arguments_are_in_place(find):
    def model(x):
        return named(x, shift=5)

    (call,) = find(nts.import_module(model), "func.call")
    values = [operand.owner.attributes["value"].value for operand in call.operands[1:]]
    assert values == [2.0, 5]


def test_none_passed_to_an_optional_is_derefined(find):
    def model(x):
        return maybe(x) + maybe(x, x)

    module = nts.import_module(model)
    kinds = [op.operands[1].owner.name for op in find(module, "func.call")]
    assert kinds == ["torch.derefine", "torch.derefine"]
    assert {str(op.operands[0].type) for op in find(module, "torch.derefine")} == {"!torch.none", "!torch.tensor"}


def test_ops_with_a_schema_need_no_name_in_the_importer(operators):
    def model(x, index: List[Optional[torch.Tensor]]):  # noqa: UP006, UP045
        y = torch.linalg.svd(x)[1]
        return torch.ops.aten.index(y, index)

    assert operators(nts.import_module(model)) == ["aten.linalg_svd", "aten.index.Tensor"]


def test_containers_and_their_methods(operators, find):
    def model(x, d: Dict[str, int]):  # noqa: UP006
        items = [x, x + 1]
        items.append(x)
        d["new"] = len(items)
        a, b = items[0], 1
        return a, "new" in d, b

    assert operators(nts.import_module(model)) == [
        "aten.add.Scalar", "aten.append.t", "aten.len.t", "aten._set_item.str", "aten.__getitem__.t",
        "aten.__contains__.str",
    ]  # fmt: skip


def test_tuple_slices(find):
    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.sizes = (1, 2.0, "three")

        def forward(self):
            return self.sizes[1:]

    module = nts.import_module(Model())
    assert [str(op.result.type) for op in find(module, "torch.prim.TupleIndex")] == ["!torch.float", "!torch.str"]


def test_set_attribute_widens_to_the_declared_type(find):
    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = torch.jit.Attribute(None, Optional[int])  # noqa: UP045
            self.count = 0

        def forward(self, x):
            self.last = 3
            self.count += 1
            return x

    writes = find(nts.import_module(Model()), "torch.prim.SetAttr")
    assert [str(op.operands[1].type) for op in writes] == ["!torch.optional<int>", "!torch.int"]


def test_tensor_properties(find, operators):
    def model(x):
        return torch.zeros(2, dtype=x.dtype, device=x.device, layout=x.layout)

    module = nts.import_module(model)
    assert all(len(find(module, f"torch.prim.{name}")) == 1 for name in ("dtype", "device", "layout"))
    assert operators(module) == ["aten.zeros"]


def test_print(find):
    def model(x):
        print("sizes", x.size(0), x)
        return x

    (op,) = find(nts.import_module(model), "torch.prim.Print")
    assert [str(o.type) for o in op.operands] == ["!torch.str", "!torch.int", "!torch.tensor"]


def test_no_grad_leaves_no_trace(find, operators):
    def model(x):
        with torch.no_grad():
            y = x + 1
        return y

    assert operators(nts.import_module(model)) == ["aten.add.Scalar"]
