"""Ways through IR. Ops come as plain `ir.Operation`: a generated view may hide `name` or `operands` by an attribute."""

from __future__ import annotations

from collections.abc import Iterator

from npcomp_dialects.mlir import ir


def ops(block: ir.Block) -> list[ir.Operation]:
    """The ops of a block as a list, so that the caller may insert and erase."""
    return [op.operation for op in block.operations]


def blocks(op: ir.Operation) -> list[ir.Block]:
    """The first block of each region of an op; regions of the torch dialect have one block."""
    if not len(op.regions):  # most ops: far cheaper than to iterate over nothing
        return []
    return [region.blocks[0] for region in op.regions if len(region.blocks)]


def nested(block: ir.Block) -> Iterator[ir.Operation]:
    """All ops below a block, an op before what it contains."""
    for op in ops(block):
        yield op
        for inner in blocks(op):
            yield from nested(inner)


def terminator(block: ir.Block) -> ir.Operation:
    return block.operations[len(block.operations) - 1].operation


def functions(module: ir.Module) -> list[ir.Operation]:
    """The `func.func`s with a body."""
    return [op for op in ops(module.body) if op.name == "func.func" and len(op.regions[0].blocks)]


def symbol(op: ir.Operation) -> str:
    return ir.StringAttr(op.attributes["sym_name"]).value


def is_private(op: ir.Operation) -> bool:
    visibility = op.attributes.get("sym_visibility")
    return visibility is not None and ir.StringAttr(visibility).value == "private"


def string(op: ir.Operation, attribute: str) -> str:
    """The text of a string or flat symbol attribute."""
    attr = op.attributes[attribute]
    return attr.value if isinstance(attr, ir.StringAttr) else ir.FlatSymbolRefAttr(attr).value


def owner(value: ir.Value) -> ir.Operation | None:
    """The op that defines a value; None for a block argument."""
    if isinstance(value, ir.BlockArgument):
        return None
    return value.owner.operation


def maker(value: ir.Value) -> ir.Operation:
    """The op that defines a value that is known to be the result of one."""
    op = owner(value)
    assert op is not None, "a block argument is not made by an op"
    return op


def unused(op: ir.Operation) -> bool:
    return not any(any(True for _ in result.uses) for result in op.results)
