"""adjust-calling-conventions: public functions take and return flat values of the types that the user declared."""

from __future__ import annotations

from collections.abc import Callable

from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.errors import CompileError, UnsupportedError
from npcomp_dialects.literals import element_type
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import constants, effects, register, signatures, walk
from npcomp_dialects.passes.coerce import coerce
from npcomp_dialects.passes.signatures import Tree

_BOUND = "torch.type_bound"
_TENSORS = (td.ValueTensorType, td.NonValueTensorType)


@register("adjust-calling-conventions")
def adjust_calling_conventions(module: ir.Module) -> None:
    """Give public functions the types that were declared for their arguments, and take containers apart.

    Goal: what crosses the border of a program is tensors and numbers, and the shape of tuples, lists and dicts is
    in `npcomp.signature`, where the caller rebuilds it.

    An argument with a `torch.type_bound` gets that type. A tuple, or a list or dict whose items the signature
    lists, becomes one argument a leaf, put together again at the start of the function; a returned tuple, or a list or
    dict just made, becomes one result a leaf; a returned None no result.

    Restrictions: a list or dict argument needs its length or keys in the signature, since a compiled function has a
    fixed number of arguments; and the program must not change it, since it only has a copy of the caller's. It may
    write to the tensors in it.
    """
    with module.context:
        for function in walk.functions(module):
            if not walk.is_private(function):
                _adjust(function)


def _adjust(function: ir.Operation) -> None:
    _apply_bounds(function)
    signature = signatures.read(function) or signatures.derive(function)
    _flatten_arguments(function, signature)
    signature["returns"] = _flatten_results(function, signature)
    signatures.set_function_type(function)
    signatures.write(function, signature)


def _apply_bounds(function: ir.Operation) -> None:
    if "arg_attrs" not in function.attributes:
        return
    block = walk.blocks(function)[0]
    start = ir.InsertionPoint.at_block_begin(block)
    for argument, attributes in zip(block.arguments, function.attributes["arg_attrs"], strict=True):
        if _BOUND in attributes:
            _bind(argument, ir.TypeAttr(attributes[_BOUND]).value, function.location, start)
    del function.attributes["arg_attrs"]


def _bind(argument: ir.BlockArgument, bound: ir.Type, loc: ir.Location, ip: ir.InsertionPoint) -> None:
    """Let the argument have the bound type, and its uses the type they had."""
    used = argument.type
    if not isinstance(bound, _TENSORS):
        raise CompileError(f"argument {argument.arg_number} has the bound {bound}, which is no tensor type", loc)
    kind = td.ValueTensorType if isinstance(used, td.ValueTensorType) else td.NonValueTensorType
    new = kind.get(bound.sizes, bound.dtype)
    argument.set_type(new)
    if new == used:
        return
    if not isinstance(used, (td.OptionalType, *_TENSORS)):
        raise CompileError(f"argument {argument.arg_number} of type {used} is declared to be a tensor {bound}", loc)
    casts = _cast_back(argument, used, loc, ip)
    argument.replace_all_uses_except(casts[-1].results[0], casts)


def _cast_back(
    argument: ir.BlockArgument, used: ir.Type, loc: ir.Location, ip: ir.InsertionPoint
) -> list[ir.Operation]:
    """The ops that make of an argument the type that its uses want, the last one with the result."""
    casts: list[ir.Operation] = []
    value: ir.Value = argument
    general = used.contained if isinstance(used, td.OptionalType) else used
    if value.type != general:
        casts.append(ir.Operation.create("torch.tensor_static_info_cast", [general], [value], loc=loc, ip=ip))
        value = casts[-1].results[0]
    if general != used:
        casts.append(ir.Operation.create("torch.derefine", [used], [value], loc=loc, ip=ip))
    return casts


def _flatten_arguments(function: ir.Operation, signature: Tree) -> None:
    block = walk.blocks(function)[0]
    originals = list(block.arguments)
    trees = signature["args"]
    if _is_flat(trees, originals):
        return
    if len(trees) != len(originals):
        raise CompileError(
            f"the signature of {walk.symbol(function)!r} lists {len(trees)} arguments and the function has"
            f" {len(originals)}",
            function.location,
        )
    if all(_is_leaf(tree) for tree in trees):
        return
    start = ir.InsertionPoint.at_block_begin(block)
    for tree, argument in zip(trees, originals, strict=True):
        if "items" in tree:
            _require_unchanged(tree, argument)
        replacement = _build(tree, argument.type, function, start)
        argument.replace_all_uses_with(replacement)
    for argument in reversed(originals):
        block.erase_argument(argument.arg_number)


