"""What two abstract values have in common, and what two facts about one value say together."""

from __future__ import annotations

from typing import Any

from npcomp_dialects.aten.abstract import TensorInfo, Unknown
from npcomp_dialects.aten.errors import InferError


class _Bottom:
    """The value of code that does not run, such as `prim.Uninitialized`: joining it changes nothing."""

    def __repr__(self) -> str:
        return "never"


BOTTOM = _Bottom()


def same(a: Any, b: Any) -> bool:
    """Equality that tells 1 from True and 1.0, and finds NaN equal to itself."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(map(same, a.values(), b.values()))
    return bool(a == b) or (a != a and b != b)


def join(a: Any, b: Any, top: Any) -> Any:
    """What is true of a value that is either `a` or `b`; `top` is what its type tells."""
    if a is BOTTOM or same(a, b):
        return b
    if b is BOTTOM:
        return a
    if isinstance(a, TensorInfo) and isinstance(b, TensorInfo):
        return a.join(b)
    if type(a) is type(b) and isinstance(a, (list, tuple)) and len(a) == len(b):
        marker = object()
        joined = [join(x, y, marker) for x, y in zip(a, b, strict=True)]
        return top if any(item is marker for item in joined) else type(a)(joined)
    if isinstance(a, dict) and isinstance(b, dict) and list(a) == list(b):
        values = join(list(a.values()), list(b.values()), None)
        return top if values is None else dict(zip(a, values, strict=True))
    kinds = kind(a), kind(b)
    if kinds[0] is not None and kinds[0] == kinds[1]:
        return Unknown(kinds[0])
    return top


def kind(value: Any) -> str | None:
    """The schema type of a number or string; None for other values."""
    if isinstance(value, Unknown):
        return value.type
    return {bool: "bool", int: "int", float: "float", str: "str"}.get(type(value))


def meet(found: Any, declared: Any) -> Any:
    """Two facts about one value together. Contradictory sizes or dtypes raise `InferError`."""
    if found is BOTTOM or (isinstance(found, Unknown) and found.type in ("Any", "Scalar", "number")):
        return declared if found is not BOTTOM else found
    if isinstance(declared, TensorInfo):
        return _meet_tensors(found, declared) if isinstance(found, TensorInfo) else declared
    return found


def _meet_tensors(found: TensorInfo, declared: TensorInfo) -> TensorInfo:
    if found == declared or declared == TensorInfo():
        return found
    if found.dtype and declared.dtype and found.dtype is not declared.dtype:
        raise InferError(f"the tensor is {found} and is declared to be {declared}")
    dtype = found.dtype or declared.dtype
    if found.sizes is None or declared.sizes is None:
        return TensorInfo(found.sizes if declared.sizes is None else declared.sizes, dtype)
    if len(found.sizes) != len(declared.sizes):
        raise InferError(f"the tensor is {found} and is declared to be {declared}")
    sizes = []
    for a, b in zip(found.sizes, declared.sizes, strict=True):
        if a is not None and b is not None and a != b:
            raise InferError(f"the tensor is {found} and is declared to be {declared}")
        sizes.append(b if a is None else a)
    return TensorInfo(tuple(sizes), dtype)


def is_constant(value: Any) -> bool:
    """True for what `torch.constant.*` and lists of it can hold."""
    if isinstance(value, list):
        return all(map(is_constant, value))
    return value is None or isinstance(value, (bool, int, float, str))
