"""Calls into the runtime and fields of its tensor header, as the driver writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith, func, llvm

_DYNAMIC = -(2**31)
_DIMS = 8  # 8-byte words before the sizes in refrt_tensor
_DATA = 1

Int = Any  # int | ir.Value of type i64


class RuntimeCalls:
    """Emits at the current insertion point, inside the function begun last."""

    def __init__(self, module: ir.Module):
        self.module = module
        self.i64 = ir.IntegerType.get_signless(64)
        self.i32 = ir.IntegerType.get_signless(32)
        self.ptr = ir.Type.parse("!llvm.ptr")
        self._declared: set[str] = set()

    def begin(self, context: ir.Value, entry: ir.Block) -> None:
        """Start a function: its context argument and where its stack arrays go."""
        self.context, self.entry = context, entry
        self.fetched: dict[int, ir.Value] = {}  # constants already fetched, by index
        self._arrays: dict[tuple[str, int], ir.Value] = {}

    # -- plain values ------------------------------------------------------------------------------------------

    def const(self, number: int, bits: int = 64) -> ir.Value:
        return arith.ConstantOp(ir.IntegerType.get_signless(bits), number).result

    def i64_of(self, x: Int) -> ir.Value:
        """An i64 of a Python int, an index or an i64."""
        if isinstance(x, int):
            return self.const(x)
        return arith.IndexCastOp(self.i64, x).result if isinstance(x.type, ir.IndexType) else x

    def index_of(self, x: ir.Value) -> ir.Value:
        return arith.IndexCastOp(ir.IndexType.get(), x).result

    def array(self, purpose: str, count: int) -> ir.Value:
        """A stack array of 8-byte cells, one per purpose and length class, shared by the calls of a function."""
        size = max(4, 1 << (count - 1).bit_length()) if count else 4
        key = (purpose, size)
        if key not in self._arrays:
            with ir.InsertionPoint.at_block_begin(self.entry):
                self._arrays[key] = llvm.AllocaOp(self.ptr, self.const(size), self.i64, alignment=16).result
        return self._arrays[key]

    def fill(self, purpose: str, values: Sequence[Int]) -> ir.Value:
        """An array holding `values`: numbers, handles, or scalars in their 8-byte slots."""
        cells = self.array(purpose, len(values))
        for n, value in enumerate(values):
            self.store_slot(cells, n, self.i64_of(value) if isinstance(value, int) else value)
        return cells

    def slot(self, base: ir.Value, n: Int) -> ir.Value:
        """Address of 8-byte cell `n`."""
        if isinstance(n, int):
            return llvm.GEPOp(self.ptr, base, [], [n], self.i64, llvm.GEPNoWrapFlags.none).result
        return llvm.GEPOp(self.ptr, base, [n], [_DYNAMIC], self.i64, llvm.GEPNoWrapFlags.none).result

    def store_slot(self, base: ir.Value, n: int, value: ir.Value) -> None:
        if isinstance(value.type, ir.IndexType):
            value = self.i64_of(value)
        if isinstance(value.type, ir.IntegerType) and value.type.width < 64:
            value = arith.ExtUIOp(self.i64, value).result
        llvm.StoreOp(value, self.slot(base, n))

    def load_slot(self, base: ir.Value, n: Int, kind: ir.Type) -> ir.Value:
        if isinstance(kind, ir.IndexType):
            return self.index_of(self.load_slot(base, n, self.i64))
        if isinstance(kind, ir.IntegerType) and kind.width < 64:
            return arith.TruncIOp(kind, llvm.LoadOp(self.i64, self.slot(base, n)).result).result
        return llvm.LoadOp(kind, self.slot(base, n)).result

    # -- tensor headers ----------------------------------------------------------------------------------------

    def size(self, handle: ir.Value, dim: Int) -> ir.Value:
        """Size of a dimension, i64."""
        return self.load_slot(
            handle, _DIMS + dim if isinstance(dim, int) else arith.AddIOp(dim, self.const(_DIMS)).result, self.i64
        )

    def stride(self, handle: ir.Value, rank: int, dim: int) -> ir.Value:
        return self.load_slot(handle, _DIMS + rank + dim, self.i64)

    def data(self, handle: ir.Value) -> ir.Value:
        return self.load_slot(handle, _DATA, self.ptr)

    # -- calls -------------------------------------------------------------------------------------------------

    def call(self, name: str, arguments: Sequence[ir.Value], results: Sequence[ir.Type] = ()) -> Any:
        """Call the C function `name` with the context first."""
        operands = [self.context, *arguments]
        self.declare(name, [o.type for o in operands], results)
        op = func.CallOp(list(results), name, operands)
        return op.results[0] if results else None

    def declare(self, name: str, arguments: Sequence[ir.Type], results: Sequence[ir.Type] = ()) -> None:
        if name not in self._declared:
            with ir.InsertionPoint.at_block_begin(self.module.body):
                func.FuncOp(name, (list(arguments), list(results)), visibility="private")
            self._declared.add(name)

    def launch(
        self, kernel: str, operands: Sequence[ir.Value], scalars: Sequence[ir.Value], extent: Int, grain: int
    ) -> ir.Value:
        """Run a kernel over `extent` units; gives its scalar slots, in which loops leave results."""
        kind = ir.FunctionType.get([self.ptr, self.ptr, self.i64, self.i64], [])
        entry = func.ConstantOp(kind, ir.FlatSymbolRefAttr.get(kernel)).result
        handles, slots = self.fill("operands", operands), self.fill("scalars", scalars)
        self.call("refrt_launch", [entry, handles, slots, self.i64_of(extent), self.const(grain)])
        return slots

    def guard_fail(self) -> None:
        """Declare what a kernel with guards calls; it does not return."""
        self.declare("refrt_guard_fail", [self.ptr, self.i64, self.i64, self.ptr])

    def alloc(self, code: int, sizes: Sequence[Int]) -> ir.Value:
        arguments = [self.const(code, 32), self.const(len(sizes)), self.fill("sizes", sizes)]
        return self.call("refrt_alloc", arguments, [self.ptr])

    def view(self, base: ir.Value, sizes: Sequence[Int], strides: Sequence[Int], offset: Int) -> ir.Value:
        arguments = [base, self.const(len(sizes)), self.fill("sizes", sizes), self.fill("strides", strides)]
        return self.call("refrt_view", [*arguments, self.i64_of(offset)], [self.ptr])

    def retain(self, handle: ir.Value) -> None:
        self.call("refrt_retain", [handle])

    def release(self, handle: ir.Value) -> None:
        self.call("refrt_release", [handle])

    def contiguous(self, handle: ir.Value) -> ir.Value:
        return self.call("refrt_contiguous", [handle], [self.ptr])
