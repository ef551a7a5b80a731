"""functionalize-statistics: ops that write running statistics on the side return them instead."""

from __future__ import annotations

from npcomp_dialects.aten import registry
from npcomp_dialects.aten.schema import Schema
from npcomp_dialects.errors import UnsupportedError
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import constants, register, walk
from npcomp_dialects.passes.abstraction import Types
from npcomp_dialects.passes.inference import Analysis

_WRITTEN = ("running_mean", "running_var")


@register("functionalize-statistics")
def functionalize_statistics(module: ir.Module) -> None:
    """Make the writes of batch normalization to its running statistics visible.

    Goal: later passes find every write by looking for `torch.overwrite.tensor.contents`.

    `aten.batch_norm` writes `running_mean` and `running_var` when `training` is True, though its schema does not say
    so. Where inference knows `training` to be False the op only gets that constant; where it is True the op becomes
    the functional form that its block names, and two overwrites.

    Restriction: `training` must be known when compiling, as a flag of the module or a constant.
    """
    with module.context:
        types = Types()
        for function in walk.functions(module):
            found = [op for op in walk.nested(walk.blocks(function)[0]) if functional_form(op) is not None]
            if found:
                analysis = Analysis(function, types)
                for op in found:
                    _functionalize(op, analysis)


def functional_form(op: ir.Operation) -> str | None:
    """The op that returns what this op writes on the side, if it does so."""
    if not op.name.startswith(registry.prefixes()):
        return None
    return getattr(registry.find(op.name.removeprefix("torch.")), "functional", None)


def _functionalize(op: ir.Operation, analysis: Analysis) -> None:
    schema = registry.lookup(op.name.removeprefix("torch.")).schema
    operands = dict(zip((a.name for a in schema.arguments), op.operands, strict=True))
    statistics = [operands[name] for name in _WRITTEN]
    training = analysis.of(operands["training"])
    if not isinstance(training, bool):
        raise UnsupportedError(
            f"{schema.name} is in training mode or not, as a run-time value has it",
            op.location,
            do="use `self.training`, and call .train() or .eval() before compiling",
        )
    ip = ir.InsertionPoint(op)
    position = [a.name for a in schema.arguments].index("training")
    op.operands[position] = constants.create(training, op.location, ip)
    if training and all(analysis.of(value) is not None for value in statistics):
        _rewrite(op, schema, {**operands, "training": op.operands[position]})


def _rewrite(op: ir.Operation, schema: Schema, operands: dict[str, ir.Value]) -> None:
    target = registry.lookup(functional_form(op) or op.name).schema
    ip, unknown = ir.InsertionPoint(op), td.ValueTensorType.get(None, None)
    given = [operands[a.name] for a in target.arguments]
    kinds = [result.type for result in op.results]
    kinds += [unknown] * (len(target.returns) - len(kinds))
    new = ir.Operation.create(f"torch.{target.name}", kinds, given, loc=op.location, ip=ip)
    for old, result in zip(op.results, new.results, strict=False):
        old.replace_all_uses_with(result)
    written = list(new.results)[-len(_WRITTEN) :]
    for name, value in zip(_WRITTEN, written, strict=True):
        tensor = _tensor(operands[name], op)
        attributes = {"torch.form": ir.StringAttr.get("inplace"), "torch.writer": ir.StringAttr.get(schema.name)}
        ir.Operation.create("torch.overwrite.tensor.contents", [], [value, tensor], attributes, loc=op.location, ip=ip)
    op.erase()


def _tensor(value: ir.Value, op: ir.Operation) -> ir.Value:
    """The tensor in an optional that holds one."""
    if not isinstance(value.type, td.OptionalType):
        return value
    kind = value.type.contained
    cast = ir.Operation.create("torch.prim.unchecked_cast", [kind], [value], loc=op.location, ip=ir.InsertionPoint(op))
    return cast.results[0]
