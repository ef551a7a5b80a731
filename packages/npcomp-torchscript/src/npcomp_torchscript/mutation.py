"""Does a method write into its arguments? A compiled program gives its results back and leaves arguments as they are,
so a program that relies on writing into the caller's tensors has to be refused rather than silently changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from npcomp_torchscript.errors import Problem
from npcomp_torchscript.locations import is_library, parse

CONTAINERS = ("prim::ListConstruct", "prim::TupleConstruct", "prim::DictConstruct", "prim::ListUnpack",
              "prim::TupleUnpack", "prim::TupleIndex", "prim::TupleSlice", "prim::unchecked_cast")  # fmt: skip
Names = frozenset[str]
NOTHING: Names = frozenset()


def refuse_written_arguments(graph: Any, names: Mapping[int, str], method: str) -> list[Problem]:
    """One problem an argument that the graph, with all it calls, may write into. `names` gives the arguments to look
    after, by position."""
    if not names:
        return []
    flat = graph.copy()
    torch._C._jit_pass_inline(flat)
    aliases = Aliases()
    for position, value in enumerate(flat.inputs()):
        if position in names:
            aliases.of[value.unique()] = frozenset([names[position]])
    aliases.block(flat)
    return [
        Problem(
            f"{method} writes into its argument {name!r}, which the caller would not see",
            place,
            f"write into a copy ({name} = {name}.clone()), or use the operation that returns a new value",
        )
        for name, place in aliases.written.items()
    ]


class Aliases:
    """Which values may share memory with which arguments, by value; `written` has the first write into each."""

    def __init__(self) -> None:
        self.of: dict[int, Names] = {}
        self.written: dict[str, Any] = {}
        self._schemas: dict[str, Any] = {}

    def block(self, block: Any) -> None:
        for node in block.nodes():
            self._node(node)

    def _names(self, values: Any) -> Names:
        return frozenset().union(*(self.of.get(value.unique(), NOTHING) for value in values))

    def _assign(self, value: Any, names: Names) -> bool:
        known = self.of.get(value.unique(), NOTHING)
        self.of[value.unique()] = known | names
        return not names <= known

    def _node(self, node: Any) -> None:
        kind = node.kind()
        if kind == "prim::If":
            blocks = list(node.blocks())
            for block in blocks:
                self.block(block)
            for outputs in zip(node.outputs(), *(block.outputs() for block in blocks)):
                self._assign(outputs[0], self._names(outputs[1:]))
        elif kind == "prim::Loop":
            self._loop(node)
        elif kind in CONTAINERS:
            names = self._names(node.inputs())
            for output in node.outputs():
                self._assign(output, names)
        elif node.schema() != "(no schema)":
            self._call(node)

    def _loop(self, node: Any) -> None:
        (body,) = node.blocks()
        carried = list(body.inputs())[1:]
        for value, start in zip(carried, list(node.inputs())[2:]):
            self._assign(value, self._names([start]))
        changed = True
        while changed:
            self.block(body)
            pairs = zip(carried, list(body.outputs())[1:])
            changed = sum(self._assign(value, self._names([after])) for value, after in pairs) > 0
        for output, value in zip(node.outputs(), carried):
            self._assign(output, self._names([value]))

    def _call(self, node: Any) -> None:
        text = node.schema()
        if "!" in text or "(a" in text:
            schema = self._schema(text)
            if schema is not None:
                self._aliasing_call(node, schema)

    def _aliasing_call(self, node: Any, schema: Any) -> None:
        names: Names = NOTHING
        for argument, value in zip(schema.arguments, node.inputs()):
            if argument.alias_info is None:
                continue
            touched = self._names([value])
            names |= touched
            if argument.alias_info.is_write:
                for name in touched - self.written.keys():
                    self.written[name] = self._place(node)
        if names:
            for output in node.outputs():
                self._assign(output, names)

    def _schema(self, text: str) -> Any:
        if text not in self._schemas:
            try:
                self._schemas[text] = torch._C.parse_schema(text)
            except RuntimeError:
                self._schemas[text] = None
        return self._schemas[text]

    def _place(self, node: Any) -> Any:
        place = parse(node.sourceRange())
        return None if place is not None and is_library(place.file) else place
