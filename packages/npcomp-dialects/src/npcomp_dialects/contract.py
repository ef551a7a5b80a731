"""What each part of the compiler may rely on, as data: the verifiers, the documentation and the tests read it here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from npcomp_dialects.aten import registry
from npcomp_dialects.errors import ContractError, Violation, resolve
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import effects, register, walk

Check = Callable[[ir.Operation], str | None]
"""Says what is wrong with an op, or None."""


@dataclass(frozen=True)
class Rule:
    """One promise: `sentence` states it, `check` tells what an op does against it, `do` the way out."""

    label: str
    sentence: str
    check: Check
    do: str


@dataclass(frozen=True)
class Contract:
    """A named list of rules that every op of a module satisfies."""

    name: str
    rules: tuple[Rule, ...]


_CARRIERS = {
    "torch.prim.If", "torch.prim.Loop", "torch.tensor_static_info_cast", "torch.derefine", "torch.prim.unchecked_cast",
}  # fmt: skip


def documented() -> dict[str, list[tuple[str, str]]]:
    """Label and sentence of each rule, by contract."""
    return {c.name: [(rule.label, rule.sentence) for rule in c.rules] for c in (TORCH, BACKEND)}


def check(module: ir.Module, contract: Contract) -> None:
    """Raise `ContractError` with every violation in a module, in the program's order.

    Ops that only carry values come last: what they carry was made elsewhere, and that place tells the user more.
    """
    causes: list[Violation] = []
    consequences: list[Violation] = []
    for op in _ops(module):
        (consequences if op.name in _CARRIERS else causes).extend(_violations(op, contract))
    if causes or consequences:
        raise ContractError(contract.name, causes + consequences)


def _ops(module: ir.Module) -> Iterator[ir.Operation]:
    """All ops of a module; the bodies of tcf and linalg ops hold scalars and follow rules of their own."""
    for op in walk.ops(module.body):
        yield op
        if op.name in ("func.func", "torch.global_slot.module_initializer"):
            for block in walk.blocks(op):
                yield from walk.nested(block)


def _violations(op: ir.Operation, contract: Contract) -> Iterator[Violation]:
    for rule in contract.rules:
        message = rule.check(op)
        if message is not None:
            yield Violation(rule.label, message, resolve(op.location), rule.do)
            return


# Checks of the torch contract

_OBJECT_OPS = {
    "torch.nn_module", "torch.class_type", "torch.slot", "torch.attr", "torch.method", "torch.prim.GetAttr",
    "torch.prim.SetAttr", "torch.prim.CallMethod", "torch.nn_module_terminator", "torch.class_type_terminator",
}  # fmt: skip
_TENSORS = (td.ValueTensorType, td.NonValueTensorType)
_STRUCTURE = {
    "func.func", "func.return", "torch.global_slot", "torch.global_slot.get", "torch.global_slot.set",
    "torch.global_slot.module_initializer", "torch.initialize.global_slots", "torch.vtensor.literal",
    "torch.tensor_static_info_cast", "torch.derefine", "torch.operator",
}  # fmt: skip
_TORCH_PREFIXES = ("torch.prim.", "torch.constant.")


def _no_objects(op: ir.Operation) -> str | None:
    return f"{op.name} is part of an object graph" if op.name in _OBJECT_OPS else None


def _no_calls(op: ir.Operation) -> str | None:
    return f"function {walk.string(op, 'callee')!r} is called" if op.name == "func.call" else None


def _only_values(op: ir.Operation) -> str | None:
    for value in _values(op):
        if _mentions(value.type, td.NonValueTensorType):
            return f"{_title(op)} has a tensor that may change, of type {value.type}"
    if op.name == "torch.overwrite.tensor.contents":
        return "a tensor is overwritten in place"
    return None


def _known_tensors(op: ir.Operation) -> str | None:
    if op.name == "torch.prim.Uninitialized":
        return None
    for value in _values(op):
        kind = value.type
        if not isinstance(kind, td.ValueTensorType) or not _is_used(value):
            continue
        if kind.sizes is not None and kind.dtype is not None:
            continue
        what = "rank" if kind.sizes is None else "dtype"
        if op.name == "torch.operator":
            return f"the op library has no {_title(op)}, so the {what} of what it gives is not known"
        why = ", since it takes a list that changes in a branch or loop" if _takes_changing_list(op) else ""
        return f"the {what} of a tensor that {_title(op)} gives is not known{why}"
    return None


def _takes_changing_list(op: ir.Operation) -> bool:
    return any(isinstance(v.type, td.ListType) and effects.writer_of(v) is not None for v in op.operands)


def _known_numbers(op: ir.Operation) -> str | None:
    for value in _values(op):
        if isinstance(value.type, (td.NumberType, td.AnyType, td.UnionType)) and _is_used(value):
            return f"{_title(op)} gives a value of which only run time knows the type ({value.type})"
    return None


def _known_ops(op: ir.Operation) -> str | None:
    if op.name in _STRUCTURE or op.name.startswith((*_TORCH_PREFIXES, *registry.prefixes())):
        return None
    return f"{op.name} does not belong to the torch contract"


def _values(op: ir.Operation) -> Iterator[ir.Value]:
    """The values that an op brings into being: its results and the arguments of its regions."""
    yield from op.results
    for block in walk.blocks(op):
        yield from block.arguments


def _is_used(value: ir.Value) -> bool:
    """Unused values say nothing; arguments of functions are the program's face and count."""
    if isinstance(value, ir.BlockArgument) and value.owner.owner.operation.name == "func.func":
        return True
    return any(True for _ in value.uses)


