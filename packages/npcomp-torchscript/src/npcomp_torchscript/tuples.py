"""Tuples that control flow passes on go part by part: a part of a tuple has a type of its own, and can be refined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td

from npcomp_torchscript.constants import create, value_of


def part_types(types: Iterable[ir.Type]) -> list[ir.Type]:
    """The types with every tuple, nested ones too, replaced by its parts."""
    found: list[ir.Type] = []
    for type in types:
        found += part_types(type.contained_types) if isinstance(type, td.TupleType) else [type]
    return found


def parts(values: Iterable[ir.Value]) -> list[ir.Value]:
    """The values with every tuple taken apart."""
    found: list[ir.Value] = []
    for value in values:
        if not isinstance(value.type, td.TupleType):
            found.append(value)
            continue
        made = value.owner if isinstance(value.owner, ir.Block) else value.owner.operation
        if not isinstance(made, ir.Block) and made.name == "torch.prim.TupleConstruct":
            found += parts(made.operands)
        else:
            found += parts(create("torch.prim.TupleUnpack", list(value.type.contained_types), [value]).results)
    return found


def packed(types: Sequence[ir.Type], flat: Iterable[ir.Value]) -> list[ir.Value]:
    """Values of the given types, their tuples put together from parts."""
    rest = iter(flat)
    return [_pack(type, rest) for type in types]


def _pack(type: ir.Type, rest: Iterator[ir.Value]) -> ir.Value:
    if not isinstance(type, td.TupleType):
        return next(rest)
    return value_of("torch.prim.TupleConstruct", type, [_pack(part, rest) for part in type.contained_types])


def nothing(type: ir.Type) -> ir.Value:
    """A value that no path reads."""
    flat = [value_of("torch.prim.Uninitialized", part, []) for part in part_types([type])]
    return packed([type], flat)[0]
