"""Runs a block on types alone: the transfer function of every op that has a lowering or a decomposition.

`lower` runs against `LowerTrial`, a builder whose tensors are sizes and dtypes and whose run-time numbers know nothing;
`decompose` against `DecomposeTrial`, which infers each op it is asked to build. Branching on a number that only run
time knows raises NotStatic, and the caller falls back to what its family knows.
"""

from __future__ import annotations

from typing import Any

from .abstract import TensorInfo, Unknown
from .block import Block
from .dtypes import DType, as_dtype
from .errors import AtenError, InferError, NotStatic
from .schema import Type
from .trial_builder import LowerTrial, TrialScalar, TrialTensor

_SCALAR_DTYPES = {"int": DType.i64, "SymInt": DType.i64, "float": DType.f64, "bool": DType.bool}
_KINDS = {DType.i64: "int", DType.f64: "float", DType.bool: "bool"}


def run(block: type[Block], args: Any) -> Any:
    """The results of a block for abstract arguments in schema order."""
    types = [a.type for a in block.schema.arguments]
    try:
        if block.lower is not None:
            values = [_to_trial(v, t) for v, t in zip(args, types, strict=True)]
            return _results(block, block.lower(LowerTrial(), *values))
        values = [_known_ranks(v) for v in args]
        return _results(block, block.decompose(DecomposeTrial(), *values))
    except AtenError:
        raise
    except TypeError:
        if _all_known(args):
            raise
        raise NotStatic("Python computes with a number that only run time knows") from None
    except _NO_RESULT as error:
        if isinstance(error, OverflowError) or not any(isinstance(v, TensorInfo) for v in _leaves(args)):
            raise NotStatic("a constant expression of the op has no value") from None
        shown = ", ".join(map(_show, args))
        raise InferError(f"there is no result for ({shown}): {error}") from error


_NO_RESULT = (ArithmeticError, ValueError, LookupError, AssertionError)
"""What a block that counts on legal ranks, numbers and lengths runs into when they are not: sizes of a dim that does
not exist, lists of different lengths, a division by a stride of 0."""


def _leaves(value: Any) -> list[Any]:
    return [leaf for v in value for leaf in _leaves(v)] if isinstance(value, (list, tuple)) else [value]


def _all_known(args: Any) -> bool:
    return not any(
        isinstance(v, Unknown) or (isinstance(v, TensorInfo) and (v.sizes is None or None in v.sizes))
        for v in _leaves(args)
    )


def _show(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_show, value))}]"
    return value.type if isinstance(value, Unknown) else str(value)


def with_some_dtype(value: Any) -> Any:
    """An abstract value whose unknown dtypes are taken to be f32, for inferring sizes alone."""
    if isinstance(value, list):
        return [with_some_dtype(v) for v in value]
    if isinstance(value, TensorInfo) and value.dtype is None:
        return TensorInfo(value.sizes, DType.f32)
    return value


def _to_trial(value: Any, type: Type) -> Any:
    if isinstance(value, TensorInfo):
        if value.sizes is None or value.dtype is None:
            raise NotStatic("a tensor of unknown rank or dtype")
        return TrialTensor([TrialScalar(DType.i64) if s is None else s for s in value.sizes], value.dtype)
    if isinstance(value, Unknown):
        inner = type.inner
        if inner.is_list or value.type not in ("number", "Scalar", *_SCALAR_DTYPES):
            raise NotStatic(f"a {value.type} that only run time knows")
        return TrialScalar(_SCALAR_DTYPES.get(value.type))
    if isinstance(value, list):
        element = type.inner.items[0] if type.inner.items else type
        return [_to_trial(v, element) for v in value]
    return as_dtype(value) if type.leaf == "ScalarType" else value


def _known_ranks(value: Any) -> Any:
    """Decompositions ask for ranks and dtypes; tensors that lack them cannot be decomposed yet."""
    if isinstance(value, TensorInfo):
        if value.sizes is None or value.dtype is None:
            raise NotStatic("a tensor of unknown rank or dtype")
        return value
    if isinstance(value, Unknown):
        return OpaqueValue(value)
    return [_known_ranks(v) for v in value] if isinstance(value, list) else value


def _results(block: type[Block], results: Any) -> Any:
    returns = block.schema.returns
    if len(returns) == 1:
        return _from_trial(results, returns[0].type)
    if len(results) != len(returns):
        raise InferError(f"{block.schema.torch_name} made {len(results)} results, its schema has {len(returns)}")
    return tuple(_from_trial(r, t.type) for r, t in zip(results, returns, strict=True))


def _from_trial(value: Any, type: Type) -> Any:
    if isinstance(value, TrialTensor):
        if any(isinstance(s, int) and s < 0 for s in value.sizes):
            raise InferError(
                f"invalid shape {[s if isinstance(s, int) else '?' for s in value.sizes]}: a size is negative"
            )
        return TensorInfo(tuple(s if isinstance(s, int) else None for s in value.sizes), value.dtype)
    if isinstance(value, TrialScalar):
        known = _KINDS.get(value.dtype) if value.dtype else None
        return Unknown(known if type.leaf == "Scalar" and known else str(type))
    if isinstance(value, OpaqueValue):
        return value.unknown
    return [_from_trial(v, type.items[0] if type.items else type) for v in value] if isinstance(value, list) else value


class OpaqueValue:
    """A number or list in a decomposition that only run time knows: may be passed on, never branched on."""

    def __init__(self, unknown: Unknown):
        self.unknown = unknown

    def __bool__(self) -> bool:
        raise NotStatic(f"a decomposition branches on a {self.unknown.type} that only run time knows")

    def _refuse(self, *_: object) -> Any:
        raise NotStatic(f"a decomposition computes with a {self.unknown.type} that only run time knows")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse  # type: ignore[assignment]
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = _refuse
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _refuse
    __iter__ = __len__ = __getitem__ = __index__ = __float__ = __int__ = _refuse
    __hash__ = None  # type: ignore[assignment]


class DecomposeTrial:
    """`b` of `decompose` on types alone."""

    @property
    def aten(self) -> _Namespace:
        return _Namespace("aten")

    def size(self, x: TensorInfo, dim: int) -> Any:
        assert x.sizes is not None
        size = x.sizes[dim]
        return OpaqueValue(Unknown("int")) if size is None else size

    def list(self, items: Any) -> Any:
        return list(items)

    def error(self, text: str, kind: str = "RuntimeError") -> None:
        raise InferError(text, kind)


class _Namespace:
    """`b.aten.add.Tensor`: attribute access spells a name, the call infers that op."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, part: str) -> _Namespace:
        return _Namespace(f"{self._name}.{part}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from .registry import lookup

        block = lookup(self._name)
        values = [_reveal(v) for v in block.schema.bind(args, kwargs)]
        return _hide(block.infer(*values))


def _reveal(value: Any) -> Any:
    if isinstance(value, OpaqueValue):
        return value.unknown
    return [_reveal(v) for v in value] if isinstance(value, list) else value


def _hide(value: Any) -> Any:
    if isinstance(value, TensorInfo) and (value.sizes is None or value.dtype is None):
        raise NotStatic("a step of the decomposition has unknown rank or dtype")
    if isinstance(value, Unknown):
        return OpaqueValue(value)
    return type(value)(map(_hide, value)) if isinstance(value, (list, tuple)) else value
