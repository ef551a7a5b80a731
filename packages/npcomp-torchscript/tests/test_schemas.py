"""Every operator that torch has a schema for can be imported: the importer knows none of them by name."""

from __future__ import annotations

from typing import Any

import npcomp_dialects
import torch
from npcomp_dialects.mlir import ir
from npcomp_dialects.passes import effects
from npcomp_torchscript.functions import Unit
from npcomp_torchscript.importer import ProgramImporter
from npcomp_torchscript.sources import Source

TORCH: Any = torch._C
TRANSLATED = (
    2000  # most of torch's ATen schemas have types that the IR knows; the others are refused, each with a reason
)


def graph_of(schema: Any) -> Any:
    """A graph that calls one operator on its own arguments."""
    graph = TORCH.Graph()
    inputs = []
    for argument in schema.arguments:
        inputs.append(graph.addInput())
        inputs[-1].setType(argument.type)
    node = graph.appendNode(graph.create(schema.name, inputs, len(schema.returns)))
    for output, result in zip(node.outputs(), schema.returns, strict=True):
        output.setType(result.type)
        graph.registerOutput(output)
    return graph


def is_concrete(schema: Any) -> bool:
    """Not over type variables, which no graph contains."""
    types = [str(value.type) for value in [*schema.arguments, *schema.returns]]
    return not any(word in text for text in types for word in ("t[", "t]", "t)", "t,", "tVal", "AnyList")) and not (
        {"t", "T"} & set(types)
    )


def test_every_aten_schema():
    schemas = [s for s in TORCH._jit_get_all_schemas() if s.name.startswith("aten::") and is_concrete(s)]
    translated = 0
    with npcomp_dialects.context(), ir.Location.unknown():
        for number, schema in enumerate(schemas):
            importer = ProgramImporter(Source(None))
            unit = Unit(f"f{number}", graph_of(schema), [result.type for result in schema.returns])
            with ir.InsertionPoint(importer.module.body):
                importer._function(unit, None)
            if importer.problems:
                assert all(problem.message and problem.do for problem in importer.problems)
                continue
            assert importer.module.operation.verify(), schema
            text = str(importer.module)
            name = schema.name.removeprefix("aten::")
            full = f"aten.{name}.{schema.overload_name}" if schema.overload_name else f"aten.{name}"
            translated += f'"{full}"' in text or "torch.constant" in text
    assert translated > TRANSLATED, f"{translated} of {len(schemas)}"


def test_operators_of_other_libraries_travel_by_name(operators):
    import npcomp_torchscript as nts

    library = torch.library.Library("npcomp_test", "DEF")
    library.define("twice(Tensor x) -> Tensor")
    library.impl("twice", lambda x: x * 2, "CompositeExplicitAutograd")

    def model(x):
        return torch.ops.npcomp_test.twice(x)

    assert operators(nts.import_module(model)) == ["npcomp_test.twice"]
    program = nts.compile(model, [nts.TensorSpec([None, 3], torch.float32)])
    x = torch.randn(2, 3)
    assert torch.equal(program(x), x * 2)
    assert program.report().fallbacks == {"npcomp_test.twice": 1}


NEITHER = {
    "aten.manual_seed.generator", "aten.seed", "aten.record_stream", "aten.retain_grad", "aten.set_data", "aten.cuda",
    "aten._test_autograd_multiple_dispatch_view",
}  # fmt: skip
"""Ops on generators, streams and devices, and `x.data = …`, which is refused."""


def _alias(values: Any, writes: bool) -> bool:
    return any(v.alias_info is not None and v.alias_info.is_write == writes for v in values if "Tensor" in str(v.type))


def test_passes_know_which_operators_write_or_share_memory() -> None:
    """Also of operators that the op library lacks: a write that nobody knows of would be lost."""
    unknown = []
    for schema in TORCH._jit_get_all_schemas():
        overload = f".{schema.overload_name}" if schema.overload_name else ""
        name = schema.name.replace("::", ".") + overload
        if not name.startswith("aten.") or name in NEITHER:
            continue
        writes = _alias(schema.arguments, True)
        if writes and effects.writes_to(name) == frozenset():
            unknown.append(f"{name} writes")
        elif not writes and _alias(schema.returns, False) and not effects.may_alias(name):
            unknown.append(f"{name} shares memory")
    assert unknown == []
