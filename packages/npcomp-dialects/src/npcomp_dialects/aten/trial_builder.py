"""The `b` of `lower` on types alone: tensors are sizes and dtypes, run-time numbers know only their dtype.

`LowerTrial` is also the list of what `lower` and `scalar` may call: the builder that makes IR has the same methods.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .abstract import broadcast
from .dims import wrap_dim
from .dtypes import DType
from .errors import InferError, NotStatic
from .promotion import Operand, result_type
from .trial_order import OrderTrial


class TrialScalar:
    """A number that only run time knows; dtype None is int or float, not known which."""

    def __init__(self, dtype: DType | None):
        self.dtype = dtype

    def __bool__(self) -> bool:
        raise NotStatic("the lowering branches on a number that only run time knows")

    def _arithmetic(self, other: Any) -> TrialScalar:
        return TrialScalar(_scalar_dtype(self, other))

    def _divide(self, other: Any) -> TrialScalar:
        dtype = _scalar_dtype(self, other)
        return TrialScalar(dtype if dtype is None or dtype.is_float else DType.f64)

    def _compare(self, other: Any) -> TrialScalar:
        return TrialScalar(DType.bool)

    def _same(self) -> TrialScalar:
        return TrialScalar(self.dtype)

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _arithmetic
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = _arithmetic
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _arithmetic
    __truediv__ = __rtruediv__ = _divide
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _compare  # type: ignore[assignment]
    __neg__ = __invert__ = _same
    __hash__ = None  # type: ignore[assignment]


class TrialTensor:
    """A tensor of known rank and dtype; a size is an int or a TrialScalar."""

    def __init__(self, sizes: Sequence[Any], dtype: DType):
        self.sizes = list(sizes)
        self.dtype = dtype

    @property
    def rank(self) -> int:
        return len(self.sizes)


def _python_dtype(value: Any) -> DType | None:
    if isinstance(value, TrialScalar):
        return value.dtype
    return DType.bool if isinstance(value, bool) else DType.i64 if isinstance(value, int) else DType.f64


def _scalar_dtype(a: Any, c: Any) -> DType | None:
    """The dtype of scalar arithmetic: a Python number takes the dtype of the run-time number beside it."""
    if isinstance(a, TrialScalar) != isinstance(c, TrialScalar):
        scalar, number = (a, c) if isinstance(a, TrialScalar) else (c, a)
        if scalar.dtype in (DType.i64, DType.bool) and isinstance(number, float):
            return DType.f64
        return scalar.dtype
    x, y = _python_dtype(a), _python_dtype(c)
    if x is None or y is None:
        return None
    return x if x is y else result_type([Operand(x, True), Operand(y, True)])


def _static(size: Any) -> int | None:
    return size if isinstance(size, int) else None


def _size(size: int | None) -> Any:
    return TrialScalar(DType.i64) if size is None else size


class _Math:
    """`b.math`: a function of a number has the number's dtype."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return self._call

    @staticmethod
    def _call(x: Any, *_: Any) -> Any:
        return TrialScalar(_python_dtype(x))


