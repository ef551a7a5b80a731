"""lower-quantized-tensors: quantized tensors become integer tensors, with their scales and zero points beside them."""

from __future__ import annotations

from npcomp_dialects.mlir import ir
from npcomp_dialects.passes import constants, effects, quantized_ops, register, walk
from npcomp_dialects.passes.coerce import coerce
from npcomp_dialects.passes.quantized_values import Emitter, Quantized, constant_or_value, refuse

_FORWARDS = ("torch.tensor_static_info_cast", "torch.copy.to_tensor", "torch.copy.to_vtensor", "torch.derefine",
             "torch.prim.unchecked_cast")  # fmt: skip
_CONTAINERS = ("torch.prim.ListConstruct", "torch.prim.TupleConstruct")
_ITEMS = ("torch.prim.TupleUnpack", "torch.prim.TupleIndex")
_PLACES = {
    "func.return": "is a result of the program",
    "torch.prim.If": "is what a branch gives",
    "torch.prim.If.yield": "is what a branch gives",
    "torch.prim.Loop": "is carried through a loop",
    "torch.prim.Loop.condition": "is carried through a loop",
    "torch.prim.ListConstruct": "is put into a list",
    "torch.prim.TupleConstruct": "is put into a tuple",
    "torch.prim.DictConstruct": "is put into a dict",
    "torch.global_slot.set": "is stored in an attribute",
}


@register("lower-quantized-tensors")
def lower_quantized_tensors(module: ir.Module) -> None:
    """Replace every quantized tensor by the tensor of its integers, and ops on it by integer arithmetic.

    Goal: what comes after knows no quantized tensors. Scale and zero point of each are known here as values.

    A quantized tensor begins at `quantize_per_tensor`, at a layer of the namespace `quantized`, or as a constant, and
    ends at `dequantize` or `int_repr`. Linear layers and convolutions add products of integers in 32 bits, then scale
    and round half to even as torch's fbgemm kernels do.

    Restriction: a quantized tensor that goes through a branch, a loop or a container, or that is a result of the
    program, is refused, and so is an op that has no rule here.
    """
    with module.context:
        for function in walk.functions(module):
            _Lowering().block(walk.blocks(function)[0])


class _Lowering:
    def __init__(self) -> None:
        self.known: dict[ir.Value, Quantized] = {}
        self.dead: list[ir.Operation] = []

    def block(self, block: ir.Block) -> None:
        for op in list(walk.nested(block)):
            self._visit(op)
        for op in reversed(self.dead):
            op.erase()

    def _visit(self, op: ir.Operation) -> None:
        name = effects.kernel(op) or op.name
        if not any(map(self._holds, op.operands)) and not quantized_ops.is_source(name):
            return
        if op.name in _FORWARDS:
            self._define(op, self.known[op.operands[0]])
            return
        if _is_taken_apart(op):
            self.dead.append(op)
            return
        if op.name in _ITEMS:
            self._take_apart(op)
            return
        if op.name == "torch.prim.ListUnpack":
            self._unpack(op)
            return
        rule = quantized_ops.RULES.get(name)
        if rule is None:
            raise self._refusal(op, name)
        self._define(op, rule(Emitter(op), *(self._argument(value) for value in op.operands)))

    def _holds(self, value: ir.Value) -> bool:
        """True for a quantized tensor, and for a list or tuple just made of some."""
        made = walk.owner(value)
        return value in self.known or (
            made is not None and made.name in _CONTAINERS and any(item in self.known for item in made.operands)
        )

    def _take_apart(self, op: ir.Operation) -> None:
        """Items of a tuple just made are what it was made of."""
        items = list(walk.maker(op.operands[0]).operands)
        if op.name == "torch.prim.TupleIndex":
            items = [items[constants.of_value(op.operands[1])]]
        for result, item in zip(op.results, items, strict=True):
            if item in self.known:
                self.known[result] = self.known[item]
            else:
                result.replace_all_uses_with(coerce(item, result.type, op.location, ir.InsertionPoint(op)))
        self.dead.append(op)

    def _unpack(self, op: ir.Operation) -> None:
        """Parts of a quantized tensor, which share its grid."""
        whole = self.known[op.operands[0]]
        parts = op.clone(ir.InsertionPoint(op)).operation
        parts.operands[0] = whole.integers
        for result, integers in zip(op.results, parts.results, strict=True):
            self.known[result] = whole.like(integers)
        self.dead.append(op)

    def _argument(self, value: ir.Value) -> object:
        """An operand as rules take it: a quantized tensor, a list of them, a Python constant or a value."""
        if value in self.known:
            return self.known[value]
        if self._holds(value):
            return [self.known.get(item, item) for item in walk.maker(value).operands]
        return constant_or_value(value)

    def _define(self, op: ir.Operation, result: object) -> None:
        if isinstance(result, Quantized):
            self.known[op.results[0]] = result
        else:
            value = Emitter(op).constant(result)
            op.results[0].replace_all_uses_with(value)
        self.dead.append(op)

    def _refusal(self, op: ir.Operation, name: str) -> Exception:
        place = _PLACES.get(name)
        if place is not None:
            return refuse(
                op, f"a quantized tensor {place}", "call dequantize() before, and torch.quantize_per_tensor after it"
            )
        return refuse(
            op, f"{name.removeprefix('torch.').replace('.', '::', 1)} has no form for quantized tensors",
            "call dequantize() before it, or leave this layer out of the quantization",
        )  # fmt: skip


def _is_taken_apart(op: ir.Operation) -> bool:
    """True for a tuple whose items are taken out of it, and for a list that is joined."""
    users = [use.owner.operation for result in op.results for use in result.uses]
    if op.name == "torch.prim.TupleConstruct":
        return all(user.name in _ITEMS for user in users)
    return op.name == "torch.prim.ListConstruct" and all(effects.kernel(user) in quantized_ops.JOINS for user in users)
