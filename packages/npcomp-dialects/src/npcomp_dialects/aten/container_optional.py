"""None, identity, and questions about the interpreter."""

from __future__ import annotations

from typing import Any

from .abstract import Unknown
from .cases import case
from .errors import InferError
from .families.container import Container
from .families.scalar import Scalar
from .registry import op


def may_be_none(value: Any) -> bool:
    """True for a value that only run time knows to be there."""
    return isinstance(value, Unknown) and (
        value.type.endswith("?") or value.type in ("Any", "t", "t1", "t2", "NoneType")
    )


def same_object(a: Any, c: Any) -> Any:
    """Whether two values are one, where None decides it."""
    if a is None and c is None:
        return True
    if a is None or c is None:
        other = c if a is None else a
        return Unknown("bool") if may_be_none(other) else False
    return Unknown("bool")


class Identity(Scalar):
    """A comparison with None, decided at compile time."""

    when_same = True

    @classmethod
    def infer(cls, a, c):
        same = same_object(a, c)
        return same if isinstance(same, Unknown) else same is cls.when_same

    @classmethod
    def lower(cls, b, a, c):
        if a is not None and c is not None:
            raise InferError("whether two values are one object is not known at compile time")
        return ((a is None) and (c is None)) is cls.when_same


@op("aten::__is__(t1 self, t2 obj) -> bool")
class Is(Identity):
    """a is b."""


@op("aten::__isnot__(t1 self, t2 obj) -> bool")
class IsNot(Identity):
    """a is not b."""

    when_same = False


@op("aten::_unwrap_optional(t(a)? optional) -> t(a)")
class UnwrapOptional(Container):
    """The value of an optional, which must be there."""

    def infer(value):
        if isinstance(value, Unknown):
            return Unknown(value.type.removesuffix("?"))
        return value


@op("aten::warn(str message, int stacklevel=2) -> ()")
class Warn(Container):
    """Prints a warning."""

    effects = ("writes",)


class Fact(Scalar):
    """Something about the interpreter that is settled in a compiled program."""

    fact = False

    @classmethod
    def lower(cls, b):
        return cls.fact

    cases = [case()]


@op("aten::is_scripting() -> bool")
class IsScripting(Fact):
    """A compiled program is scripted."""

    fact = True


@op("aten::is_grad_enabled() -> bool")
class IsGradEnabled(Fact):
    """A compiled program records no gradients of its own."""


@op("aten::_get_tracing_state() -> bool")
class IsTracing(Fact):
    """A compiled program is not being traced."""
