"""One op, one place: what follows from a block, and the recipe for a new one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import op as op_tool
import pytest
import torch
from aten.eager_builder import T, run
from npcomp_dialects.aten import registry
from npcomp_dialects.aten.abstract import TensorInfo
from npcomp_dialects.aten.block import Block
from npcomp_dialects.aten.cases import as_case, case, f32
from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.aten.errors import SchemaError, UnknownOpError
from npcomp_dialects.aten.families.elementwise import Elementwise
from npcomp_dialects.aten.promotion import promote_to_float
from npcomp_dialects.aten.registry import op

ATEN = Path(registry.__file__).parent


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A registry that forgets afterwards what a test adds."""
    registry.load()
    tables = {}
    for name in ("_BLOCKS", "_INPLACE", "_OUT"):
        tables[name] = dict(getattr(registry, name))
        monkeypatch.setattr(registry, name, tables[name])
    yield tables


def rows() -> dict[str, tuple[str, list[str]]]:
    """The native table as name → schema and traits."""
    split = [line.split("|", 1) for line in registry.native_table().splitlines()]
    return {name: (rest.rpartition("|")[0], rest.rpartition("|")[2].split(",")) for name, rest in split}


def test_a_new_op_is_one_block(scratch: dict[str, Any]):
    for table, name in (("_BLOCKS", "aten.acosh"), ("_INPLACE", "aten.acosh_"), ("_OUT", "aten.acosh.out")):
        scratch[table].pop(name, None)

    @op("aten::acosh(Tensor self) -> Tensor", inplace="aten::acosh_", out="aten::acosh.out")
    class Acosh(Elementwise):
        """Inverse hyperbolic cosine."""

        dtype = promote_to_float

        def scalar(b, x):
            return b.math.log(x + b.math.sqrt(x * x - 1.0))

        cases = [f32(3, low=1, high=5), f32("?", low=1, high=5)]

    block = registry.lookup("aten.acosh")
    assert block.kind() == "native"
    assert block.infer(TensorInfo((None, 3), DType.i64)) == TensorInfo((None, 3), DType.f32)
    assert registry.inplace_of("aten.acosh_") == "aten.acosh"
    assert registry.out_of("aten.acosh.out") == "aten.acosh"
    table = rows()
    assert table["torch.aten.acosh"] == ("aten::acosh(Tensor self) -> Tensor", ["pure"])
    assert table["torch.aten.acosh_"] == ("aten::acosh_(Tensor(a!) self) -> Tensor(a!)", ["inplace"])
    assert table["torch.aten.acosh.out"][1] == ["out"]
    x = torch.tensor([1.0, 2.0, 3.0])
    torch.testing.assert_close(run(block, [T(x, [None])]).value, torch.acosh(x))


def test_the_skeleton_of_an_op_is_a_working_block(scratch: dict[str, Any], capsys: pytest.CaptureFixture[str]):
    assert op_tool.main(["aten::tanh"]) == 0
    text = capsys.readouterr().out
    assert text.startswith('@op("aten::tanh(Tensor self) -> Tensor", inplace="aten::tanh_", out="aten::tanh.out")\n')
    for table, name in (("_BLOCKS", "aten.tanh"), ("_INPLACE", "aten.tanh_"), ("_OUT", "aten.tanh.out")):
        del scratch[table][name]
    exec(
        text, {"op": op, "Elementwise": Elementwise, "promote_to_float": promote_to_float, "f32": f32, "__name__": "x"}
    )
    block, x = registry.lookup("aten.tanh"), torch.randn(3)
    torch.testing.assert_close(run(block, [T(x, [3])]).value, torch.tanh(x))
    assert [as_case(c).symbols() for c in block.cases] == [[], ["?0"]]


