"""Forward inference over a function: what is known of each value before the program runs.

Sizes and dtypes of tensors, constants, and items of lists and tuples, by the rules of the op library. Joins at `if`
keep what both sides know, loops run to a fixed point. The analysis changes nothing; passes use what it found.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npcomp_dialects.aten import registry
from npcomp_dialects.aten.abstract import TensorInfo, Unknown
from npcomp_dialects.aten.block import Block
from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.aten.errors import AtenError, InferError
from npcomp_dialects.errors import InferenceError
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import constants, effects, kernel_types, walk
from npcomp_dialects.passes.abstraction import Types
from npcomp_dialects.passes.coerce import CASTS
from npcomp_dialects.passes.dict_facts import MISSING, of_dict
from npcomp_dialects.passes.identity import same_tensor
from npcomp_dialects.passes.lattice import BOTTOM, join, kind, meet, same

_STRIDED = 0
_STORES = {"aten.copy": 0, "aten.type_as": 1}
"""Ops that value semantics makes of in-place writes, with the position of the tensor that is written."""
_NUMBER_DTYPES = {"int": DType.i64, "float": DType.f64, "bool": DType.bool}


def _changes_sizes(value: ir.Value) -> bool:
    """True for a tensor object that an op such as `transpose_` gives other sizes, so that no one shape holds."""
    if not isinstance(value.type, td.NonValueTensorType):
        return False
    for use in value.uses:
        user = use.owner.operation
        if user.name == "torch.overwrite.tensor.contents" and use.operand_number == 1:
            if "torch.form" in user.attributes and walk.string(user, "torch.form") == "metadata":
                return True
        elif user.name in CASTS and _changes_sizes(user.results[0]):
            return True
    return False


class Analysis:
    """What is known of the values of a function (`values`), and which `prim.If`s always take one way.

    `branches` has the first block of each such `if`: ops are no keys, since their hash changes with their operands.
    """

    def __init__(self, function: ir.Operation, types: Types, slots: dict[str, Any] | None = None) -> None:
        self.types = types
        self.slots = slots or {}
        self.stored: dict[str, Any] = {}
        self.values: dict[ir.Value, Any] = {}
        self.branches: dict[ir.Block, bool] = {}
        self._inferred: dict[Any, Any] = {}
        self._stable: dict[ir.Value, bool] = {}
        block = walk.blocks(function)[0]
        for argument in block.arguments:
            self.values[argument] = types.abstract(argument.type)
        self._block(block)

    def of(self, value: ir.Value) -> Any:
        """What is known of a value; what its type says if the analysis did not reach it."""
        found = self.values.get(value, BOTTOM)
        return self.types.abstract(value.type) if found is BOTTOM else found

    def _block(self, block: ir.Block) -> bool:
        """Visit the ops of a block; False if it always raises."""
        falls_through = True
        for op in block.operations:
            op = op.operation
            if op.name == "torch.prim.RaiseException":
                falls_through = False
            handler = _TRANSFER.get(op.name)
            if handler is not None:
                handler(self, op)
            elif op.name.startswith(registry.prefixes()):
                self._kernel(op)
            elif op.name == "torch.operator":
                self._foreign(op, walk.string(op, "name"), [self.of(operand) for operand in op.operands])
            elif len(op.results):
                self._set(op, [self.types.abstract(result.type) for result in op.results])
        return falls_through

    def _set(self, op: ir.Operation, found: list[Any]) -> None:
        for result, fact in zip(op.results, found, strict=True):
            self._set_value(result, fact, op.location)

    def _set_value(self, value: ir.Value, fact: Any, location: ir.Location) -> None:
        if isinstance(fact, TensorInfo) and fact.sizes is not None and _changes_sizes(value):
            fact = TensorInfo(None, fact.dtype)
        declared = self.types.abstract(value.type)
        try:
            self.values[value] = fact if declared is None else meet(fact, declared)
        except InferError as error:
            raise InferenceError(str(error), location, do="correct the annotation, or leave it away") from None

    def _kernel(self, op: ir.Operation) -> None:
        name = op.name.removeprefix("torch.")
        block = registry.find(name)
        if block is None:
            self._set(op, [self.types.abstract(result.type) for result in op.results])
            return
        facts = [self.of(operand) for operand in op.operands]
        declared = [self.types.abstract(result.type) for result in op.results]
        if not block.takes_opaque and kernel_types.has_opaque([*facts, *declared]):
            self._foreign(op, name, facts)
            return
        if name in _STORES:
            _check_store(name, facts, op)
        found: Any = of_dict(name, facts) if facts and isinstance(facts[0], dict) else MISSING
        if found is MISSING:
            found = self._infer(name, block, facts, op)
        self._set(op, list(found) if len(op.results) != 1 else [found])

    def _foreign(self, op: ir.Operation, name: str, facts: list[Any]) -> None:
        """An op that runs as torch's own kernel: its results are what they are declared, or what torch says."""
        found: Any = None
        if not kernel_types.are_declared(op, self.types):
            key = ("torch", name, _key(facts))
            if key not in self._inferred:
                try:
                    self._inferred[key] = kernel_types.ask(name, facts)
                except InferError as error:
                    raise InferenceError.like(error.kind, f"{name}: {error}", op.location) from None
            found = self._inferred[key]
        declared = [self.types.abstract(result.type) for result in op.results]
        self._set(op, declared if found is None else list(found))

    def _infer(self, name: str, block: type[Block], arguments: list[Any], op: ir.Operation) -> Any:
        key = (name, _key(arguments))
        if key not in self._inferred:
            try:
                self._inferred[key] = block.infer(*arguments)
            except InferError as error:
                raise InferenceError.like(error.kind, f"{name}: {error}", op.location) from None
            except AtenError as error:
                raise InferenceError(f"{name} cannot be inferred: {error}", op.location) from None
        return self._inferred[key]

    def _identity(self, op: ir.Operation) -> None:
        """`is` between tensors; where None decides it, the block tells."""
        same = same_tensor(*op.operands)
        if same is None:
            self._kernel(op)
        else:
            self._set(op, [same is (op.name == "torch.aten.__is__")])

    def _constant(self, op: ir.Operation) -> None:
        self.values[op.results[0]] = constants.read(op)

    def _forward(self, op: ir.Operation) -> None:
        self._set(op, [self.of(op.operands[0])])

    def _unchecked_cast(self, op: ir.Operation) -> None:
        found, result = self.of(op.operands[0]), op.results[0]
        narrowed = self.types.abstract(result.type)
        keeps = not isinstance(found, Unknown) and (found is not None or narrowed is None)
        self._set(op, [found if keeps else narrowed])

    def _list_construct(self, op: ir.Operation) -> None:
        result = op.results[0]
        if result not in self._stable:
            self._stable[result] = effects.writer_of(result) is None
        top = self.types.abstract(result.type)
        self.values[result] = [self.of(item) for item in op.operands] if self._stable[result] else top

    def _tuple_construct(self, op: ir.Operation) -> None:
        known = [self.values.get(item, BOTTOM) for item in op.operands]  # parts of a path that raises stay BOTTOM
        self.values[op.results[0]] = tuple(known)

    def _dict_construct(self, op: ir.Operation) -> None:
        """A dict of constant keys that nothing writes is a Python dict of facts."""
        operands, count = list(op.operands), len(op.operands) // 2
        keys = [self.of(key) for key in operands[:count]]
        known = all(isinstance(key, (str, int, float, bool)) for key in keys)
        stable = known and effects.writer_of(op.results[0]) is None
        facts = dict(zip(keys, map(self.of, operands[count:]), strict=True))
        self.values[op.results[0]] = facts if stable else self.types.abstract(op.results[0].type)

    def _unpack(self, op: ir.Operation) -> None:
        found = self.of(op.operands[0])
        known = isinstance(found, (list, tuple)) and len(found) == len(op.results)
        tops = [self.types.abstract(result.type) for result in op.results]
        self._set(op, list(found) if known else tops)

    def _tuple_index(self, op: ir.Operation) -> None:
        items, index = self.of(op.operands[0]), self.of(op.operands[1])
        known = isinstance(items, tuple) and isinstance(index, int) and -len(items) <= index < len(items)
        self._set(op, [items[index] if known else self.types.abstract(op.results[0].type)])

    def _uninitialized(self, op: ir.Operation) -> None:
        self.values[op.results[0]] = BOTTOM

    def _dtype(self, op: ir.Operation) -> None:
        found = self.of(op.operands[0])
        known = isinstance(found, TensorInfo) and found.dtype is not None
        self.values[op.results[0]] = found.dtype.torch_code if known else Unknown("int")

    def _layout(self, op: ir.Operation) -> None:
        self.values[op.results[0]] = _STRIDED

    def _number_to_tensor(self, op: ir.Operation) -> None:
        dtype = _NUMBER_DTYPES.get(kind(self.of(op.operands[0])) or "")
        self._set(op, [TensorInfo((), dtype)])

    def _extremum(self, op: ir.Operation) -> None:
        """`min` or `max` of two numbers or of one list."""
        pick = min if ".min." in op.name else max
        found = [self.of(operand) for operand in op.operands]
        numbers = found[0] if len(found) == 1 else found
        known = isinstance(numbers, list) and numbers and all(isinstance(n, int) for n in numbers)
        self.values[op.results[0]] = pick(numbers) if known else Unknown("int")

    def _slot_get(self, op: ir.Operation) -> None:
        found = self.slots.get(walk.string(op, "slot"))
        self._set(op, [self.types.abstract(op.results[0].type) if found is None else found])

    def _slot_set(self, op: ir.Operation) -> None:
        name, fact = walk.string(op, "slot"), self.of(op.operands[0])
        self.stored[name] = join(self.stored.get(name, BOTTOM), fact, self.types.abstract(op.operands[0].type))

    def _if(self, op: ir.Operation) -> None:
        condition = self.of(op.operands[0])
        blocks = walk.blocks(op)
        self.branches.pop(blocks[0], None)
        if isinstance(condition, bool):
            self.branches[blocks[0]] = condition
            blocks = [blocks[0 if condition else 1]]
        ways = []
        for block in blocks:
            falls_through = self._block(block)
            yielded = [self.values.get(v, BOTTOM) for v in walk.terminator(block).operands]
            ways.append(yielded if falls_through else [BOTTOM] * len(yielded))
        tops = [self.types.abstract(result.type) for result in op.results]
        joined = ways[0] if len(ways) == 1 else list(map(join, ways[0], ways[1], tops))
        self._set(op, joined)

    def _loop(self, op: ir.Operation) -> None:
        trips, condition = self.of(op.operands[0]), self.of(op.operands[1])
        initial = [self.values.get(operand, BOTTOM) for operand in op.operands][2:]
        block = walk.blocks(op)[0]
        tops = [self.types.abstract(result.type) for result in op.results]
        carried, yielded = initial, []
        self.values[block.arguments[0]] = Unknown("int")
        while True:
            for argument, fact in zip(list(block.arguments)[1:], carried, strict=True):
                self._set_value(argument, fact, op.location)
            self._block(block)
            yielded = [self.values.get(v, BOTTOM) for v in walk.terminator(block).operands][1:]
            grown = list(map(join, carried, yielded, tops))
            if same(grown, carried):
                break
            carried = grown
        runs = isinstance(trips, int) and trips > 0 and condition is True
        never = (isinstance(trips, int) and trips <= 0) or condition is False
        self._set(op, yielded if runs else initial if never else carried)


