"""What is in a program, for `npcomp-torchscript inspect`: methods, attributes, operators and how each will run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
from npcomp_dialects.aten import registry

from npcomp_torchscript.errors import Refusal, TorchScriptError
from npcomp_torchscript.importer import import_module
from npcomp_torchscript.instances import Instances
from npcomp_torchscript.sources import Source

Json = dict[str, Any]
TORCH: Any = torch._C
CONTROL = "control"  # containers, branches, scalars: no kernel


def describe(source: Source, program: Any) -> Json:
    """Everything about a program as JSON-ready data. `program` is what `source` was loaded from."""
    return {
        "methods": [_method(export.name, export.function, source.root is not None) for export in source.exports],
        "attributes": [] if source.root is None else list(_attributes(source.root)),
        "ops": _operators([export.function.graph for export in source.exports]),
        "problems": _problems(program),
    }


def _method(name: str, function: Any, bound: bool) -> Json:
    schema = function.schema
    arguments = [_argument(argument) for argument in (schema.arguments[1:] if bound else schema.arguments)]
    returns = str(schema.returns[0].type) if schema.returns else "None"
    return {"name": name, "arguments": arguments, "returns": returns}


def _argument(argument: Any) -> Json:
    entry = {"name": argument.name, "type": str(argument.type)}
    return entry | ({"default": str(argument.default_value)} if argument.has_default_value() else {})


def _attributes(root: Any) -> Iterator[Json]:
    """Parameters, buffers and plain attributes of every module, by path."""
    for instance in Instances(root):
        parameters = {name for name, _ in TORCH.ParameterDict(instance.object).items()}
        for name in instance.attributes:
            value = instance.object.getattr(name)
            if name in instance.children or name == "_is_full_backward_hook":
                continue
            path = f"{instance.path}.{name}" if instance.path else name
            if isinstance(value, torch.Tensor):
                kind = "parameter" if name in parameters else "buffer"
                dtype = str(value.dtype).removeprefix("torch.")
                yield {"name": path, "kind": kind, "dtype": dtype, "sizes": list(value.shape)}
            else:
                yield {"name": path, "kind": "attribute", "value": repr(value)[:80]}


def _operators(graphs: list[Any]) -> list[Json]:
    counts: Counter[str] = Counter()
    for graph in graphs:
        flat = graph.copy()
        TORCH._jit_pass_inline(flat)
        counts.update(_names(flat))
    return [{"name": name, "count": count, "runs": how_it_runs(name)} for name, count in sorted(counts.items())]


def _names(block: Any) -> Iterator[str]:
    for node in block.nodes():
        schema = node.schema()
        if schema != "(no schema)" and not node.kind().startswith("prim::"):
            yield schema.partition("(")[0].replace("::", ".", 1)
        for inner in node.blocks():
            yield from _names(inner)


def how_it_runs(name: str) -> str:
    """`native`, `decomposed`, `fallback` (torch's own kernel) or `control` for an operator's name."""
    block = registry.find(registry.inplace_of(name) or registry.out_of(name) or name)
    if block is not None:
        return block.kind()
    return "fallback" if _makes_tensors(name) else CONTROL


def _makes_tensors(name: str) -> bool:
    base, _, overload = name.replace(".", "::", 1).partition(".")
    try:
        schema = TORCH._get_schema(base, overload)
    except RuntimeError:
        return True
    return any("Tensor" in str(value.type) for value in [*schema.returns, *schema.arguments])


def _problems(program: Any) -> list[Json]:
    try:
        import_module(program)
    except TorchScriptError as error:
        return [{"message": p.message, "location": str(p.location or ""), "do": p.do} for p in error.problems]
    except Refusal as refusal:
        return [{"message": refusal.message, "location": "", "do": refusal.do}]
    return []