@pytest.mark.parametrize(
    "name", ["aten.clamp", "amax", "aten::native_layer_norm", "aten::select.int", "aten::gelu", "add"]
)
def test_every_skeleton_is_python(name: str, capsys: pytest.CaptureFixture[str]):
    assert op_tool.main([name]) == 0
    text = capsys.readouterr().out
    compile(text, "skeleton", "exec")
    assert max(map(len, text.splitlines())) <= 120


def test_the_skeleton_tool_names_an_unknown_op(capsys: pytest.CaptureFixture[str]):
    assert op_tool.main(["aten::no_such_op"]) == 1
    assert "do: spell it as torch does" in capsys.readouterr().err


def test_a_block_needs_a_docstring_and_a_name_of_its_own(scratch: dict[str, Any]):
    with pytest.raises(SchemaError, match="docstring"):

        @op("aten::asinh(Tensor self) -> Tensor")
        class Nameless(Elementwise):
            pass

    with pytest.raises(SchemaError, match="registered twice"):

        @op("aten::tanh(Tensor self) -> Tensor")
        class Again(Elementwise):
            """Again."""


def test_an_unknown_op_says_what_to_do():
    with pytest.raises(UnknownOpError, match=r"nox -s op -- aten\.no_such_op"):
        registry.lookup("aten.no_such_op")
    assert registry.find("aten.no_such_op") is None


def test_names_are_found_in_both_spellings():
    assert registry.lookup("aten::add.Tensor") is registry.lookup("aten.add.Tensor")
    assert registry.inplace_of("aten::add_.Tensor") == "aten.add.Tensor"
    assert registry.out_of("aten.add.out") == "aten.add.Tensor"
    schema = registry.find_schema("aten.add_.Tensor")
    assert schema is not None and schema.arguments[0].type.writes


def test_the_native_table_has_every_op_and_variant():
    table = rows()
    assert len(table) == len(registry.all_ops()) + len(registry.variants())
    assert table["torch.aten.view"][1] == ["pure", "view"]
    assert table["torch.aten.rand"][1] == ["random"]
    assert table["torch.aten.append.t"][1] == ["mutates"]
    assert table["torch.aten.batch_norm"][1] == ["writes"]


def test_arguments_that_must_be_constant():
    assert registry.lookup("aten.view").static_arguments() == []
    assert registry.lookup("aten.sum.dim_IntList").static_arguments() == ["dim", "keepdim", "dtype"]
    assert registry.lookup("aten.linalg_vector_norm").static_arguments()[0] == "ord"
    assert registry.lookup("aten.add.Tensor").static_arguments() == []


@pytest.mark.parametrize("block", registry.all_ops(), ids=lambda b: b.schema.name)
def test_every_block_is_a_paragraph(block: type[Block]):
    assert (block.__doc__ or "").strip().endswith((".", ")")), block.__doc__
    assert block.family != "block"
    for c in map(as_case, block.cases):
        assert len(c.arguments(block.schema)) == len(block.schema.arguments)


def test_files_are_small():
    long = {p.name: n for p in ATEN.rglob("*.py") if (n := len(p.read_text().splitlines())) > 400}
    assert not long


def test_cases_bind_their_symbols():
    c = case(f32("n", "?"), f32("?", "n"), at=[(2, 3, 4)])
    assert c.symbols() == ["n", "?0", "?1"]
    assert c.bindings() == [{"n": 2, "?0": 3, "?1": 4}]
    assert as_case(f32("?", 5)).bindings() == [{"?0": 3}, {"?0": 2}]
    assert as_case(f32(2)).bindings() == [{}]


def test_the_folder_imports_neither_torch_nor_mlir():
    """It also runs at build time, as a package of its own."""
    script = (
        f"import sys; sys.path.insert(0, {str(ATEN.parent)!r}); from aten import registry; registry.native_table();"
        "bad = [m for m in sys.modules if m.split('.')[0] in ('torch', 'numpy', 'npcomp_dialects', 'mlir')];"
        "sys.exit(', '.join(bad) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
