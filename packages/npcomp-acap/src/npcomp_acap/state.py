"""State that a captured function reaches: tensors in modules, optimizers and closures.

For the time of a capture the *references* to these tensors are replaced by stand-ins, in the dictionaries and lists
that hold them, so that the real tensors neither change nor enter the graph as constants. (Swapping the tensors'
contents instead fails on autograd's weak references and use counts.)"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from npcomp_acap.errors import CaptureError


@dataclass
class Slot:
    """A tensor that an optimizer keeps for a parameter; during a capture, its stand-in."""

    optimizer: torch.optim.Optimizer
    parameter: torch.Tensor
    key: str
    tensor: torch.Tensor


class State:
    """The distinct tensors of some modules, optimizers and closure variables, with every place that refers to each."""

    def __init__(self, owners: Sequence[tuple[str, Any]]):
        self.tensors: list[torch.Tensor] = []
        self.names: list[str] = []
        self._places: list[tuple[Any, Any, int]] = []
        self._number: dict[int, int] = {}
        self._optimizers: list[torch.optim.Optimizer] = []
        self.born: list[Slot] = []
        for name, owner in owners:
            self._visit(name, owner)

    def _visit(self, name: str, owner: Any) -> None:
        if isinstance(owner, torch.nn.Module):
            self._visit_module(name, owner)
        elif isinstance(owner, torch.optim.Optimizer):
            self._visit_optimizer(name, owner)
        elif isinstance(owner, _Cell):
            self._add(owner, "contents", owner["contents"], name)

    def _visit_module(self, name: str, module: torch.nn.Module) -> None:
        for path, part in module.named_modules():
            prefix = ".".join(filter(None, (name, path)))
            for table in (part._parameters, part._buffers):
                for key, tensor in table.items():
                    if tensor is not None:
                        self._add(table, key, tensor, f"{prefix}.{key}".lstrip("."))
            for attribute, value in vars(part).items():
                if isinstance(value, torch.optim.Optimizer):
                    self._visit_optimizer(f"{prefix}.{attribute}".lstrip("."), value)
            if isinstance(part, torch.nn.RNNBase):
                for index, tensor in enumerate(part._flat_weights):
                    if tensor is not None:
                        self._add(part._flat_weights, index, tensor, f"{prefix}._flat_weights.{index}")

    def _visit_optimizer(self, name: str, optimizer: torch.optim.Optimizer) -> None:
        self._optimizers.append(optimizer)
        for group in optimizer.param_groups:
            for index, parameter in enumerate(group["params"]):
                self._add(group["params"], index, parameter, f"{name}.params.{index}")
        for index, slots in enumerate(optimizer.state.values()):
            for key, tensor in slots.items():
                if isinstance(tensor, torch.Tensor):
                    self._add(slots, key, tensor, f"{name}.state.{index}.{key}")

    def _add(self, holder: Any, key: Any, tensor: torch.Tensor, name: str) -> None:
        number = self._number.setdefault(id(tensor), len(self.tensors))
        if number == len(self.tensors):
            self.tensors.append(tensor)
            self.names.append(name)
        self._places.append((holder, key, number))

    @contextlib.contextmanager
    def replaced(self, stand_ins: Sequence[torch.Tensor]) -> Iterator[Callable[[], list[torch.Tensor]]]:
        """Stand-ins in every place; yields a function that reads what the places hold now (they may be rebound)."""
        optimizer_states = [optimizer.state for optimizer in self._optimizers]
        gradients = [tensor.grad for tensor in self.tensors]
        try:
            for holder, key, number in self._places:
                holder[key] = stand_ins[number]
            for optimizer, state in zip(self._optimizers, optimizer_states, strict=True):
                optimizer.state = self._rekeyed(state, stand_ins)  # type: ignore[assignment]
            before = [self._slots(optimizer) for optimizer in self._optimizers]
            yield self._current
            self.born = self._new_slots(before, stand_ins)
        finally:
            for holder, key, number in self._places:
                holder[key] = self.tensors[number]
            for optimizer, state in zip(self._optimizers, optimizer_states, strict=True):
                optimizer.state = state
            for tensor, gradient in zip(self.tensors, gradients, strict=True):
                tensor.grad = gradient

    def _slots(self, optimizer: torch.optim.Optimizer) -> set[tuple[int, str]]:
        """The entries that hold something, by the parameter's identity and name."""
        return {
            (id(parameter), key)
            for parameter, slots in optimizer.state.items()
            for key, value in slots.items()
            if value is not None
        }

    def _new_slots(self, before: list[set[tuple[int, str]]], stand_ins: Sequence[torch.Tensor]) -> list[Slot]:
        """What optimizers made at their first step."""
        number = {id(stand_in): n for n, stand_in in enumerate(stand_ins)}
        found: list[Slot] = []
        for optimizer, had in zip(self._optimizers, before, strict=True):
            for parameter, slots in optimizer.state.items():
                for key, value in slots.items():
                    if value is None or (id(parameter), key) in had:
                        continue
                    if not isinstance(value, torch.Tensor) or id(parameter) not in number:
                        raise CaptureError(
                            f"{type(optimizer).__name__} creates {key!r}, which is no tensor, at its first step, and a"
                            " captured program can only update state that exists",
                            do="run one step in eager torch before tracing",
                        )
                    found.append(Slot(optimizer, self.tensors[number[id(parameter)]], key, value))
        return found

    def refuse_other_sizes(self, final: Sequence[torch.Tensor]) -> None:
        """The tensors of the state are written in place after a call: they keep their sizes and dtype."""
        for name, old, new in zip(self.names, self.tensors, final, strict=True):
            if new.dtype != old.dtype or str(tuple(new.shape)) != str(tuple(old.shape)):
                raise CaptureError(
                    f"state {name!r} is {old.dtype} {list(old.shape)} and becomes {new.dtype} {list(new.shape)}, and a"
                    " captured program updates state in place",
                    do="give it the final sizes and dtype before tracing",
                )

    def _current(self) -> list[torch.Tensor]:
        final: list[torch.Tensor] = list(self.tensors)
        for holder, key, number in self._places:
            final[number] = holder[key]
        return final

    def _rekeyed(self, state: MutableMapping[Any, Any], stand_ins: Sequence[torch.Tensor]) -> MutableMapping[Any, Any]:
        copy = type(state)(dict)  # type: ignore[call-arg]
        for parameter, slots in state.items():
            copy[stand_ins[self._number[id(parameter)]] if id(parameter) in self._number else parameter] = slots
        return copy


