"""The `b` of lowerings and decompositions over torch tensors: runs a block at once, so that a test can compare values.

Every step also runs on types alone, and the two must agree; a size that the types do not know reaches the block as a
run-time number, as in a real lowering. Arithmetic on two dtypes is an error here, as it is in IR.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
from aten.eager_order import EagerOrder
from aten.eager_steps import GuardFailed, check_letters, guard_bounds, max_pool_indices, pooled, reduce_one, squeeze
from npcomp_dialects.aten import trial
from npcomp_dialects.aten.dtypes import DType, as_dtype
from npcomp_dialects.aten.errors import InferError, NotStatic
from npcomp_dialects.aten.registry import lookup
from npcomp_dialects.aten.trial_builder import LowerTrial, TrialScalar, TrialTensor

TORCH_DTYPES = {
    DType.u8: torch.uint8,
    DType.i8: torch.int8,
    DType.i16: torch.int16,
    DType.i32: torch.int32,
    DType.i64: torch.int64,
    DType.f16: torch.float16,
    DType.f32: torch.float32,
    DType.f64: torch.float64,
    DType.c32: torch.complex32,
    DType.c64: torch.complex64,
    DType.c128: torch.complex128,
    DType.bool: torch.bool,
    DType.bf16: torch.bfloat16,
    DType.u16: torch.uint16,
    DType.u32: torch.uint32,
    DType.u64: torch.uint64,
}
DTYPES = {v: k for k, v in TORCH_DTYPES.items()}


def python_dtype(value: Any) -> DType:
    return DType.bool if isinstance(value, bool) else DType.i64 if isinstance(value, int) else DType.f64


class S:
    """A run-time number: 0-d, or in a map body one number for each element."""

    def __init__(self, value: torch.Tensor):
        self.value = value
        self.dtype = DTYPES[value.dtype]

    def __bool__(self) -> bool:
        raise NotStatic("the lowering branches on a number that only run time knows")

    def operand(self, other: Any) -> torch.Tensor:
        if isinstance(other, S):
            assert other.dtype is self.dtype, f"arithmetic on {self.dtype} and {other.dtype}"
            return other.value
        assert isinstance(other, (bool, int, float)), other
        assert self.dtype.is_float or not isinstance(other, float), f"the number {other} beside an {self.dtype}"
        return torch.tensor(other, dtype=self.value.dtype)

    __hash__ = None  # type: ignore[assignment]


def binary(name: str, fn: Callable[..., torch.Tensor]) -> None:
    def forward(self: S, other: Any) -> S:
        return S(fn(self.value, self.operand(other)))

    def reverse(self: S, other: Any) -> S:
        return S(fn(self.operand(other), self.value))

    setattr(S, f"__{name}__", forward)
    setattr(S, f"__r{name}__", reverse)


def true_divide(a: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    return a / c if a.is_floating_point() else a.double() / c.double()


for name, fn in {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "truediv": true_divide,
    "floordiv": torch.floor_divide,
    "mod": torch.remainder,
    "pow": torch.pow,
    "and": operator.and_,
    "or": operator.or_,
    "xor": operator.xor,
}.items():
    binary(name, fn)
for name in ("lt", "le", "gt", "ge", "eq", "ne"):
    binary(name, getattr(torch, name))
S.__neg__ = lambda self: S(-self.value)  # type: ignore[attr-defined]
S.__invert__ = lambda self: S(~self.value)  # type: ignore[attr-defined]


class T:
    """A tensor with the sizes that the types alone know."""

    def __init__(self, value: torch.Tensor, known: Sequence[int | None]):
        assert len(known) == value.dim()
        assert all(k is None or k == s for k, s in zip(known, value.shape, strict=True)), (known, value.shape)
        self.value = value
        self.known = tuple(known)
        self.dtype = DTYPES[value.dtype]

    @property
    def rank(self) -> int:
        return self.value.dim()

    @property
    def sizes(self) -> list[Any]:
        pairs = zip(self.known, self.value.shape, strict=True)
        return [S(torch.tensor(s)) if k is None else k for k, s in pairs]


def to_trial(value: Any) -> Any:
    if isinstance(value, T):
        return TrialTensor([TrialScalar(DType.i64) if k is None else k for k in value.known], value.dtype)
    if isinstance(value, S):
        return TrialScalar(value.dtype)
    return type(value)(map(to_trial, value)) if isinstance(value, (list, tuple)) else value


def plain(value: Any) -> Any:
    """T and S as torch tensors and numbers."""
    if isinstance(value, T):
        return value.value
    if isinstance(value, S):
        return value.value.item()
    return type(value)(map(plain, value)) if isinstance(value, (list, tuple)) else value


def with_types(real: Any, typed: Any) -> Any:
    """The real result with the sizes that the typed run knows."""
    if isinstance(typed, TrialTensor):
        assert real.dim() == typed.rank, (real.shape, typed.sizes)
        assert DTYPES[real.dtype] is typed.dtype, (real.dtype, typed.dtype)
        return T(real, [s if isinstance(s, int) else None for s in typed.sizes])
    return tuple(with_types(r, t) for r, t in zip(real, typed, strict=True))


class Math:
    """`b.math`."""

    functions = {
        **{
            n: getattr(torch, n)
            for n in [
                "exp",
                "log",
                "log1p",
                "expm1",
                "sqrt",
                "rsqrt",
                "tanh",
                "sin",
                "cos",
                "tan",
                "erf",
                "floor",
                "ceil",
                "trunc",
                "copysign",
                "fmod",
                "exp2",
                "log2",
                "log10",
            ]
        },
        **{n: getattr(torch, n) for n in ["round", "abs", "pow", "atan2", "sigmoid"]},
    }

    def __getattr__(self, name: str) -> Callable[..., Any]:
        fn = self.functions[name]

        def call(x: Any, *rest: Any) -> Any:
            if not isinstance(x, S) and not any(isinstance(r, S) for r in rest):
                return fn(torch.tensor(x, dtype=torch.float64), *rest).item()
            one = x if isinstance(x, S) else next(r for r in rest if isinstance(r, S))
            assert one.dtype.is_float or name in ("abs", "fmod"), f"b.math.{name} of {one.dtype}"
            return S(fn(*(one.operand(v) for v in (x, *rest))))

        return call


class EagerBuilder(EagerOrder):
    """See aten.trial_builder.LowerTrial for the interface."""

    math = Math()

    def error(self, text: str, kind: str = "RuntimeError") -> None:
        raise InferError(text, kind)

    def guard(self, pred: Any, text: str, *values: Any, error: str = "RuntimeError") -> None:
        text = text.format(*map(plain, values))
        if pred is False:
            raise InferError(text)
        if isinstance(pred, S) and not pred.value.item():
            raise GuardFailed(f"{error}: {text}")

    def cast(self, x: Any, dtype: DType) -> Any:
        if isinstance(x, T):
            return T(x.value.to(TORCH_DTYPES[dtype]), x.known)
        return self.const(x, dtype) if not isinstance(x, S) else S(x.value.to(TORCH_DTYPES[dtype]))

    def const(self, value: Any, dtype: DType) -> S:
        return S(torch.tensor(value, dtype=TORCH_DTYPES[dtype]))

    def select(self, pred: Any, a: Any, c: Any) -> Any:
        if isinstance(pred, bool):
            return a if pred else c
        assert pred.dtype is DType.bool
        one = a if isinstance(a, S) else c
        if not isinstance(one, S):
            one = self.const(a, python_dtype(a))
        return S(torch.where(pred.value, one.operand(a), one.operand(c)))

    def minimum(self, a: Any, c: Any) -> Any:
        return self._extreme(torch.minimum, min, a, c)

    def maximum(self, a: Any, c: Any) -> Any:
        return self._extreme(torch.maximum, max, a, c)

    def _extreme(self, fn: Any, folded: Any, a: Any, c: Any) -> Any:
        one = a if isinstance(a, S) else c
        return S(fn(one.operand(a), one.operand(c))) if isinstance(one, S) else folded(a, c)

    def isnan(self, x: S) -> S:
        return S(torch.isnan(x.value))

    def shift(self, kind: str, x: Any, y: Any) -> S:
        one = x if isinstance(x, S) else y
        return S(
            {"left": torch.bitwise_left_shift, "right": torch.bitwise_right_shift}[kind](one.operand(x), one.operand(y))
        )

    def bitcast(self, x: S, dtype: DType) -> S:
        return S(x.value.contiguous().view(TORCH_DTYPES[dtype]))

    def loop(self, step: Callable[..., Any], *state: S) -> tuple[S, ...]:
        active = torch.tensor(True)
        while bool(active.any()):
            again, *following = step(self, *state)
            assert again.dtype is DType.bool
            for old, new in zip(state, following, strict=True):
                assert old.dtype is new.dtype, f"the loop carries {old.dtype}, its step gives {new.dtype}"
            state = tuple(S(torch.where(active, n.value, o.value)) for o, n in zip(state, following, strict=True))
            active = active & again.value
        return state

    def random_key(self) -> tuple[S, S]:
        seed, offset = torch.randint(0, 2**63 - 1, [2])
        return S(seed), S(offset)

    def repeat(self, count: Any, body: Callable[..., Any], *carried: T) -> tuple[T, ...]:
        for trip in range(plain(count)):
            following = body(self, S(torch.tensor(trip)), *carried)
            for old, new in zip(carried, following, strict=True):
                assert old.value.shape == new.value.shape and old.dtype is new.dtype, (old.value, new.value)
            carried = tuple(T(n.value, o.known) for o, n in zip(carried, following, strict=True))
        return carried

    def update(self, x: T, dim: int, start: Any, piece: T) -> T:
        first = plain(start)
        return T(x.value.slice_scatter(piece.value, dim, first, first + piece.value.shape[dim]), x.known)

    def numel(self, x: T) -> Any:
        return math.prod(x.known) if None not in x.known else S(torch.tensor(x.value.numel()))

    def item(self, x: T) -> S:
        assert x.value.numel() == 1
        return S(x.value)

    def from_scalar(self, s: Any, dtype: DType) -> T:
        return T(self.cast(s, dtype).value, [])

    def map(self, fn: Callable[..., Any], *tensors: T, dtype: Any) -> Any:
        typed = LowerTrial().map(lambda *_: dtype, *map(to_trial, tensors), dtype=dtype)
        shape = torch.broadcast_shapes(*(t.value.shape for t in tensors))
        results = fn(self, *(S(t.value.expand(shape)) for t in tensors))
        wanted = dtype if isinstance(dtype, tuple) else (dtype,)
        results = results if isinstance(dtype, tuple) else (results,)
        for r, d in zip(results, wanted, strict=True):
            assert isinstance(r, S) and r.dtype is d, f"the body gives {r.dtype}, map says {d}"
        values = tuple(r.value.expand(shape).clone() for r in results)
        return with_types(values if isinstance(dtype, tuple) else values[0], typed)

    def _run(self, name: str, real: Any, *args: Any, **kwargs: Any) -> Any:
        return with_types(real, getattr(LowerTrial(), name)(*map(to_trial, args), **kwargs))

    def reduce(self, kind: str, x: T, dims: Sequence[int], keepdim: bool = False) -> T:
        assert kind not in ("all", "any") or x.dtype is DType.bool
        dims, v = list(dims), x.value
        if kind in ("max", "min", "prod"):
            for d in sorted(dims, reverse=True):
                v = reduce_one(kind, v, d, x.dtype)
        else:
            v = {"sum": torch.sum, "all": torch.all, "any": torch.any}[kind](v, dims, True) if dims else v
        v = v.to(x.value.dtype)
        return self._run("reduce", v if keepdim or not dims else squeeze(v, dims), kind, x, dims, keepdim)

    def arg_reduce(self, kind: str, x: T, dim: int, keepdim: bool = False) -> T:
        v = x.value.to(torch.uint8) if x.dtype is DType.bool else x.value
        real = {"max": torch.argmax, "min": torch.argmin}[kind](v, dim, keepdim)
        return self._run("arg_reduce", real, kind, x, dim, keepdim)

    def contract(self, spec: str, lhs: T, rhs: T) -> T:
        assert lhs.dtype is rhs.dtype and lhs.dtype is not DType.bool
        check_letters(spec, lhs.value, rhs.value)
        real = torch.einsum(spec, lhs.value.double(), rhs.value.double()).to(lhs.value.dtype)
        return self._run("contract", real, spec, lhs, rhs)

    def conv(self, x: T, w: T, stride: Any, padding: Any, dilation: Any, groups: int) -> T:
        fn = {1: torch.conv1d, 2: torch.conv2d, 3: torch.conv3d}[x.rank - 2]
        window = [[plain(v) for v in vs] for vs in (stride, padding, dilation)]
        if x.value.numel() == 0 or w.value.numel() == 0:
            real = torch.zeros(self._conv_sizes(x, w, *window), dtype=x.value.dtype)
        else:
            real = fn(x.value.double(), w.value.double(), None, *window, groups).to(x.value.dtype)
        return self._run("conv", real, x, w, stride, padding, dilation, groups)

    @staticmethod
    def _conv_sizes(x: T, w: T, stride: Any, padding: Any, dilation: Any) -> list[int]:
        spatial = zip(x.value.shape[2:], w.value.shape[2:], stride, padding, dilation, strict=True)
        return [
            x.value.shape[0],
            w.value.shape[0],
            *((s + 2 * p - d * (k - 1) - 1) // t + 1 for s, k, t, p, d in spatial),
        ]

    def pool(self, kind: str, x: T, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> T:
        real = pooled(kind, x.value, kernel, stride, padding, dilation, ceil_mode)
        return self._run("pool", real, kind, x, kernel, stride, padding, dilation, ceil_mode)

    def pool_indices(self, x: T, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Any:
        window = (kernel, stride, padding, dilation, ceil_mode)
        return self._run("pool_indices", max_pool_indices(x.value, *window), x, *window)

    def permute(self, x: T, dims: Sequence[int]) -> T:
        return self._run("permute", x.value.permute(list(dims)), x, dims)

    def reshape(self, x: T, sizes: Sequence[Any]) -> T:
        assert -1 not in plain(list(sizes))
        return self._run("reshape", x.value.reshape(plain(list(sizes))), x, sizes)

    def broadcast(self, x: T, sizes: Sequence[Any]) -> T:
        try:
            real = x.value.expand(plain(list(sizes)))
        except RuntimeError as e:
            raise GuardFailed(str(e)) from None
        return self._run("broadcast", real, x, sizes)

    def slice(self, x: T, dim: int, start: Any, stop: Any, step: Any) -> T:
        lo, hi, by = plain([start, stop, step])
        assert 0 <= lo <= hi <= x.value.shape[dim] and by > 0, (lo, hi, by, x.value.shape)
        return self._run("slice", x.value[(slice(None),) * dim + (slice(lo, hi, by),)], x, dim, start, stop, step)

    def concat(self, xs: Sequence[T], dim: int) -> T:
        return self._run("concat", torch.cat([x.value for x in xs], dim), list(xs), dim)

    def pad(self, x: T, low: Sequence[Any], high: Sequence[Any], value: Any) -> T:
        assert not isinstance(value, S) or value.dtype is x.dtype
        pairs = list(zip(plain(list(low)), plain(list(high)), strict=True))
        assert all(p >= 0 for pair in pairs for p in pair), pairs
        real = torch.constant_pad_nd(x.value, [p for pair in reversed(pairs) for p in pair], plain(value))
        return self._run("pad", real, x, low, high, value)

    def gather(self, x: T, dim: int, index: T, error: str | None = "RuntimeError") -> T:
        guard_bounds(index.value, x.value.shape[dim], error)
        return self._run("gather", torch.gather(x.value, dim, index.value.long()), x, dim, index)

    def index_select(self, x: T, dim: int, index: T, error: str | None = "IndexError") -> T:
        guard_bounds(index.value, x.value.shape[dim], error)
        flat = x.value.index_select(dim, index.value.long().reshape(-1))
        shape = [*x.value.shape[:dim], *index.value.shape, *x.value.shape[dim + 1 :]]
        return self._run("index_select", flat.reshape(shape), x, dim, index)

    def full(self, sizes: Sequence[Any], value: Any, dtype: DType) -> T:
        real = torch.full(plain(list(sizes)), plain(value), dtype=TORCH_DTYPES[dtype])
        return self._run("full", real, list(sizes), value, dtype)

    def iota(self, n: Any, dtype: DType) -> T:
        return self._run("iota", torch.arange(plain(n), dtype=TORCH_DTYPES[dtype]), n, dtype)


class V:
    """A value of a decomposition: a tensor with partly known sizes."""

    def __init__(self, tensor: T):
        self.tensor = tensor

    rank = property(lambda self: self.tensor.rank)
    dtype = property(lambda self: self.tensor.dtype)
    sizes = property(lambda self: self.tensor.known)


def reveal(value: Any) -> Any:
    if isinstance(value, V):
        return value.tensor
    if isinstance(value, trial.OpaqueValue):
        return value.number  # type: ignore[attr-defined]
    return type(value)(map(reveal, value)) if isinstance(value, (list, tuple)) else value


def hide(value: Any) -> Any:
    if isinstance(value, T):
        return V(value)
    if isinstance(value, S):
        opaque = trial.OpaqueValue(trial.Unknown("number"))
        opaque.number = value  # type: ignore[attr-defined]
        return opaque
    return type(value)(map(hide, value)) if isinstance(value, (list, tuple)) else value


class EagerDecomposer:
    """`b` of `decompose`: each op it is asked to build runs at once."""

    def __getattr__(self, name: str) -> Any:
        return Namespace(name) if name == "aten" else super().__getattribute__(name)

    def size(self, x: V, dim: int) -> Any:
        return hide(x.tensor.sizes[dim])

    def list(self, items: Any) -> Any:
        return list(items)

    def error(self, text: str, kind: str = "RuntimeError") -> None:
        raise InferError(text, kind)


class Namespace:
    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, part: str) -> Namespace:
        return Namespace(f"{self._name}.{part}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        block = lookup(self._name)
        return hide(run(block, [reveal(v) for v in block.schema.bind(args, kwargs)]))


def run(block: Any, args: Sequence[Any]) -> Any:
    """A block on T, S and constants in schema order."""
    values = [
        as_dtype(v) if a.type.leaf == "ScalarType" else v for a, v in zip(block.schema.arguments, args, strict=True)
    ]
    if block.kind() == "native":
        return block.lower(EagerBuilder(), *values)
    assert block.kind() == "decomposed", f"{block.schema.name} has no lowering to run"
    return reveal(block.decompose(EagerDecomposer(), *map(hide, args)))
