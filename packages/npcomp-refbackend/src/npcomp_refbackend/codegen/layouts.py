"""How each tensor value of a function lies in memory, as far as that is known at compile time.

Arguments and constants are dense and row-major, computed tensors lie as their destination does. A slice is a view
with its source's strides; what flows through control flow, calls and returns is made dense first, so only views of
one block are strided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from npcomp_dialects.mlir import ir

CONTENTS = "contents"  # of a dispatch of loops: which outs it starts from, made unique and so dense at run time


@dataclass(frozen=True)
class Layout:
    """Strides in elements (None: known at run time); `dense` means row-major without gaps."""

    strides: tuple[int | None, ...]
    dense: bool
    constant: Any = None  # the attribute whose elements these are

    def text(self) -> str:
        """As the dispatch op carries it."""
        if not self.dense:
            return "strided " + ",".join("?" if s is None else str(s) for s in self.strides)
        return "constant" if self.constant is not None else ""


def shape_of(value: Any) -> tuple[int | None, ...]:
    return tuple(None if s < 0 else s for s in ir.RankedTensorType(value.type).shape)


def dense(value: Any, constant: Any = None) -> Layout:
    strides: list[int | None] = []
    step: int | None = 1
    for size in reversed(shape_of(value)):
        strides.append(step)
        step = None if step is None or size is None else step * size
    return Layout(tuple(reversed(strides)), True, constant)


def layout_of(value: Any) -> Layout:
    """The layout of a value, from the ops that make it."""
    if isinstance(value.owner, ir.Block):
        return dense(value)
    op = value.owner.operation
    if op.name == "arith.constant":
        return dense(value, op.attributes["value"])
    if op.name in ("tensor.expand_shape", "tensor.collapse_shape", "tensor.cast"):
        return _reshaped(op, value)
    if op.name == "tensor.extract_slice":
        return _sliced(op, value)
    if op.name == "refrt.dispatch":
        return operand_layout(op, first_out(op) + list(op.results).index(value))
    return dense(value)


def first_out(dispatch: Any) -> int:
    """Position of the first out operand."""
    return len(dispatch.operands) - len(dispatch.results)


def operand_layout(dispatch: Any, n: int) -> Layout:
    """The layout in which the kernel of a dispatch gets operand `n`."""
    value = dispatch.operands[n]
    out = n - first_out(dispatch)
    if out >= 0 and CONTENTS in dispatch.attributes and dispatch.attributes[CONTENTS][out]:
        return dense(value)
    return layout_of(value)


def _reshaped(op: Any, value: Any) -> Layout:
    source = layout_of(op.operands[0])
    if source.dense:
        return dense(value, source.constant)
    if op.name == "tensor.cast":
        return source
    if op.name == "tensor.collapse_shape":
        return dense(value)  # made contiguous first
    strides: list[int | None] = []
    sizes = shape_of(value)
    for step, group in zip(source.strides, reassociation(op)):
        steps: list[int | None] = []
        for d in reversed(group):
            steps.append(step)
            size = sizes[d]
            step = None if step is None or size is None else step * size
        strides.extend(reversed(steps))
    return Layout(tuple(strides), False)


def _sliced(op: Any, value: Any) -> Layout:
    """A view; still dense when only the outermost dimension that is not 1 is cut and nothing is skipped."""
    source = sliced_layout(op)
    steps = list(op.attributes["static_strides"])
    kept = dropped_dims(op)
    strides = tuple(_scale(s, k) for d, (s, k) in enumerate(zip(source.strides, steps)) if d not in kept)
    return Layout(strides, source.dense and _outermost_only(op, steps))


def sliced_layout(op: Any) -> Layout:
    """Layout of what an extract_slice cuts: a base that was made `unique` is dense."""
    return dense(op.operands[0]) if "unique" in op.attributes else layout_of(op.operands[0])


def _outermost_only(op: Any, steps: list[int]) -> bool:
    sizes = list(op.attributes["static_sizes"])
    whole = shape_of(op.operands[0])
    if any(k != 1 for k in steps):
        return False
    cut = [d for d, (size, all_) in enumerate(zip(sizes, whole)) if size != all_ or size < 0]
    return all(sizes[d] == 1 for d in range(max(cut, default=0)))


def dropped_dims(op: Any) -> set[int]:
    """Dimensions of size 1 that a rank-reducing slice leaves out."""
    sizes = list(op.attributes["static_sizes"])
    result = list(ir.RankedTensorType(op.results[0].type).shape)
    return unit_dims_dropped(sizes, result)


def unit_dims_dropped(sizes: list[int], result: list[int]) -> set[int]:
    """Which entries of `sizes` (negative: dynamic) are missing in `result`."""
    dropped: set[int] = set()
    r = 0
    for d, size in enumerate(sizes):
        left = len(sizes) - d - 1
        matches = r < len(result) and (size == result[r] or (size < 0 and result[r] < 0))
        if matches and len(result) - r - 1 <= left:
            r += 1
        elif size == 1:
            dropped.add(d)
        else:
            r += 1
    return dropped


def _scale(step: int | None, by: int) -> int | None:
    return None if step is None or by < 0 else step * by


def reassociation(op: Any) -> list[list[int]]:
    return [[i.value for i in group] for group in op.attributes["reassociation"]]