def _is_flat(trees: list[Tree], arguments: list[ir.BlockArgument]) -> bool:
    """True for a function whose arguments are the leaves already, as captures have them."""
    containers = (td.ListType, td.TupleType, td.DictType, td.OptionalType)
    leaves = sum(len(list(signatures.leaves(tree))) for tree in trees)
    return leaves == len(arguments) and not any(isinstance(a.type, containers) for a in arguments)


def _require_unchanged(tree: Tree, argument: ir.BlockArgument) -> None:
    """A container that crosses the border is taken apart: the caller's own would not see a write."""
    if isinstance(argument.type, td.TupleType):
        return
    writer = effects.container_writer_of(argument)
    if writer is not None:
        raise UnsupportedError(
            f"{effects.kernel(writer) or writer.name} changes argument {tree.get('name', '?')!r}, a {tree['kind']} of"
            " the caller",
            writer.location,
            do="build a new list or dict and return it",
        )


def _is_leaf(tree: Tree) -> bool:
    return "items" not in tree and tree["kind"] not in signatures.PLACELESS


def _build(tree: Tree, type: ir.Type, function: ir.Operation, ip: ir.InsertionPoint) -> ir.Value:
    """A value of `type` made of new arguments of the function, one for each leaf of the tree."""
    loc = function.location
    if isinstance(type, td.OptionalType):
        inner = type if tree["kind"] == "none" else type.contained
        value = constants.create(None, loc, ip) if tree["kind"] == "none" else _build(tree, inner, function, ip)
        return ir.Operation.create("torch.derefine", [type], [value], loc=loc, ip=ip).results[0]
    if tree["kind"] in signatures.PLACELESS:
        return constants.create(tree.get("value"), loc, ip)
    if "items" not in tree:
        _require_flat(tree, type, function)
        return _leaf(tree, type, function, ip)
    kinds = _item_types(tree, type, loc)
    items = [_build(item, kind, function, ip) for item, kind in zip(tree["items"], kinds, strict=True)]
    return _CONSTRUCT[type.__class__](tree, type, items, loc, ip)


def _leaf(tree: Tree, type: ir.Type, function: ir.Operation, ip: ir.InsertionPoint) -> ir.Value:
    """A new argument, with the sizes and dtype that the signature tells of a tensor."""
    block, loc = walk.blocks(function)[0], function.location
    if not isinstance(type, _TENSORS) or ("dtype" not in tree and "dims" not in tree):
        return block.add_argument(type, loc)
    sizes = [d if isinstance(d, int) else -1 for d in tree["dims"]] if tree.get("dims") is not None else type.sizes
    dtype = element_type(DType[tree["dtype"]].torch_code) if tree.get("dtype") else type.dtype
    argument = block.add_argument(type.__class__.get(sizes, dtype), loc)
    return coerce(argument, type, loc, ip)


def _require_flat(tree: Tree, type: ir.Type, function: ir.Operation) -> None:
    if isinstance(type, (td.ListType, td.DictType)):
        raise UnsupportedError(
            f"argument {tree.get('name', '?')!r} of {walk.symbol(function)!r} is a {tree['kind']} of unknown length",
            function.location,
            do="compile with example inputs or a spec that says how many items it has",
        )


def _item_types(tree: Tree, type: ir.Type, loc: ir.Location) -> list[ir.Type]:
    count = len(tree["items"])
    if isinstance(type, td.TupleType):
        kinds = list(type.contained_types)
        if len(kinds) != count:
            raise CompileError(f"argument {tree.get('name', '?')!r} has {count} items, its type is {type}", loc)
        return kinds
    if isinstance(type, td.ListType):
        return [type.contained] * count
    if isinstance(type, td.DictType):
        return [type.value] * count
    raise CompileError(f"argument {tree.get('name', '?')!r} is a {tree['kind']}, its type is {type}", loc)


def _construct(name: str) -> Callable[..., ir.Value]:
    def build(_: Tree, type: ir.Type, items: list[ir.Value], loc: ir.Location, ip: ir.InsertionPoint) -> ir.Value:
        return ir.Operation.create(f"torch.prim.{name}", [type], items, loc=loc, ip=ip).results[0]

    return build


def _construct_dict(
    tree: Tree, type: ir.Type, items: list[ir.Value], loc: ir.Location, ip: ir.InsertionPoint
) -> ir.Value:
    keys = [constants.create(key, loc, ip) for key in tree["keys"]]
    return td.PrimDictConstructOp(type, keys, items, loc=loc, ip=ip).operation.results[0]


