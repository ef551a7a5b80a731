"""Function types, and `npcomp.signature`: how callers see a public function.

A signature is a tree for each argument and one for what is returned. Containers nest by `items`; the leaves in
depth-first order are the function's own arguments and results (`none` and `const` take no place).

An argument leaf with `writes` is a tensor that the program writes: the function returns, after what `returns` says, its
new contents, one tensor for each such leaf in order. `"writes": true` is refused at run time for tensors that record
gradients, as eager torch does; `"writes": "data"` is not. A returned leaf with `"alias": n` is the argument at place n
itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import walk

Tree = dict[str, Any]
ATTRIBUTE = "npcomp.signature"
PLACELESS = ("none", "const")
_SCALARS = {td.IntType: "int", td.FloatType: "float", td.BoolType: "bool", td.StringType: "str", td.NoneType: "none"}


def set_function_type(function: ir.Operation) -> None:
    """Make the declared type of a function that of its arguments and of what it returns."""
    block = walk.blocks(function)[0]
    results = [v.type for v in walk.terminator(block).operands]
    type = ir.FunctionType.get([a.type for a in block.arguments], results)
    function.attributes["function_type"] = ir.TypeAttr.get(type)


def read(function: ir.Operation) -> Tree | None:
    """The signature that a function carries, if any."""
    if ATTRIBUTE not in function.attributes:
        return None
    return json.loads(walk.string(function, ATTRIBUTE))


def write(function: ir.Operation, signature: Tree) -> None:
    text = json.dumps(signature, separators=(",", ":"))
    function.attributes[ATTRIBUTE] = ir.StringAttr.get(text, function.context)


def derive(function: ir.Operation) -> Tree:
    """A signature from the types alone, arguments called `arg0`, `arg1`, ..."""
    block = walk.blocks(function)[0]
    arguments = [{"name": f"arg{n}", **of_type(a.type)} for n, a in enumerate(block.arguments)]
    results = [of_type(v.type) for v in walk.terminator(block).operands]
    returns = results[0] if len(results) == 1 else {"kind": "tuple", "items": results} if results else {"kind": "none"}
    return {"name": walk.symbol(function), "args": arguments, "returns": returns}


def of_type(type: ir.Type) -> Tree:
    """The tree of a type. A list, dict or optional, whose shape only values tell, has no items."""
    if isinstance(type, (td.ValueTensorType, td.NonValueTensorType)):
        return {"kind": "tensor"}
    if isinstance(type, td.TupleType):
        return {"kind": "tuple", "items": [of_type(t) for t in type.contained_types]}
    if isinstance(type, td.ListType):
        return {"kind": "list"}
    if isinstance(type, td.DictType):
        return {"kind": "dict"}
    return {"kind": _SCALARS.get(type.__class__, str(type))}


def leaves(tree: Tree) -> Iterator[Tree]:
    """The leaves that take a place, depth first."""
    if "items" in tree:
        for item in tree["items"]:
            yield from leaves(item)
    elif tree["kind"] not in PLACELESS:
        yield tree


def argument_leaves(signature: Tree) -> list[Tree]:
    """The leaves of all arguments, in the order of the function's own arguments."""
    return [leaf for tree in signature["args"] for leaf in leaves(tree)]


def result_leaves(signature: Tree) -> list[Tree]:
    """The leaves of what is returned, then those of the arguments that the program writes: the function's results."""
    return [*leaves(signature["returns"]), *(leaf for leaf in argument_leaves(signature) if "writes" in leaf)]


def argument_names(function: ir.Operation) -> list[str]:
    """The arguments of a function as the user calls them, or by number where the signature does not tell."""
    count = len(walk.blocks(function)[0].arguments)
    trees = (read(function) or {}).get("args", [])
    names = [repr(tree["name"]) for tree in trees for _ in leaves(tree) if "name" in tree]
    return names if len(names) == count else [str(n) for n in range(count)]