def _check_store(name: str, facts: list[Any], op: ir.Operation) -> None:
    """An in-place op keeps the dtype of what it writes; torch refuses results of a higher kind (float into int)."""
    if "torch.writer" not in op.attributes:
        return
    old, new = facts[_STORES[name]], facts[1 - _STORES[name]]
    if not isinstance(old, TensorInfo) or not isinstance(new, TensorInfo) or old.dtype is None or new.dtype is None:
        return
    if _rank_of_kind(new.dtype) > _rank_of_kind(old.dtype):
        writer = walk.string(op, "torch.writer")
        raise InferenceError(
            f"{writer}: the result is {new.dtype} and cannot be stored in a tensor of {old.dtype}",
            op.location,
            do="use the op that returns a new tensor, or convert the operand",
        )


def _rank_of_kind(dtype: DType) -> int:
    return 2 if dtype.is_float else 1 if dtype.is_integer else 0


def _key(value: Any) -> Any:
    """A hashable stand-in for a list of arguments that tells 1 from True and 1.0."""
    if isinstance(value, dict):
        value = [*value.items()]
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, *map(_key, value))
    return (type(value).__name__, repr(value) if isinstance(value, float) else value)


_TRANSFER: dict[str, Callable[[Analysis, ir.Operation], None]] = {
    **{f"torch.constant.{name}": Analysis._constant for name in ("int", "float", "bool", "str", "none", "number")},
    "torch.aten.__is__": Analysis._identity,
    "torch.aten.__isnot__": Analysis._identity,
    "torch.derefine": Analysis._forward,
    "torch.tensor_static_info_cast": Analysis._forward,
    "torch.copy.to_vtensor": Analysis._forward,
    "torch.copy.to_tensor": Analysis._forward,
    "torch.prim.unchecked_cast": Analysis._unchecked_cast,
    "torch.prim.ListConstruct": Analysis._list_construct,
    "torch.prim.TupleConstruct": Analysis._tuple_construct,
    "torch.prim.DictConstruct": Analysis._dict_construct,
    "torch.prim.ListUnpack": Analysis._unpack,
    "torch.prim.TupleUnpack": Analysis._unpack,
    "torch.prim.TupleIndex": Analysis._tuple_index,
    "torch.prim.Uninitialized": Analysis._uninitialized,
    "torch.prim.dtype": Analysis._dtype,
    "torch.prim.layout": Analysis._layout,
    "torch.prim.NumToTensor.Scalar": Analysis._number_to_tensor,
    **{f"torch.prim.{name}": Analysis._extremum for name in ("min.int", "max.int", "min.self_int", "max.self_int")},
    "torch.global_slot.get": Analysis._slot_get,
    "torch.global_slot.set": Analysis._slot_set,
    "torch.prim.If": Analysis._if,
    "torch.prim.Loop": Analysis._loop,
}