_CONSTRUCT = {
    td.TupleType: _construct("TupleConstruct"),
    td.ListType: _construct("ListConstruct"),
    td.DictType: _construct_dict,
}


def _flatten_results(function: ir.Operation, signature: Tree) -> Tree:
    end = walk.terminator(walk.blocks(function)[0])
    values = list(end.operands)
    declared = signature["returns"]
    results = signatures.result_leaves(signature)
    is_flat = "items" in declared or any("writes" in leaf for leaf in results)
    if is_flat and _are_leaves(values) and len(results) == len(values):
        return declared
    flat: list[ir.Value] = []
    if len(values) == 1:
        tree = _take_apart(values[0], declared, end, flat)
    else:
        found = [_take_apart(value, signatures.of_type(value.type), end, flat) for value in values]
        expected = len(list(signatures.leaves(declared)))
        tree = declared if expected == len(flat) else {"kind": "tuple", "items": found}
    if flat != values:
        ip = ir.InsertionPoint(end)
        ir.Operation.create("func.return", [], flat, loc=end.location, ip=ip)
        end.erase()
    return tree


def _are_leaves(values: list[ir.Value]) -> bool:
    """True for values that no container holds together: the results of a captured program, flat from the start."""
    containers = (td.TupleType, td.ListType, td.DictType, td.OptionalType, td.NoneType)
    return not any(isinstance(value.type, containers) for value in values)


def _take_apart(value: ir.Value, declared: Tree, end: ir.Operation, flat: list[ir.Value]) -> Tree:
    """Append the leaves of a returned value to `flat`; return its tree."""
    type = value.type
    if isinstance(type, td.NoneType):
        return {"kind": "none"}
    source = walk.owner(value)
    if isinstance(type, td.OptionalType) and source is not None and source.name == "torch.derefine":
        return _take_apart(source.operands[0], declared, end, flat)
    items = _items_of(value, source, declared, end)
    if items is None:
        flat.append(value)
        return declared if "items" not in declared and declared["kind"] != "none" else signatures.of_type(type)
    declared_items = declared.get("items", ())
    if len(declared_items) != len(items):
        declared_items = [signatures.of_type(item.type) for item in items]
        declared = {"kind": "tuple" if isinstance(type, td.TupleType) else "list"}
    if isinstance(type, td.DictType):
        declared = {"kind": "dict", "keys": _keys_of(source)}
    taken = [_take_apart(v, d, end, flat) for v, d in zip(items, declared_items, strict=True)]
    return {**declared, "items": taken}


def _items_of(value: ir.Value, source: ir.Operation | None, declared: Tree, end: ir.Operation) -> list[ir.Value] | None:
    """The items of a container, as values before the return; None for what cannot be taken apart."""
    type = value.type
    if isinstance(type, td.TupleType):
        if source is not None and source.name == "torch.prim.TupleConstruct":
            return list(source.operands)
        return _unpack("torch.prim.TupleUnpack", value, list(type.contained_types), end)
    if isinstance(type, td.ListType):
        if source is not None and source.name == "torch.prim.ListConstruct" and _only_use(value, end):
            return list(source.operands)
        if "items" in declared:
            return _unpack("torch.prim.ListUnpack", value, [type.contained] * len(declared["items"]), end)
    if source is not None and isinstance(type, td.DictType) and _keys_of(source) is not None and _only_use(value, end):
        return list(source.operands)[len(source.operands) // 2 :]
    return None


def _keys_of(source: ir.Operation | None) -> list[object] | None:
    """The keys of a dict just made, if they are constants."""
    if source is None or source.name != "torch.prim.DictConstruct":
        return None
    try:
        return [constants.of_value(key) for key in list(source.operands)[: len(source.operands) // 2]]
    except constants.NotConstant:
        return None


def _only_use(value: ir.Value, end: ir.Operation) -> bool:
    """True when a container is only returned, so that nothing can have changed it since it was made."""
    uses = list(value.uses)
    return all(use.owner.operation == end or use.owner.operation.name == "torch.prim.TupleConstruct" for use in uses)


def _unpack(name: str, value: ir.Value, types: list[ir.Type], end: ir.Operation) -> list[ir.Value]:
    op = ir.Operation.create(name, types, [value], loc=end.location, ip=ir.InsertionPoint(end))
    return list(op.results)
