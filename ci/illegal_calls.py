"""Calls derived from an op's cases by changing one thing: a size, a rank, a dtype, an index, a number.

Nobody writes down which of them are illegal: eager torch says so. What it refuses, compiled code has to refuse with the
same exception; what it accepts, compiled code has to compute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from npcomp_dialects.aten.block import Block
from npcomp_dialects.aten.cases import Case, TensorSpec, as_case
from npcomp_dialects.aten.dtypes import DType

FAR = 1000
NUMBERS = (0, -1, 7, -7)
"""What an int argument is changed to: values that are often not allowed."""


UNCHECKED = ("reduction", "input_dtype")
"""Codes of which torch takes any number, and means one of a few."""


@dataclass(frozen=True)
class Call:
    """A changed call. `open` calls suit a program that was compiled for the original with every size unknown."""

    change: str
    case: Case
    open: bool


def fixed(block: type[Block], case: Case, binding: dict[str, int]) -> Case:
    """The case at one choice of sizes, all arguments by name."""

    def fix(value: Any) -> Any:
        if isinstance(value, list):
            return [fix(v) for v in value]
        return replace(value, dims=value.sizes(binding)) if isinstance(value, TensorSpec) else value

    values = block.schema.bind(case.args, case.kwargs)
    named = {a.name: fix(v) for a, v in zip(block.schema.arguments, values, strict=True)}
    return Case((), named, (), case.rtol)


def opened(case: Case) -> Case:
    """The case with every size unknown."""
    counter = iter(range(1000))

    def open_(value: Any) -> Any:
        if isinstance(value, list):
            return [open_(v) for v in value]
        if not isinstance(value, TensorSpec):
            return value
        return replace(value, dims=tuple(f"?{next(counter)}" for _ in value.dims))

    return Case((), {name: open_(value) for name, value in case.kwargs.items()}, (), case.rtol)


def bases(block: type[Block]) -> list[Case]:
    """The cases to change: of those that differ in dtypes and sizes alone, the first."""
    found: dict[str, Case] = {}
    for written in block.cases:
        case = as_case(written)
        kept = fixed(block, case, case.bindings()[0])
        found.setdefault(str(_form(kept)), kept)
    return list(found.values())


def _form(case: Case) -> Any:
    """What of a case decides which calls are illegal, roughly: ranks, kinds of dtypes, the other arguments."""

    def form(value: Any) -> Any:
        if isinstance(value, list):
            return [form(v) for v in value]
        if not isinstance(value, TensorSpec):
            return value if not isinstance(value, float) else 0.0
        kind = "float" if value.dtype.is_float else "bool" if value.dtype is DType.bool else "int"
        return (kind, len(value.dims), value.low >= 0)

    return {name: form(value) for name, value in case.kwargs.items()}


def calls(case: Case) -> Iterator[Call]:
    """Every change of one thing."""
    for name, value in case.kwargs.items():
        if name in UNCHECKED:
            continue
        for change, open_, changed in _changes(value):
            yield Call(f"{name}: {change}", replace(case, kwargs={**case.kwargs, name: changed}), open_)


def _changes(value: Any) -> Iterator[tuple[str, bool, Any]]:
    if isinstance(value, TensorSpec):
        yield from _tensor_changes(value)
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int):
        yield from ((f"{value} → {n}", False, n) for n in NUMBERS if n != value)
    elif isinstance(value, float):
        yield f"{value} → -3.0", False, -3.0
    elif isinstance(value, list):
        yield from _list_changes(value)


def _list_changes(values: list[Any]) -> Iterator[tuple[str, bool, Any]]:
    for position, item in enumerate(values):
        for change, open_, changed in _changes(item):
            yield f"[{position}] {change}", open_, [*values[:position], changed, *values[position + 1 :]]
    if values:
        yield f"{len(values)} items → {len(values) - 1}", False, values[:-1]
        yield f"{len(values)} items → {len(values) + 1}", False, [*values, values[-1]]


def _tensor_changes(spec: TensorSpec) -> Iterator[tuple[str, bool, Any]]:
    for d, size in enumerate(spec.dims):
        assert isinstance(size, int)
        for other in dict.fromkeys((size + 1, size - 1, 0, 1)):
            if other >= 0 and other != size:
                dims = (*spec.dims[:d], other, *spec.dims[d + 1 :])
                yield f"size {d} {size} → {other}", True, replace(spec, dims=dims)
    if spec.dims:
        yield f"rank {len(spec.dims)} → {len(spec.dims) - 1}", False, replace(spec, dims=spec.dims[1:])
    yield f"rank {len(spec.dims)} → {len(spec.dims) + 1}", False, replace(spec, dims=(2, *spec.dims))
    if spec.dtype in (DType.i64, DType.i32):
        yield f"values → {FAR}", True, replace(spec, low=FAR, high=FAR + 1)
        yield f"values → {-FAR}", True, replace(spec, low=-FAR, high=-FAR + 1)
    for dtype in (DType.f32, DType.i64, DType.bool):
        if dtype is not spec.dtype:
            low, high = (0, 2) if dtype is DType.bool else (spec.low, max(spec.high, spec.low + 1))
            yield f"{spec.dtype} → {dtype}", False, replace(spec, dtype=dtype, low=low, high=high)


Judge = Callable[[Case], BaseException | None]


def illegal(case: Case, refuses: Judge) -> tuple[list[tuple[Call, BaseException]], list[Call]]:
    """The changed calls that eager torch refuses and those that it accepts. Accepted sizes 1 are changed further,
    since broadcasting hides what sizes mean."""
    refused: list[tuple[Call, BaseException]] = []
    accepted: list[Call] = []
    pending = list(calls(case))
    for call in pending:
        error = refuses(call.case)
        if error is not None:
            refused.append((call, error))
            continue
        accepted.append(call)
        if call.change.endswith("→ 1") and call.open and "," not in call.change:
            pending += (Call(f"{call.change}, {more.change}", more.case, True) for more in resized(call.case))
    return refused, accepted


def few(refused: list[tuple[Call, BaseException]], most: int) -> list[tuple[Call, BaseException]]:
    """At most so many with the same words of torch's."""
    kept, seen = [], dict[str, int]()
    for call, error in refused:
        words = "".join(c for c in f"{type(error).__name__}{str(error).partition(chr(10))[0][:60]}" if not c.isdigit())
        seen[words] = seen.get(words, 0) + 1
        if seen[words] <= most:
            kept.append((call, error))
    return kept


def resized(case: Case) -> Iterator[Call]:
    """The changes of one size to another above 1."""
    for call in calls(case):
        if call.open and ": size" in call.change and not call.change.endswith(("→ 0", "→ 1")):
            yield call