class LowerTrial(OrderTrial):
    """Each method gives the type that its real counterpart would build, or raises for what torch would refuse.

    Sizes, bounds and counts are ints, or numbers that only run time knows; both have Python's operators.
    """

    math = _Math()

    def error(self, text: str, kind: str = "RuntimeError") -> None:
        raise InferError(text, kind)

    def guard(self, pred: Any, text: str, *values: Any, error: str = "RuntimeError") -> None:
        if pred is False:
            raise InferError(text.format(*values), error)

    def cast(self, x: Any, dtype: DType) -> Any:
        return TrialTensor(x.sizes, dtype) if isinstance(x, TrialTensor) else TrialScalar(dtype)

    def const(self, value: Any, dtype: DType) -> TrialScalar:
        return TrialScalar(dtype)

    def select(self, pred: Any, a: Any, c: Any) -> Any:
        if isinstance(pred, bool):
            return a if pred else c
        return TrialScalar(_scalar_dtype(a, c))

    def minimum(self, a: Any, c: Any) -> Any:
        if isinstance(a, TrialScalar) or isinstance(c, TrialScalar):
            return TrialScalar(_scalar_dtype(a, c))
        return min(a, c)

    def maximum(self, a: Any, c: Any) -> Any:
        if isinstance(a, TrialScalar) or isinstance(c, TrialScalar):
            return TrialScalar(_scalar_dtype(a, c))
        return max(a, c)

    def isnan(self, x: Any) -> TrialScalar:
        return TrialScalar(DType.bool)

    def shift(self, kind: str, x: Any, y: Any) -> TrialScalar:
        """`left` or `right`; the right shift keeps the sign, and the count is below the width."""
        return TrialScalar(_scalar_dtype(x, y))

    def bitcast(self, x: TrialScalar, dtype: DType) -> TrialScalar:
        """The bits of an element as another dtype of the same width."""
        return TrialScalar(dtype)

    def loop(self, step: Callable[..., Any], *state: Any) -> tuple[Any, ...]:
        """In the body of a map: `again, *state = step(b, *state)` for each element, while `again` holds."""
        step(self, *state)
        return tuple(TrialScalar(s.dtype) for s in state)

    def random_key(self) -> tuple[TrialScalar, TrialScalar]:
        """Two numbers in [0, 2^63) that no other random computation gets: seed and offset."""
        return TrialScalar(DType.i64), TrialScalar(DType.i64)

    def repeat(self, count: Any, body: Callable[..., Any], *carried: TrialTensor) -> tuple[TrialTensor, ...]:
        """The tensors after `count` trips of `carried = body(b, trip, *carried)`; sizes and dtypes stay the same."""
        body(self, TrialScalar(DType.i64), *carried)
        return carried

    def update(self, x: TrialTensor, dim: int, start: Any, piece: TrialTensor) -> TrialTensor:
        """`x` with `piece` in the place of as many indices of the dim; the caller keeps them inside."""
        return TrialTensor(x.sizes, x.dtype)

    def numel(self, x: TrialTensor) -> Any:
        total: Any = 1
        for s in x.sizes:
            total = total * s
        return total

    def item(self, x: TrialTensor) -> TrialScalar:
        return TrialScalar(x.dtype)

    def from_scalar(self, s: Any, dtype: DType) -> TrialTensor:
        return TrialTensor([], dtype)

    def map(self, fn: Callable[..., Any], *tensors: TrialTensor, dtype: Any) -> Any:
        sizes = broadcast([[_static(s) for s in t.sizes] for t in tensors])
        assert sizes is not None
        results = fn(self, *(TrialScalar(t.dtype) for t in tensors))
        shape = [_size(s) for s in sizes]
        if isinstance(dtype, tuple):
            if len(results) != len(dtype):
                raise InferError(f"the body of map gives {len(results)} values for {len(dtype)} dtypes")
            return tuple(TrialTensor(shape, d) for d in dtype)
        return TrialTensor(shape, dtype)

    def reduce(self, kind: str, x: TrialTensor, dims: Sequence[int], keepdim: bool = False) -> TrialTensor:
        dtype = DType.bool if kind in ("all", "any") else x.dtype
        return TrialTensor(_reduced(x.sizes, [wrap_dim(d, x.rank) for d in dims], keepdim), dtype)

    def arg_reduce(self, kind: str, x: TrialTensor, dim: int, keepdim: bool = False) -> TrialTensor:
        return TrialTensor(_reduced(x.sizes, [wrap_dim(dim, x.rank)], keepdim), DType.i64)

    def contract(self, spec: str, lhs: TrialTensor, rhs: TrialTensor) -> TrialTensor:
        operands, out = spec.split("->")
        known: dict[str, Any] = {}
        for letters, x in zip(operands.split(","), (lhs, rhs), strict=True):
            if len(letters) != x.rank:
                raise InferError(f"expected a tensor of rank {len(letters)}, got rank {x.rank}")
            for letter, size in zip(letters, x.sizes, strict=True):
                seen = known.get(letter)
                if isinstance(seen, int) and isinstance(size, int) and seen != size:
                    raise InferError(f"sizes {seen} and {size} of the contracted operands do not agree")
                known[letter] = seen if isinstance(seen, int) else size
        return TrialTensor([known[letter] for letter in out], lhs.dtype)

    def conv(
        self,
        x: TrialTensor,
        w: TrialTensor,
        stride: Sequence[Any],
        padding: Sequence[Any],
        dilation: Sequence[Any],
        groups: int,
    ) -> TrialTensor:
        _check_window("stride", stride, 1)
        _check_window("padding", padding, 0)
        _check_window("dilation", dilation, 1)
        channels = w.sizes[1] * groups
        if isinstance(channels, int) and isinstance(x.sizes[1], int) and channels != x.sizes[1]:
            raise InferError(f"the weight takes {channels} input channels, the input has {x.sizes[1]}")
        spatial = zip(x.sizes[2:], w.sizes[2:], stride, padding, dilation, strict=True)
        return TrialTensor([x.sizes[0], w.sizes[0], *(_window(*s, False) for s in spatial)], x.dtype)

    def pool(
        self,
        kind: str,
        x: TrialTensor,
        kernel: Sequence[Any],
        stride: Sequence[Any],
        padding: Sequence[Any],
        dilation: Sequence[Any],
        ceil_mode: bool,
    ) -> TrialTensor:
        _check_window("kernel_size", kernel, 1)
        _check_window("stride", stride, 1)
        _check_window("dilation", dilation, 1)
        lead = x.rank - len(kernel)
        spatial = zip(x.sizes[lead:], kernel, stride, padding, dilation, strict=True)
        return TrialTensor([*x.sizes[:lead], *(_window(*s, ceil_mode) for s in spatial)], x.dtype)

    def pool_indices(self, x: TrialTensor, *window: Any) -> tuple[TrialTensor, TrialTensor]:
        values = self.pool("max", x, *window)
        return values, TrialTensor(values.sizes, DType.i64)

    def permute(self, x: TrialTensor, dims: Sequence[int]) -> TrialTensor:
        return TrialTensor([x.sizes[d] for d in dims], x.dtype)

    def reshape(self, x: TrialTensor, sizes: Sequence[Any]) -> TrialTensor:
        return TrialTensor(sizes, x.dtype)

    def broadcast(self, x: TrialTensor, sizes: Sequence[Any]) -> TrialTensor:
        broadcast([[_static(s) for s in x.sizes], [_static(s) for s in sizes]])
        return TrialTensor(sizes, x.dtype)

    def slice(self, x: TrialTensor, dim: int, start: Any, stop: Any, step: Any) -> TrialTensor:
        sizes = list(x.sizes)
        sizes[dim] = (stop - start + step - 1) // step
        return TrialTensor(sizes, x.dtype)

    def concat(self, xs: Sequence[TrialTensor], dim: int) -> TrialTensor:
        sizes = list(xs[0].sizes)
        for x in xs[1:]:
            for d, size in enumerate(x.sizes):
                if d == dim:
                    sizes[d] = sizes[d] + size
                elif isinstance(size, int) and isinstance(sizes[d], int) and size != sizes[d]:
                    raise InferError(f"sizes {sizes[d]} and {size} of dim {d} differ; only dim {dim} may")
                elif isinstance(size, int):
                    sizes[d] = size
        return TrialTensor(sizes, xs[0].dtype)

    def pad(self, x: TrialTensor, low: Sequence[Any], high: Sequence[Any], value: Any) -> TrialTensor:
        return TrialTensor([s + lo + hi for s, lo, hi in zip(x.sizes, low, high, strict=True)], x.dtype)

    def gather(self, x: TrialTensor, dim: int, index: TrialTensor, error: str | None = "RuntimeError") -> TrialTensor:
        return TrialTensor(index.sizes, x.dtype)

    def index_select(
        self, x: TrialTensor, dim: int, index: TrialTensor, error: str | None = "IndexError"
    ) -> TrialTensor:
        return TrialTensor([*x.sizes[:dim], *index.sizes, *x.sizes[dim + 1 :]], x.dtype)

    def full(self, sizes: Sequence[Any], value: Any, dtype: DType) -> TrialTensor:
        return TrialTensor(sizes, dtype)

    def iota(self, n: Any, dtype: DType) -> TrialTensor:
        return TrialTensor([n], dtype)


def _reduced(sizes: Sequence[Any], dims: Sequence[int], keepdim: bool) -> list[Any]:
    if keepdim:
        return [1 if d in dims else s for d, s in enumerate(sizes)]
    return [s for d, s in enumerate(sizes) if d not in dims]


def _check_window(name: str, numbers: Sequence[Any], least: int) -> None:
    """Windows move on, and are not empty."""
    if any(isinstance(n, int) and n < least for n in numbers):
        kind = "non-positive" if least else "negative"
        raise InferError(f"{kind} {name} is not supported: it is {list(numbers)}")


def _window(size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Any:
    """The output size of a sliding window, as torch counts it."""
    reach = size + 2 * padding - dilation * (kernel - 1) - 1
    if isinstance(reach, int) and reach < 0:
        raise InferError(f"a window of {kernel} (dilation {dilation}) does not fit size {size} with padding {padding}")
    out = (reach + (stride - 1 if ceil_mode else 0)) // stride + 1
    if not ceil_mode:
        return out
    if isinstance(out, int) and isinstance(size, int) and isinstance(padding, int):
        return out - 1 if (out - 1) * stride >= size + padding else out
    return TrialScalar(DType.i64)