class _Cell:
    """A closure cell or global that holds a tensor, as a place: `place["contents"] = stand_in`."""

    def __init__(self, read: Callable[[], Any], write: Callable[[Any], None]):
        self._read, self._write = read, write

    def __getitem__(self, key: str) -> Any:
        return self._read()

    def __setitem__(self, key: str, value: Any) -> None:
        self._write(value)


def owners_of(function: Callable[..., Any]) -> list[tuple[str, Any]]:
    """Modules, optimizers and tensors that `function` reaches: itself, the object it is bound to, its closure, the
    globals it names and its defaults."""
    if isinstance(function, torch.nn.Module):
        return [("", function)]
    owners: list[tuple[str, Any]] = []
    bound = getattr(function, "__self__", None)
    if isinstance(bound, torch.nn.Module | torch.optim.Optimizer):
        owners.append(("self", bound))
    plain = inspect.unwrap(getattr(function, "__func__", function))
    code = getattr(plain, "__code__", None)
    if code is None:
        return owners
    for name, cell in zip(code.co_freevars, plain.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # a cell that is not filled yet
            owners += _owner(name, cell.cell_contents, _of_cell(cell))
    table = plain.__globals__
    for name in code.co_names:
        if name in table:
            owners += _owner(name, table[name], _of_global(table, name))
    for name, value in zip(reversed(code.co_varnames[: code.co_argcount]), reversed(plain.__defaults__ or ())):
        if isinstance(value, torch.nn.Module | torch.optim.Optimizer):
            owners.append((name, value))
    return owners


def _of_cell(cell: Any) -> _Cell:
    def write(value: Any) -> None:
        cell.cell_contents = value

    return _Cell(lambda: cell.cell_contents, write)


def _of_global(table: dict[str, Any], name: str) -> _Cell:
    return _Cell(lambda: table[name], lambda value: table.__setitem__(name, value))


def _owner(name: str, value: Any, cell: _Cell) -> list[tuple[str, Any]]:
    if isinstance(value, torch.nn.Module | torch.optim.Optimizer):
        return [(name, value)]
    if isinstance(value, torch.Tensor):
        return [(name, cell)]
    if isinstance(value, list | tuple):
        parts = [(f"{name}.{i}", part) for i, part in enumerate(value)]
        return [(path, part) for path, part in parts if isinstance(part, torch.nn.Module | torch.optim.Optimizer)]
    return []
