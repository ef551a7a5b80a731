"""The base of op blocks.

A block is a class that is never instantiated: its plain functions become static methods (so `b` can come first), and
`@op` binds it to a schema. Families subclass it and give the defaults; what a block offers decides how it is lowered.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any, ClassVar

from .abstract import TensorInfo, Unknown
from .errors import InferError, NotStatic
from .promotion import operand_of
from .schema import Schema, Type


class Block:
    """An ATen op: schema, inference, lowering or decomposition, test cases."""

    schema: ClassVar[Schema]
    family: ClassVar[str] = "block"
    inplace: ClassVar[str | None] = None
    out: ClassVar[tuple[str, ...]] = ()
    cases: ClassVar[list[Any]] = []
    runtime: ClassVar[tuple[str, ...]] = ()
    """Arguments besides tensors and Scalars that `lower` takes when only run time knows their value."""
    constant: ClassVar[tuple[str, ...]] = ()
    """Scalars whose value `lower` branches on."""
    dtypes_decide_sizes: ClassVar[bool] = False
    """True when sizes cannot be inferred before dtypes, as of an index that may be a mask."""
    effects: ClassVar[tuple[str, ...]] = ()
    """Traits beyond what the schema tells, such as `random`."""
    takes_opaque: ClassVar[bool] = False
    """True when `infer` and `lower` hold for complex and wide unsigned tensors too, as where only sizes matter; others
    leave such tensors to torch's kernel."""
    compare: ClassVar[str] = "values"
    """How tests compare with torch: `values`, or `type` where values are random or uninitialised."""

    dtype: ClassVar[Any] = None
    """The dtype rule, see promotion.py."""
    preconditions: ClassVar[Any] = None
    """`preconditions(b, *args)`: guards that families emit before the lowering."""
    lower: ClassVar[Any] = None
    scalar: ClassVar[Any] = None
    decompose: ClassVar[Any] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, value in list(vars(cls).items()):
            if isinstance(value, FunctionType):
                setattr(cls, name, staticmethod(value))

    @classmethod
    def name(cls) -> str:
        return cls.schema.name

    @classmethod
    def kind(cls) -> str:
        """`native` (lower or scalar), `decomposed`, or `fallback` (torch's own kernel at run time)."""
        if cls.lower is not None or cls.scalar is not None:
            return "native"
        return "decomposed" if cls.decompose is not None else "fallback"

    @classmethod
    def named(cls, args: Any) -> dict[str, Any]:
        """Arguments in schema order, by name."""
        return {a.name: v for a, v in zip(cls.schema.arguments, args, strict=True)}

    @classmethod
    def static_arguments(cls) -> list[str]:
        """Arguments that must be compile-time constants for `lower`; otherwise the op goes to kernel fallback."""
        return [
            a.name
            for a in cls.schema.arguments
            if a.name in cls.constant
            or (a.type.leaf not in ("Tensor", "Scalar", "Generator") and a.name not in cls.runtime)
        ]

    @classmethod
    def traits(cls) -> list[str]:
        """Traits of the registered op, from the alias annotations and `effects`."""
        return schema_traits(cls.schema, cls.effects)

    @classmethod
    def infer(cls, *args: Any) -> Any:
        """What is known of the results: the lowering or decomposition run on types alone."""
        from . import trial

        if cls.lower is None and cls.decompose is None:
            return cls.unknown_results()
        try:
            return trial.run(cls, args)
        except NotStatic:
            pass
        known = cls.give_up(args)
        if cls.dtypes_decide_sizes:
            return known
        try:
            guessed = trial.run(cls, [trial.with_some_dtype(v) for v in args])
        except (NotStatic, InferError):
            return known
        return _with_sizes(known, guessed)

    @classmethod
    def give_up(cls, args: Any) -> Any:
        """The results when types alone do not decide: the dtype that the rule gives for the first tensor."""
        first = next((v for v in args if isinstance(v, TensorInfo)), None)
        if cls.dtype is None or len(cls.schema.returns) != 1 or first is None:
            return cls.unknown_results()
        return TensorInfo(None, cls.dtype.result([operand_of(first)]))

    @classmethod
    def unknown_results(cls) -> Any:
        results = tuple(unknown_of(r.type) for r in cls.schema.returns)
        return results[0] if len(results) == 1 else results


def _with_sizes(known: Any, guessed: Any) -> Any:
    """The dtypes of one result with the sizes of another."""
    if isinstance(known, tuple):
        return tuple(_with_sizes(k, g) for k, g in zip(known, guessed, strict=True))
    if isinstance(known, TensorInfo) and isinstance(guessed, TensorInfo):
        return TensorInfo(guessed.sizes, known.dtype)
    if isinstance(known, Unknown) and known.type.startswith("Tensor") and isinstance(guessed, list):
        return [TensorInfo(g.sizes, None) for g in guessed]
    return known


def schema_traits(schema: Schema, effects: tuple[str, ...] = ()) -> list[str]:
    """`pure`, `view`, `inplace`, `out`, `mutates` (a list or dict), plus the effects given."""
    if schema.writes:
        is_out = any(a.type.writes and a.keyword_only for a in schema.arguments)
        tensors = any(a.type.writes and a.type.leaf == "Tensor" and not a.type.is_list for a in schema.arguments)
        return ["out" if is_out else "inplace" if tensors else "mutates", *effects]
    return [*([] if effects else ["pure"]), *(["view"] if schema.aliases else []), *effects]


def unknown_of(type: Type) -> Any:
    """The abstract value that says nothing about a schema type."""
    return TensorInfo() if type.name == "Tensor" else Unknown(str(type))
