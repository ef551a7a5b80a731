"""Which loop nests can update their tensors in place, each in one buffer.

A nest is an `scf.for` or `scf.while` whose regions hold scalar arithmetic, `tensor.extract`, `tensor.insert`,
`tensor.dim`, guards and further structured control flow. Tensors are values, a kernel has buffers, so every tensor
value of the nest must find its elements in one buffer whenever it is read:

* The *root* of a value is what it lives in: the slot of a tensor that the nest carries, or a tensor outside that it
  only reads. Inserts, loops and branches pass it on. A tensor that is carried and read too is both, in two buffers.
* At each point of the program a root has one *current* value, the one its buffer holds. Reading, overwriting or
  yielding any other value of that root would need a copy, and the nest is left to the driver, which makes it.
* A loop body may only change the roots that its loop carries, and yields each to the position it came from; the next
  iteration would start from the wrong contents otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from npcomp_dialects.mlir import ir

from .structured import nested

_LOOPS = ("scf.for", "scf.while")
_ELEMENTS = frozenset({"f64", "f32", "f16", "bf16", "i64", "i32", "i16", "i8", "i1"})


class NeedsCopy(Exception):
    """The nest reads a value whose buffer holds another one by then, or holds an op that no kernel runs."""


@dataclass(eq=False)
class Slot:
    """A tensor that a nest carries: it starts from what `init` holds."""

    init: Any


class Roots:
    """The root of every tensor value in the nest `op`. Raises `NeedsCopy` where one buffer a root is not enough."""

    def __init__(self, op: Any):
        self.root: dict[Any, Any] = {}
        self._current: dict[Any, Any] = {}
        _check_types(op)
        inits = {n: v for n, v in enumerate(_inits(op)) if _is_tensor(v)}
        slots = {n: Slot(v) for n, v in inits.items()}
        self.slots = list(slots.values())  # in order of the nest's operands
        self._loop(op, slots)
        self.results: list[Slot | None] = [self.root.get(r) for r in op.results]

    def buffer_of(self, value: Any) -> Any:
        """The tensor from outside the nest in whose buffer a value lives."""
        root = self._of(value)
        return root.init if isinstance(root, Slot) else root

    def _of(self, value: Any) -> Any:
        return self.root.get(value, value)

    # -- state -------------------------------------------------------------------------------------------------

    def _use(self, value: Any) -> Any:
        """The root of a value that is read or overwritten now."""
        root = self._of(value)
        if self._current.get(root, root) != value:
            raise NeedsCopy(f"{value} is used after its buffer was overwritten")
        return root

    def _become(self, value: Any, root: Any) -> None:
        """From here on the buffer of `root` holds `value`."""
        self.root[value] = root
        self._current[root] = value

    def _changed(self, before: dict[Any, Any]) -> set[Any]:
        return {r for r, value in self._current.items() if before.get(r, r) != value}

    # -- ops ---------------------------------------------------------------------------------------------------

    def _block(self, block: Any) -> Any:
        """Walk a block up to its terminator, which is returned."""
        ops = list(block.operations)
        for op in ops[:-1]:
            self._visit(op.operation)
        return ops[-1].operation

    def _visit(self, op: Any) -> None:
        name = op.name
        if name in _LOOPS:
            self._visit_loop(op)
        elif name == "scf.if":
            self._visit_if(op)
        elif name == "tensor.insert":
            root = self._use(op.operands[1])
            self._become(op.results[0], root)
        elif name == "tensor.extract":
            self._use(op.operands[0])
        elif name == "tensor.dim":
            return
        elif not name.startswith(("arith.", "math.")) and name != "tcf.guard":
            raise NeedsCopy(f"{name} has no place in a kernel of loops")
        elif any(_is_tensor(v) for v in (*op.operands, *op.results)) and name != "arith.constant":
            raise NeedsCopy(f"{name} of tensors")

    def _visit_loop(self, op: Any) -> None:
        carried = {n: self._use(v) for n, v in enumerate(_inits(op)) if _is_tensor(v)}
        if len(set(carried.values())) != len(carried):
            raise NeedsCopy("a loop carries one tensor twice")
        self._loop(op, carried)

    def _loop(self, op: Any, carried: dict[int, Any]) -> None:
        """Walk a loop that carries the roots at the given positions."""
        before = dict(self._current)
        if op.name == "scf.for":
            block = op.regions[0].blocks[0]
            leaving = carried
            self._enter(list(block.arguments)[1:], carried)
        else:
            leaving = self._condition(op.regions[0].blocks[0], carried)
            block = op.regions[1].blocks[0]
            self._enter(list(block.arguments), leaving)
        end = self._block(block)
        if self._handed_on(end.operands) != carried:
            raise NeedsCopy("a loop yields a tensor to another position than it came from")
        if self._changed(before) - set(carried.values()):
            raise NeedsCopy("a loop changes a tensor that it does not carry")
        self._enter(list(op.results), leaving)

    def _condition(self, block: Any, carried: dict[int, Any]) -> dict[int, Any]:
        """Walk the first region of a while; gives the root of each tensor it hands on."""
        self._enter(list(block.arguments), carried)
        end = self._block(block)
        leaving = self._handed_on(list(end.operands)[1:])
        if set(leaving.values()) != set(carried.values()):
            raise NeedsCopy("a while loop hands on other tensors than it carries")
        return leaving

    def _enter(self, values: list[Any], roots: dict[int, Any]) -> None:
        for n, root in roots.items():
            self._become(values[n], root)

    def _handed_on(self, values: Any) -> dict[int, Any]:
        """Roots of the tensors that a terminator passes on, by position."""
        roots = {n: self._use(v) for n, v in enumerate(values) if _is_tensor(v)}
        if len(set(roots.values())) != len(roots):
            raise NeedsCopy("a region yields one tensor twice")
        return roots

    def _visit_if(self, op: Any) -> None:
        before = dict(self._current)
        yielded, changed = [], set()
        for region in op.regions:
            if not len(region.blocks):
                continue
            self._current = dict(before)
            end = self._block(region.blocks[0])
            yielded.append(self._handed_on(end.operands))
            changed |= self._changed(before)
        self._current = before
        if any(roots != yielded[0] for roots in yielded):
            raise NeedsCopy("branches yield different tensors")
        if changed - set(yielded[0].values()):
            raise NeedsCopy("a branch changes a tensor that it does not yield")
        self._enter(list(op.results), yielded[0])


def _inits(loop: Any) -> list[Any]:
    return list(loop.operands)[3:] if loop.name == "scf.for" else list(loop.operands)


def _check_types(op: Any) -> None:
    for inner in nest_ops(op):
        values = list(inner.operands) + list(inner.results)
        for region in inner.regions:
            for block in region.blocks:
                values += list(block.arguments)
        for value in values:
            kind = str(value.type.element_type if _is_tensor(value) else value.type)
            if kind not in _ELEMENTS and (_is_tensor(value) or kind != "index"):
                raise NeedsCopy(f"a kernel of loops holds no {value.type}")
        if inner.name == "scf.for" and "unsignedCmp" in inner.attributes:
            raise NeedsCopy("a loop counts without sign")


def nest_ops(op: Any) -> list[Any]:
    """The op and all ops in its regions, in order."""
    return [op, *(inner for region in op.regions for block in region.blocks for inner in nested(block))]


def _is_tensor(value: Any) -> bool:
    return isinstance(value.type, ir.ShapedType)
