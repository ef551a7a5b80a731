"""Kernels of loop nests on tensors: the nest as written, on buffers.

Scalars are SSA values, also around loops; every tensor value is the buffer of its root (`in_place.py`), so carrying,
yielding and branching move nothing and an insert is a store. Sizes, strides and data pointers are read once at the top
of the kernel, which leaves index arithmetic that LLVM reduces to increments. A guard that fails leaves the kernel
through the runtime, as in the driver.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith, func

from .body import Inliner
from .convert import from_f32, to_f32
from .dispatch import Schedule
from .in_place import Roots, nest_ops
from .kernel import KernelBuilder
from .loop_dispatch import LoopDispatch
from .memory import DIMS_FIELD, Buffer, apart

_SMALL_GRAIN, _LARGE_GRAIN = 1, 4096  # iterations worth a thread: those with loops in them, those without
_ROUNDED = ("f16", "bf16")


def emit(kb: KernelBuilder, dispatch: LoopDispatch) -> Schedule:
    """Write the kernel. A parallel nest takes a range of its outermost iterations, any other one runs whole."""
    nest = _Nest(kb, dispatch)
    nest.write()
    plan = "parallel" if dispatch.is_parallel else "sequential"
    has_inner = sum(o.name in ("scf.for", "scf.while") for o in nest_ops(dispatch.nest)) > 1
    return Schedule("loops", (), _SMALL_GRAIN if has_inner else _LARGE_GRAIN, {"plan": plan})


class _Nest(Inliner):
    def __init__(self, kb: KernelBuilder, dispatch: LoopDispatch):
        super().__init__(kb, 1, self._scalar, {})
        self.dispatch = dispatch
        self.roots = Roots(dispatch.nest)
        self.buffers = {
            o.value: kb.operand(o.index, o.dtype, o.rank, o.sizes, o.strides, o.dense) for o in dispatch.operands
        }
        apart(list(self.buffers.values()))

    def write(self) -> None:
        for value in self.dispatch.scalars:
            self.get(value)  # made here, where every block can see it
        if self.dispatch.is_parallel:
            self._parallel(self.dispatch.nest)
        else:
            self.visit(self.dispatch.nest)
        slots = Buffer(self.kb.scalars, "i64")
        for n, value in enumerate(self.dispatch.results):
            self._store_slot(slots, self.dispatch.result_slot + n, self.get(value), self.kb.dtype(value))

    def _scalar(self, value: Any) -> ir.Value:
        return self.kb.scalar(self.dispatch.scalars.index(value), self.kb.dtype(value))

    def _store_slot(self, slots: Buffer, n: int, value: ir.Value, dtype: str) -> None:
        kb = self.kb
        value = from_f32(kb, value, dtype)
        if dtype.startswith("i") and dtype != "i64":
            value = arith.ExtUIOp(kb.i64, value).result
        kb.store(value, Buffer(kb.address(slots, n), kb.dtype(value)), 0)

    # -- ops ---------------------------------------------------------------------------------------------------

    def visit(self, op: Any) -> None:
        handler = _HANDLERS.get(op.name)
        if handler is not None:
            handler(self, op)
            return
        super().visit(op)
        for result in op.results:
            self._round(result)

    def _round(self, value: Any) -> None:
        """Half floats are computed in f32; here each op rounds, since a value may be carried to any other op."""
        dtype = self.kb.dtype(value)
        if dtype in _ROUNDED:
            self.known[value] = to_f32(self.kb, from_f32(self.kb, self.known[value], dtype))

    def _place(self, tensor: Any, indices: list[Any]) -> tuple[Any, Any]:
        buffer = self.buffers[self.roots.buffer_of(tensor)]
        return buffer, buffer.offset(*(self.get(i) for i in indices))

    def _extract(self, op: Any) -> None:
        buffer, offset = self._place(op.operands[0], list(op.operands)[1:])
        self.known[op.results[0]] = to_f32(self.kb, self.kb.load(buffer, offset))

    def _insert(self, op: Any) -> None:
        buffer, offset = self._place(op.operands[1], list(op.operands)[2:])
        self.kb.store(from_f32(self.kb, self.get(op.operands[0]), buffer.dtype), buffer, offset)

    def _dim(self, op: Any) -> None:
        buffer = self.buffers[self.roots.buffer_of(op.operands[0])]
        constant = op.operands[1].owner
        if not isinstance(constant, ir.Block) and constant.operation.name == "arith.constant":
            size = self.kb.value(buffer.size(constant.operation.attributes["value"].value))
        else:
            size = self.kb.load(Buffer(buffer.handle, "i64"), self.kb.add(DIMS_FIELD, self.get(op.operands[1])))
        self.known[op.results[0]] = size

    def _guard(self, op: Any) -> None:
        kb, dispatch = self.kb, self.dispatch
        failed = arith.XOrIOp(self.get(op.operands[0]), kb.const(True, "i1")).result
        values = [self.get(v) for v in list(op.operands)[1:]]
        number = kb.scalar(dispatch.context_slot + 1 + dispatch.guards.index(op))

        def fail() -> None:
            cells = kb.stack("i64", max(1, len(values)))
            for n, value in enumerate(values):
                self._store_slot(cells, n, value, kb.dtype(value))
            context = kb.load_pointer(kb.scalars, dispatch.context_slot)
            func.CallOp([], "refrt_guard_fail", [context, number, kb.const(len(values)), cells.data])

        kb.branch(failed, fail)

    # -- control flow ------------------------------------------------------------------------------------------

    def _block(self, block: Any, values: Any) -> Any:
        """Write the ops of a block whose scalar arguments are `values`; gives its terminator."""
        self.known.update(zip(_scalars(block.arguments), values, strict=True))
        *ops, end = (o.operation for o in block.operations)
        for op in ops:
            self.visit(op)
        return end

    def _yields(self, values: Any) -> list[ir.Value]:
        return [self.get(v) for v in _scalars(values)]

    def _for(self, op: Any) -> None:
        low, high, step, *inits = op.operands
        block = op.regions[0].blocks[0]

        def body(*values: ir.Value) -> list[ir.Value]:
            return self._yields(self._block(block, values).operands)

        bounds = [self.get(v) for v in (low, high, step)]
        results = self.kb.loop(bounds[0], bounds[1], body, step=bounds[2], carried=self._yields(inits))
        self.known.update(zip(_scalars(op.results), results, strict=True))

    def _parallel(self, op: Any) -> None:
        """The iterations `begin … end` of a loop that carries tensors only."""
        low, step = self.get(op.operands[0]), self.get(op.operands[2])
        block = op.regions[0].blocks[0]
        kind = low.type

        def body(n: ir.Value) -> None:
            n = n if kind == self.kb.i64 else arith.TruncIOp(kind, n).result
            position = arith.AddIOp(low, arith.MulIOp(n, step).result).result
            self._block(block, [position])

        self.kb.loop(self.kb.begin, self.kb.end, body)

    def _if(self, op: Any) -> None:
        def side(region: Any) -> Callable[[], list[ir.Value]]:
            return lambda: self._yields(self._block(region.blocks[0], []).operands)

        then, otherwise = op.regions
        types = [self._type(r) for r in _scalars(op.results)]
        other = side(otherwise) if len(otherwise.blocks) else None
        results = self.kb.branch(self.get(op.operands[0]), side(then), other, results=types)
        self.known.update(zip(_scalars(op.results), results, strict=True))

    def _while(self, op: Any) -> None:
        before, after = (region.blocks[0] for region in op.regions)

        def condition(*values: ir.Value) -> tuple[ir.Value, list[ir.Value]]:
            again, *handed = self._block(before, values).operands
            return self.get(again), self._yields(handed)

        def following(*values: ir.Value) -> list[ir.Value]:
            return self._yields(self._block(after, values).operands)

        types = [self._type(r) for r in _scalars(op.results)]
        results = self.kb.repeat(condition, following, self._yields(op.operands), types)
        self.known.update(zip(_scalars(op.results), results, strict=True))

    def _type(self, value: Any) -> ir.Type:
        dtype = self.kb.dtype(value)
        return self.kb.type("f32" if dtype in _ROUNDED else dtype)


def _scalars(values: Any) -> list[Any]:
    return [v for v in values if not isinstance(v.type, ir.RankedTensorType)]


_HANDLERS: dict[str, Callable[[_Nest, Any], Any]] = {
    "tensor.extract": _Nest._extract,
    "tensor.insert": _Nest._insert,
    "tensor.dim": _Nest._dim,
    "tcf.guard": _Nest._guard,
    "scf.for": _Nest._for,
    "scf.if": _Nest._if,
    "scf.while": _Nest._while,
}
