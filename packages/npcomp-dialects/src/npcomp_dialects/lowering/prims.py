"""Ops of the torch dialect that are not aten: constants, containers, casts, state, exceptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from npcomp_dialects.errors import UnsupportedError
from npcomp_dialects.mlir import ir

from .boundary import describe_tensor
from .literals import constant_tensor
from .structures import UNINITIALIZED, Opaque
from .texts import text_of
from .values import Scalar

if TYPE_CHECKING:
    from .torch_to_tcf import FunctionLowering

_ASSERTION = "AssertionError: "
Handler = Callable[["FunctionLowering", ir.Operation], Any]


def _constant(attribute: Any) -> Handler:
    return lambda f, op: attribute(op.attributes["value"]).value


def _none(f: FunctionLowering, op: ir.Operation) -> Any:
    return None


def _number(f: FunctionLowering, op: ir.Operation) -> Any:
    value = op.attributes["value"]
    return ir.FloatAttr(value).value if isinstance(value, ir.FloatAttr) else ir.IntegerAttr(value).value


def _literal(f: FunctionLowering, op: ir.Operation) -> Any:
    return constant_tensor(f.builder, op.attributes["value"], op.results[0].type)


def _list(f: FunctionLowering, op: ir.Operation) -> Any:
    return [f.env[o] for o in op.operands]


def _tuple(f: FunctionLowering, op: ir.Operation) -> Any:
    return tuple(f.env[o] for o in op.operands)


def _dict(f: FunctionLowering, op: ir.Operation) -> Any:
    half = len(op.operands) // 2
    keys = [f.env[o] for o in op.operands][:half]
    if not all(isinstance(key, (str, int, float, bool)) for key in keys):
        raise UnsupportedError("the keys of a dict must be constants", op.location)
    return dict(zip(keys, [f.env[o] for o in op.operands][half:], strict=True))


def _unpack(f: FunctionLowering, op: ir.Operation) -> Any:
    value = f.env[op.operands[0]]
    if isinstance(value, Opaque):
        types = [r.type for r in op.results]
        made = f.emitter.op(op.name, [value.value], types)
        values = [f.boundary.from_torch(r) for r in made.results]
    elif len(value) != len(op.results):
        raise UnsupportedError(f"{len(value)} values are unpacked into {len(op.results)} names", op.location)
    else:
        values = list(value)
    return values[0] if len(values) == 1 else tuple(values)


def _tuple_index(f: FunctionLowering, op: ir.Operation) -> Any:
    value, index = (f.env[o] for o in op.operands)
    return value[index]


def _raise(f: FunctionLowering, op: ir.Operation) -> Any:
    message, kind, values = exception_of(f, op)
    f.builder.check(False, message, kind, values)
    return ()


def exception_of(f: FunctionLowering, op: ir.Operation) -> tuple[str, str, list[Scalar]]:
    """Message, class and the message's run-time values of a `raise`. An `assert` has no class but a text that tells."""
    message, values = text_of(f.env[op.operands[0]]).message()
    kind = f.env[op.operands[1]] if len(op.operands) > 1 else None
    if isinstance(kind, str) and kind:
        return message, kind.rsplit(".", 1)[-1], values
    if message.startswith(_ASSERTION):
        return message.removeprefix(_ASSERTION), "AssertionError", values
    return message, "RuntimeError", values


def _uninitialized(f: FunctionLowering, op: ir.Operation) -> Any:
    return UNINITIALIZED


def _same(f: FunctionLowering, op: ir.Operation) -> Any:
    return f.env[op.operands[0]]


def _number_to_tensor(f: FunctionLowering, op: ir.Operation) -> Any:
    value, type = f.env[op.operands[0]], op.results[0].type
    return f.builder.from_scalar(value, describe_tensor(type, op.location)[1])


def _dtype(f: FunctionLowering, op: ir.Operation) -> Any:
    return f.env[op.operands[0]].dtype.torch_code


def _device(f: FunctionLowering, op: ir.Operation) -> Any:
    return "cpu"


def _layout(f: FunctionLowering, op: ir.Operation) -> Any:
    return 0


def _pairwise(method: str) -> Handler:
    def lower(f: FunctionLowering, op: ir.Operation) -> Any:
        x, y = (f.env[o] for o in op.operands)
        return getattr(f.builder, method)(x, y)

    return lower


def _over_list(method: str) -> Handler:
    def lower(f: FunctionLowering, op: ir.Operation) -> Any:
        first, *rest = f.env[op.operands[0]]
        for value in rest:
            first = getattr(f.builder, method)(first, value)
        return first

    return lower


def _slot_get(f: FunctionLowering, op: ir.Operation) -> Any:
    made = f.emitter.op(op.name, [], [op.results[0].type], {"slot": op.attributes["slot"]})
    return f.boundary.from_torch(made.result)


def _slot_set(f: FunctionLowering, op: ir.Operation) -> Any:
    operand = op.operands[0]
    value = f.boundary.to_torch(f.env[operand], operand.type)
    f.emitter.op(op.name, [value], [], {"slot": op.attributes["slot"]})
    return ()


def _refuse(what: str, do: str) -> Handler:
    def lower(f: FunctionLowering, op: ir.Operation) -> Any:
        raise UnsupportedError(what, op.location, do=do)

    return lower


HANDLERS: dict[str, Handler] = {
    "torch.constant.int": _constant(ir.IntegerAttr),
    "torch.constant.float": _constant(ir.FloatAttr),
    "torch.constant.bool": lambda f, op: bool(ir.IntegerAttr(op.attributes["value"]).value),
    "torch.constant.str": _constant(ir.StringAttr),
    "torch.constant.device": _constant(ir.StringAttr),
    "torch.constant.number": _number,
    "torch.constant.none": _none,
    "torch.vtensor.literal": _literal,
    "torch.prim.ListConstruct": _list,
    "torch.prim.TupleConstruct": _tuple,
    "torch.prim.DictConstruct": _dict,
    "torch.prim.ListUnpack": _unpack,
    "torch.prim.TupleUnpack": _unpack,
    "torch.prim.TupleIndex": _tuple_index,
    "torch.prim.RaiseException": _raise,
    "torch.prim.Uninitialized": _uninitialized,
    "torch.prim.unchecked_cast": _same,
    "torch.derefine": _same,
    "torch.tensor_static_info_cast": _same,
    "torch.prim.NumToTensor.Scalar": _number_to_tensor,
    "torch.prim.dtype": _dtype,
    "torch.prim.device": _device,
    "torch.prim.layout": _layout,
    "torch.prim.min.int": _pairwise("minimum"),
    "torch.prim.max.int": _pairwise("maximum"),
    "torch.prim.min.self_int": _over_list("minimum"),
    "torch.prim.max.self_int": _over_list("maximum"),
    "torch.global_slot.get": _slot_get,
    "torch.global_slot.set": _slot_set,
    "torch.prim.Print": _refuse("a compiled program cannot print", "remove the print, or return the value"),
    "torch.prim.tolist": _refuse("tolist makes a list whose length run time decides", "keep the tensor"),
}
