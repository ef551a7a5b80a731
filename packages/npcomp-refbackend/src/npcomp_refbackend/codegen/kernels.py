"""The kernels of a program: one per distinct dispatch, found by canonical text."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from npcomp_dialects.errors import resolve
from npcomp_dialects.mlir import ir

from . import contraction, convolution, loops, nest
from .dispatch import Dispatch, Loop, Schedule
from .kernel import KernelBuilder
from .layouts import operand_layout
from .legality import root_family
from .loop_dispatch import LoopDispatch, is_loops
from .parse import parse
from .target import Target

Family = Callable[[KernelBuilder, Dispatch, Target], Schedule]


@dataclass
class Kernel:
    symbol: str
    schedule: Schedule
    loops: list[Loop]
    source: list[str]  # user's lines
    uses: int = 0

    def row(self) -> dict[str, Any]:
        """For the artifact's header: what was chosen and for what."""
        chosen = {"family": self.schedule.family, **self.schedule.parameters}
        return {"name": self.symbol, **chosen, "grain": self.schedule.grain, "uses": self.uses, "source": self.source}


class KernelLibrary:
    """Writes kernels into `module` as dispatches ask for them."""

    def __init__(self, module: ir.Module, target: Target):
        self.module, self.target = module, target
        self.kernels: dict[str, Kernel] = {}
        self.seconds = 0.0

    def get(self, op: Any) -> Kernel:
        """The kernel of a dispatch; writes it when it is the first of its kind."""
        start = time.perf_counter()
        layouts = [_layout(op, n) for n in range(len(op.operands))]
        op.attributes["layouts"] = ir.ArrayAttr.get([ir.StringAttr.get(text) for text in layouts])
        text = canonical_text(op)
        if text not in self.kernels:
            self.kernels[text] = self._build(op)
        kernel = self.kernels[text]
        kernel.uses += 1
        op.attributes["strategy"] = ir.StringAttr.get(f"{kernel.symbol}: {kernel.schedule.parameters}")
        self.seconds += time.perf_counter() - start
        return kernel

    def _build(self, op: Any) -> Kernel:
        if is_loops(op):
            return self._build_loops(op)
        dispatch = parse(op)
        name, emit = family_of(dispatch, self.target)
        symbol = f"k{len(self.kernels)}_{name}"
        with op.location, KernelBuilder(self.module, symbol, self.target) as kb:
            schedule = emit(kb, dispatch, self.target)
        return Kernel(symbol, schedule, dispatch.loops, source_lines(op))

    def _build_loops(self, op: Any) -> Kernel:
        symbol = f"k{len(self.kernels)}_loops"
        with op.location, KernelBuilder(self.module, symbol, self.target) as kb:
            schedule = loops.emit(kb, LoopDispatch.of(op))
        return Kernel(symbol, schedule, [], source_lines(op))


def family_of(dispatch: Dispatch, target: Target) -> tuple[str, Family]:
    """The module that builds the kernel, by the dispatch's root; the nest runs what the others do not match."""
    roots = [f for g in dispatch.cluster.members if (f := root_family(g))]
    module = {"contraction": contraction, "convolution": convolution}.get(roots[0]) if roots else None
    if module is not None and module.match(dispatch, target) is not None:
        return roots[0], module.emit
    return "nest", nest.emit


def canonical_text(op: Any) -> str:
    """The dispatch as text in which values are numbered as they appear."""
    text = op.get_asm(use_local_scope=True, print_generic_op_form=False)
    body = text[text.index("({") if "({" in text else text.index("{") :]
    header = ", ".join(str(v.type) for v in op.operands)
    numbers: dict[str, str] = {}
    renamed = re.sub(r"%[\w$.-]+", lambda m: numbers.setdefault(m.group(), f"%{len(numbers)}"), body)
    return f"{header}\n{op.attributes['layouts']}\n{renamed}"


def _layout(op: Any, n: int) -> str:
    return operand_layout(op, n).text() if isinstance(op.operands[n].type, ir.RankedTensorType) else ""


def source_lines(op: Any) -> list[str]:
    """The user's lines that a dispatch computes."""
    computing = [o for o in op.regions[0].blocks[0].operations if o.operation.name.startswith(("linalg.gen", "scf."))]
    places = [resolve(o.location) for o in computing]
    return list(dict.fromkeys(str(p) for p in places if p))
