"""KernelBuilder: writes one kernel as scf loops over arith, math and vector values and plain pointers.

A kernel is `void k(refrt_tensor** operands, const int64_t* scalars, int64_t begin, int64_t end)`. There is no memref:
an operand is its data pointer, its sizes and its strides, read once from the tensor's header at the top of the
kernel. Loop bounds, sizes and offsets are i64 and may be Python ints, which fold.

    with KernelBuilder(module, "k0", target) as kb:
        x, y = kb.operand(0, "f32", 1), kb.operand(1, "f32", 1)

        def block(i):
            kb.store(kb.load(x, i, lanes=16), y, i)

        kb.loop(kb.begin, kb.end, block, step=16)

Constants and header fields are put at the top of the function, so they may be asked for anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith, func, llvm, scf, vector

from .memory import Buffer, MemoryMixin, Operand
from .target import Target

Int = Any  # int | ir.Value of type i64
_NSW = arith.IntegerOverflowFlags.nsw
_FLOATS = ("f64", "f32", "f16", "bf16")


@dataclass
class _Scope:
    """The function being written: where its constants and its header loads go."""

    entry: ir.Block
    anchor: ir.Operation | None = None
    constants: dict[Any, ir.Value] = field(default_factory=dict)


class KernelBuilder(MemoryMixin):
    """Writes the kernel `name` into `module`. Use as a context manager: leaving it ends the function."""

    def __init__(self, module: ir.Module, name: str, target: Target):
        self.module, self.name, self.target = module, name, target
        self.i64 = ir.IntegerType.get_signless(64)
        self.ptr = ir.Type.parse("!llvm.ptr")
        self._types = {
            "f64": ir.F64Type.get(),
            "f32": ir.F32Type.get(),
            "f16": ir.F16Type.get(),
            "bf16": ir.BF16Type.get(),
            **{f"i{n}": ir.IntegerType.get_signless(n) for n in (1, 8, 16, 32, 64)},
            "ptr": self.ptr,
        }
        self._names = {str(t): n for n, t in self._types.items()} | {"index": "i64"}
        self._operands: dict[int, Operand] = {}
        self._libm: set[str] = set()
        self._scopes: list[_Scope] = []

    # -- function skeleton -------------------------------------------------------------------------------------

    def __enter__(self) -> KernelBuilder:
        self._frame = self._function(self.name, [self.ptr, self.ptr, self.i64, self.i64], internal=False)
        self.operands, self.scalars, self.begin, self.end = self._frame.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._frame.__exit__(*error)

    @contextmanager
    def _function(self, name: str, types: Sequence[ir.Type], internal: bool):
        with ir.InsertionPoint(self.module.body):
            op = func.FuncOp(name, (list(types), []))
        width = str(8 * self.target.vector_bytes)
        passthrough: list[str | list[str]] = [
            ["prefer-vector-width", width],
            ["min-legal-vector-width", width],
            "nounwind",
        ]
        if internal:
            op.attributes["llvm.linkage"] = ir.Attribute.parse("#llvm.linkage<internal>")
            passthrough.append("noinline")
        op.attributes["passthrough"] = ir.ArrayAttr.get([_passthrough(entry) for entry in passthrough])
        entry = op.add_entry_block()
        self._scopes.append(_Scope(entry))
        with ir.InsertionPoint(entry):
            self._scopes[-1].anchor = arith.ConstantOp(self.i64, 0).operation
            yield list(entry.arguments)
            func.ReturnOp([])
        self._scopes.pop()

    def function(self, name: str, types: Sequence[ir.Type], body: Callable[..., None]) -> Callable[..., None]:
        """Define a private, never inlined function and return how to call it. It is written once for the module, so
        `name` must say everything that `body` depends on."""
        if not _declared(self.module, name):
            with self._function(name, types, internal=True) as arguments:
                body(*arguments)
        return lambda *args: _call(name, [self.value(a) for a in args])

    @property
    def in_kernel(self) -> bool:
        """Whether the kernel itself, not a private function, is being written."""
        return len(self._scopes) == 1

    @contextmanager
    def prologue(self):
        """Write at the top of the current function, before everything but constants and earlier prologues."""
        with ir.InsertionPoint(self._scopes[-1].anchor):
            yield

    def operand(
        self,
        index: int,
        dtype: str,
        rank: int,
        sizes: Sequence[int | None] | None = None,
        strides: Sequence[int | None] | None = None,
        dense: bool = False,
    ) -> Operand:
        """The kernel's operand `index`. Static `sizes` and `strides` fold; `dense` means row-major without gaps."""
        if index not in self._operands:
            with self.prologue():
                handle = self.load_pointer(self.operands, index)
                data = self.load_pointer(handle, 1)
            known = tuple(sizes) if sizes is not None else (None,) * rank
            steps = tuple(strides) if strides is not None else (None,) * rank
            self._operands[index] = Operand(data, dtype, self, handle, known, steps, dense)
        return self._operands[index]

    def scalar(self, slot: int, dtype: str = "i64") -> ir.Value:
        """Scalar slot `slot`, an 8-byte cell: i64, f64 or i1 as they are, narrower types in its low bytes."""
        slots = Buffer(self.scalars, "i64")
        with self.prologue():
            if dtype in _FLOATS:
                return self.load(Buffer(self.address(slots, slot), dtype), 0)
            raw = self.load(slots, slot)
            return raw if dtype == "i64" else arith.TruncIOp(self.type(dtype), raw).result

    # -- types and constants -----------------------------------------------------------------------------------

    def type(self, dtype: str, lanes: int = 1) -> ir.Type:
        element = self._types[dtype]
        return element if lanes == 1 else ir.VectorType.get([lanes], element)

    def dtype(self, value_or_type: Any) -> str:
        """Element dtype of a value or type."""
        kind = getattr(value_or_type, "type", value_or_type)
        element = kind.element_type if isinstance(kind, ir.VectorType) else kind
        return self._names[str(element)]

    def lanes(self, value: ir.Value) -> int:
        kind = value.type
        return ir.VectorType(kind).shape[0] if isinstance(kind, ir.VectorType) else 1

    def const(self, value: int | float | bool, dtype: str = "i64", lanes: int = 1) -> ir.Value:
        key = (repr(value), dtype, lanes)
        scope = self._scopes[-1]
        if key not in scope.constants:
            element = self._types[dtype]
            number = (
                ir.FloatAttr.get(element, float(value)) if dtype in _FLOATS else ir.IntegerAttr.get(element, int(value))
            )
            attribute = number if lanes == 1 else ir.DenseElementsAttr.get_splat(self.type(dtype, lanes), number)
            with ir.InsertionPoint.at_block_begin(scope.entry):
                scope.constants[key] = arith.ConstantOp(self.type(dtype, lanes), attribute).result
        return scope.constants[key]

    def value(self, x: Int) -> ir.Value:
        """An SSA value of a Python int (i64), or the value itself."""
        return self.const(x) if isinstance(x, int) else x

    # -- i64 arithmetic, folding -------------------------------------------------------------------------------

    def add(self, *terms: Int) -> Int:
        total: Int = sum(t for t in terms if isinstance(t, int))
        for term in terms:
            if isinstance(term, int):
                continue
            total = term if isinstance(total, int) and total == 0 else self._i64(arith.AddIOp, term, total)
        return total

    def sub(self, a: Int, b: Int) -> Int:
        if isinstance(b, int):
            return self.add(a, -b)
        return self._i64(arith.SubIOp, a, b)

    def mul(self, a: Int, b: Int) -> Int:
        if isinstance(a, int) and isinstance(b, int):
            return a * b
        if isinstance(a, int):
            a, b = b, a
        if isinstance(b, int) and b in (0, 1):
            return a if b else 0
        return self._i64(arith.MulIOp, a, b)

    def product(self, factors: Sequence[Int]) -> Int:
        total: Int = 1
        for factor in factors:
            total = self.mul(total, factor)
        return total

    def div(self, a: Int, b: Int) -> Int:
        """Floor division of non-negative numbers; `b` is never 0."""
        if isinstance(a, int) and isinstance(b, int):
            return a // b
        return a if isinstance(b, int) and b == 1 else arith.DivUIOp(self.value(a), self.value(b)).result

    def ceildiv(self, a: Int, b: Int) -> Int:
        return self.div(self.add(a, self.sub(b, 1)), b)

    def rem(self, a: Int, b: Int) -> Int:
        if isinstance(a, int) and isinstance(b, int):
            return a % b
        return 0 if isinstance(b, int) and b == 1 else arith.RemUIOp(self.value(a), self.value(b)).result

    def delinearize(self, position: Int, sizes: Sequence[Int]) -> list[Int]:
        """Row-major coordinates of `position` in a box of `sizes` (none of them 0)."""
        coordinates: list[Int] = []
        for size in reversed(list(sizes)[1:]):
            coordinates.append(self.rem(position, size))
            position = self.div(position, size)
        return [position, *reversed(coordinates)] if sizes else []

    def min(self, a: Int, b: Int) -> Int:
        if isinstance(a, int) and isinstance(b, int):
            return min(a, b)
        return arith.MinSIOp(self.value(a), self.value(b)).result

    def max(self, a: Int, b: Int) -> Int:
        if isinstance(a, int) and isinstance(b, int):
            return max(a, b)
        return arith.MaxSIOp(self.value(a), self.value(b)).result

    def compare(self, predicate: str, a: Int, b: Int) -> ir.Value:
        """Signed i64 comparison: eq ne slt sle sgt sge."""
        return arith.CmpIOp(getattr(arith.CmpIPredicate, predicate), self.value(a), self.value(b)).result

    def select(self, condition: ir.Value, a: Int, b: Int) -> ir.Value:
        return arith.SelectOp(condition, self.value(a), self.value(b)).result

    def _i64(self, op: Any, a: Int, b: Int) -> ir.Value:
        return op(self.value(a), self.value(b), overflowFlags=_NSW).result

    # -- vectors -----------------------------------------------------------------------------------------------

    def broadcast(self, value: ir.Value, lanes: int) -> ir.Value:
        """A scalar in every lane; a vector stays as it is."""
        if lanes == 1 or isinstance(value.type, ir.VectorType):
            return value
        return vector.BroadcastOp(ir.VectorType.get([lanes], value.type), value).result

    def iota(self, lanes: int, dtype: str = "i64") -> ir.Value:
        """0, 1, 2, … in the lanes."""
        return self.const(0, dtype) if lanes == 1 else self.lane_constants(range(lanes), dtype)

    def lane_constants(self, numbers: Sequence[int], dtype: str) -> ir.Value:
        """A constant vector of integers (of i1: a mask)."""
        key = (tuple(numbers), dtype)
        scope = self._scopes[-1]
        if key not in scope.constants:
            kind = self.type(dtype, len(numbers))
            attributes = [ir.IntegerAttr.get(self._types[dtype], int(n)) for n in numbers]
            with ir.InsertionPoint.at_block_begin(scope.entry):
                scope.constants[key] = arith.ConstantOp(kind, ir.DenseElementsAttr.get(attributes, kind)).result
        return scope.constants[key]

    def tail_mask(self, count: Int, lanes: int) -> ir.Value:
        """Mask of the first `count` lanes; all of them when `count` >= lanes, none when `count` <= 0."""
        narrow = arith.TruncIOp(self.type("i32"), self.value(self.max(self.min(count, lanes), 0))).result
        limit = self.broadcast(narrow, lanes)
        return arith.CmpIOp(arith.CmpIPredicate.ult, self.iota(lanes, "i32"), limit).result

    def extract(self, value: ir.Value, lane: Int) -> ir.Value:
        """One lane of a vector as a scalar."""
        if self.lanes(value) == 1:
            return value
        return llvm.ExtractElementOp(value, self.value(lane)).result

    def insert(self, scalar: ir.Value, value: ir.Value, lane: Int) -> ir.Value:
        return llvm.InsertElementOp(value, scalar, self.value(lane)).result

    def fma(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        """a * b + c: one fused instruction where the machine has it, else a product and a sum."""
        if not self.target.has_fma:
            return arith.AddFOp(arith.MulFOp(a, b).result, c).result
        from npcomp_dialects.mlir.dialects import math

        return math.FmaOp(a, b, c).result

    # -- control -----------------------------------------------------------------------------------------------

    def loop(
        self, low: Int, high: Int, body: Callable[..., Any], *, step: Int = 1, carried: Sequence[ir.Value] = ()
    ) -> list[ir.Value]:
        """`for i in range(low, high, step)`. `body(i, *carried)` returns the next carried values; so does `loop`."""
        op = scf.ForOp(self.value(low), self.value(high), self.value(step), list(carried))
        with ir.InsertionPoint(op.body):
            returned = body(op.induction_variable, *op.inner_iter_args)
            results = list(returned) if carried else []
            assert [r.type for r in results] == [c.type for c in carried], "a loop changes the type of what it carries"
            scf.YieldOp(results)
        return list(op.results)

    def repeat(
        self,
        condition: Callable[..., tuple[ir.Value, list[ir.Value]]],
        following: Callable[..., list[ir.Value]],
        carried: Sequence[ir.Value],
        handed: Sequence[ir.Type],
    ) -> list[ir.Value]:
        """`scf.while`: `condition(*carried)` says whether to go on and hands values of the types `handed` to
        `following`, which returns the next carried ones; returns the values handed on last."""
        op = scf.WhileOp(list(handed), list(carried))
        unknown = ir.Location.unknown()
        before = op.before.blocks.append(*(v.type for v in carried), arg_locs=[unknown] * len(carried))
        with ir.InsertionPoint(before):
            again, values = condition(*before.arguments)
            scf.ConditionOp(again, values)
        after = op.after.blocks.append(*handed, arg_locs=[unknown] * len(handed))
        with ir.InsertionPoint(after):
            scf.YieldOp(following(*after.arguments))
        return list(op.results)

    def branch(
        self,
        condition: ir.Value,
        then: Callable[[], Any],
        otherwise: Callable[[], Any] | None = None,
        results: Sequence[ir.Type] = (),
    ) -> list[ir.Value]:
        """`if condition: then() else: otherwise()`; with `results` both return that many values."""
        op = scf.IfOp(condition, list(results), has_else=otherwise is not None)
        for block, fill in ((op.then_block, then), (op.else_block if otherwise else None, otherwise)):
            if block is None or fill is None:
                continue
            with ir.InsertionPoint(block):
                values = fill()
                scf.YieldOp(list(values) if results else [])
        return list(op.results)

    # -- scalar library calls ----------------------------------------------------------------------------------

    def libm(self, name: str, *arguments: ir.Value) -> ir.Value:
        """Call the C function `name` on scalars of one type; the result has that type too."""
        kind = arguments[0].type
        if name not in self._libm:
            with ir.InsertionPoint.at_block_begin(self.module.body):
                if not _declared(self.module, name):
                    func.FuncOp(name, ([kind] * len(arguments), [kind]), visibility="private")
            self._libm.add(name)
        return func.CallOp([kind], name, list(arguments)).results[0]


def _declared(module: ir.Module, name: str) -> bool:
    return any("sym_name" in op.attributes and op.attributes["sym_name"].value == name for op in module.body.operations)


def _passthrough(entry: str | list[str]) -> ir.Attribute:
    if isinstance(entry, str):
        return ir.StringAttr.get(entry)
    return ir.ArrayAttr.get([ir.StringAttr.get(text) for text in entry])


def _call(symbol: str, arguments: list[ir.Value]) -> None:
    func.CallOp([], symbol, arguments)
