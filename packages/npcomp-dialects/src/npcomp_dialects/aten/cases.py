"""The case language: what an op is tested on, compactly.

A tensor is a dtype called with sizes, a case is the op's arguments in schema order:

    cases = [
        f32(3, 4),                                    # one argument may stand alone
        f32("?", 5),                                  # "?": a size that the compiler does not know
        case(f32("n", 4), f32("n", 1), alpha=2),      # the same name is the same size
        case(f32("a", 4), f32("b", 4), at=[(3, 3), (1, 3)]),   # the sizes to run with, one tuple a run
        case(i64(5, low=1, high=9), f32(2, 3)),       # values in [low, high)
        case([f32(2, 3), f32(2, 5)], dim=1),          # a list of tensors
    ]

A case compiles once and runs once for each entry of `at`, by default with every unknown size 3, then 2. Symbols are
filled in order of first appearance; every "?" is a symbol of its own. Values are uniform: floats in [-2, 2), integers
in [-5, 6), unsigned ones in [0, 6), bool both. `special=True` mixes in nan, infinities and signed zeros.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .abstract import TensorInfo
from .dtypes import DType
from .schema import Schema


@dataclass(frozen=True)
class TensorSpec:
    """A tensor of a case."""

    dtype: DType
    dims: tuple[int | str, ...]
    low: float
    high: float
    special: bool = False

    def sizes(self, binding: Mapping[str, int]) -> tuple[int, ...]:
        """The sizes of one run."""
        return tuple(binding[d] if isinstance(d, str) else d for d in self.dims)

    def info(self) -> TensorInfo:
        """What the compiler knows of it."""
        return TensorInfo(tuple(None if isinstance(d, str) else d for d in self.dims), self.dtype)

    def __str__(self) -> str:
        return f"{self.dtype}({', '.join(map(str, self.dims))})"


@dataclass(frozen=True)
class Case:
    """One test of an op: positional and keyword arguments and the sizes to run with."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    at: tuple[tuple[int, ...], ...] = ()
    rtol: float | None = None

    def symbols(self) -> list[str]:
        """The unknown sizes in order of first appearance; each "?" has got a name of its own."""
        names: dict[str, None] = {}
        for spec in self.tensors():
            names.update((d, None) for d in spec.dims if isinstance(d, str))
        return list(names)

    def bindings(self) -> list[dict[str, int]]:
        """The sizes of each run; one empty binding when the case is static."""
        symbols = self.symbols()
        if not symbols:
            return [{}]
        runs = self.at or tuple((n,) * len(symbols) for n in (3, 2))
        return [dict(zip(symbols, run, strict=True)) for run in runs]

    def tensors(self) -> Iterator[TensorSpec]:
        """The tensors, in order."""
        for value in (*self.args, *self.kwargs.values()):
            yield from (v for v in (value if isinstance(value, list) else [value]) if isinstance(v, TensorSpec))

    def arguments(self, schema: Schema) -> list[Any]:
        """The arguments in schema order, defaults filled, tensors as TensorSpec."""
        return schema.bind(self.args, self.kwargs)

    def __str__(self) -> str:
        shown = [_show(a) for a in self.args] + [f"{k}={_show(v)}" for k, v in self.kwargs.items()]
        return f"case({', '.join(shown)})"


def _show(value: Any) -> str:
    return "[" + ", ".join(map(_show, value)) + "]" if isinstance(value, list) else str(value)


def case(*args: Any, at: Any = (), rtol: float | None = None, **kwargs: Any) -> Case:
    """A case; see the module's description."""
    runs = tuple(tuple(run) if isinstance(run, (tuple, list)) else (run,) for run in at)
    counter = iter(range(1000))

    def name(value: Any) -> Any:
        if isinstance(value, list):
            return [name(v) for v in value]
        if not isinstance(value, TensorSpec):
            return value
        dims = tuple(f"?{next(counter)}" if d == "?" else d for d in value.dims)
        return TensorSpec(value.dtype, dims, value.low, value.high, value.special)

    return Case(tuple(map(name, args)), {k: name(v) for k, v in kwargs.items()}, runs, rtol)


def as_case(value: Any) -> Case:
    """A case as written in a block: a lone tensor is the case of one argument."""
    return value if isinstance(value, Case) else case(value)


@dataclass(frozen=True)
class _Spec:
    dtype: DType

    def __call__(
        self, *dims: int | str, low: float | None = None, high: float | None = None, special: bool = False
    ) -> TensorSpec:
        default_low, default_high = self._range()
        return TensorSpec(
            self.dtype, dims, default_low if low is None else low, default_high if high is None else high, special
        )

    def _range(self) -> tuple[float, float]:
        if self.dtype.is_float:
            return -2.0, 2.0
        if self.dtype is DType.bool:
            return 0, 2
        return (-5, 6) if self.dtype.is_signed else (0, 6)


f16, bf16, f32, f64 = _Spec(DType.f16), _Spec(DType.bf16), _Spec(DType.f32), _Spec(DType.f64)
u8, i8, i16, i32, i64 = _Spec(DType.u8), _Spec(DType.i8), _Spec(DType.i16), _Spec(DType.i32), _Spec(DType.i64)
i1 = _Spec(DType.bool)
