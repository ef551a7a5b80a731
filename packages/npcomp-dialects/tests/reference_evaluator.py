"""A slow, direct evaluator of the backend contract on numpy arrays.

It separates bugs of lowering from bugs of code generation: a module that gives torch's answer here is lowered right.
Every linalg loop checks that the operands that share it agree on its extent, so a missing guard shows as
`EvaluationError`, never as silent broadcasting. bf16 lives in float32 arrays that hold bf16 values.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from evaluator_kernels import TORCH_OPS
from evaluator_scalars import SCALAR_OPS, constant, numpy_type, settle
from npcomp_dialects.mlir import ir

Env = dict[ir.Value, Any]
DYNAMIC = ir.ShapedType.get_dynamic_size()


class EvaluationError(Exception):
    """The IR does something that the backend contract forbids."""


class GuardError(Exception):
    """A guard failed: `kind` is the Python exception it stands for."""

    def __init__(self, kind: str, message: str):
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message


class Evaluator:
    """One instance of a module: its slots keep their values between calls."""

    def __init__(self, module: ir.Module):
        self.module = module
        self.slots: dict[str, Any] = {}
        self.functions = {
            ir.StringAttr(op.attributes["sym_name"]).value: op.operation
            for op in module.body.operations
            if op.operation.name == "func.func"
        }
        for op in module.body.operations:
            if op.operation.name == "torch.global_slot.module_initializer":
                self._initialize(op.operation.regions[0].blocks[0])

    def _initialize(self, block: ir.Block) -> None:
        env: Env = {}
        for op in block.operations:
            op = op.operation
            if op.name != "torch.initialize.global_slots":
                self.run(op, env)
                continue
            names = [ir.FlatSymbolRefAttr(a).value for a in ir.ArrayAttr(op.attributes["slotSymNames"])]
            self.slots.update(zip(names, (env[o] for o in op.operands), strict=True))

    def call(self, name: str, *arguments: Any) -> list[Any]:
        """Calls a function with arrays and numbers; returns its flat results."""
        block = self.functions[name].regions[0].blocks[0]
        values = [settle(a, argument.type) for a, argument in zip(arguments, block.arguments, strict=True)]
        for value, argument in zip(values, block.arguments, strict=True):
            check_type(value, argument.type)
        with np.errstate(all="ignore"):
            return self.block(block, {}, values)

    def block(self, block: ir.Block, env: Env, arguments: Sequence[Any]) -> list[Any]:
        """Runs a block; returns the operands of its terminator."""
        env.update(zip(block.arguments, arguments, strict=True))
        for op in block.operations:
            op = op.operation
            if op.name in ("func.return", "scf.yield", "linalg.yield", "tensor.yield"):
                return [env[o] for o in op.operands]
            if op.name == "scf.condition":
                return [env[o] for o in op.operands]
            self.run(op, env)
        return []

    def run(self, op: ir.Operation, env: Env) -> None:
        operands = [env[o] for o in op.operands]
        handler = HANDLERS.get(op.name)
        if handler is not None:
            results = handler(self, op, env, operands)
        elif op.name in SCALAR_OPS:
            results = [SCALAR_OPS[op.name](op, operands)]
        elif op.name in TORCH_OPS:
            results = TORCH_OPS[op.name](self, op, operands)
        else:
            raise EvaluationError(f"{op.name} is not in the backend contract: {op}")
        for result, value in zip(op.results, results, strict=True):
            value = settle(value, result.type)
            check_type(value, result.type)
            env[result] = value


def check_type(value: Any, type: ir.Type) -> None:
    """A tensor has the sizes that its type shows."""
    if not isinstance(type, ir.RankedTensorType):
        return
    shape = list(type.shape)
    if len(shape) != value.ndim or any(s not in (DYNAMIC, have) for s, have in zip(shape, value.shape, strict=True)):
        raise EvaluationError(f"a value of sizes {value.shape} has type {type}")


# -- linalg


def affine(expr: Any, loops: Sequence[Any]) -> Any:
    """The value of an index expression for loop values (numbers or arrays)."""
    if isinstance(expr, ir.AffineConstantExpr):
        return expr.value
    if isinstance(expr, ir.AffineDimExpr):
        return loops[expr.position]
    left, right = affine(expr.lhs, loops), affine(expr.rhs, loops)
    return left + right if isinstance(expr, ir.AffineAddExpr) else left * right


class Loops:
    """The iteration space of a generic."""

    def __init__(self, op: ir.Operation, operands: Sequence[Any]):
        maps = [ir.AffineMapAttr(a).value for a in ir.ArrayAttr(op.attributes["indexing_maps"])]
        self.maps = [list(m.results) for m in maps]
        kinds = [str(a) for a in ir.ArrayAttr(op.attributes["iterator_types"])]
        self.reduced = ["reduction" in kind for kind in kinds]
        self.extents: list[int | None] = [None] * len(kinds)
        for exprs, operand in zip(self.maps, operands, strict=True):
            for expr, size in zip(exprs, operand.shape, strict=True):
                self._learn(op, expr, size)
        if None in self.extents:
            raise EvaluationError(f"nothing says how often a loop of {op} runs")
        self._check_windows(op, operands)

    def _learn(self, op: ir.Operation, expr: Any, size: int) -> None:
        if isinstance(expr, ir.AffineConstantExpr):
            if size != 1:
                raise EvaluationError(f"a dim of size {size} is read at 0 only: {op}")
            return
        if not isinstance(expr, ir.AffineDimExpr):
            return
        known = self.extents[expr.position]
        if known is not None and known != size:
            raise EvaluationError(f"loop {expr.position} runs {known} and {size} times: {op}")
        self.extents[expr.position] = size

    def _check_windows(self, op: ir.Operation, operands: Sequence[Any]) -> None:
        last = [extent - 1 for extent in self.extents]  # type: ignore[operator]
        if any(n < 0 for n in last):
            return
        for exprs, operand in zip(self.maps, operands, strict=True):
            for expr, size in zip(exprs, operand.shape, strict=True):
                if affine(expr, last) >= size:
                    raise EvaluationError(f"index {expr} leaves a dim of size {size}: {op}")

    @property
    def parallel(self) -> list[int]:
        return [d for d, reduced in enumerate(self.reduced) if not reduced]

    def grid(self) -> list[Any]:
        """Index arrays of the parallel loops, each along its own axis; None for reduced ones."""
        found: list[Any] = [None] * len(self.extents)
        for axis, d in enumerate(self.parallel):
            shape = [1] * len(self.parallel)
            shape[axis] = self.extents[d]  # type: ignore[call-overload]
            found[d] = np.arange(self.extents[d]).reshape(shape)
        return found

    def points(self) -> Any:
        """Every point of the reduced loops, in order."""
        return itertools.product(*(range(e) for e, r in zip(self.extents, self.reduced, strict=True) if r))


def pick(array: Any, exprs: Sequence[Any], loops: Sequence[Any]) -> Any:
    return array[tuple(affine(e, loops) for e in exprs)]


def generic(self: Evaluator, op: ir.Operation, env: Env, operands: list[Any]) -> list[Any]:
    outputs = len(op.results)
    inputs = operands[: len(operands) - outputs]
    loops = Loops(op, operands)
    grid = loops.grid()
    shape = tuple(loops.extents[d] for d in loops.parallel)
    out_maps = loops.maps[len(inputs) :]
    state = [np.broadcast_to(pick(o, m, grid), shape) for o, m in zip(operands[len(inputs) :], out_maps, strict=True)]
    block = op.regions[0].blocks[0]
    for point in loops.points():
        where = iter(point)
        values = [next(where) if reduced else array for reduced, array in zip(loops.reduced, grid, strict=True)]
        elements = [pick(x, m, values) for x, m in zip(inputs, loops.maps, strict=False)]
        inner = dict(env)
        inner["loops"] = values  # type: ignore[index]
        state = [np.broadcast_to(v, shape) for v in self.block(block, inner, [*elements, *state])]
    results = []
    for out, exprs, values in zip(operands[len(inputs) :], out_maps, state, strict=True):
        made = np.array(out)
        made[tuple(affine(e, grid) for e in exprs)] = values
        results.append(made)
    return results


def linalg_index(self: Evaluator, op: ir.Operation, env: Env, operands: list[Any]) -> list[Any]:
    return [np.asarray(env["loops"][ir.IntegerAttr(op.attributes["dim"]).value], dtype=np.int64)]  # type: ignore[index]


def fill(self: Evaluator, op: ir.Operation, env: Env, operands: list[Any]) -> list[Any]:
    return [np.full_like(operands[1], operands[0])]


# -- tensor


def mixed(op: ir.Operation, name: str, dynamic: Any) -> list[int]:
    """Static numbers with the dynamic ones in their places."""
    return [int(next(dynamic)) if s == DYNAMIC else s for s in ir.DenseI64ArrayAttr(op.attributes[name])]


def make(type: ir.Type, sizes: Any) -> np.ndarray:
    """A new tensor; its elements are poisoned, for nobody may read them."""
    ranked = ir.RankedTensorType(type)
    sizes = iter(sizes)
    shape = [int(next(sizes)) if s == DYNAMIC else s for s in ranked.shape]
    if any(s < 0 for s in shape):
        raise EvaluationError(f"a tensor of sizes {shape}")
    dtype = numpy_type(ranked.element_type)
    return np.full(shape, np.nan if dtype.kind == "f" else 77, dtype=dtype)


def empty(self: Evaluator, op: ir.Operation, env: Env, operands: list[Any]) -> list[Any]:
    return [make(op.results[0].type, operands)]


def dim(self: Evaluator, op: ir.Operation, env: Env, operands: list[Any]) -> list[Any]:
    return [np.int64(operands[0].shape[int(operands[1])])]


def extract(self: Evaluator, op: ir.Operation, env: Env, operands: list[Any]) -> list[Any]:
    tensor, *where = operands
    for d, index in enumerate(where):
        index = np.asarray(index)
        if index.size and (index.min() < 0 or index.max() >= tensor.shape[d]):
            raise EvaluationError(f"index {index} leaves dim {d} of size {tensor.shape[d]}: {op}")
    return [tensor[tuple(where)]]


def insert(self: Evaluator, op: ir.Operation, env: Env, operands: list[Any]) -> list[Any]:
    element, tensor, *where = operands
    if any(index < 0 or index >= size for index, size in zip(where, tensor.shape, strict=True)):
        raise EvaluationError(f"index {where} leaves a tensor of sizes {tensor.shape}: {op}")
    made = np.array(tensor)
    made[tuple(map(int, where))] = element
    return [made]


def slices(op: ir.Operation, dynamic: Sequence[Any]) -> tuple[slice, ...]:
    queue = iter(dynamic)
    columns = [mixed(op, f"static_{name}", queue) for name in ("offsets", "sizes", "strides")]
    found = []
    for offset, size, stride in zip(*columns, strict=True):
        if offset < 0 or size < 0 or stride <= 0:
            raise EvaluationError(f"a slice from {offset} of size {size} by {stride}: {op}")
        found.append(slice(offset, offset + (size - 1) * stride + 1 if size else offset, stride))
    return tuple(found)


def extract_slice(self: Evaluator, op: ir.Operation, env: Env, operands: list[Any]) -> list[Any]:
    tensor, *dynamic = operands
    found = slices(op, dynamic)
    if any(s.stop > have for s, have in zip(found, tensor.shape, strict=True)):
        raise EvaluationError(f"slice {found} leaves a tensor of sizes {tensor.shape}: {op}")
    return [np.array(tensor[found])]


def insert_slice(self: Evaluator, op: ir.Operation, env: Env, operands: list[Any]) -> list[Any]:
    source, target, *dynamic = operands
    made = np.array(target)
    found = slices(op, dynamic)
    if made[found].shape != source.shape:
        raise EvaluationError(f"a {source.shape} is inserted where {made[found].shape} fits: {op}")
    made[found] = source
    return [made]


def expand_shape(self: Evaluator, op: ir.Operation, env: Env, operands: list[Any]) -> list[Any]:
    tensor, *dynamic = operands
    return [reshaped(op, tensor, mixed(op, "static_output_shape", iter(dynamic)))]


def reshaped(op: ir.Operation, tensor: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    if int(np.prod(sizes)) != tensor.size:
        raise EvaluationError(f"sizes {sizes} for {tensor.size} elements: {op}")
    return tensor.reshape([int(s) for s in sizes])


def collapse_shape(self: Evaluator, op: ir.Operation, env: Env, operands: list[Any]) -> list[Any]:
    groups = [[ir.IntegerAttr(i).value for i in ir.ArrayAttr(g)] for g in ir.ArrayAttr(op.attributes["reassociation"])]
    return [operands[0].reshape([int(np.prod([operands[0].shape[d] for d in g])) for g in groups])]


def reshape(self: Evaluator, op: ir.Operation, env: Env, operands: list[Any]) -> list[Any]:
    return [reshaped(op, operands[0], operands[1])]


def same(self: Evaluator, op: ir.Operation, env: Env, operands: list[Any]) -> list[Any]:
    return operands


def pad(self: Evaluator, op: ir.Operation, env: Env, operands: list[Any]) -> list[Any]:
    tensor, *dynamic = operands
    queue = iter(dynamic)
    low, high = mixed(op, "static_low", queue), mixed(op, "static_high", queue)
    if min([*low, *high, 0]) < 0:
        raise EvaluationError(f"padding {low}, {high}: {op}")
    block = op.regions[0].blocks[0]
    value = self.block(block, dict(env), [0] * len(block.arguments))[0]
    return [np.pad(tensor, list(zip(low, high, strict=True)), constant_values=value)]


def from_elements(self: Evaluator, op: ir.Operation, env: Env, operands: list[Any]) -> list[Any]:
    return [np.array(operands).reshape(list(ir.RankedTensorType(op.results[0].type).shape))]


# -- control flow, guards


def scf_if(self: Evaluator, op: ir.Operation, env: Env, operands: list[Any]) -> list[Any]:
    region = op.regions[0 if operands[0] else 1]
    return self.block(region.blocks[0], env, []) if len(region.blocks) else []


def scf_for(self: Evaluator, op: ir.Operation, env: Env, operands: list[Any]) -> list[Any]:
    low, high, step, *carried = operands
    block = op.regions[0].blocks[0]
    for i in range(int(low), int(high), int(step)):
        carried = carry(self, block, env, [np.int64(i), *carried])
    return carried


def carry(self: Evaluator, block: ir.Block, env: Env, arguments: list[Any]) -> list[Any]:
    for value, argument in zip(arguments, block.arguments, strict=True):
        check_type(value, argument.type)
    return self.block(block, env, arguments)


def scf_while(self: Evaluator, op: ir.Operation, env: Env, operands: list[Any]) -> list[Any]:
    """In the body of a linalg op every element goes on until it has left; its results are kept from then."""
    before, after = (region.blocks[0] for region in op.regions)
    values, results, active = operands, None, np.bool_(True)
    while True:
        again, *handed = carry(self, before, env, values)
        results = handed if results is None else [np.where(active, h, r) for h, r in zip(handed, results, strict=True)]
        if np.ndim(again) == 0:
            results = handed
        active = active & again
        if not np.any(active):
            return results
        values = carry(self, after, env, handed)


def guard(self: Evaluator, op: ir.Operation, env: Env, operands: list[Any]) -> list[Any]:
    condition, *values = operands
    if not condition:
        message = ir.StringAttr(op.attributes["message"]).value
        for position, value in enumerate(values):
            message = message.replace(f"{{{position}}}", str(int(value)))
        raise GuardError(ir.StringAttr(op.attributes["kind"]).value, message)
    return []


Handler = Callable[[Evaluator, ir.Operation, Env, list[Any]], list[Any]]
HANDLERS: dict[str, Handler] = {
    "arith.constant": lambda self, op, env, operands: [constant(op.attributes["value"], op.results[0].type)],
    "linalg.generic": generic,
    "linalg.index": linalg_index,
    "linalg.fill": fill,
    "tensor.empty": empty,
    "tensor.dim": dim,
    "tensor.extract": extract,
    "tensor.insert": insert,
    "tensor.extract_slice": extract_slice,
    "tensor.insert_slice": insert_slice,
    "tensor.expand_shape": expand_shape,
    "tensor.collapse_shape": collapse_shape,
    "tensor.reshape": reshape,
    "tensor.cast": same,
    "tensor.pad": pad,
    "tensor.from_elements": from_elements,
    "scf.if": scf_if,
    "scf.for": scf_for,
    "scf.while": scf_while,
    "tcf.guard": guard,
    "tcf.random_key": lambda *_: [int(n) for n in np.random.default_rng().integers(0, 2**63 - 1, 2)],
}