def _mentions(type: ir.Type, wanted: type) -> bool:
    if isinstance(type, wanted):
        return True
    if isinstance(type, (td.ListType, td.OptionalType)):
        return _mentions(type.contained, wanted)
    if isinstance(type, td.TupleType):
        return any(_mentions(t, wanted) for t in type.contained_types)
    return isinstance(type, td.DictType) and _mentions(type.value, wanted)


def _title(op: ir.Operation) -> str:
    if op.name == "func.func":
        return f"function {walk.symbol(op)!r}"
    return effects.kernel(op) or op.name


TORCH = Contract(
    "torch",
    (
        Rule(
            "no-objects",
            "A program is functions and global slots; no module instances, attributes or methods are left.",
            _no_objects,
            "run globalize-object-graph",
        ),
        Rule(
            "no-calls",
            "Every call is inlined.",
            _no_calls,
            "run inline-calls; write recursion as a loop",
        ),
        Rule(
            "values",
            "Every tensor is a value: nothing is written in place.",
            _only_values,
            "run maximize-value-semantics",
        ),
        Rule(
            "known-tensors",
            "Every tensor that something uses has a known rank and dtype.",
            _known_tensors,
            "annotate the argument it comes from, for example TensorSpec([None, 3], torch.float32)",
        ),
        Rule(
            "known-numbers",
            "Every number is an int, a float or a bool.",
            _known_numbers,
            "convert the value where it is made, for example int(x)",
        ),
        Rule(
            "known-ops",
            "Ops are those of torch: aten ops of the op library, prim ops, constants, slots, and torch.operator for"
            " kernels without lowering.",
            _known_ops,
            "keep other dialects out of programs that are yet to be lowered",
        ),
    ),
)


# Checks of the backend contract

