"""aten-recognize-kernels: calls by name become ops of the op library, each variant reduced to one form."""

from __future__ import annotations

from collections.abc import Callable

from npcomp_dialects.aten import registry
from npcomp_dialects.aten.schema import Argument, Schema
from npcomp_dialects.errors import CompileError, UnsupportedError
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import constants, register, walk

_NUMBERS = (td.IntType, td.FloatType, td.BoolType, td.NumberType)
_SAME_TENSOR = {"aten.detach_", "aten.requires_grad_"}
_OTHER_MEMORY = {
    "aten.resize_", "aten.resize_as_", "aten.resize_as_sparse_", "aten.as_strided_", "aten.set_data",
    "aten.set_", "aten.set_.source_Storage", "aten.set_.source_Storage_storage_offset", "aten.set_.source_Tensor",
    "aten.set_.source_Tensor_storage_offset",
}  # fmt: skip
Rewrite = Callable[[ir.Operation], None]


@register("aten-recognize-kernels")
def aten_recognize_kernels(module: ir.Module) -> None:
    """Turn `torch.operator "aten.foo"` into `torch.aten.foo` for every op of the op library.

    Goal: one form of each op. Frontends know no op by name; this pass is where names get meaning.

    - the functional form becomes the registered op, with missing trailing arguments filled by their defaults;
    - the in-place form `foo_` becomes the functional op and a `torch.overwrite.tensor.contents` of its first
      argument, which is also its result;
    - an out form becomes the functional op and an overwrite of each `out` argument;
    - the in-place form of an op that the library does not have becomes `torch.operator` of the functional one
      with an overwrite: torch has both for every kernel it has in place;
    - `foo` or `foo.Tensor` called with a number where the schema has a tensor, as captures do, becomes `foo.Scalar`;
    - the in-place form of a view, such as `unsqueeze_`, becomes the view and an overwrite of the form `metadata`: the
      tensor shows the same memory in another way from then on;
    - `detach_` and `requires_grad_` are their tensor: values know no gradients;
    - other unknown operators stay, and run as torch's own kernels if the backend has them; so do calls that carry
      `torch.kernel`, which pass a complex number (as text) for a Scalar.

    Restriction: `resize_`, `set_` and others that give a tensor another memory are refused.

    The overwrite carries which form it came from (`torch.form`): `inplace` keeps the sizes and dtype of what is
    written, `out` keeps its dtype.
    """
    with module.context:
        for function in walk.functions(module):
            for op in list(walk.nested(walk.blocks(function)[0])):
                if op.name == "torch.operator" and "torch.kernel" not in op.attributes:
                    _recognize(op)


def _recognize(op: ir.Operation) -> None:
    rewrite = _rewrite_of(walk.string(op, "name"))
    if rewrite is not None:
        rewrite(op)


def _rewrite_of(name: str) -> Rewrite | None:
    """How to rewrite calls of an operator, or None to leave them."""
    if name in _SAME_TENSOR:
        return lambda op: _replace(op, [op.operands[0]])
    if name in _OTHER_MEMORY:
        return _refuse_other_memory
    block = registry.find(name)
    if block is not None:
        return lambda op: _functional(op, _overload(op, block.schema))
    variant = registry.find_schema(name)
    if variant is not None:
        target = registry.lookup(registry.inplace_of(name) or registry.out_of(name) or name)
        return lambda op: _writing(op, variant, target.schema)
    functional = functional_name(name)
    if functional is not None:
        view = registry.find(functional) or registry.find(f"{functional}.int")
        if view is not None and view.schema.aliases:
            return lambda op: _view_inplace(op, view.schema)
        return lambda op: _unknown_inplace(op, functional)
    return None


def functional_name(name: str) -> str | None:
    """`aten.foo` for `aten.foo_`, by torch's naming; None for other names."""
    namespace, _, rest = name.partition(".")
    base, dot, overload = rest.partition(".")
    if namespace != "aten" or not base.endswith("_") or base.endswith("__"):
        return None
    return f"aten.{base[:-1]}{dot}{overload}"


def _overload(op: ir.Operation, schema: Schema) -> Schema:
    """The `Scalar` overload of an op that is called with a number in the place of its second tensor."""
    if min(len(op.operands), len(schema.arguments)) < 2 or not isinstance(op.operands[1].type, _NUMBERS):
        return schema
    if schema.overload not in ("", "Tensor") or not schema.arguments[1].type.is_tensor:
        return schema
    scalar = registry.find(f"{schema.namespace}.{schema.base}.Scalar")
    return schema if scalar is None else scalar.schema


def _functional(op: ir.Operation, schema: Schema) -> None:
    operands = _complete(op, list(op.operands), schema)
    new = _create(op, f"torch.{schema.name}", [r.type for r in op.results], operands)
    _replace(op, list(new.results))


