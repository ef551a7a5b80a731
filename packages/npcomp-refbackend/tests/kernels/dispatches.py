"""Dispatches for tests, written as linalg and read by the code generator's own parser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from launch import HOST, Kernel
from npcomp_dialects.mlir import ir
from npcomp_refbackend.codegen.dispatch import Dispatch, Schedule
from npcomp_refbackend.codegen.kernel import KernelBuilder
from npcomp_refbackend.codegen.lower_llvm import to_object
from npcomp_refbackend.codegen.parse import parse

TORCH = {
    "f32": torch.float32, "f64": torch.float64, "f16": torch.float16, "bf16": torch.bfloat16,
    "i8": torch.int8, "i16": torch.int16, "i32": torch.int32, "i64": torch.int64, "i1": torch.bool,
}  # fmt: skip


Place = tuple[str, str, Sequence[str]]  # value, type, results of the indexing map


def tensor_type(sizes: Sequence[int | None], dtype: str) -> str:
    dims = "".join("?x" if s is None else f"{s}x" for s in sizes)
    return f"tensor<{dims}{dtype}>"


def affine(loops: str, results: Sequence[str]) -> str:
    return f"affine_map<({', '.join(loops)}) -> ({', '.join(results)})>"


@dataclass
class Region:
    """Text of a dispatch being put together: inputs, outputs, ops."""

    ins: list[str] = field(default_factory=list)  # types
    outs: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    constants: set[int] = field(default_factory=set)
    strided_outs: bool = False

    def add(self, kind: str, constant: bool = False) -> str:
        if constant:
            self.constants.add(len(self.ins))
        self.ins.append(kind)
        return f"%a{len(self.ins) - 1}"

    def out(self, kind: str, result: str) -> str:
        self.outs.append(kind)
        self.results.append(result)
        return f"%o{len(self.outs) - 1}"

    def generic(self, name: str, loops: str, kinds: str, ins: list[Place], out: Place, body: str) -> None:
        """`kinds` has p or r for each loop; the body's arguments are %x0, %x1 … %acc."""
        maps = ", ".join(affine(loops, m) for _, _, m in [*ins, out])
        iterators = ", ".join('"parallel"' if k == "p" else '"reduction"' for k in kinds)
        elements = [t.rsplit("x", 1)[-1].rstrip(">").removeprefix("tensor<") for _, t, _ in [*ins, out]]
        arguments = ", ".join(f"%x{i}: {t}" for i, t in enumerate(elements[:-1]))
        head = f"^bb0({arguments}{', ' if arguments else ''}%acc: {elements[-1]}):"
        read = f"ins({', '.join(v for v, _, _ in ins)} : {', '.join(t for _, t, _ in ins)}) " if ins else ""
        self.lines.append(
            f"{name} = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{iterators}]}} "
            f"{read}outs({out[0]} : {out[1]}) {{\n{head}\n{body}\n}} -> {out[1]}"
        )

    def text(self) -> str:
        count = len(self.ins)
        names = [f"%a{i}" for i in range(count)] + [f"%o{i}" for i in range(len(self.outs))]
        kinds = self.ins + self.outs
        outer = ", ".join(f"%e{i}: {t}" for i, t in enumerate(kinds))
        block = ", ".join(f"{n}: {t}" for n, t in zip(names, kinds))
        given = ", ".join(f"%e{i}" for i in range(len(kinds)))
        unknown = [",".join("?" * o.count("x")) for o in self.outs]
        outs = [f'"strided {u}"' if self.strided_outs else '""' for u in unknown]
        layouts = ", ".join(['"constant"' if i in self.constants else '""' for i in range(count)] + outs)
        yields = f""" "refrt.yield"({", ".join(self.results)}) : ({", ".join(self.outs)}) -> ()"""
        body = "\n".join([*self.lines, yields])
        return (
            f"func.func @f({outer}) {{\n"
            f'%r:{len(self.outs)} = "refrt.dispatch"({given}) ({{\n'
            f"^bb0({block}):\n{body}\n}}) {{operandSegmentSizes = array<i32: {count}, {len(self.outs)}>, "
            f"layouts = [{layouts}]}} : ({', '.join(kinds)}) -> ({', '.join(self.outs)})\nreturn\n}}"
        )


@dataclass
class Compiled:
    kernel: Kernel
    dispatch: Any
    schedule: Schedule

    def __call__(self, *inputs: torch.Tensor, outs: Sequence[torch.Tensor]) -> None:
        self.bind(*inputs, outs=outs)()

    def bind(self, *inputs: torch.Tensor, outs: Sequence[torch.Tensor]) -> Any:
        """A call over the whole grid; constants are packed first."""
        arrays = [as_array(t) for t in (*inputs, *outs)]
        extent = self.extent(arrays)
        for index, pack in self.schedule.packs.items():
            arrays[index] = aligned(pack.pack(arrays[index]))
        return self.kernel.bind(arrays, [], 0, extent)

    def extent(self, arrays: Sequence[np.ndarray]) -> int:
        total = 1
        for loops, tile in self.schedule.units:
            size = int(np.prod([self._size(l, arrays) for l in loops], dtype=np.int64))
            total *= -(-size // tile)
        return total

    def _size(self, loop: int, arrays: Sequence[np.ndarray]) -> int:
        known, operand, dim = self.dispatch[loop]
        return known if known is not None else arrays[operand].shape[dim]


def as_array(tensor: torch.Tensor) -> np.ndarray:
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(np.uint16)
    return tensor.numpy()


def aligned(array: np.ndarray) -> np.ndarray:
    raw = np.empty(array.nbytes + 64, np.uint8)
    start = -raw.ctypes.data % 64
    view = raw[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def compile_dispatch(region: Region, emit: Any, target: Any = HOST) -> Compiled:
    """The kernel that `emit` makes of a region."""
    with ir.Context() as context, ir.Location.unknown():
        context.allow_unregistered_dialects = True
        source = ir.Module.parse(region.text())
        function = source.body.operations[0]
        dispatch: Dispatch = parse(function.regions[0].blocks[0].operations[0].operation)
        module = ir.Module.create()
        with KernelBuilder(module, "k", target) as kb:
            schedule = emit(kb, dispatch, target)
        assert module.operation.verify()
        loops = [(l.size, l.operand, l.dim) for l in dispatch.loops]
        return Compiled(Kernel(to_object(module, target), "k"), loops, schedule)
