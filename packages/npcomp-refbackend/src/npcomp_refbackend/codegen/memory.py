"""Memory as kernels see it: typed pointers, loads and stores at any lane count, masks, strides, stack scratch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import arith, llvm

from .target import BYTES

Int = Any  # int | ir.Value of type i64
_DYNAMIC = -(2**31)
_RANK_FIELD, DIMS_FIELD = 2, 8  # refrt_tensor in 8-byte words: refcount, data, rank and dtype, numel, … dims at 64


@dataclass(eq=False)
class Buffer:
    """Elements of one dtype behind a pointer. i1 is one byte an element. Two buffers with `scopes` share no element
    that either of them changes (`apart`)."""

    data: ir.Value
    dtype: str
    scopes: dict[str, ir.Attribute] = field(default_factory=dict, kw_only=True)


@dataclass(eq=False)
class Operand(Buffer):
    """A tensor argument of the kernel; sizes and strides are Python ints where they are static."""

    builder: Any = None
    handle: Any = None
    sizes: tuple[int | None, ...] = ()
    strides: tuple[int | None, ...] = ()
    dense: bool = False
    _fields: dict[int, ir.Value] = field(default_factory=dict)

    @property
    def rank(self) -> int:
        return len(self.sizes)

    def size(self, dim: int) -> Int:
        known = self.sizes[dim]
        return known if known is not None else self._field(dim % self.rank)

    def stride(self, dim: int) -> Int:
        """Distance in elements between neighbours along `dim`."""
        dim %= self.rank
        known = self.strides[dim]
        if known is not None:
            return known
        if not self.dense:
            return self._field(self.rank + dim)
        if all(size is not None for size in self.sizes[dim + 1 :]):
            return self.builder.product(self.sizes[dim + 1 :])
        key = 2 * self.rank + dim
        if key not in self._fields:
            inner = [self.size(d) for d in range(dim + 1, self.rank)]
            with self.builder.prologue():
                self._fields[key] = self.builder.product(inner)
        return self._fields[key]

    def offset(self, *position: Int) -> Int:
        """Element offset of an index per dimension."""
        b = self.builder
        return b.add(*(b.mul(p, self.stride(d)) for d, p in enumerate(position)))

    def _field(self, slot: int) -> ir.Value:
        if slot not in self._fields:
            with self.builder.prologue():
                self._fields[slot] = self.builder.load(Buffer(self.handle, "i64"), DIMS_FIELD + slot)
        return self._fields[slot]


class MemoryMixin:
    """The memory half of KernelBuilder, which brings the rest."""

    ptr: ir.Type
    type: Any
    lanes: Any
    const: Any
    value: Any
    broadcast: Any
    iota: Any
    extract: Any
    branch: Any
    prologue: Any

    def address(self, buffer: Buffer, offset: Int) -> ir.Value:
        """Pointer to element `offset`."""
        if isinstance(offset, int) and offset == 0:
            return buffer.data
        element = self.type(_stored(buffer.dtype))
        return self._gep(self.ptr, buffer.data, offset, element)

    def at(self, buffer: Buffer, offset: Int) -> Buffer:
        """The buffer that starts at element `offset`."""
        return Buffer(self.address(buffer, offset), buffer.dtype)

    def load_pointer(self, base: ir.Value, slot: int) -> ir.Value:
        """Pointer number `slot` of an array (or struct) of pointers."""
        return llvm.LoadOp(self.ptr, self._gep(self.ptr, base, slot, self.ptr)).result

    def load(
        self,
        buffer: Buffer,
        offset: Int,
        lanes: int = 1,
        mask: ir.Value | None = None,
        stride: Int = 1,
        other: ir.Value | None = None,
    ) -> ir.Value:
        """Elements `offset, offset + stride, …`. Lanes that `mask` leaves out read nothing and are 0, or those of
        `other` (vectors of neighbours only)."""
        stored = _stored(buffer.dtype)
        kind, width = self.type(stored, lanes), BYTES[stored]
        if lanes == 1:
            value = self._load_scalar(buffer, offset, stored, mask)
        elif not (isinstance(stride, int) and stride == 1):
            value = self._gather(buffer, offset, lanes, mask, stride)
        elif mask is None:
            value = llvm.LoadOp(kind, self.address(buffer, offset), alignment=width).result
        else:
            none = self.const(0, stored, lanes) if other is None else self._to_stored(other, buffer.dtype)
            place = self.address(buffer, offset)
            value = llvm.MaskedLoadOp(kind, place, mask, width, pass_thru=none).result
        return self._from_stored(value, buffer.dtype)

    def gather(self, buffer: Buffer, offsets: ir.Value, mask: ir.Value | None = None) -> ir.Value:
        """One element for each lane of the i64 vector `offsets` (a scalar offset gives a scalar)."""
        lanes = self.lanes(offsets)
        if lanes == 1:
            return self.load(buffer, offsets, mask=mask)
        return self._from_stored(self._gather_at(buffer, buffer.data, offsets, lanes, mask), buffer.dtype)

    def store(
        self, value: ir.Value, buffer: Buffer, offset: Int, mask: ir.Value | None = None, stride: Int = 1
    ) -> None:
        """Write the lanes of `value` (those in `mask`) to `offset, offset + stride, …`."""
        lanes, stored = self.lanes(value), _stored(buffer.dtype)
        value = self._to_stored(value, buffer.dtype)
        width = BYTES[stored]
        if lanes == 1 and mask is not None:
            self.branch(self.extract(mask, 0), lambda: self._store_plain(value, buffer, offset, width))
        elif lanes > 1 and not (isinstance(stride, int) and stride == 1):
            places = self._places(self.address(buffer, offset), stored, lanes, stride)
            llvm.masked_scatter(value, places, self.mask_of(mask, lanes), width)
        elif mask is not None:
            llvm.MaskedStoreOp(value, self.address(buffer, offset), mask, width)
        else:
            self._store_plain(value, buffer, offset, width)

    def mask_of(self, mask: ir.Value | None, lanes: int) -> ir.Value:
        """The mask, or the full one."""
        return mask if mask is not None else self.const(1, "i1", lanes)

    def stack(self, dtype: str, count: int, align: int = 64) -> Buffer:
        """Scratch of `count` elements that lives as long as the current function. For at most a few hundred KB."""
        with self.prologue():
            element = self.type(_stored(dtype))
            data = llvm.AllocaOp(self.ptr, self.const(count), element, alignment=align).result
        return Buffer(data, dtype)

    def _from_stored(self, value: ir.Value, dtype: str) -> ir.Value:
        lanes = self.lanes(value)
        if dtype == "i1":
            return arith.CmpIOp(arith.CmpIPredicate.ne, value, self.const(0, "i8", lanes)).result
        return value if _stored(dtype) == dtype else arith.BitcastOp(self.type(dtype, lanes), value).result

    def _to_stored(self, value: ir.Value, dtype: str) -> ir.Value:
        kind = self.type(_stored(dtype), self.lanes(value))
        if dtype == "i1":
            return arith.ExtUIOp(kind, value).result
        return value if _stored(dtype) == dtype else arith.BitcastOp(kind, value).result

    def _store_plain(self, value: ir.Value, buffer: Buffer, offset: Int, width: int) -> None:
        _mark(llvm.StoreOp(value, self.address(buffer, offset), alignment=width), buffer)

    def _load_scalar(self, buffer: Buffer, offset: Int, stored: str, mask: ir.Value | None) -> ir.Value:
        kind = self.type(stored)

        def read() -> list[ir.Value]:
            op = llvm.LoadOp(kind, self.address(buffer, offset), alignment=BYTES[stored])
            _mark(op, buffer)
            return [op.result]

        if mask is None:
            return read()[0]
        return self.branch(self.extract(mask, 0), read, lambda: [self.const(0, stored)], results=[kind])[0]

    def _gather(self, buffer: Buffer, offset: Int, lanes: int, mask: ir.Value | None, stride: Int) -> ir.Value:
        base = self.address(buffer, offset)
        if isinstance(stride, int) and stride == 0 and mask is None:
            return self.broadcast(self._load_scalar(Buffer(base, buffer.dtype), 0, _stored(buffer.dtype), None), lanes)
        steps = arith.MulIOp(self.iota(lanes), self.broadcast(self.value(stride), lanes)).result
        return self._gather_at(buffer, base, steps, lanes, mask)

    def _gather_at(
        self, buffer: Buffer, base: ir.Value, offsets: ir.Value, lanes: int, mask: ir.Value | None
    ) -> ir.Value:
        stored = _stored(buffer.dtype)
        kind, none = self.type(stored, lanes), self.const(0, stored, lanes)
        places = self._gep(self.type("ptr", lanes), base, offsets, self.type(stored))
        return llvm.masked_gather(kind, places, self.mask_of(mask, lanes), [none], BYTES[stored]).result

    def _places(self, base: ir.Value, stored: str, lanes: int, stride: Int) -> ir.Value:
        steps = arith.MulIOp(self.iota(lanes), self.broadcast(self.value(stride), lanes)).result
        return self._gep(self.type("ptr", lanes), base, steps, self.type(stored))

    def _gep(self, kind: ir.Type, base: ir.Value, offset: Int, element: ir.Type) -> ir.Value:
        if isinstance(offset, int) and -(2**31) < offset < 2**31:
            return llvm.GEPOp(kind, base, [], [offset], element, llvm.GEPNoWrapFlags.none).result
        return llvm.GEPOp(kind, base, [self.value(offset)], [_DYNAMIC], element, llvm.GEPNoWrapFlags.none).result


def apart(buffers: Sequence[Buffer]) -> None:
    """Promise that what is written to one of these buffers is read from no other one."""
    if len(buffers) < 2:
        return
    domain = "domain = <id = distinct[0]<>>"
    texts = [f"#llvm.alias_scope<id = distinct[{n + 1}]<>, {domain}>" for n in range(len(buffers))]
    scopes = list(ir.ArrayAttr(ir.Attribute.parse(f"[{', '.join(texts)}]")))
    for n, buffer in enumerate(buffers):
        others = ir.ArrayAttr.get(scopes[:n] + scopes[n + 1 :])
        buffer.scopes = {"alias_scopes": ir.ArrayAttr.get([scopes[n]]), "noalias_scopes": others}


def _mark(op: Any, buffer: Buffer) -> None:
    for name, scopes in buffer.scopes.items():
        op.operation.attributes[name] = scopes


def _stored(dtype: str) -> str:
    """How a dtype lies in memory. Half floats move as integers: machines without them have no vectors of them."""
    return {"i1": "i8", "f16": "i16", "bf16": "i16"}.get(dtype, dtype)