def _writing(op: ir.Operation, variant: Schema, target: Schema) -> None:
    """Compute what the functional op gives, then write it to the arguments that the variant writes."""
    given = _complete(op, list(op.operands), variant)
    written = [value for a, value in zip(variant.arguments, given, strict=True) if a.type.writes]
    operands = [_argument(op, n, target, variant, given) for n in range(len(target.arguments))]
    unknown = td.ValueTensorType.get(None, None)
    new = _create(op, f"torch.{target.name}", [unknown] * len(written), operands)
    is_out = any(a.type.writes and a.keyword_only for a in variant.arguments)
    for value, tensor in zip(new.results, written, strict=True):
        _overwrite(op, value, tensor, "out" if is_out else "inplace")
    _replace(op, written[: len(op.results)])


def _unknown_inplace(op: ir.Operation, functional: str) -> None:
    if not len(op.operands) or not _is_tensor(op.operands[0]):
        return
    attributes = {"name": ir.StringAttr.get(functional)}
    unknown = td.ValueTensorType.get(None, None)
    new = _create(op, "torch.operator", [unknown], list(op.operands), attributes)
    _overwrite(op, new.results[0], op.operands[0], "inplace")
    _replace(op, [op.operands[0]] * len(op.results))


def _view_inplace(op: ir.Operation, view: Schema) -> None:
    operands = _complete(op, list(op.operands), view)
    unknown = td.ValueTensorType.get(None, None)
    new = _create(op, f"torch.{view.name}", [unknown], operands)
    _overwrite(op, new.results[0], op.operands[0], "metadata")
    _replace(op, [op.operands[0]] * len(op.results))


def _refuse_other_memory(op: ir.Operation) -> None:
    raise UnsupportedError(
        f"{walk.string(op, 'name')} changes the memory behind a tensor, and a program's tensors are values",
        op.location,
        do="make a new tensor: torch.empty(sizes), x.view(sizes), torch.cat, torch.nn.functional.pad",
    )


def _is_tensor(value: ir.Value) -> bool:
    return isinstance(value.type, (td.NonValueTensorType, td.ValueTensorType))


def _complete(op: ir.Operation, operands: list[ir.Value], schema: Schema) -> list[ir.Value]:
    """The operands with the defaults of the trailing arguments that the call leaves out."""
    missing = schema.arguments[len(operands) :]
    if len(operands) > len(schema.arguments) and not schema.vararg:
        raise CompileError(
            f"{schema.torch_name} takes {len(schema.arguments)} arguments and is called with {len(operands)}",
            op.location,
            do=f"call it as {schema}",
        )
    for argument in missing:
        operands.append(_default(op, argument, schema))
    return operands


def _default(op: ir.Operation, argument: Argument, schema: Schema) -> ir.Value:
    if not argument.has_default:
        raise CompileError(
            f"{schema.torch_name} is called without argument {argument.name!r}",
            op.location,
            do=f"call it as {schema}",
        )
    return constants.create_argument(argument.default, argument.type, op.location, ir.InsertionPoint(op))


def _argument(op: ir.Operation, position: int, target: Schema, variant: Schema, given: list[ir.Value]) -> ir.Value:
    """What a variant passes for an argument of the functional op: by name, or by place where the names differ."""
    wanted = target.arguments[position]
    names = [a.name for a in variant.arguments]
    if wanted.name in names:
        return given[names.index(wanted.name)]
    if position < len(names) and variant.arguments[position].type.name == wanted.type.name:
        return given[position]
    return _default(op, wanted, target)


def _create(
    op: ir.Operation, name: str, types: list[ir.Type], operands: list[ir.Value], attributes: dict | None = None
) -> ir.Operation:
    return ir.Operation.create(name, types, operands, attributes, loc=op.location, ip=ir.InsertionPoint(op))


def _overwrite(op: ir.Operation, value: ir.Value, tensor: ir.Value, form: str) -> None:
    if not isinstance(tensor.type, td.NonValueTensorType):
        raise CompileError(
            f"{walk.string(op, 'name')} writes to a value of type {tensor.type}, which cannot be written", op.location
        )
    attributes = {"torch.form": ir.StringAttr.get(form), "torch.writer": op.attributes["name"]}
    _create(op, "torch.overwrite.tensor.contents", [], [value, tensor], attributes)


def _replace(op: ir.Operation, values: list[ir.Value]) -> None:
    for old, new in zip(op.results, values, strict=True):
        if old.type != new.type:
            new = _create(op, "torch.tensor_static_info_cast", [old.type], [new]).results[0]
        old.replace_all_uses_with(new)
    op.erase()