_TENSOR_OPS = {
    f"tensor.{name}"
    for name in (
        "empty", "dim", "extract", "extract_slice", "insert", "insert_slice", "expand_shape", "collapse_shape",
        "reshape", "cast", "pad", "from_elements", "yield",
    )
}  # fmt: skip
_LINALG_OPS = {"linalg.generic", "linalg.fill", "linalg.yield", "linalg.index"}
_CONTROL_OPS = {"scf.if", "scf.for", "scf.while", "scf.condition", "scf.yield"}
_TORCH_BACKEND_OPS = {
    "torch.operator", "torch.to_builtin_tensor", "torch.from_builtin_tensor", "torch.to_i64", "torch.from_i64",
    "torch.to_f64", "torch.from_f64", "torch.to_i1", "torch.from_i1", "torch.global_slot", "torch.global_slot.get",
    "torch.global_slot.set", "torch.global_slot.module_initializer", "torch.initialize.global_slots",
    "torch.prim.ListConstruct", "torch.prim.ListUnpack", "torch.prim.TupleConstruct", "torch.prim.TupleUnpack",
    "torch.prim.TupleIndex", "torch.prim.DictConstruct", "torch.derefine", "torch.prim.unchecked_cast",
    "torch.vtensor.literal", "torch.tensor_static_info_cast",
}  # fmt: skip
_BACKEND_OPS = _TENSOR_OPS | _LINALG_OPS | _CONTROL_OPS | _TORCH_BACKEND_OPS | {
    "func.func", "func.return", "tcf.guard", "tcf.random_key",
}  # fmt: skip
_BACKEND_PREFIXES = ("arith.", "math.", "torch.constant.")


def _backend_ops(op: ir.Operation) -> str | None:
    if op.name in _BACKEND_OPS or op.name.startswith(_BACKEND_PREFIXES):
        return None
    return f"{op.name} does not belong to the backend contract"


def _ranked_tensors(op: ir.Operation) -> str | None:
    for value in _values(op):
        if isinstance(value.type, (ir.UnrankedTensorType, ir.MemRefType)):
            return f"{op.name} gives a {value.type}, which is no ranked tensor"
    return None


def _public_types(op: ir.Operation) -> str | None:
    """What crosses the border of a public function."""
    if op.name != "func.func" or walk.is_private(op):
        return None
    kind = ir.FunctionType(ir.TypeAttr(op.attributes["function_type"]).value)
    for type in (*kind.inputs, *kind.results):
        if not isinstance(type, ir.RankedTensorType) and str(type) not in ("i64", "f64", "i1"):
            return f"function {walk.symbol(op)!r} takes or gives a {type}"
    return None


def _signed(op: ir.Operation) -> str | None:
    if op.name != "func.func" or walk.is_private(op) or "npcomp.signature" in op.attributes:
        return None
    return f"function {walk.symbol(op)!r} has no npcomp.signature"


BACKEND = Contract(
    "backend",
    (
        Rule(
            "ops",
            "Tensor computation is linalg.generic, linalg.fill, tensor, arith and math; control flow is scf; a check is"
            " tcf.guard, a draw from the generator tcf.random_key; state is torch.global_slot; a kernel without"
            " lowering is torch.operator.",
            _backend_ops,
            "lower the op, or report it: every op of the torch contract should be lowered or fall back",
        ),
        Rule(
            "ranked-tensors",
            "Tensors are ranked builtin tensors with a known element type; there is no memref.",
            _ranked_tensors,
            "annotate the argument that the tensor comes from",
        ),
        Rule(
            "public-types",
            "Public functions take and give ranked tensors, i64, f64 and i1.",
            _public_types,
            "flatten containers with adjust-calling-conventions; do not return strings, lists or dicts of unknown"
            " length",
        ),
        Rule(
            "signature",
            "Every public function says in npcomp.signature what its arguments and results mean to the caller.",
            _signed,
            "run complete-signatures",
        ),
    ),
)


@register("verify-torch-contract")
def verify_torch_contract(module: ir.Module) -> None:
    """Check that a module satisfies the torch contract; the error names rule, op and source line."""
    check(module, TORCH)


@register("verify-backend-contract")
def verify_backend_contract(module: ir.Module) -> None:
    """Check that a module satisfies the backend contract; the error names rule, op and source line."""
    check(module, BACKEND)
